/** The settings that a run would have, each with where its value comes from; nothing is opened or trained. */
import { foreignSettings } from './objectives.js';
import { recipeTable } from './recipes.js';
import { asGiven } from './scheduleSettings.js';
import { type PretrainingInput, pretrainingSchema, resolvePretrainingSettings } from './settings.js';

export interface ExplainedSetting {
  readonly name: string;
  readonly value: unknown;
  /** "given", "default", or the recipe with its source. */
  readonly source: string;
}

/**
 * Every setting of the objective that has a value, in the order of help.
 * @param given  `steps` and `time` may both be missing: the rest can be told without
 * @throws SettingsError as `pretrainToFolder`, save for what is missing
 */
export function explainSettings(given: Partial<PretrainingInput>): ExplainedSetting[] {
  const isEndless = given.steps === undefined && given.time === undefined;
  const settings = resolvePretrainingSettings({ ...given, ...(isEndless && { time: '1h' }) });
  const { recipe, objective, size, masking, from, generatorFrom } = settings;
  const names = new Set(Object.keys(given));
  const masksTokens = masking.every((name) => name === 'random');
  const table = recipeTable(recipe, { objective, size, masksTokens, hasStart: from !== undefined }, names);
  return Object.keys(pretrainingSchema.shape).flatMap((name): ExplainedSetting[] => {
    const value = name === 'generator' && generatorFrom !== undefined ? generatorFrom : settings[name as 'size'];
    if (value === undefined || (isEndless && name === 'time')) return [];
    if (foreignSettings(objective, new Set([name])).length > 0) return [];
    const isGiven = names.has(name);
    const ofRecipe = table[name];
    return [
      {
        name,
        value: asGiven(name, value),
        source: isGiven ? 'given' : ofRecipe ? `${recipe}: ${ofRecipe.source}` : 'default',
      },
    ];
  });
}

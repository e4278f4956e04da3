/**
 * Settings of pre-training: one schema for the command line, YAML and JSON files and library calls. All problems are
 * reported at once. Its parts lie beside it: sizes and rows, masking, generator, SpanBERT, and what every training has.
 */
import { z } from 'zod';
import { engineProblems } from '../engine/engineNames.js';
import { SettingsError } from '../errors/errors.js';
import { SIZES, type SizeName } from '../models/config.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { changedSettings as changed, changedValue } from '../settings/changedSettings.js';
import { count } from '../settings/fieldTypes.js';
import { type ParseOptions, parseSettings, withoutMentions } from '../settings/parseSettings.js';
import { settingName } from '../settings/settingNames.js';
import { defined } from '../training/defined.js';
import type { StartSizes } from '../training/start.js';
import {
  CHANGEABLE_ON_RESUME,
  checkpointFields,
  durationsOf,
  engineFields,
  evaluationFields,
  limitFields,
  optimizerFields,
  runFields,
  TRAINING_DEFAULTS,
  TRAINING_EXPECTED,
  trainingContradictions,
} from '../training/trainingFields.js';
import type { Sharing } from './electraGraph.js';
import {
  dropoutFields,
  initializationFields,
  NOT_SETTABLE,
  rowFields,
  STEP_BY_SIZE,
  type sizeFields,
  sizeSettings,
} from './encoderFields.js';
import { generatorFields, replacementFields } from './generatorSettings.js';
import {
  maskingContradictions,
  maskingDefaults,
  maskingFields,
  type ResolvedMasking,
  SCHEME_FIELDS,
} from './maskingSettings.js';
import { sizeProblems } from './modelConfigs.js';
import { definitionOf, foreignSettings, OWN_FIELDS, PRETRAINING_OBJECTIVES } from './objectives.js';
import { RECIPE_NAMES, type RecipeTable, recipeTable } from './recipes.js';
import {
  asGiven,
  type LengthStage,
  parseLengthStages,
  scheduleContradictions,
  scheduleFields,
} from './scheduleSettings.js';
import {
  beginningContradictions,
  sizeOfStart,
  startContradictions,
  startFields,
  startSettings,
} from './startSettings.js';

/**
 * What may be given. Only one of `steps` and `time` has no default; where a run reads and writes folders, `data` and `out` are
 * needed too (`folderProblems`).
 */
export const pretrainingSchema = z.strictObject({
  data: z.string().min(1).optional().describe('Folder of token shards, as `pleiad prepare` writes it.'),
  ...runFields,
  objective: z
    .enum(PRETRAINING_OBJECTIVES)
    .default('electra')
    .describe('What is learned: ELECTRA, one of the comparisons of its paper (§3.4), or SpanBERT. Default electra.'),
  recipe: z
    .enum(RECIPE_NAMES)
    .default('short')
    .describe('Defaults for hours on one machine, those of the papers, or neither. Default short.'),
  ...startFields,
  ...sizeSettings,
  ...generatorFields,
  ...maskingFields,
  ...replacementFields,
  mlmWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('Weight of the loss of masked tokens (the generator loss), from 0. Default 1.'),
  discWeight: z.number().min(0).default(50).describe('Weight λ of the discriminator loss, from 0. Default 50.'),
  ...OWN_FIELDS,
  ...initializationFields,
  ...rowFields,
  ...scheduleFields,
  ...limitFields,
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe('Peak learning rate. Default by size: tiny and mini 4e-4, small 5e-4, else 2e-4; spanbert large 1e-4.'),
  ...optimizerFields,
  ...dropoutFields,
  ...evaluationFields,
  evaluateBatches: count()
    .default(16)
    .describe('Batches of held-out text in an evaluation. Default 16, or as many as there are.'),
  ...checkpointFields,
  ...engineFields,
});

/** What a user gives: everything with a default may be left out. */
export interface PretrainingInput extends Omit<z.input<typeof pretrainingSchema>, 'generator'> {
  /** Fields of the generator; with `from`, the generator to go on with: a name on the hub, a folder or a file. */
  generator?: string | z.input<typeof sizeFields>;
}
type Parsed = z.output<typeof pretrainingSchema>;
type Named = Parsed & Pick<PretrainingSettings, 'generatorFrom'>;

/** Settings with every default that depends on others filled in. */
export interface PretrainingSettings extends Omit<Parsed, keyof ResolvedMasking | 'lengthStages'>, ResolvedMasking {
  /** Where the weights of the generator come from, when `generator` names that. */
  readonly generatorFrom?: string;
  /** Whose names the parameters carry, where the weights that a run begins with decide that. */
  readonly family?: ModelFamily;
  readonly size: SizeName;
  readonly initialization: 'local' | 'corrected' | 'reference';
  readonly generatorSizeFraction: number;
  readonly generatorLayerFraction: number;
  readonly sharing: Sharing;
  readonly segments: 'pair' | 'single';
  /** The longest rows. */
  readonly length: number;
  readonly lengthStages?: readonly LengthStage[];
  readonly batchSize: number;
  readonly accumulation: number;
  readonly learningRate: number;
  readonly power: number;
  readonly warmupFraction: number;
  /** `time` in milliseconds. */
  readonly timeMs?: number;
  /** `more` in milliseconds. */
  readonly moreMs?: number;
}

export type SettingName = keyof PretrainingInput;
const SETTING_NAMES = Object.keys(pretrainingSchema.shape) as SettingName[];

/** Where the schema alone does not say enough. */
const EXPECTED: Readonly<Record<string, string>> = {
  ...TRAINING_EXPECTED,
  data: 'a folder of token shards, as `pleiad prepare` writes it',
  model: 'fields of the size with their values, for instance hiddenSize',
  generator:
    'fields of the generator with their values, for instance hiddenSize; or, going on from a model, where its generator is',
};
const PARSING: ParseOptions = { expected: EXPECTED, notSettable: NOT_SETTABLE };

/**
 * Checks settings and fills in defaults.
 * @param start  sizes of the models that the run begins with, once they are known
 * @param begun  the settings of a run that is resumed: what its recipe set stays as it was, whatever the recipe says today
 * @throws SettingsError naming every problem: types, ranges, unknown names with the nearest known one, contradictions
 */
export function resolvePretrainingSettings(
  input: unknown,
  start?: StartSizes,
  begun?: PretrainingSettings,
): PretrainingSettings {
  const { fields, generatorFrom } = withoutGeneratorName(input);
  const { values, bad, problems: shapeProblems } = parseSettings(pretrainingSchema, fields, PARSING);
  const given = givenNames(input, bad);
  const named = values && { ...values, ...(generatorFrom !== undefined && { generatorFrom }) };
  const settings = named && withDefaults(named, given, { start, begun });
  const problems = [
    ...shapeProblems,
    ...(values?.lengthStages ? parseLengthStages(values.lengthStages).problems : []),
    ...(settings ? contradictions(settings, given, bad, start !== undefined) : []),
    ...(named && start ? startContradictions(named, start, given) : []),
  ];
  if (problems.length) throw new SettingsError(problems);
  return settings!;
}

/** Settings of a run that reads its shards from a folder and is written to one. */
export type FolderSettings = PretrainingSettings & { readonly data: string; readonly out: string };

/** What is missing for a run that reads and writes folders, one sentence each. */
export function folderProblems(input: Partial<PretrainingInput>): string[] {
  const missing = (['data', 'out'] as const).filter((name) => input[name] === undefined);
  return missing.map((name) => `${settingName(name)} is missing; expected ${EXPECTED[name]}`);
}

/** A word for the generator is where it comes from; all else must be its fields. */
function withoutGeneratorName(input: unknown): { fields: unknown; generatorFrom?: string } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { fields: input };
  const { generator, ...fields } = input as Record<string, unknown>;
  if (typeof generator !== 'string' || generator === '') return { fields: input };
  return { fields, generatorFrom: generator };
}

/** The settings that were given and parsed; where masking did not, nothing can be said of what belongs to a scheme. */
function givenNames(input: unknown, bad: ReadonlySet<string>): Set<string> {
  const names = typeof input === 'object' && input !== null ? Object.keys(input) : [];
  const unclear = new Set<string>([...bad, ...(bad.has('masking') ? SCHEME_FIELDS : [])]);
  return new Set(names.filter((name) => !unclear.has(name)));
}

function withDefaults(
  parsed: Named,
  given: ReadonlySet<string>,
  { start, begun }: { readonly start?: StartSizes; readonly begun?: PretrainingSettings },
): PretrainingSettings {
  const size = parsed.size ?? (start?.model ? sizeOfStart(start.model) : 'small');
  const own = definitionOf(parsed).defaults?.({ size, nextSentence: parsed.nextSentence });
  const masking = parsed.masking ?? own?.masking ?? ['random'];
  const recipe = recipeOf(parsed, { size, masking }, given);
  const { lengthStages: words, ...rest } = { ...defined(parsed), ...defined(valuesOf(recipe, begun)) };
  const lengthStages = words && parseLengthStages(words).stages;
  return {
    ...STEP_BY_SIZE[size],
    ...maskingDefaults({ masking }),
    masking,
    generatorSizeFraction: SIZES[size].generatorSizeFraction,
    generatorLayerFraction: layerFractionOf(parsed, start),
    sharing: parsed.freezeGenerator ? 'none' : 'embeddings',
    maskProb: SIZES[size].maskProb,
    maskKeepProb: 0.15,
    maskRandomProb: 0,
    segments: 'pair',
    ...TRAINING_DEFAULTS,
    initialization: parsed.from === undefined ? 'local' : 'corrected',
    length: lengthStages?.at(-1)?.length ?? 128,
    ...own,
    ...rest,
    ...(lengthStages && { lengthStages }),
    size,
    ...(start && startSettings(parsed, start, given)),
    ...durationsOf(parsed),
  };
}

/** What the recipe of a run says of the settings that were not given. */
function recipeOf(
  { recipe, objective, from }: Named,
  { size, masking }: { readonly size: SizeName; readonly masking: readonly string[] },
  given: ReadonlySet<string>,
): RecipeTable {
  const masksTokens = masking.every((name) => name === 'random');
  return recipeTable(recipe, { objective, size, masksTokens, hasStart: from !== undefined }, given);
}

function valuesOf(recipe: RecipeTable, begun?: PretrainingSettings): Partial<Parsed> {
  return Object.fromEntries(
    Object.entries(recipe).map(([name, { value }]) => [
      name,
      begun ? asGiven(name, begun[name as keyof PretrainingSettings]) : value,
    ]),
  );
}

/** A generator that begins as the lower part of the model is half as deep; what a start holds is known once it is loaded. */
function layerFractionOf(
  { from, generatorFrom, newGenerator, freezeGenerator }: Named,
  start: StartSizes | undefined,
): number {
  // A ready masked LM is taken as a whole.
  if (freezeGenerator) return 1;
  const mayBeOfModel = from !== undefined && generatorFrom === undefined && !newGenerator;
  return (start ? start.generatorOfModel : mayBeOfModel) ? 0.5 : 1;
}

/**
 * Settings that are each in range and do not go together.
 * @param bad         settings that stand at their default because what was given is out of range: nothing is said about
 *                    those
 * @param knowsSizes  whether the sizes of models that `from` names are in; without, nothing is said about sizes
 */
function contradictions(
  s: PretrainingSettings,
  given: ReadonlySet<string>,
  bad: ReadonlySet<string>,
  knowsSizes: boolean,
): string[] {
  const problems = [
    ...trainingContradictions(s, given),
    ...dropoutContradictions(s, given),
    ...scheduleContradictions(s, given),
    ...engineProblems(s),
    ...maskingContradictions(s, given),
    ...foreignSettings(s.objective, given),
    ...(definitionOf(s).contradictions?.(s, given) ?? []),
    ...beginningContradictions(s, given),
    ...(bad.has('size') || ((s.from ?? s.generatorFrom) !== undefined && !knowsSizes) ? [] : sizeProblems(s)),
  ];
  return withoutMentions(problems, bad);
}

function dropoutContradictions(s: PretrainingSettings, given: ReadonlySet<string>): string[] {
  const pairs = [
    ['hiddenDropout', 'hiddenDropoutProb'],
    ['attentionDropout', 'attentionProbsDropoutProb'],
  ] as const;
  return pairs
    .filter(([own, field]) => given.has(own) && s.model[field] !== undefined)
    .map(
      ([own, field]) =>
        `${settingName(own)} is ${s[own]} and ${settingName(`model.${field}`)} is ${s.model[field]}; give one`,
    );
}

/** Settings that a resumed run may change; all others decide what it computes. */
const CHANGEABLE: readonly SettingName[] = [...CHANGEABLE_ON_RESUME, 'data', 'tags', 'evaluateBatches'];

/** The settings that a resumed run must not change and has, one sentence each with both values. */
export function changedSettings(before: PretrainingSettings, now: PretrainingSettings): string[] {
  const names = SETTING_NAMES.filter((name) => !CHANGEABLE.includes(name));
  return [...changed(before, now, names), ...changedValue('generator', before.generatorFrom, now.generatorFrom)];
}

/** Which of the models a screen takes where the address names none. */
import type { StudioModelSummary, StudioRole } from '../../../src/studio/studioCall.js';
import type { Language } from '../app/words.js';

/** Models that have all of the roles. */
export function withRoles(
  models: readonly StudioModelSummary[],
  roles: readonly StudioRole[],
): readonly StudioModelSummary[] {
  return models.filter((model) => roles.every((role) => model.roles[role] !== undefined));
}

/** A generator and a discriminator of the language; of a series what has read most. One of no known language may be of any. */
export function pairFor(models: readonly StudioModelSummary[], language: Language): StudioModelSummary | undefined {
  const pairs = withRoles(models, ['generator', 'discriminator']).filter((model) => fits(model, language));
  return [...pairs].sort((a, b) => rank(b, language) - rank(a, language))[0];
}

const fits = (model: StudioModelSummary, language: Language) =>
  model.language === undefined || model.language === language;

/** A model alone before a series, the language before no language, more tokens before fewer. */
function rank(model: StudioModelSummary, language: Language): number {
  return (
    (model.language === language ? 4 : 0) +
    (model.series === undefined ? 2 : 0) +
    (model.tokensSeen === undefined ? 1 : 1 - 1 / (1 + model.tokensSeen))
  );
}

/**
 * The checkpoints of a model's series, from the least to the most read. For a model of no series, that of another of its
 * language: there is then something to watch, though not of the model itself.
 */
export function seriesBeside(models: readonly StudioModelSummary[], model: StudioModelSummary): StudioModelSummary[] {
  const others = models.filter(({ series, language }) => series !== undefined && language === model.language);
  const name = model.series ?? others[0]?.series;
  return models
    .filter(({ series }) => series !== undefined && series === name)
    .sort((a, b) => (a.tokensSeen ?? 0) - (b.tokensSeen ?? 0));
}

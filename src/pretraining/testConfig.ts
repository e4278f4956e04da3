/** ELECTRA as its paper trains it, for tests; what is added are the models. */
import type { ObjectiveConfig } from './electra.js';

export const PLAIN_ELECTRA: Omit<ObjectiveConfig, 'discriminator' | 'generator'> = {
  objective: 'electra',
  generatorKind: 'model',
  sharing: 'embeddings',
  proposals: 'sample',
  temperature: 1,
  disallowCorrect: false,
  mlmWeight: 1,
  discWeight: 50,
  duplicates: 'corrected',
  initialization: 'corrected',
};

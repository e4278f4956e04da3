/** ELECTRA as its paper trains it, for tests; what is added are the models. */
import { createElectra, type ElectraName } from './electra.js';
import type { ElectraConfig } from './electraGraph.js';
import { createMaskedLm } from './maskedLm.js';
import type { PretrainingObjective } from './pretrainingObjective.js';

/** Objectives over an ELECTRA's parts, by name. */
export type TestName = ElectraName | 'mlm';

export interface TestConfig extends ElectraConfig {
  readonly objective: TestName;
}

export const PLAIN_ELECTRA: Omit<TestConfig, 'discriminator' | 'generator'> = {
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

export function createTestObjective({ objective, ...config }: TestConfig): PretrainingObjective {
  return objective === 'mlm'
    ? createMaskedLm({ ...config, encoder: config.discriminator })
    : createElectra(objective, config);
}

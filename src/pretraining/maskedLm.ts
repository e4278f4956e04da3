/**
 * The masked language model alone (BERT, arXiv 1810.04805 §3.1), as an ELECTRA's generator without its discriminator; going on
 * from a BERT, as that BERT.
 *
 *   L_MLM = mean over masked slots of −log p(x_t | x^masked)
 */
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { EncoderConfig } from '../models/config.js';
import type { EncoderStart } from '../models/encoder.js';
import { GraphPhase } from '../training/graphPhase.js';
import { isEmbedding, maskedLmLogits, slotLoss } from './electraGraph.js';
import { weightContradictions } from './generatorSettings.js';
import { MASKED_BATCHES } from './maskedInputs.js';
import { type CommonSettings, defineObjective } from './objectiveDefinition.js';
import { type PretrainingObjective, pretrainingObjective } from './pretrainingObjective.js';
import { createSpanBert } from './spanbert.js';

const NAME = 'mlm';
/** Parameters carry the names of an ELECTRA's generator under this. */
const SCOPE = 'generator';

export interface MaskedLmConfig {
  readonly encoder: EncoderConfig;
  readonly initialization: EncoderStart;
  /** Whether the embeddings stay as they are. Default false. */
  readonly freezeEmbeddings?: boolean;
}

export function createMaskedLm({ encoder, initialization, freezeEmbeddings }: MaskedLmConfig): PretrainingObjective {
  const config = { sharing: 'none', initialization } as const;
  const phase = new GraphPhase(MASKED_BATCHES, {
    name: NAME,
    trains: (parameter) => !(freezeEmbeddings && isEmbedding(parameter)),
    build(masked) {
      const build = { ...masked, config };
      const logits = maskedLmLogits(build, SCOPE, build.inputs.maskedInputIds, encoder);
      return [{ name: 'mlm', sum: slotLoss(build, logits, 'mlm'), weight: 1 }];
    },
    counts: ({ maskedWeights }: MaskedBatch) => ({ mlm: maskedWeights.reduce((total, weight) => total + weight, 0) }),
  });
  const parameters = phase.parameters();
  return pretrainingObjective({
    name: NAME,
    parameters,
    phases: [phase],
    lossWeights: { mlm: 1 },
    models: [
      {
        folder: SCOPE,
        architecture: 'ElectraForMaskedLM',
        config: encoder,
        tensors: new Map(parameters.map(({ name }) => [name.slice(SCOPE.length + 1), name])),
      },
    ],
  });
}

export interface MaskedLmSettings extends CommonSettings {
  readonly nextSentence: boolean;
  readonly sboWeight: number;
}

export const maskedLm = defineObjective<typeof NAME, MaskedLmSettings>({
  name: NAME,
  families: ['electra', 'bert'],
  main: () => ({ role: 'model', task: 'maskedLm', roles: ['generator', 'model', 'discriminator'] }),
  headWork: () => ({ vocabularyAtSlots: 1 }),
  defaults: () => ({ maskKeepProb: 0.1, maskRandomProb: 0.1 }),
  contradictions: weightContradictions,
  build: (settings, { encoder }) =>
    settings.family === 'bert'
      ? // A BERT's masked LM is SpanBERT without its boundary head.
        createSpanBert({ ...settings, name: NAME, encoder })
      : createMaskedLm({ ...settings, encoder }),
});

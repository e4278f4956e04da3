/** Settings of sizes and of rows: a part of those of pre-training. */
import { z } from 'zod';
import { SIZES, type SizeName } from '../models/config.js';
import { count, fraction, fractionBelowOne } from '../settings/fieldTypes.js';

/** Fields of a size, as `model` and `generator` take them. */
export const sizeFields = z
  .strictObject({
    embeddingSize: count(),
    hiddenSize: count(),
    numHiddenLayers: count(),
    numAttentionHeads: count(),
    intermediateSize: count(),
    maxPositionEmbeddings: count(),
    typeVocabSize: count(),
    layerNormEps: z.number().positive(),
    hiddenDropoutProb: fraction(),
    attentionProbsDropoutProb: fraction(),
    initializerRange: z.number().positive(),
  })
  .partial();

/** Sizes that are no setting, and where they come from. */
export const NOT_SETTABLE = {
  vocabSize: 'it comes from the tokenizer',
  padTokenId: 'it comes from the tokenizer',
} as const;

export const sizeSettings = {
  size: z
    .enum(Object.keys(SIZES) as [SizeName, ...SizeName[]])
    .optional()
    .describe(
      'Named size of the discriminator, or of the lone encoder. Default small; with `from`, that of its model, or the next smaller one.',
    ),
  model: sizeFields.default({}).describe('Fields of the size to change, for instance hiddenSize=256. Default none.'),
};

export const initializationFields = {
  initialization: z
    .enum(['local', 'corrected', 'reference'])
    .optional()
    .describe(
      'How weights start. local: heads attend to neighbours; corrected: all from one normal; reference: as released, projections and the last layer Glorot-uniform. Default local; with `from`, corrected for what is new.',
    ),
};

export const rowFields = {
  length: z
    .number()
    .int()
    .min(8)
    .optional()
    .describe('Tokens in a row, special ones included, from 8. Default 128, or the last of `lengthStages`.'),
  segments: z
    .enum(['pair', 'single'])
    .optional()
    .describe(
      'Rows of two neighbouring segments (one in a tenth of the rows), or always of one. Default pair; single for spanbert without `nextSentence`.',
    ),
  batchSize: count()
    .optional()
    .describe('Rows of a micro-batch: what is in memory at once. Default by size: 32, or 16 for large.'),
  accumulation: count()
    .optional()
    .describe(
      'Micro-batches of a step, whose gradients are added up; under mpirun the ranks share its rows (`batchSize` times this). Default by size: 1, small 4, base 8, large 128 (spanbert 16).',
    ),
};

export const dropoutFields = {
  hiddenDropout: fractionBelowOne()
    .default(0)
    .describe('Dropout of hidden states, 0 to below 1. Default 0: short runs do not overfit.'),
  attentionDropout: fractionBelowOne().default(0).describe('Dropout of attention weights, 0 to below 1. Default 0.'),
};

/** What a step is by default at a size. */
export interface StepDefaults {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly accumulation: number;
}

export const STEP_BY_SIZE: Readonly<Record<SizeName, StepDefaults>> = {
  tiny: { learningRate: 4e-4, batchSize: 32, accumulation: 1 },
  mini: { learningRate: 4e-4, batchSize: 32, accumulation: 1 },
  // Global batches and rates from here on: ELECTRA paper, table 6.
  small: { learningRate: 5e-4, batchSize: 32, accumulation: 4 },
  'small++': { learningRate: 5e-4, batchSize: 32, accumulation: 4 },
  base: { learningRate: 2e-4, batchSize: 32, accumulation: 8 },
  large: { learningRate: 2e-4, batchSize: 16, accumulation: 128 },
};

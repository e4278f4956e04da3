/** Sizes of an encoder, with the field names of the published config.json in camelCase, and the named sizes. */
import { SettingsError } from '../errors/errors.js';

export interface EncoderConfig {
  vocabSize: number;
  embeddingSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  intermediateSize: number;
  maxPositionEmbeddings: number;
  typeVocabSize: number;
  layerNormEps: number;
  hiddenDropoutProb: number;
  attentionProbsDropoutProb: number;
  initializerRange: number;
  padTokenId: number;
}

/** The classes of transformers whose folders we read and write. */
export const ARCHITECTURES = [
  'ElectraModel',
  'ElectraForPreTraining',
  'ElectraForMaskedLM',
  'ElectraForQuestionAnswering',
  'ElectraForSequenceClassification',
  'ElectraForTokenClassification',
  'ElectraForMultipleChoice',
  'BertModel',
  'BertForPreTraining',
  'BertForMaskedLM',
  'BertForQuestionAnswering',
  'BertForSequenceClassification',
  'BertForTokenClassification',
  'BertForMultipleChoice',
] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export type SizeName = 'tiny' | 'mini' | 'small' | 'small++' | 'base' | 'large';

interface Size {
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
  embedding: number;
  /** Generator width as a fraction of the discriminator's (paper table 6, "generator multiplier"). */
  generatorSizeFraction: number;
  /** Share of tokens that are masked. */
  maskProb: number;
}

/** `small` to `large`: ELECTRA paper (arXiv 2003.10555) table 6. `tiny` and `mini` are ours, for minutes on a laptop. */
export const SIZES: Readonly<Record<SizeName, Size>> = {
  tiny: {
    layers: 4,
    hidden: 128,
    heads: 2,
    intermediate: 512,
    embedding: 128,
    generatorSizeFraction: 0.5,
    maskProb: 0.15,
  },
  mini: {
    layers: 6,
    hidden: 256,
    heads: 4,
    intermediate: 1024,
    embedding: 128,
    generatorSizeFraction: 0.25,
    maskProb: 0.15,
  },
  small: {
    layers: 12,
    hidden: 256,
    heads: 4,
    intermediate: 1024,
    embedding: 128,
    generatorSizeFraction: 0.25,
    maskProb: 0.15,
  },
  'small++': {
    layers: 12,
    hidden: 256,
    heads: 4,
    intermediate: 1024,
    embedding: 128,
    generatorSizeFraction: 1,
    maskProb: 0.15,
  },
  base: {
    layers: 12,
    hidden: 768,
    heads: 12,
    intermediate: 3072,
    embedding: 768,
    generatorSizeFraction: 1 / 3,
    maskProb: 0.15,
  },
  large: {
    layers: 24,
    hidden: 1024,
    heads: 16,
    intermediate: 4096,
    embedding: 1024,
    generatorSizeFraction: 0.25,
    maskProb: 0.25,
  },
};

/** The discriminator's (or a lone encoder's) config for a named size; any field can be overridden. */
export function encoderConfig(
  size: SizeName,
  vocabSize: number,
  overrides: Partial<EncoderConfig> = {},
): EncoderConfig {
  const { layers, hidden, heads, intermediate, embedding } = SIZES[size];
  const config: EncoderConfig = {
    vocabSize,
    embeddingSize: embedding,
    hiddenSize: hidden,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    intermediateSize: intermediate,
    maxPositionEmbeddings: 512,
    typeVocabSize: 2,
    layerNormEps: 1e-12,
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
    initializerRange: 0.02,
    padTokenId: 0,
    ...overrides,
  };
  const problems = encoderConfigProblems(config);
  if (problems.length) throw new SettingsError(problems);
  return config;
}

/**
 * The generator's config: widths are a fraction of the discriminator's, layers too when asked (1 by default, as released);
 * heads of 64, feed-forward 4 × hidden, embeddings as wide as the discriminator's because they are shared.
 * google-research/electra, run_pretraining.py, get_generator_config.
 */
export function generatorConfig(
  discriminator: EncoderConfig,
  { sizeFraction, layerFraction = 1 }: { sizeFraction: number; layerFraction?: number },
): EncoderConfig {
  const headSize = discriminator.hiddenSize / discriminator.numAttentionHeads;
  const hiddenSize = Math.max(
    headSize,
    Math.floor((discriminator.hiddenSize * sizeFraction + 1e-3) / headSize) * headSize,
  );
  return {
    ...discriminator,
    hiddenSize,
    intermediateSize: 4 * hiddenSize,
    numAttentionHeads: Math.max(1, hiddenSize / headSize),
    numHiddenLayers: Math.max(1, Math.round(discriminator.numHiddenLayers * layerFraction)),
  };
}

/** Everything that is wrong with a config, one sentence each. */
export function encoderConfigProblems(config: EncoderConfig): string[] {
  const problems: string[] = [];
  const counts = [
    'vocabSize',
    'embeddingSize',
    'hiddenSize',
    'numHiddenLayers',
    'numAttentionHeads',
    'intermediateSize',
    'maxPositionEmbeddings',
    'typeVocabSize',
  ] as const;
  for (const key of counts) {
    if (!Number.isInteger(config[key]) || config[key] < 1)
      problems.push(`${key} is ${config[key]}; expected a positive integer`);
  }
  if (config.hiddenSize % config.numAttentionHeads !== 0) {
    problems.push(
      `hiddenSize is ${config.hiddenSize}; expected a multiple of numAttentionHeads (${config.numAttentionHeads})`,
    );
  }
  for (const key of ['hiddenDropoutProb', 'attentionProbsDropoutProb'] as const) {
    if (!(config[key] >= 0 && config[key] < 1))
      problems.push(`${key} is ${config[key]}; expected a fraction from 0 to below 1`);
  }
  if (!(config.layerNormEps > 0)) problems.push(`layerNormEps is ${config.layerNormEps}; expected a positive number`);
  return problems;
}

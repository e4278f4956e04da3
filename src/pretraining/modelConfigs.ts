/** The sizes of the models that settings describe, and what is wrong with them. */
import { type EncoderConfig, encoderConfig, encoderConfigProblems, generatorConfig } from '../models/config.js';
import { settingName } from '../settings/settingNames.js';
import { type GeneratorSettings, sharingProblems } from './generatorSettings.js';
import type { CommonSettings } from './objectiveDefinition.js';
import { definitionOf, trainsGenerator } from './objectives.js';

export interface SizeSettings extends CommonSettings, GeneratorSettings {
  readonly model: Partial<EncoderConfig>;
  readonly generator: Partial<EncoderConfig>;
  readonly generatorSizeFraction: number;
  readonly generatorLayerFraction: number;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  readonly length: number;
}

/** Whether the model is a BERT, whose embeddings are as wide as its hidden states. */
function trainsBert({ objective, family }: Pick<SizeSettings, 'objective' | 'family'>): boolean {
  return (family ?? definitionOf({ objective }).families[0]) === 'bert';
}

/**
 * The configs of both halves for a vocabulary. Where there is one encoder alone, it is the discriminator's; a BERT's
 * embeddings are as wide as its hidden states at every size.
 * @param vocabSize   of the tokenizer that made the shards
 * @param padTokenId  its padding token
 */
export function modelConfigs(
  s: SizeSettings,
  { vocabSize, padTokenId }: { vocabSize: number; padTokenId: number },
): { discriminator: EncoderConfig; generator: EncoderConfig } {
  const size = encoderConfig(s.size, vocabSize);
  const discriminator: EncoderConfig = {
    ...size,
    ...(trainsBert(s) && { embeddingSize: s.model.hiddenSize ?? size.hiddenSize }),
    padTokenId,
    hiddenDropoutProb: s.hiddenDropout,
    attentionProbsDropoutProb: s.attentionDropout,
    ...s.model,
  };
  const fractions = { sizeFraction: s.generatorSizeFraction, layerFraction: s.generatorLayerFraction };
  const generator = generatorConfig(discriminator, fractions);
  // A generator of the same width is the same network, also where the feed-forward width was overridden.
  const sameWidth = s.generatorSizeFraction === 1 && { intermediateSize: discriminator.intermediateSize };
  // Embeddings of its own are as wide as the generator, as with `untied_generator_embeddings` in google-research/electra:
  // a table wider than what reads it would cost more and need a projection. Where the generator is copied, all sizes are
  // those of the model.
  const hiddenSize = s.generator.hiddenSize ?? generator.hiddenSize;
  const ownTable = s.sharing === 'none' && !definitionOf(s).copiesGenerator && { embeddingSize: hiddenSize };
  return { discriminator, generator: { ...generator, ...sameWidth, ...ownTable, ...s.generator } };
}

/** Sizes of a generator that follow from the model's heads, where they are not given. */
const FROM_HEADS: readonly (keyof EncoderConfig)[] = ['hiddenSize', 'numAttentionHeads', 'intermediateSize'];

/** What is wrong with the sizes, one sentence each. */
export function sizeProblems(s: SizeSettings): string[] {
  // Sizes do not depend on the vocabulary: any will do for checking them.
  const { discriminator, generator } = modelConfigs(s, { vocabSize: 1, padTokenId: 0 });
  const ofModel = encoderConfigProblems(discriminator);
  const problems = ofModel.map((problem) => `${settingName('model')}: ${problem}`);
  const { embeddingSize, hiddenSize, maxPositionEmbeddings } = discriminator;
  if (s.family === undefined && trainsBert(s) && embeddingSize !== hiddenSize) {
    problems.push(
      `${settingName('model.embeddingSize')} is ${embeddingSize} and hiddenSize is ${hiddenSize}; ${settingName('objective')} ${s.objective} trains a BERT, which has no embedding projection: expected ${hiddenSize}`,
    );
  }
  if (trainsGenerator(s)) problems.push(...generatorProblems(s, { discriminator, generator }, ofModel.length === 0));
  if (s.length > maxPositionEmbeddings) {
    problems.push(
      `${settingName('length')} is ${s.length} and maxPositionEmbeddings is ${maxPositionEmbeddings}; expected a length of at most that, or a larger ${settingName('model.maxPositionEmbeddings')}`,
    );
  }
  return problems;
}

/** What was derived from a model that is wrong is no news; what was given for the generator itself is. */
function generatorProblems(
  s: SizeSettings,
  { discriminator, generator }: { discriminator: EncoderConfig; generator: EncoderConfig },
  isModelRight: boolean,
): string[] {
  const given = (key: keyof EncoderConfig) => isModelRight || key in s.generator;
  const problems = encoderConfigProblems(generator)
    .filter((problem) => {
      const [field] = problem.split(' ') as [keyof EncoderConfig];
      return given(field) && (field !== 'hiddenSize' || given('numAttentionHeads'));
    })
    .map((problem) => `${settingName('generator')}: ${problem}`);
  const compares = (key: keyof EncoderConfig) => given(key) || !FROM_HEADS.includes(key);
  const copiedBy = definitionOf(s).copiesGenerator ? s.objective : undefined;
  problems.push(...sharingProblems({ ...s, copiedBy }, { discriminator, generator, compares }));
  const { maxPositionEmbeddings: positions } = generator;
  if (s.length > positions && positions < discriminator.maxPositionEmbeddings) {
    problems.push(
      `${settingName('length')} is ${s.length} and maxPositionEmbeddings of the generator is ${positions}; expected a length of at most that`,
    );
  }
  return problems;
}

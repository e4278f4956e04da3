/** Settings of a generator and of what it proposes: a part of those of pre-training, of the objectives that have one. */
import { z } from 'zod';
import type { EncoderConfig } from '../models/config.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { sizeFields } from './encoderFields.js';
import type { OwnSettings } from './objectiveDefinition.js';

export const generatorFields = {
  generator: sizeFields
    .default({})
    .describe(
      'Fields of the generator to change after its fractions are applied, as for `model`; or, with `from`, the name, folder or file of its generator. Default none.',
    ),
  generatorSizeFraction: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      "Width of the generator as a fraction of the discriminator's, 0 to 1. Default by size: 1/4, 1/3 or 1/2; 1 for objective two-stage.",
    ),
  generatorLayerFraction: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      "Layers of the generator as a fraction of the discriminator's, 0 to 1; with `from` a model that has no generator, its first layers. Default 1; 0.5 where they are those of the model.",
    ),
  generatorKind: z
    .enum(['model', 'uniform', 'unigram'])
    .default('model')
    .describe('Where replacements come from: a trained generator, any token, or tokens by frequency. Default model.'),
  sharing: z
    .enum(['embeddings', 'none', 'encoder'])
    .optional()
    .describe(
      'What generator and discriminator share; encoder needs equal sizes. With none, the embeddings of the generator are as wide as itself, as released; `generator.embeddingSize` sets another width. Default embeddings; none for objective two-stage, which freezes the generator.',
    ),
};

export const replacementFields = {
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('Divides the generator logits before sampling, above 0. Default 1.'),
  proposals: z
    .enum(['sample', 'argmax'])
    .default('sample')
    .describe('Whether the generator samples a replacement or takes the most probable token. Default sample.'),
  disallowCorrect: z.boolean().default(false).describe('Never propose the original token. Default false.'),
};

export const GENERATOR_SETTINGS = {
  fields: { ...generatorFields, ...replacementFields },
  why: 'which has no generator',
} as const satisfies OwnSettings;

export interface GeneratorSettings {
  readonly generatorKind: 'model' | 'uniform' | 'unigram';
  readonly sharing: 'embeddings' | 'none' | 'encoder';
  readonly mlmWeight: number;
  readonly discWeight: number;
}

/** Settings of objectives with a generator that are each in range and do not go together. */
export function generatorContradictions({ generatorKind, sharing, ...weights }: GeneratorSettings): string[] {
  const problems = weightContradictions(weights);
  if (generatorKind !== 'model' && sharing === 'encoder') {
    problems.push(
      `${settingName('generatorKind')} is ${generatorKind} and ${settingName('sharing')} is encoder; there is no generator encoder to share`,
    );
  }
  return problems;
}

export function weightContradictions({ mlmWeight, discWeight }: { mlmWeight: number; discWeight: number }): string[] {
  if (mlmWeight !== 0 || discWeight !== 0) return [];
  return [`${settingName('mlmWeight')} and ${settingName('discWeight')} are both 0; nothing would be learned`];
}

const ENCODER_SIZES = [
  'hiddenSize',
  'numHiddenLayers',
  'numAttentionHeads',
  'intermediateSize',
  'embeddingSize',
] as const;
const EMBEDDING_SIZES = ['embeddingSize', 'maxPositionEmbeddings', 'typeVocabSize'] as const;

export interface SharingSizes {
  readonly discriminator: EncoderConfig;
  readonly generator: EncoderConfig;
  /** Sizes to compare. Default: all. */
  compares?(field: keyof EncoderConfig): boolean;
}

/**
 * Sizes in which two halves differ and must not, one sentence each.
 * @param copiedBy  name of the objective, where its main encoder begins as a copy of the generator
 */
export function sharingProblems(
  {
    sharing,
    from,
    copiedBy,
  }: Pick<GeneratorSettings, 'sharing'> & { readonly from?: string; readonly copiedBy?: string },
  { discriminator, generator, compares = () => true }: SharingSizes,
): string[] {
  const equal = (fields: readonly (keyof EncoderConfig)[], why: string) =>
    fields
      .filter((field) => compares(field) && discriminator[field] !== generator[field])
      .map(
        (field) =>
          `${why} needs equal sizes: ${field} is ${discriminator[field]} in the model and ${generator[field]} in the generator`,
      );
  if (sharing === 'encoder') return equal(ENCODER_SIZES, `${settingName('sharing')} encoder`);
  if (copiedBy !== undefined)
    return equal(ENCODER_SIZES, `${settingName('objective')} ${copiedBy}, which copies the generator,`);
  if (sharing !== 'embeddings') return [];
  const problems = equal(EMBEDDING_SIZES, `${settingName('sharing')} embeddings`);
  if (from === undefined) return problems;
  return problems.map((problem) => `${problem}; ${settingWith('sharing', 'none')} keeps the embeddings of both`);
}

/** Settings of a generator and of what it proposes: a part of those of pre-training, of the objectives that have one. */
import { z } from 'zod';
import type { EncoderConfig } from '../models/config.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { SHARINGS, type Sharing } from './electraGraph.js';
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
    .enum(SHARINGS)
    .optional()
    .describe(
      'What generator and discriminator share; encoder needs equal sizes. With none, the embeddings of the generator are as wide as itself, as released; `generator.embeddingSize` sets another width. gdes: those of the discriminator are those of the generator, which it does not change, and a difference of its own (DeBERTaV3, arXiv 2111.09543). Default embeddings; none for objective two-stage and with `freezeGenerator`.',
    ),
  freezeGenerator: z
    .boolean()
    .default(false)
    .describe(
      'The generator is a ready masked LM and stays as it is (Fast-ELECTRA, arXiv 2310.07347): that of `generator`, beside a new discriminator or that of `from`; else that beside the discriminator, or all layers of the masked LM that becomes one. Default false.',
    ),
};

export const replacementFields = {
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('Divides the generator logits before sampling, above 0. Default 1.'),
  temperatureEnd: z
    .number()
    .positive()
    .optional()
    .describe(
      'What `temperature` has become at the end of the run, in a straight line: from 2 to 1, replacements are easy to tell at first (Fast-ELECTRA, arXiv 2310.07347). Evaluation draws at this one. Default: as `temperature`.',
    ),
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
  readonly sharing: Sharing;
  readonly mlmWeight: number;
  readonly discWeight: number;
  readonly freezeGenerator?: boolean;
  readonly freezeEmbeddings?: boolean;
  readonly from?: string;
  readonly newGenerator?: boolean;
}

/** Settings of objectives with a generator that are each in range and do not go together. */
export function generatorContradictions({ generatorKind, sharing, ...others }: GeneratorSettings): string[] {
  const problems = weightContradictions(others);
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const isModel = generatorKind === 'model';
  const kind = `${settingName('generatorKind')} is ${generatorKind}`;
  refuse(
    !isModel && (sharing === 'encoder' || sharing === 'gdes'),
    `${kind} and ${settingName('sharing')} is ${sharing}; there is no generator ${sharing === 'gdes' ? 'table' : 'encoder'} to share`,
  );
  const { freezeGenerator = false, freezeEmbeddings = false, newGenerator = false, discWeight } = others;
  refuse(
    freezeEmbeddings && sharing === 'gdes',
    `${settingName('freezeEmbeddings')} is set and ${settingName('sharing')} is gdes, whose difference would stay 0; expected another`,
  );
  const frozen = `${settingName('freezeGenerator')} is set`;
  if (!freezeGenerator) return problems;
  refuse(!isModel, `${frozen} and ${kind}, which has no weights; give one`);
  refuse(
    newGenerator,
    `${frozen} and ${settingName('newGenerator')} too; a generator of random weights must be trained`,
  );
  refuse(
    sharing === 'embeddings' || sharing === 'encoder',
    `${frozen} and ${settingName('sharing')} is ${sharing}, by which the discriminator would change it; expected none or gdes`,
  );
  refuse(discWeight === 0, `${frozen} and ${settingName('discWeight')} is 0; nothing would be learned`);
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
  if (sharing === 'none') return [];
  const problems = equal(EMBEDDING_SIZES, `${settingName('sharing')} ${sharing}`);
  if (from === undefined) return problems;
  return problems.map((problem) => `${problem}; ${settingWith('sharing', 'none')} keeps the embeddings of both`);
}

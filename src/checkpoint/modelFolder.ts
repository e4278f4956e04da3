/**
 * What stands in a model folder in Hugging Face layout, without the file system: config.json with its published field
 * names, and exactly which tensors a model has.
 */
import { CheckpointError } from '../errors.js';
import { type EncoderConfig, encoderConfigProblems } from '../models/config.js';
import { discriminatorGraph, generatorGraph } from '../models/electra.js';

/** The classes of transformers whose folders we read and write. */
export const ARCHITECTURES = ['ElectraForPreTraining', 'ElectraForMaskedLM'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** Our field → theirs (transformers, configuration_electra.py). */
const PUBLISHED = {
  vocabSize: 'vocab_size',
  embeddingSize: 'embedding_size',
  hiddenSize: 'hidden_size',
  numHiddenLayers: 'num_hidden_layers',
  numAttentionHeads: 'num_attention_heads',
  intermediateSize: 'intermediate_size',
  maxPositionEmbeddings: 'max_position_embeddings',
  typeVocabSize: 'type_vocab_size',
  layerNormEps: 'layer_norm_eps',
  hiddenDropoutProb: 'hidden_dropout_prob',
  attentionProbsDropoutProb: 'attention_probs_dropout_prob',
  initializerRange: 'initializer_range',
  padTokenId: 'pad_token_id',
} as const satisfies Record<keyof EncoderConfig, string>;

/** What a config.json may leave out, as transformers fills it in. */
const PUBLISHED_DEFAULTS: Readonly<Record<string, number>> = {
  vocab_size: 30522,
  embedding_size: 128,
  hidden_size: 256,
  num_hidden_layers: 12,
  num_attention_heads: 4,
  intermediate_size: 1024,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
  pad_token_id: 0,
};

/** What our encoder is and cannot be otherwise; a config.json may leave these out. */
const FIXED: Readonly<Record<string, unknown>> = {
  hidden_act: 'gelu',
  position_embedding_type: 'absolute',
  is_decoder: false,
};

export interface ModelDescription {
  readonly config: EncoderConfig;
  readonly architecture: Architecture;
  /** What we know of the model and config.json has no field for. */
  readonly pleiad?: Readonly<Record<string, unknown>>;
}

/** The content of config.json. */
export function encoderConfigToJson({ config, architecture, pleiad }: ModelDescription): Record<string, unknown> {
  const fields = Object.entries(PUBLISHED).map(([ours, theirs]) => [theirs, config[ours as keyof EncoderConfig]]);
  return {
    model_type: 'electra',
    architectures: [architecture],
    ...Object.fromEntries(fields),
    hidden_act: 'gelu',
    position_embedding_type: 'absolute',
    tie_word_embeddings: true,
    ...(pleiad && { pleiad }),
  };
}

/**
 * Reads the content of config.json.
 * @param source  file name for messages
 * @throws CheckpointError when it is of another kind of model, or a field has no value that our encoder can take
 */
export function parseConfigJson(json: unknown, source: string): ModelDescription {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unfit(source, 'is not a JSON object');
  const fields = json as Record<string, unknown>;
  if (fields.model_type !== 'electra') {
    throw unfit(source, `has model_type ${JSON.stringify(fields.model_type)}`, 'model_type "electra"');
  }
  for (const [name, value] of Object.entries(FIXED)) {
    if (fields[name] !== undefined && fields[name] !== value) {
      throw unfit(source, `has ${name} ${JSON.stringify(fields[name])}`, `${name} ${JSON.stringify(value)}`);
    }
  }
  const config = Object.fromEntries(
    Object.entries(PUBLISHED).map(([ours, theirs]) => [ours, numberField(fields, theirs, source)]),
  ) as unknown as EncoderConfig;
  const problems = encoderConfigProblems(config);
  if (problems.length) throw unfit(source, `does not describe a model: ${problems.join('; ')}`);
  return { config, architecture: architectureOf(fields, source), ...pleiadOf(fields) };
}

function numberField(fields: Record<string, unknown>, name: string, source: string): number {
  const value = fields[name] ?? PUBLISHED_DEFAULTS[name];
  if (typeof value !== 'number') throw unfit(source, `has ${name} ${JSON.stringify(value)}`, 'a number');
  return value;
}

function architectureOf({ architectures }: Record<string, unknown>, source: string): Architecture {
  const found: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const architecture = ARCHITECTURES.find((known) => known === found);
  if (!architecture)
    throw unfit(source, `has architectures ${JSON.stringify(architectures)}`, ARCHITECTURES.join(' or '));
  return architecture;
}

function pleiadOf({ pleiad }: Record<string, unknown>): Pick<ModelDescription, 'pleiad'> {
  return typeof pleiad === 'object' && pleiad !== null ? { pleiad: pleiad as Record<string, unknown> } : {};
}

function unfit(source: string, problem: string, expected?: string): CheckpointError {
  return new CheckpointError(`${source} ${problem}${expected ? `; expected ${expected}` : ''}`, {
    subject: source,
    expected,
  });
}

/** The tensors of a model by published name; a tied output matrix is not one of them. */
export function expectedTensors({ config, architecture }: ModelDescription): ReadonlyMap<string, readonly number[]> {
  const { parameters } = architecture === 'ElectraForPreTraining' ? discriminatorGraph(config) : generatorGraph(config);
  return new Map(parameters.map(({ name, shape }) => [name, shape]));
}

/** What may stand in a file and is no weight of ours: an old buffer, and the output matrix, tied to the embeddings. */
const REDUNDANT = /(^|\.)position_ids$|^generator_lm_head\.weight$/;

/**
 * Checks that a model has every tensor in its shape, and no other.
 * @param found   shapes by published name
 * @param source  folder name for messages
 * @throws CheckpointError naming all that is missing, unexpected or of another shape
 */
export function accountForTensors(
  found: ReadonlyMap<string, readonly number[]>,
  model: ModelDescription,
  source: string,
): void {
  const expected = expectedTensors(model);
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  const unexpected = [...found.keys()].filter((name) => !expected.has(name) && !REDUNDANT.test(name));
  const misshapen = [...expected].flatMap(([name, shape]) => {
    const actual = found.get(name);
    return actual && actual.join() !== shape.join() ? [`${name} is [${actual}], the config needs [${shape}]`] : [];
  });
  const problems = [
    ...(missing.length ? [`missing ${missing.join(', ')}`] : []),
    ...(unexpected.length ? [`unexpected ${unexpected.join(', ')}`] : []),
    ...misshapen,
  ];
  if (problems.length === 0) return;
  throw new CheckpointError(`${source} does not hold a whole ${model.architecture}: ${problems.join('; ')}`, {
    subject: source,
    found: { missing, unexpected, misshapen },
    advice: 'Load it with its own config.json, or convert the checkpoint that it comes from',
  });
}

/**
 * What stands in a model folder in Hugging Face layout, without the file system: config.json with its published field
 * names, and exactly which tensors a model has.
 */
import { z } from 'zod';
import { CheckpointError } from '../errors.js';
import { bertMaskedLmGraph, bertPreTrainingGraph } from '../models/bert.js';
import { ARCHITECTURES, type Architecture, type EncoderConfig, encoderConfigProblems } from '../models/config.js';
import { discriminatorGraph, generatorGraph } from '../models/electra.js';
import type { ModelFamily, ModelGraph } from '../models/modelGraph.js';
import { SPAN_BOUNDARY_SCOPE, type SpanBoundaryConfig, spanBoundaryParameters } from '../models/spanbert.js';

interface ArchitectureEntry {
  readonly family: ModelFamily;
  readonly graph: (config: EncoderConfig) => ModelGraph;
}

/** What each class of transformers is here. */
const MODELS: Readonly<Record<Architecture, ArchitectureEntry>> = {
  ElectraForPreTraining: { family: 'electra', graph: discriminatorGraph },
  ElectraForMaskedLM: { family: 'electra', graph: generatorGraph },
  BertForMaskedLM: { family: 'bert', graph: bertMaskedLmGraph },
  BertForPreTraining: { family: 'bert', graph: bertPreTrainingGraph },
};

/** Whose parameter names and config.json a class has. */
export function familyOf(architecture: Architecture): ModelFamily {
  return MODELS[architecture].family;
}

/** Our field → theirs (transformers, configuration_electra.py and configuration_bert.py, which has no embedding size). */
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

const COMMON_DEFAULTS = {
  vocab_size: 30522,
  num_hidden_layers: 12,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
  pad_token_id: 0,
};

/** What a config.json may leave out, as transformers fills it in. */
const PUBLISHED_DEFAULTS: Readonly<Record<ModelFamily, Readonly<Record<string, number>>>> = {
  electra: {
    ...COMMON_DEFAULTS,
    embedding_size: 128,
    hidden_size: 256,
    num_attention_heads: 4,
    intermediate_size: 1024,
  },
  bert: { ...COMMON_DEFAULTS, hidden_size: 768, num_attention_heads: 12, intermediate_size: 3072 },
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
  /** Of a model with a span boundary head, whose parameters are its `sbo.*`. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** What we know of the model and config.json has no field for. */
  readonly pleiad?: Readonly<Record<string, unknown>>;
}

/** The content of config.json. */
export function encoderConfigToJson({
  config,
  architecture,
  spanBoundary,
  pleiad,
}: ModelDescription): Record<string, unknown> {
  const family = familyOf(architecture);
  const fields = Object.entries(PUBLISHED).map(([ours, theirs]) => [theirs, config[ours as keyof EncoderConfig]]);
  const ours = { ...pleiad, ...(spanBoundary && { spanBoundary }) };
  return {
    model_type: family,
    architectures: [architecture],
    ...Object.fromEntries(fields.filter(([name]) => family === 'electra' || name !== 'embedding_size')),
    hidden_act: 'gelu',
    position_embedding_type: 'absolute',
    tie_word_embeddings: true,
    ...(Object.keys(ours).length > 0 && { pleiad: ours }),
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
  const { model_type: family } = fields;
  if (family !== 'electra' && family !== 'bert') {
    throw unfit(source, `has model_type ${JSON.stringify(family)}`, 'model_type "electra" or "bert"');
  }
  for (const [name, value] of Object.entries(FIXED)) {
    if (fields[name] !== undefined && fields[name] !== value) {
      throw unfit(source, `has ${name} ${JSON.stringify(fields[name])}`, `${name} ${JSON.stringify(value)}`);
    }
  }
  const published = family === 'bert' ? { ...PUBLISHED, embeddingSize: 'hidden_size' } : PUBLISHED;
  const config = Object.fromEntries(
    Object.entries(published).map(([ours, theirs]) => [ours, numberField(fields, theirs, family, source)]),
  ) as unknown as EncoderConfig;
  const problems = encoderConfigProblems(config);
  if (problems.length) throw unfit(source, `does not describe a model: ${problems.join('; ')}`);
  return { config, architecture: architectureOf(fields, family, source), ...pleiadOf(fields, source) };
}

function numberField(fields: Record<string, unknown>, name: string, family: ModelFamily, source: string): number {
  const value = fields[name] ?? PUBLISHED_DEFAULTS[family][name];
  if (typeof value !== 'number') throw unfit(source, `has ${name} ${JSON.stringify(value)}`, 'a number');
  return value;
}

function architectureOf({ architectures }: Record<string, unknown>, family: ModelFamily, source: string): Architecture {
  const found: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const known = ARCHITECTURES.filter((name) => familyOf(name) === family);
  const architecture = known.find((name) => name === found);
  if (!architecture) throw unfit(source, `has architectures ${JSON.stringify(architectures)}`, known.join(' or '));
  return architecture;
}

const spanBoundarySchema = z.strictObject({
  maxSpanTargets: z.number().int().min(1),
  positionSize: z.number().int().min(1),
  endpoints: z.enum(['external', 'internal']),
  edgeSpans: z.enum(['drop', 'special']),
});

function pleiadOf(
  { pleiad }: Record<string, unknown>,
  source: string,
): Pick<ModelDescription, 'pleiad' | 'spanBoundary'> {
  if (typeof pleiad !== 'object' || pleiad === null) return {};
  const { spanBoundary, ...rest } = pleiad as Record<string, unknown>;
  if (spanBoundary === undefined) return { pleiad: rest };
  const parsed = spanBoundarySchema.safeParse(spanBoundary);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw unfit(source, `has pleiad.${['spanBoundary', ...path].join('.')}: ${message}`);
  }
  return { pleiad: rest, spanBoundary: parsed.data };
}

function unfit(source: string, problem: string, expected?: string): CheckpointError {
  return new CheckpointError(`${source} ${problem}${expected ? `; expected ${expected}` : ''}`, {
    subject: source,
    expected,
  });
}

/** The tensors of a model by published name; a tied output matrix is not one of them. */
export function expectedTensors({
  config,
  architecture,
  spanBoundary,
}: ModelDescription): ReadonlyMap<string, readonly number[]> {
  const parameters = [
    ...MODELS[architecture].graph(config).parameters,
    ...(spanBoundary ? spanBoundaryParameters(config, spanBoundary) : []),
  ];
  return new Map(parameters.map(({ name, shape }) => [name, shape]));
}

/** Where a span boundary head lies, beside model.safetensors. */
export const SPAN_BOUNDARY_FILE = 'span_boundary.safetensors';

/** Whether a tensor is of a head that transformers knows nothing of: those lie in a file of their own. */
export function isOfSpanBoundaryHead(name: string): boolean {
  return name.startsWith(`${SPAN_BOUNDARY_SCOPE}.`);
}

/** What may stand in a file and is no weight of ours: an old buffer, and output matrix and bias, tied to others. */
const REDUNDANT = /(^|\.)position_ids$|^generator_lm_head\.weight$|^cls\.predictions\.decoder\.(weight|bias)$/;

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

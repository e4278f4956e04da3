/**
 * What stands in a model folder in Hugging Face layout, without the file system: config.json with its published field
 * names, and exactly which tensors a model has.
 */
import { z } from 'zod';
import { CheckpointError } from '../errors/errors.js';
import { type Architecture, type EncoderConfig, encoderConfigProblems } from '../models/config.js';
import {
  architectureFor,
  HEAD_DEFAULTS,
  type HeadSettings,
  MODEL_CLASSES,
  modelForUse,
  QUESTION_ANSWERING_HEADS,
  type QuestionAnsweringHead,
} from '../models/heads.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { SPAN_BOUNDARY_SCOPE, type SpanBoundaryConfig, spanBoundaryParameters } from '../models/spanbert.js';
import type { ParameterSpec } from '../nn/parameters.js';
import { architectureIn, familyIn, labelsIn, unfit } from './publishedHead.js';

/** Whose parameter names and config.json a class has. */
export function familyOf(architecture: Architecture): ModelFamily {
  return MODEL_CLASSES[architecture].family;
}

/** A tensor's name in a file: transformers saves an encoder alone without the prefix of its names. */
export function savedName(name: string, architecture: Architecture): string {
  return MODEL_CLASSES[architecture].task === 'encoder' ? name.replace(/^(electra|bert)\./, '') : name;
}
/** Our field → theirs (transformers, configuration_electra.py and configuration_bert.py, which has no embedding size). */
export const PUBLISHED = {
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

/** What our encoder is and cannot be otherwise; a config.json may leave these out. The first is what is written. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  hidden_act: ['gelu', 'gelu_python'], // the same function, computed in Python; gelu_new and others are approximations
  position_embedding_type: ['absolute'],
  is_decoder: [false],
};

/** Which half of an ELECTRA, or `model` where there is one alone: the name of its folder in a checkpoint. */
export type ModelRole = 'discriminator' | 'generator' | 'model';

export interface ModelDescription {
  readonly config: EncoderConfig;
  readonly architecture: Architecture;
  /** Names of the labels, by id. */
  readonly labels?: readonly string[];
  /** Whether a BertModel has its pooler. Default true. */
  readonly pooler?: boolean;
  /** Of a class for question answering: ELECTRA's own head instead of the standard one. Default standard. */
  readonly questionAnsweringHead?: QuestionAnsweringHead;
  /** Of a model with a span boundary head, whose parameters are its `sbo.*`. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** Fields of a published config.json that decide nothing here; kept, and written again. */
  readonly otherFields?: Readonly<Record<string, unknown>>;
  /** What we know of the model and config.json has no field for. */
  readonly pleiad?: Readonly<Record<string, unknown>>;
}

/** What is in a config.json and says nothing of the model, or is said by another field. */
const DROPPED = new Set([
  ...['_name_or_path', 'transformers_version', 'torch_dtype', 'dtype', 'gradient_checkpointing', 'use_cache'],
  ...['model_type', 'architectures', 'tie_word_embeddings', 'id2label', 'label2id', 'num_labels', 'pleiad'],
  ...Object.values(PUBLISHED),
  ...Object.keys(FIXED),
]);

/** The content of config.json. */
export function encoderConfigToJson(model: ModelDescription): Record<string, unknown> {
  const { config, architecture, labels, pooler, spanBoundary, questionAnsweringHead, otherFields, pleiad } = model;
  const family = familyOf(architecture);
  const fields = Object.entries(PUBLISHED).map(([ours, theirs]) => [theirs, config[ours as keyof EncoderConfig]]);
  const ours = {
    ...pleiad,
    ...(pooler === false && { pooler }),
    ...(questionAnsweringHead === 'joint' && { questionAnsweringHead }),
    ...(spanBoundary && { spanBoundary }),
  };
  return {
    model_type: family,
    architectures: [architecture],
    ...Object.fromEntries(fields.filter(([name]) => family === 'electra' || name !== 'embedding_size')),
    hidden_act: 'gelu',
    position_embedding_type: 'absolute',
    tie_word_embeddings: true,
    ...(labels && {
      id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
      label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    }),
    ...otherFields,
    ...(Object.keys(ours).length > 0 && { pleiad: ours }),
  };
}

/** What config.json says of a model; the class may be left open. */
export interface PublishedDescription extends Omit<ModelDescription, 'architecture'> {
  readonly family: ModelFamily;
  /** Undefined where the file names no class, as SpanBERT's does, or one that Pleiad does not have. */
  readonly architecture?: Architecture;
  /** What the file says of a head and cannot be used: errors where that head is wanted, see `describedAs`. */
  readonly unfit?: {
    /** It names a class that Pleiad does not have. */
    readonly architecture?: CheckpointError;
    /** Its labels are no names of 0, 1, 2, … */
    readonly labels?: CheckpointError;
    /** Its output matrix is not the word table. */
    readonly tied?: CheckpointError;
  };
}

/**
 * Reads the content of config.json.
 * @param source  file name for messages
 * @throws CheckpointError when it is of another kind of model, or a field has no value that our encoder can take. What it says
 *         of its head is refused where that head is wanted
 */
export function parsePublishedConfig(json: unknown, source: string): PublishedDescription {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unfit(source, 'is not a JSON object');
  const fields = json as Record<string, unknown>;
  const family = familyIn(fields, source);
  for (const [name, values] of Object.entries(FIXED)) {
    if (fields[name] !== undefined && fields[name] !== null && !values.includes(fields[name])) {
      throw unfit(source, `has ${name} ${JSON.stringify(fields[name])}`, `${name} ${JSON.stringify(values[0])}`);
    }
  }
  const published = family === 'bert' ? { ...PUBLISHED, embeddingSize: 'hidden_size' } : PUBLISHED;
  const config = Object.fromEntries(
    Object.entries(published).map(([ours, theirs]) => [ours, numberField(fields, theirs, family, source)]),
  ) as unknown as EncoderConfig;
  const problems = encoderConfigProblems(config);
  if (problems.length) throw unfit(source, `does not describe a model: ${problems.join('; ')}`);
  const architecture = architectureIn(fields, family, source);
  const labels = labelsIn(fields, source);
  const untied =
    fields.tie_word_embeddings === false
      ? unfit(source, 'has tie_word_embeddings false', 'an output matrix that is the word embeddings')
      : undefined;
  const unfits = {
    ...(architecture.unfit && { architecture: architecture.unfit }),
    ...(labels.unfit && { labels: labels.unfit }),
    ...(untied && { tied: untied }),
  };
  const others = Object.entries(fields).filter(([name]) => !DROPPED.has(name));
  return {
    family,
    config,
    ...(architecture.value && { architecture: architecture.value }),
    ...(labels.value && { labels: labels.value }),
    ...(Object.keys(unfits).length > 0 && { unfit: unfits }),
    ...(others.length > 0 && { otherFields: Object.fromEntries(others) }),
    ...pleiadOf(fields, source),
  };
}

/** As `parsePublishedConfig`; a file that names no class is of the encoder alone. */
export function parseConfigJson(json: unknown, source: string): ModelDescription {
  return withClass(parsePublishedConfig(json, source));
}

/**
 * A description whose class was left open is of the encoder alone.
 * @throws CheckpointError when it names a class that Pleiad does not have, or says of it what cannot be used
 */
export function withClass(published: PublishedDescription): ModelDescription {
  return describedAs(published, classOf(published) ?? architectureFor(published.family, 'encoder'));
}

/**
 * The class that config.json names, if any.
 * @throws CheckpointError when Pleiad does not have that class
 */
export function classOf({ architecture, unfit: { architecture: unknown } = {} }: PublishedDescription) {
  if (unknown) throw unknown;
  return architecture;
}

/**
 * What config.json says, taken for a model of a class. What it says of other heads does not matter: labels are those of
 * classifiers, and only what predicts pieces ties its output matrix.
 * @param labels  instead of those in the file
 * @throws CheckpointError when it says of this class what cannot be used
 */
export function describedAs(
  {
    family: _,
    architecture: __,
    unfit: unusable = {},
    labels: named,
    questionAnsweringHead,
    ...rest
  }: PublishedDescription,
  architecture: Architecture,
  labels = named,
): ModelDescription {
  if (unusable.tied && isTied(architecture)) throw unusable.tied;
  const { task } = MODEL_CLASSES[architecture];
  const isClassifier = task.endsWith('Classification');
  if (isClassifier && !labels && unusable.labels) throw unusable.labels;
  // transformers would take labels for the size of a head.
  return {
    ...rest,
    architecture,
    ...(isClassifier && labels && { labels }),
    ...(task === 'questionAnswering' && questionAnsweringHead === 'joint' && { questionAnsweringHead }),
  };
}

/** Whether a class predicts pieces with its word table. */
export function isTied(architecture: Architecture): boolean {
  return ['ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'].includes(architecture);
}

function numberField(fields: Record<string, unknown>, name: string, family: ModelFamily, source: string): number {
  const value = fields[name] ?? PUBLISHED_DEFAULTS[family][name];
  if (typeof value !== 'number') throw unfit(source, `has ${name} ${JSON.stringify(value)}`, 'a number');
  return value;
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
): Pick<ModelDescription, 'pleiad' | 'pooler' | 'questionAnsweringHead' | 'spanBoundary'> {
  if (typeof pleiad !== 'object' || pleiad === null) return {};
  const { spanBoundary, pooler, questionAnsweringHead, ...rest } = pleiad as Record<string, unknown>;
  const common = {
    ...(Object.keys(rest).length > 0 && { pleiad: rest }),
    ...(pooler === false && { pooler }),
    ...answerHeadOf(questionAnsweringHead, source),
  };
  if (spanBoundary === undefined) return common;
  const parsed = spanBoundarySchema.safeParse(spanBoundary);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw unfit(source, `has pleiad.${['spanBoundary', ...path].join('.')}: ${message}`);
  }
  return { ...common, spanBoundary: parsed.data };
}

function answerHeadOf(value: unknown, source: string): Pick<ModelDescription, 'questionAnsweringHead'> {
  if (value === undefined) return {};
  const head = QUESTION_ANSWERING_HEADS.find((name) => name === value);
  if (head) return { questionAnsweringHead: head };
  const expected = `pleiad.questionAnsweringHead ${QUESTION_ANSWERING_HEADS.map((name) => `"${name}"`).join(' or ')}`;
  throw unfit(source, `has pleiad.questionAnsweringHead ${JSON.stringify(value)}`, expected);
}

/**
 * What the head of a model is, from its config.
 * @throws CheckpointError for a summary that Pleiad does not compute
 */
export function headSettings(model: ModelDescription): HeadSettings {
  const { labels, architecture, otherFields = {}, config } = model;
  const { pooler = HEAD_DEFAULTS.pooler, questionAnsweringHead = HEAD_DEFAULTS.questionAnsweringHead } = model;
  const numLabels = labels?.length ?? HEAD_DEFAULTS.numLabels;
  const { classifier_dropout: own } = otherFields;
  const classifierDropout = typeof own === 'number' ? own : config.hiddenDropoutProb;
  return {
    numLabels,
    pooler,
    classifierDropout,
    summaryActivation: summaryActivation(architecture, otherFields),
    questionAnsweringHead,
  };
}

function summaryActivation(
  architecture: Architecture,
  fields: Readonly<Record<string, unknown>>,
): HeadSettings['summaryActivation'] {
  const { summary_type: type = 'first', summary_use_proj: projects = true, summary_activation: activation } = fields;
  if (architecture !== 'ElectraForMultipleChoice') return HEAD_DEFAULTS.summaryActivation;
  if (type !== 'first' || projects !== true || fields.summary_proj_to_labels) {
    throw unfit('config.json', `has summary_type ${JSON.stringify(type)}`, 'summary_type "first" with a projection');
  }
  if (activation === undefined) return 'gelu';
  if (activation === 'gelu' || activation === 'tanh' || activation === null) return activation;
  throw unfit('config.json', `has summary_activation ${JSON.stringify(activation)}`, '"gelu", "tanh" or null');
}

/** The parameters of a model under their published names; a tied output matrix is not one of them. */
export function parametersOf(model: ModelDescription): ParameterSpec[] {
  const { config, architecture, spanBoundary } = model;
  return [
    ...modelForUse({ config, architecture, head: headSettings(model) }).parameters,
    ...(spanBoundary ? spanBoundaryParameters(config, spanBoundary) : []),
  ];
}

/** The tensors of a model by published name. */
export function expectedTensors(model: ModelDescription): ReadonlyMap<string, readonly number[]> {
  return new Map(parametersOf(model).map(({ name, shape }) => [name, shape]));
}

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

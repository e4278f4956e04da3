/**
 * A model from a checkpoint of any kind, with an account of every tensor. Nothing starts at random unless that was asked
 * for: a head that the file does not have is an error that says what the file does have.
 */

import { CheckpointError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { Architecture } from '../models/config.js';
import { architectureFor, MODEL_CLASSES, type QuestionAnsweringHead, type Task } from '../models/heads.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { SPAN_BOUNDARY_DEFAULTS, SPAN_BOUNDARY_SCOPE } from '../models/spanbert.js';
import type { ParameterSpec } from '../nn/parameters.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { type LoadPlan, type LoadTarget, MisfitError, nameMapFor, OTHER_CONFIG_ADVICE, planLoad } from './loadPlan.js';
import type { LoadReport } from './loadReport.js';
import { type LoadedTensor, runLoadPlan, type TensorKeeping } from './loadTensors.js';
import {
  classOf,
  describedAs,
  isTied,
  type ModelDescription,
  PUBLISHED,
  type PublishedDescription,
  parametersOf,
} from './modelFolder.js';
import { type ElectraHalf, isTensorflowElectra, TIED_TENSORS } from './nameMaps.js';
import { inOtherForm, type LoadAs, type Rename, type TakenAs } from './otherFamily.js';
import type { TensorSource } from './tensorSource.js';

export interface LoadModelOptions extends LoadAs {
  /** What the model is for; default: the class that the config names, else the one that the tensors are of. */
  readonly task?: Task;
  /** What for, where neither of these is given and config.json names a class that Pleiad does not have. Default: an error. */
  readonly taskOfUnknown?: Task;
  /** The class itself, instead of `task`. */
  readonly architecture?: Architecture;
  /**
   * Lets a head (and BERT's pooler) that the file does not have start at random, to be trained. Default false: such a
   * model is an error. Of a head for other labels, what does not fit starts anew. The encoder is never made up.
   */
  readonly newHead?: boolean;
  /** How a user asks for a new head, for messages; empty where he cannot. Default "newHead: true". */
  readonly newHeadAdvice?: string;
  /** Names of the labels, for a new classification head. */
  readonly labels?: readonly string[];
  /** Of a model for question answering: its head, instead of the one that config.json says. */
  readonly questionAnsweringHead?: QuestionAnsweringHead;
  /** Starting values of a parameter that the file does not have. */
  readonly initialize: (parameter: ParameterSpec, initializerRange: number) => Float32Array;
  /** Default: each tensor in memory of its own. */
  readonly keeping?: TensorKeeping;
  /** Stops between tensors. */
  readonly signal?: AbortSignal;
}

/** As `LoadReport`; `initialized` are those of `missing` that start at random. */
export interface ModelLoadReport extends LoadReport {
  readonly initialized: readonly string[];
  /** Of a model that was loaded as one of the other kind, or in part. */
  readonly taken?: TakenAs;
}

export interface LoadedModel {
  readonly model: ModelDescription;
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  readonly report: ModelLoadReport;
}

type Checkpoint = Pick<TensorSource, 'name' | 'tensors' | 'otherEntries'>;

/**
 * Loads a model.
 * @param published  what its config.json says
 * @throws CheckpointError when the tensors do not fit the config, or the file lacks a part that was not asked to be new
 */
export async function loadModel(
  source: TensorSource,
  published: PublishedDescription,
  options: LoadModelOptions,
): Promise<LoadedModel> {
  const { model, plan, taken } = planModel(source, published, options);
  const tensors = new Map<string, LoadedTensor>();
  const keep = (name: string, tensor: LoadedTensor) => {
    options.signal?.throwIfAborted();
    tensors.set(name, tensor);
  };
  const report = await runLoadPlan(source, plan, keep, options.keeping);
  refuseUntied(report, source.name);
  const byName = new Map(parametersOf(model).map((parameter) => [parameter.name, parameter]));
  const initialized = plan.missing.map(({ name, shape }) => {
    tensors.set(name, { shape, data: options.initialize(byName.get(name)!, model.config.initializerRange) });
    return name;
  });
  return { model, tensors, report: { ...report, initialized, ...(taken && { taken }) } };
}

/**
 * Decides from names and shapes alone, before a value is read, what a checkpoint is loaded as.
 * @throws as `loadModel`
 */
export function planModel(
  source: Checkpoint,
  found: PublishedDescription,
  options: Omit<LoadModelOptions, 'initialize'>,
): { model: ModelDescription; plan: LoadPlan; taken?: TakenAs } {
  const { published, rename, taken } = inOtherForm(found, options, source.name);
  const contents = contentsOf(source, published.family, { rename });
  const architecture = chooseArchitecture(contents, published, options, source.name);
  const { questionAnsweringHead = published.questionAnsweringHead } = options;
  const wanted = { ...published, questionAnsweringHead };
  const { spanBoundary: _, ...described } = describedAs(wanted, architecture, options.labels);
  const spanBoundary = isTied(architecture) ? spanBoundaryOf(contents, published) : undefined;
  const model: ModelDescription = {
    ...described,
    ...(architecture === 'BertModel' && !contents.names.has('bert.pooler.dense.weight') && { pooler: false }),
    ...(spanBoundary && { spanBoundary }),
  };
  // A classifier of other labels than are asked for.
  const replaceable = options.newHead ? { replaceable: (name: string) => !isOfEncoder(name) } : {};
  const target = { ...targetOf(model), ...replaceable, ...(rename && { rename }) };
  const plan = planOf(source, model, target);
  refuseIncomplete(plan, model, contents, options, source.name);
  refuseSmallerConfig(plan, target, source);
  return { model, plan, ...(taken && { taken }) };
}

/** Where all tensors have other sizes than the config says, as with the config of the other half, the message names the sizes. */
function planOf(source: Checkpoint, model: ModelDescription, target: LoadTarget): LoadPlan {
  try {
    return planLoad(source.tensors, target, source.name, source.otherEntries);
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error;
    const { architecture, config } = model;
    const found = sizesOfTensors(source, target, halfOf(architecture));
    const names = (Object.keys(found) as (keyof TensorSizes)[]).filter((name) => found[name] !== config[name]);
    if (names.length === 0) throw error;
    const sizes = names.map((name) => `${PUBLISHED[name]} is ${found[name]} and not ${config[name]}`).join(', ');
    throw new MisfitError(`${source.name} has other sizes than its config.json says: ${sizes}`, {
      subject: source.name,
      found,
      expected: names.map((name) => `${PUBLISHED[name]} ${config[name]}`).join(', '),
      advice: OTHER_CONFIG_ADVICE,
    });
  }
}

/** Sizes that shapes tell. */
type TensorSizes = Partial<
  Record<'vocabSize' | 'embeddingSize' | 'hiddenSize' | 'intermediateSize' | 'maxPositionEmbeddings', number>
>;

function sizesOfTensors(
  source: Checkpoint,
  { prefix: family, rename }: Pick<LoadTarget, 'prefix' | 'rename'>,
  half: ElectraHalf,
): TensorSizes {
  const { names } = contentsOf(source, family, { halves: [half], rename });
  const shapeOf = (rest: string) => names.get(`${family}.${rest}`) ?? [];
  const [vocabSize, embeddingSize] = shapeOf('embeddings.word_embeddings.weight');
  const [maxPositionEmbeddings] = shapeOf('embeddings.position_embeddings.weight');
  const [hiddenSize] = shapeOf('encoder.layer.0.attention.self.query.weight');
  const [intermediateSize] = shapeOf('encoder.layer.0.intermediate.dense.weight');
  const sizes = { vocabSize, embeddingSize, hiddenSize, intermediateSize, maxPositionEmbeddings };
  return Object.fromEntries(Object.entries(sizes).filter(([, size]) => size !== undefined));
}

/** What a file holds, by published names. */
interface Contents {
  readonly family: ModelFamily;
  /** Shape of each tensor, as a model has it. */
  readonly names: ReadonlyMap<string, readonly number[]>;
}

/** @param options  which halves of a google-research/electra checkpoint, where both have a tensor the first one's; new names */
function contentsOf(
  { tensors }: Pick<Checkpoint, 'tensors'>,
  family: ModelFamily,
  {
    halves = ['discriminator', 'generator'],
    rename,
  }: { readonly halves?: readonly ElectraHalf[]; readonly rename?: Rename } = {},
): Contents {
  const names = new Map<string, readonly number[]>();
  for (const half of halves) {
    const map = nameMapFor(tensors.keys(), { prefix: family, half, rename });
    for (const [from, { shape }] of tensors) {
      const mapped = map(from);
      if ('unused' in mapped || names.has(mapped.to)) continue;
      names.set(mapped.to, mapped.transposed ? [...shape].reverse() : shape);
    }
  }
  return { family, names };
}

/** Tensors that only one class has; BERT's classifiers have none. */
const SIGNS: readonly (readonly [Architecture, string])[] = [
  ['ElectraForPreTraining', 'discriminator_predictions.dense.weight'],
  ['ElectraForMaskedLM', 'generator_predictions.dense.weight'],
  ['ElectraForQuestionAnswering', 'qa_outputs.weight'],
  ['ElectraForSequenceClassification', 'classifier.out_proj.weight'],
  ['ElectraForMultipleChoice', 'sequence_summary.summary.weight'],
  ['BertForPreTraining', 'cls.seq_relationship.weight'],
  ['BertForMaskedLM', 'cls.predictions.transform.dense.weight'],
  ['BertForQuestionAnswering', 'qa_outputs.weight'],
];

/** The classes of which a file holds the head, for sure. */
function headsIn({ family, names }: Contents): Architecture[] {
  const found = SIGNS.filter(([name, sign]) => MODEL_CLASSES[name].family === family && names.has(sign));
  const heads = found.map(([name]) => name);
  const isTokens = family === 'electra' && names.has('classifier.weight') && heads.length === 0;
  return isTokens ? ['ElectraForTokenClassification'] : heads;
}

/** What of a model besides its encoder has a name of its own. */
const HEAD_SCOPES = [
  ...['discriminator_predictions', 'generator_predictions', 'generator_lm_head', 'cls', 'qa_outputs'],
  ...['sequence_summary', 'classifier', SPAN_BOUNDARY_SCOPE],
];

/** The heads (and BERT's pooler) of which a file has tensors, by their scopes; of google-research/electra those of both halves. */
export function headScopesIn(source: Pick<Checkpoint, 'tensors'>, family: ModelFamily): string[] {
  const names = [...contentsOf(source, family).names.keys()];
  const scopes = names.map((name) => (name.startsWith(`${family}.pooler.`) ? 'pooler' : name.split('.')[0]));
  return ['pooler', ...HEAD_SCOPES].filter((scope) => scopes.includes(scope));
}

function chooseArchitecture(
  contents: Contents,
  published: PublishedDescription,
  { architecture, task, taskOfUnknown }: Pick<LoadModelOptions, 'architecture' | 'task' | 'taskOfUnknown'>,
  source: string,
): Architecture {
  const { family } = published;
  if (architecture && MODEL_CLASSES[architecture].family !== family) {
    throw new CheckpointError(`${source} is of model type ${family}, which ${architecture} is not`, {
      subject: source,
      found: family,
      expected: MODEL_CLASSES[architecture].family,
    });
  }
  if (architecture) return architecture;
  if (task) return architectureFor(family, task);
  if (published.unfit?.architecture && taskOfUnknown) return architectureFor(family, taskOfUnknown);
  const named = classOf(published);
  if (named) return named;
  if (family === 'bert' && contents.names.has('classifier.weight')) {
    throw new CheckpointError(`${source} has a classifier, and no config.json says of what kind`, {
      subject: source,
      expected: 'a task: sequenceClassification, tokenClassification or multipleChoice',
      advice: `Say which it is, for instance ${settingWith('task', 'sequenceClassification')}`,
    });
  }
  return headsIn(contents)[0] ?? architectureFor(family, 'encoder');
}

/**
 * SpanBERT's original files have the span boundary head and a config that does not know it: its sizes are read off it. The
 * rest was trained as released.
 */
function spanBoundaryOf({ names }: Contents, { spanBoundary }: PublishedDescription): ModelDescription['spanBoundary'] {
  const shape = names.get(`${SPAN_BOUNDARY_SCOPE}.position_embeddings.weight`);
  if (spanBoundary || shape?.length !== 2) return spanBoundary;
  return { ...SPAN_BOUNDARY_DEFAULTS, maxSpanTargets: shape[0], positionSize: shape[1] };
}

function halfOf(architecture: Architecture): ElectraHalf {
  return architecture === 'ElectraForMaskedLM' ? 'generator' : 'discriminator';
}

/** A model as the tensors that are looked for in a file. */
export function targetOf(model: ModelDescription): LoadTarget {
  const { architecture, spanBoundary } = model;
  return {
    name: architecture,
    prefix: MODEL_CLASSES[architecture].family,
    half: halfOf(architecture),
    tensors: new Map(parametersOf(model).map(({ name, shape }) => [name, shape])),
    tied: {
      ...(architecture === 'ElectraForMaskedLM' && TIED_TENSORS.electraGenerator),
      ...(architecture !== 'ElectraForMaskedLM' && isTied(architecture) && TIED_TENSORS.bertMaskedLm),
      ...(spanBoundary && TIED_TENSORS.spanBoundary),
    },
  };
}

const isOfEncoder = (name: string) => /^(electra|bert)\.(?!pooler\.)/.test(name);

/** @throws CheckpointError when a part of the encoder is missing, or another part that was not asked to be new */
function refuseIncomplete(
  { missing }: LoadPlan,
  { architecture }: ModelDescription,
  contents: Contents,
  {
    newHead = false,
    newHeadAdvice = settingWith('newHead', true),
  }: Pick<LoadModelOptions, 'newHead' | 'newHeadAdvice'>,
  source: string,
): void {
  const names = missing.map(({ name }) => name);
  const ofEncoder = names.filter(isOfEncoder);
  if (ofEncoder.length > 0) {
    throw new CheckpointError(`${source} lacks parts of the encoder of ${architecture}: ${joinFirst(ofEncoder, 5)}`, {
      subject: source,
      found: ofEncoder,
      expected: 'every tensor of the encoder that config.json describes',
      advice: 'Load it with its own config.json',
    });
  }
  if (names.length === 0 || newHead) return;
  throw new CheckpointError(`${source} has no whole head of ${architecture}: missing ${joinFirst(names, 5)}`, {
    subject: source,
    found: names,
    expected: 'all tensors of the model',
    advice: `${holds(contents)}${newHeadAdvice && `. To train a new head, ask for one (${newHeadAdvice})`}`,
  });
}

/** What a file holds, and where what it does not hold may be found. */
function holds(contents: Contents): string {
  const heads = headsIn(contents);
  if (heads.length > 0) {
    const half = heads.includes('ElectraForPreTraining')
      ? ", a discriminator; the masked LM of the pair is its generator's file"
      : heads.includes('ElectraForMaskedLM')
        ? ", a generator; the pair's discriminator is a file of its own"
        : '';
    return `It holds ${heads.join(' and ')}${half}`;
  }
  const others = [...contents.names.keys()].filter((name) => !/^(electra|bert)\./.test(name));
  if (others.length > 0) return `Besides the encoder it holds ${joinFirst(others, 5)}`;
  return "It holds an encoder alone, as SpanBERT's released files do";
}

/** @throws CheckpointError when the file has layers or tables that the config does not know */
function refuseSmallerConfig({ unused }: LoadPlan, target: LoadTarget, source: Checkpoint): void {
  const map = nameMapFor(source.tensors.keys(), target);
  const beyond = unused.flatMap(({ from }) => {
    const mapped = source.tensors.has(from) ? map(from) : undefined;
    return mapped && 'to' in mapped && isOfEncoder(mapped.to) ? [from] : [];
  });
  if (beyond.length === 0) return;
  throw new CheckpointError(
    `${source.name} has parts of an encoder that its config does not know: ${joinFirst(beyond, 5)}`,
    {
      subject: source.name,
      found: beyond,
      expected: 'the encoder that config.json describes',
      advice: 'Load it with its own config.json',
    },
  );
}

/** @throws CheckpointError when an output matrix is not the word table: there is no place for a second one */
function refuseUntied({ tied }: LoadReport, source: string): void {
  const untied = tied.find(({ same }) => same === false);
  if (!untied) return;
  throw new CheckpointError(`${source}: ${untied.from} differs from ${untied.to}, to which it is tied`, {
    subject: untied.name,
    found: untied.from,
    expected: `the values of ${untied.to}`,
    advice: 'A model whose output matrix is not its word table can be loaded as an encoder alone (task encoder)',
  });
}

/** What google-research/electra gives a head, and BERT too. */
const USUAL_HEAD_SIZE = 64;

/**
 * The config of a checkpoint that comes without one, as google-research/electra's do: sizes are read off the shapes; the
 * number of heads, which no shape tells, is H/64 as in all released models.
 * @param headSize  H over the number of heads, where it is known
 * @throws CheckpointError when the tensors are no encoder that Pleiad has, or H is no multiple of it
 */
export function configFromShapes(
  source: Checkpoint,
  half: ElectraHalf,
  headSize = USUAL_HEAD_SIZE,
): PublishedDescription {
  const names = [...source.tensors.keys()];
  const isElectra =
    isTensorflowElectra(names) || names.some((name) => /(^|\.)(electra|embeddings_project)\./.test(name));
  const family = isElectra ? 'electra' : 'bert';
  const { names: shapes } = contentsOf(source, family, { halves: [half] });
  const shapeOf = (rest: string): readonly number[] => {
    const shape = shapes.get(`${family}.${rest}`);
    if (shape?.length === 2) return shape;
    throw new CheckpointError(`${source.name} has no config.json beside it, and no ${rest} to read its sizes off`, {
      subject: source.name,
      found: names.slice(0, 20),
      expected: 'an ELECTRA or BERT encoder',
      advice: `Give its config.json (${settingName('config')})`,
    });
  };
  const [vocabSize, embeddingSize] = shapeOf('embeddings.word_embeddings.weight');
  const [hiddenSize] = shapeOf('encoder.layer.0.attention.self.query.weight');
  if (hiddenSize % headSize !== 0) {
    throw new CheckpointError(
      `${source.name} has no config.json beside it, and its ${hiddenSize} hidden units are no heads of ${headSize}`,
      {
        subject: source.name,
        found: hiddenSize,
        expected: 'the number of attention heads, which no tensor tells',
        advice: `Give its config.json (${settingName('config')})`,
      },
    );
  }
  const layers = [...shapes.keys()].map((name) => Number(/\.encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? -1));
  return {
    family,
    config: {
      vocabSize,
      embeddingSize,
      hiddenSize,
      numHiddenLayers: layers.reduce((most, layer) => Math.max(most, layer), -1) + 1,
      numAttentionHeads: hiddenSize / headSize,
      intermediateSize: shapeOf('encoder.layer.0.intermediate.dense.weight')[0],
      maxPositionEmbeddings: shapeOf('embeddings.position_embeddings.weight')[0],
      typeVocabSize: shapeOf('embeddings.token_type_embeddings.weight')[0],
      layerNormEps: 1e-12,
      hiddenDropoutProb: 0.1,
      attentionProbsDropoutProb: 0.1,
      initializerRange: 0.02,
      padTokenId: 0,
    },
  };
}

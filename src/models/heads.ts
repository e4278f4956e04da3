/**
 * Every class of model as a table: whose names its parameters carry, what it is for, and the head on its encoder. Heads are
 * those of transformers (modeling_electra.py, modeling_bert.py), for use and for training, where dropout acts.
 */
import type { Node } from '../graph/graph.js';
import { BATCH, LENGTH, linear } from '../nn/layers.js';
import { bertMaskedLmHead, nextSentenceHead, pooler } from './bert.js';
import type { Architecture, EncoderConfig } from './config.js';
import { maskedLmHead, replacedTokenHead } from './electra.js';
import { answerBeam, jointAnswers } from './jointAnswerHead.js';
import { type EncodedScope, firstTokens, type ModelFamily, type ModelGraph, modelGraph } from './modelGraph.js';
import { type SpanBoundaryConfig, spanBoundaryHead, spanTargetInputs } from './spanbert.js';
import { MASKED } from './vocabularyHead.js';

/** What a model can be asked for. */
export const TASKS = {
  encoder: 'hidden states, no head',
  preTraining: "replaced-token detection (ELECTRA's discriminator); masked LM and next sentence (BERT)",
  maskedLm: "masked LM: ELECTRA's generator, BERT, SpanBERT",
  questionAnswering: 'start and end of an answer',
  sequenceClassification: 'a label for a text or a pair',
  tokenClassification: 'a label for each token',
  multipleChoice: 'one of several texts',
} as const;
export type Task = keyof typeof TASKS;

/**
 * How answers are found. `standard`: two logits a token, start and end apart (BERT). `joint`: ELECTRA's own, see
 * jointAnswerHead.ts; transformers has no class for it.
 */
export const QUESTION_ANSWERING_HEADS = ['standard', 'joint'] as const;
export type QuestionAnsweringHead = (typeof QUESTION_ANSWERING_HEADS)[number];

/** What a head needs to know besides the encoder's sizes. */
export interface HeadSettings {
  /** Labels of sequence and token classification. */
  readonly numLabels: number;
  /** Whether a BERT encoder without a head has its pooler: SpanBERT's files have none. */
  readonly pooler: boolean;
  /** Dropout before and inside a classifier while training, 0 to below 1: `classifier_dropout`, else that of hidden states. */
  readonly classifierDropout: number;
  /** Of ELECTRA's multiple choice, config.json's `summary_activation`. */
  readonly summaryActivation: 'gelu' | 'tanh' | null;
  readonly questionAnsweringHead: QuestionAnsweringHead;
}

export const HEAD_DEFAULTS: HeadSettings = {
  numLabels: 2,
  pooler: true,
  classifierDropout: 0,
  summaryActivation: 'gelu',
  questionAnsweringHead: 'standard',
};

interface HeadScope extends EncodedScope, HeadSettings {
  readonly config: EncoderConfig;
  /** What a head over the vocabulary predicts, as row·S + position, int32 [M]; undefined for every position. */
  readonly positions?: Node;
  /** Whether an output is asked for. */
  readonly wants: (output: string) => boolean;
}

/** Adds a head; its outputs by name. */
type Head = (scope: HeadScope) => Readonly<Record<string, Node>>;

/** x [B·S, n] → [B, S, n] */
const byRow = (x: Node, { scope: { graph } }: EncodedScope) => graph.reshape(x, [BATCH, LENGTH, x.shape[1]]);

/** Hidden states of [CLS], float32 [B, H]. */
const firstOf = ({ scope, hidden }: HeadScope) => firstTokens(scope.graph, hidden);

/** Dropout of a classifier. */
const dropped = (x: Node, { scope, dropout, classifierDropout }: HeadScope) =>
  dropout.apply(scope.graph, x, classifierDropout);

const lastHiddenState = (all: HeadScope) => ({ lastHiddenState: byRow(all.hidden, all) });

/** Dense H→2: the first column says where an answer starts, the second where it ends, float32 [B, S] each. */
const standardAnswers: Head = (all) => {
  const { scope, hidden } = all;
  const logits = byRow(linear(scope.within('qa_outputs'), hidden, 2), all);
  const column = (at: number) => scope.graph.reshape(scope.graph.slice(logits, 2, at, at + 1), [BATCH, LENGTH]);
  return { startLogits: column(0), endLogits: column(1) };
};

const questionAnswering: Head = (all) => {
  if (all.questionAnsweringHead === 'standard') return standardAnswers(all);
  const { scope, hidden, inputs } = all;
  return { ...answerBeam(scope, jointAnswers(scope, hidden, inputs), inputs) };
};

const tokenClassification: Head = (all) => ({
  logits: byRow(linear(all.scope.within('classifier'), dropped(all.hidden, all), all.numLabels), all), // [B, S, labels]
});

/** Dense H→`outputs` on BERT's pooler, float32 [B, outputs]. */
function pooledClassifier(all: HeadScope, outputs: number): Node {
  const pooled = pooler(all.scope, firstOf(all), all.config);
  return linear(all.scope.within('classifier'), dropped(pooled, all), outputs);
}

/** ELECTRA has no pooler: dense H→H, GELU, dense H→labels on [CLS]; GELU where BERT has tanh. */
const electraSequenceClassification: Head = (all) => {
  const { scope, config, numLabels } = all;
  const classifier = scope.within('classifier');
  const dense = linear(classifier.within('dense'), dropped(firstOf(all), all), config.hiddenSize);
  const activated = dropped(scope.graph.gelu(dense), all);
  return { logits: linear(classifier.within('out_proj'), activated, numLabels) };
};

/** A summary of [CLS] (dense H→H and an activation), dense H→1: the choices are rows, float32 [B, 1]. */
const electraMultipleChoice: Head = (all) => {
  const { scope, config, summaryActivation } = all;
  const g = scope.graph;
  const dense = linear(scope.within('sequence_summary').within('summary'), firstOf(all), config.hiddenSize);
  const summary = summaryActivation === null ? dense : g[summaryActivation](dense);
  return { logits: linear(scope.within('classifier'), dropped(summary, all), 1) };
};

/**
 * A head over the vocabulary: float32 [B, S, V], or [M, V] at chosen positions. Hidden states are gathered before the product
 * with the word table, which costs more than the encoder where it is done for every token.
 */
function overVocabulary(all: HeadScope, head: typeof bertMaskedLmHead): Node {
  const { scope, embeddings, hidden, positions, config } = all;
  if (positions) return head(scope, embeddings, scope.graph.gather(hidden, positions), config);
  return byRow(head(scope, embeddings, hidden, config), all);
}

interface ModelClass {
  readonly family: ModelFamily;
  readonly task: Task;
  readonly head: Head;
}

export const MODEL_CLASSES: Readonly<Record<Architecture, ModelClass>> = {
  ElectraModel: { family: 'electra', task: 'encoder', head: lastHiddenState },
  ElectraForPreTraining: {
    family: 'electra',
    task: 'preTraining',
    head: ({ scope, hidden, config }) => ({
      logits: scope.graph.reshape(replacedTokenHead(scope, hidden, config), [BATCH, LENGTH]),
    }),
  },
  ElectraForMaskedLM: {
    family: 'electra',
    task: 'maskedLm',
    head: (all) => ({ logits: overVocabulary(all, maskedLmHead) }),
  },
  ElectraForQuestionAnswering: { family: 'electra', task: 'questionAnswering', head: questionAnswering },
  ElectraForSequenceClassification: {
    family: 'electra',
    task: 'sequenceClassification',
    head: electraSequenceClassification,
  },
  ElectraForTokenClassification: { family: 'electra', task: 'tokenClassification', head: tokenClassification },
  ElectraForMultipleChoice: { family: 'electra', task: 'multipleChoice', head: electraMultipleChoice },
  BertModel: {
    family: 'bert',
    task: 'encoder',
    head: (all) => ({
      ...lastHiddenState(all),
      ...(all.pooler && all.wants('poolerOutput') && { poolerOutput: pooler(all.scope, firstOf(all), all.config) }),
    }),
  },
  BertForPreTraining: {
    family: 'bert',
    task: 'preTraining',
    head: (all) => ({
      logits: overVocabulary(all, bertMaskedLmHead),
      ...(all.wants('nextSentenceLogits') && {
        nextSentenceLogits: nextSentenceHead(all.scope, firstOf(all), all.config),
      }),
    }),
  },
  BertForMaskedLM: {
    family: 'bert',
    task: 'maskedLm',
    head: (all) => ({ logits: overVocabulary(all, bertMaskedLmHead) }),
  },
  BertForQuestionAnswering: { family: 'bert', task: 'questionAnswering', head: questionAnswering },
  BertForSequenceClassification: {
    family: 'bert',
    task: 'sequenceClassification',
    head: (all) => ({ logits: pooledClassifier(all, all.numLabels) }),
  },
  BertForTokenClassification: { family: 'bert', task: 'tokenClassification', head: tokenClassification },
  BertForMultipleChoice: {
    family: 'bert',
    task: 'multipleChoice',
    head: (all) => ({ logits: pooledClassifier(all, 1) }),
  },
};

/** The class of a family for a task. */
export function architectureFor(family: ModelFamily, task: Task): Architecture {
  const classes = Object.entries(MODEL_CLASSES) as [Architecture, ModelClass][];
  return classes.find(([, model]) => model.family === family && model.task === task)![0];
}

/** Adds the head of a class to an encoder; its outputs by name. */
export function addHead(
  architecture: Architecture,
  encoded: EncodedScope,
  config: EncoderConfig,
  settings: Partial<HeadSettings> = {},
  { positions, wants = () => true }: Partial<Pick<HeadScope, 'positions' | 'wants'>> = {},
): Readonly<Record<string, Node>> {
  return MODEL_CLASSES[architecture].head({ ...encoded, ...HEAD_DEFAULTS, ...settings, config, positions, wants });
}

/** Whether a class predicts tokens of its vocabulary, and so can be asked about chosen positions alone. */
export function predictsTokens(architecture: Architecture): boolean {
  const { family, task } = MODEL_CLASSES[architecture];
  return task === 'maskedLm' || (task === 'preTraining' && family === 'bert');
}

export interface ModelRequest {
  readonly architecture: Architecture;
  readonly config: EncoderConfig;
  readonly head?: Partial<HeadSettings>;
  /** Outputs of the head, by name. Default all. */
  readonly outputs?: readonly string[];
  /** `logits` float32 [M, V] of a class that `predictsTokens`, at the further input `positions` int32 [M] (row·S + position). */
  readonly positions?: boolean;
  /** Also `boundaryLogits` float32 [N, V]; further inputs `leftBoundaries`, `rightBoundaries`, `spanOffsets` int32 [N]. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** Also `hiddenStates.0` … float32 [B, S, H], what each layer reads and the last writes. */
  readonly hiddenStates?: boolean;
  /** Also `attentions.0` … float32 [B, A, S, S]. */
  readonly attentions?: boolean;
  /** Whether rows run without their padding: further inputs `places` and `tokens`, see `encoderInputs`. Default false. */
  readonly packed?: boolean;
}

/** A model with the outputs of its head, by default all of them at every position. Inputs as `encoderInputs`. */
export function modelForUse(request: ModelRequest): ModelGraph {
  const { architecture, config, spanBoundary, outputs: wanted } = request;
  const finish = (encoded: EncodedScope) => {
    const g = encoded.scope.graph;
    const positions = request.positions ? g.input('positions', 'int32', [MASKED]) : undefined;
    const wants = (name: string) => wanted?.includes(name) ?? true;
    const outputs = addHead(architecture, encoded, config, request.head, { positions, wants });
    for (const [name, node] of Object.entries(outputs)) if (wants(name)) g.output(name, node);
    if (spanBoundary) {
      const { scope, embeddings, hidden } = encoded;
      const targets = spanTargetInputs(g);
      g.output('boundaryLogits', spanBoundaryHead(scope, embeddings, hidden, targets, spanBoundary, config));
    }
    const states = request.hiddenStates ? encoded.hiddenStates : [];
    for (const [i, state] of states.entries()) g.output(`hiddenStates.${i}`, byRow(state, encoded));
    const weights = request.attentions ? encoded.attentions : [];
    for (const [i, node] of weights.entries()) g.output(`attentions.${i}`, node);
  };
  return modelGraph(config, MODEL_CLASSES[architecture].family, finish, { packed: request.packed });
}

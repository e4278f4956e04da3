/**
 * Linear probe: what a frozen encoder's mean vector says about a sentence to a logistic regression. The regularisation is
 * chosen on a tenth of the training rows, then the model is fitted to all of them; the dev rows are looked at once.
 */
import type { Engine } from '../src/engine/engine.js';
import type { EncoderConfig } from '../src/models/config.js';
import { Model } from '../src/pretrained/model.js';
import { Permutation, RandomStream } from '../src/random/philox.js';
import { accuracy, matthewsCorrelation } from '../src/tasks/classificationMetrics.js';
import {
  denseFeatures,
  type FeatureMatrix,
  type SparseRow,
  selectRows,
  sparseFeatures,
  standardizationOf,
  standardize,
} from '../src/tasks/linear/features.js';
import { fitLogisticRegression, type LogisticModel, predictClasses } from '../src/tasks/linear/logisticRegression.js';
import type { WordPieceTokenizer } from '../src/text/tokenizer.js';
import type { LabelledText, SentenceTask } from './glueTasks.js';

/** On the dev rows. */
export interface ProbeScore {
  readonly accuracy: number;
  readonly matthews: number;
  /** The regularisation that was chosen. */
  readonly l2: number;
}
/** By task. */
export type ProbeScores = Record<string, ProbeScore>;

export interface FrozenEncoder {
  readonly tokenizer: WordPieceTokenizer;
  readonly config: EncoderConfig;
  /** By published name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Sentences are cut to the length that the encoder was trained on: later positions are untrained. */
  readonly maxLength: number;
}

/** From strong to weak, each fit starting from the one before it. */
const L2_VALUES = [1, 0.1, 0.01, 0.001, 0.0001];
const CHOOSING_SHARE = 0.1;

/** Probes the mean of the last hidden states over all tokens, [CLS] and [SEP] included, standardised. */
export async function probeEncoder(
  engine: Engine,
  encoder: FrozenEncoder,
  tasks: readonly SentenceTask[],
): Promise<ProbeScores> {
  const { config, weights, tokenizer, maxLength } = encoder;
  const tensors = new Map([...weights].map(([name, data]) => [name, { shape: [data.length], data }]));
  const description = { architecture: 'ElectraModel', config } as const;
  const model = new Model({ description, engine, tokenizer, tensors, maxLength, batchSize: 32 });
  try {
    const scores: ProbeScores = {};
    for (const task of tasks) {
      const embed = (rows: readonly LabelledText[]) => meanVectors(model, rows, encoder);
      const [train, dev] = [await embed(task.train), await embed(task.dev)];
      const scale = standardizationOf(train, config.hiddenSize);
      const features = (values: Float64Array) => denseFeatures(standardize(values, scale), config.hiddenSize);
      scores[task.name] = probe(features(train), features(dev), task);
    }
    return scores;
  } finally {
    await model.release();
  }
}

/** Mean over the tokens of each text, float64 [rows, H]. */
async function meanVectors(
  model: Model,
  texts: readonly LabelledText[],
  { tokenizer, maxLength, config: { hiddenSize: H } }: FrozenEncoder,
): Promise<Float64Array> {
  const rows = texts.map(({ text }) => tokenizer.encode(text, { maxLength, parseSpecialTokens: false }).ids);
  const means = new Float64Array(rows.length * H);
  await model.forEachRow(
    rows.map((ids) => ({ ids })),
    { outputs: ['lastHiddenState'] },
    (row, { lastHiddenState: hidden }) => {
      for (let i = 0; i < hidden.length; i++) means[row * H + (i % H)] += hidden[i] / rows[row].length;
    },
  );
  return means;
}

/** The baseline that knows which pieces a sentence has and nothing of their order: piece counts over the length. */
export function probeBagOfPieces(tokenizer: WordPieceTokenizer, tasks: readonly SentenceTask[]): ProbeScores {
  const features = (rows: readonly LabelledText[]) =>
    sparseFeatures(
      rows.map(({ text }) => pieceShares(tokenizer, text)),
      tokenizer.vocabSize,
    );
  return Object.fromEntries(tasks.map((task) => [task.name, probe(features(task.train), features(task.dev), task)]));
}

/** Counts over √length, so that long and short sentences have vectors of about one norm. */
function pieceShares(tokenizer: WordPieceTokenizer, text: string): SparseRow {
  const { ids } = tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return {
    columns: Int32Array.from(counts.keys()),
    values: Float64Array.from(counts.values(), (count) => count / Math.sqrt(ids.length)),
  };
}

/** Chooses λ on a tenth of the training rows, fits all of them, and scores the dev rows. */
export function probe(train: FeatureMatrix, dev: FeatureMatrix, task: SentenceTask): ProbeScore {
  const labels = Int32Array.from(task.train, ({ label }) => label);
  const devLabels = task.dev.map(({ label }) => label);
  const l2 = chooseL2(train, labels, task.metric);
  let model: LogisticModel | undefined;
  for (const value of L2_VALUES.filter((candidate) => candidate >= l2)) {
    model = fitLogisticRegression(train, labels, { numClasses: 2, l2: value, start: model });
  }
  const predicted = predictClasses(model!, dev);
  return { accuracy: accuracy(predicted, devLabels), matthews: matthewsCorrelation(predicted, devLabels), l2 };
}

/** The strongest of the best. */
function chooseL2(train: FeatureMatrix, labels: Int32Array, metric: SentenceTask['metric']): number {
  const order = new Permutation(labels.length, new RandomStream(1, 'evaluation'));
  const shuffled = Int32Array.from(labels, (_, i) => order.at(i));
  const cut = Math.round(CHOOSING_SHARE * labels.length);
  const [choosing, fitting] = [shuffled.subarray(0, cut), shuffled.subarray(cut)];
  const labelsOf = (rows: Int32Array) => rows.map((row) => labels[row]);
  const score = metric === 'accuracy' ? accuracy : matthewsCorrelation;
  let best = { l2: L2_VALUES[0], score: Number.NEGATIVE_INFINITY };
  let model: LogisticModel | undefined;
  for (const l2 of L2_VALUES) {
    model = fitLogisticRegression(selectRows(train, fitting), labelsOf(fitting), { numClasses: 2, l2, start: model });
    const reached = score(predictClasses(model, selectRows(train, choosing)), labelsOf(choosing));
    if (reached > best.score) best = { l2, score: reached };
  }
  return best.l2;
}

/** The baseline that knows nothing: the more frequent class of the training rows. */
export function scoreMajority(tasks: readonly SentenceTask[]): ProbeScores {
  return Object.fromEntries(
    tasks.map(({ name, train, dev }) => {
      const ones = train.reduce((sum, { label }) => sum + label, 0);
      const predicted = dev.map(() => (2 * ones > train.length ? 1 : 0));
      const labels = dev.map(({ label }) => label);
      const scores = { accuracy: accuracy(predicted, labels), matthews: matthewsCorrelation(predicted, labels) };
      return [name, { ...scores, l2: 0 }];
    }),
  );
}

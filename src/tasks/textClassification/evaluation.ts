/** What a classifier reaches on rows that it was not trained on. */
import { ALONE } from '../../collective/collective.js';
import type { Program } from '../../engine/engine.js';
import { batchesOfRank, EVALUATION_SEED, EVALUATION_STEP, type Evaluation } from '../../training/evaluation.js';
import type { Metrics, Phase } from '../../training/objective.js';
import { accuracy, f1Score, macroF1, matthewsCorrelation } from '../classificationMetrics.js';
import { batchOfRows, type ClassificationBatch, type ClassifiedRow } from './batches.js';

export const CLASSIFICATION_METRICS = ['accuracy', 'f1', 'macroF1', 'matthews'] as const;
export type ClassificationMetric = (typeof CLASSIFICATION_METRICS)[number];

/** Metrics of predicted classes. `f1` is that of the second label, where there are two. */
export function classificationMetrics(
  predicted: ArrayLike<number>,
  expected: ArrayLike<number>,
  numLabels: number,
): Metrics {
  return {
    accuracy: accuracy(predicted, expected),
    ...(numLabels === 2 && { f1: f1Score(predicted, expected, 1) }),
    macroF1: macroF1(predicted, expected, numLabels),
    matthews: matthewsCorrelation(predicted, expected, numLabels),
  };
}

export interface ClassificationEvaluation {
  readonly rows: readonly ClassifiedRow[];
  readonly numLabels: number;
  readonly padId: number;
  readonly batchSize: number;
  /** What the best checkpoint is chosen by. */
  readonly metric: ClassificationMetric;
  /** Reported beside the model's own metrics, such as the accuracy of a baseline. */
  readonly baselines?: Metrics;
}

/** Rows are run in batches of similar length. */
export function classificationEvaluation(options: ClassificationEvaluation): Evaluation<ClassificationBatch> {
  const { rows, numLabels, padId, batchSize, metric, baselines } = options;
  const sorted = [...rows].sort((a, b) => a.ids.length - b.ids.length);
  const numBatches = Math.ceil(rows.length / batchSize);
  return {
    numBatches,
    async evaluate(program, phase, collective = ALONE) {
      // Each rank fills in its own rows of one table of zeros.
      const logits = new Float64Array(rows.length * numLabels);
      for (const index of batchesOfRank(numBatches, collective)) {
        const first = index * batchSize;
        const batch = batchOfRows(sorted.slice(first, first + batchSize), padId);
        logits.set(await logitsOf(program, phase, batch, first), first * numLabels);
      }
      await collective.allReduce(logits);
      const expected = sorted.map(({ label }) => label);
      const metrics: Metrics & { readonly loss: number } = {
        loss: meanCrossEntropy(logits, expected, numLabels),
        ...classificationMetrics(argMaxRows(logits, numLabels), expected, numLabels),
        ...baselines,
      };
      return { metrics, score: metrics[metric]!, better: 'higher' };
    },
  };
}

async function logitsOf(
  program: Program,
  phase: Phase<ClassificationBatch>,
  batch: ClassificationBatch,
  firstRow: number,
): Promise<ArrayLike<number>> {
  const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow };
  return (await program.run(phase.feeds(batch, draw))).logits.data;
}

/** The column of each row's largest value, the first of equals. */
export function argMaxRows(values: ArrayLike<number>, width: number): Int32Array {
  return Int32Array.from({ length: values.length / width }, (_, row) => {
    let best = 0;
    for (let k = 1; k < width; k++) if (values[row * width + k] > values[row * width + best]) best = k;
    return best;
  });
}

/** The mean of −log p(label), by row-major logits. */
export function meanCrossEntropy(logits: Float64Array, expected: readonly number[], width: number): number {
  let sum = 0;
  for (const [row, label] of expected.entries()) {
    const own = logits.subarray(row * width, (row + 1) * width);
    const max = own.reduce((a, b) => Math.max(a, b));
    sum += max + Math.log(own.reduce((total, value) => total + Math.exp(value - max), 0)) - own[label];
  }
  return sum / expected.length;
}

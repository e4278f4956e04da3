/** What a model reaches on rows that it was not trained on: the logits of every row, and metrics of them all. */
import { ALONE } from '../collective/collective.js';
import { batchesOfRank, EVALUATION_SEED, EVALUATION_STEP, type Evaluation } from '../training/evaluation.js';
import type { Metrics, TokenBatch } from '../training/objective.js';

export interface RowEvaluation<Row, B extends TokenBatch> {
  readonly rows: readonly Row[];
  /** Tokens of a row: rows of similar length are run together. */
  lengthOf(row: Row): number;
  batchOf(rows: readonly Row[]): B;
  /** Rows of a batch. */
  readonly batchSize: number;
  /** Logits of a row. */
  readonly width: number;
  /** @param logits  row after row, [rows, width] */
  metricsOf(logits: Float64Array, rows: readonly Row[]): Metrics;
  /** What the best checkpoint is chosen by; more is better. */
  readonly metric: string;
}

/** What a metric counts as that cannot be measured, such as a correlation with numbers that are all the same: as the worst. */
const UNKNOWN_SCORE = -1;

/** Reads the output `logits` of the evaluation graph. */
export function rowEvaluation<Row, B extends TokenBatch>(options: RowEvaluation<Row, B>): Evaluation<B> {
  const { rows, batchSize, width, metric } = options;
  const sorted = [...rows].sort((a, b) => options.lengthOf(a) - options.lengthOf(b));
  const numBatches = Math.ceil(rows.length / batchSize);
  return {
    numBatches,
    async evaluate(program, phase, collective = ALONE) {
      // Each rank fills in its own rows of one table of zeros.
      const logits = new Float64Array(rows.length * width);
      for (const index of batchesOfRank(numBatches, collective)) {
        const firstRow = index * batchSize;
        const batch = options.batchOf(sorted.slice(firstRow, firstRow + batchSize));
        const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow };
        const outputs = await program.run(phase.feeds(batch, draw));
        logits.set(outputs.logits.data, firstRow * width);
      }
      await collective.allReduce(logits);
      const metrics = options.metricsOf(logits, sorted);
      return { metrics, score: metrics[metric] ?? UNKNOWN_SCORE, better: 'higher' };
    },
  };
}

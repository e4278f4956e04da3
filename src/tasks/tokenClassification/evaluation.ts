/** What a tagger reaches on sentences that it was not trained on. */
import { ALONE } from '../../collective/collective.js';
import { batchesOfRank, EVALUATION_SEED, EVALUATION_STEP, type Evaluation } from '../../training/evaluation.js';
import type { Metrics } from '../../training/objective.js';
import { expectedLabels, tagsBySentence, WordPredictions } from './predictions.js';
import { type RowOptions, type TaggedRow, type TaggingBatch, taggingBatch, windowRows } from './rows.js';
import type { TaggedSentence } from './sentences.js';
import { taggingMetrics } from './spanMetrics.js';
import type { TagForm } from './tags.js';

/** What the best checkpoint can be chosen by, the default first; of plain tags accuracy alone. */
export const TAGGING_METRICS = ['f1', 'accuracy', 'precision', 'recall'] as const;

export interface TaggingEvaluation {
  readonly sentences: readonly TaggedSentence[];
  readonly labels: readonly string[];
  readonly form: TagForm;
  /** How sentences become rows; those that are too long are read in windows. */
  readonly rows: RowOptions;
  readonly batchSize: number;
  /** What the best checkpoint is chosen by. */
  readonly metric: string;
  /** Reported beside the model's own metrics. */
  readonly baselines?: Metrics;
}

/** Rows are run in batches of similar length. */
export function taggingEvaluation(options: TaggingEvaluation): Evaluation<TaggingBatch> {
  const { sentences, labels, form, batchSize, metric, baselines } = options;
  const rows = windowRows(sentences, options.rows).rows.sort((a, b) => a.ids.length - b.ids.length);
  const expected = expectedLabels(sentences, labels);
  const numBatches = Math.ceil(rows.length / batchSize);
  return {
    numBatches,
    async evaluate(program, phase, collective = ALONE) {
      const predictions = new WordPredictions(expected);
      for (const index of batchesOfRank(numBatches, collective)) {
        const firstRow = index * batchSize;
        const own = rows.slice(firstRow, firstRow + batchSize);
        const batch = taggingBatch(own.map(unlabelled), options.rows.tokenizer.padId);
        const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow };
        const { logits } = await program.run(phase.feeds(batch, draw));
        for (const [i, row] of own.entries()) {
          predictions.add(row, logits.data as Float32Array, labels.length, i * batch.length * labels.length);
        }
      }
      await collective.allReduce(predictions.table);
      const tags = tagsBySentence(sentences, predictions.labels, labels);
      const metrics: Metrics & { readonly loss: number } = {
        loss: predictions.loss,
        ...taggingMetrics(
          sentences.map((sentence) => sentence.tags),
          tags,
          form,
        ),
        ...baselines,
      };
      return { metrics, score: metrics[metric]!, better: 'higher' };
    },
  };
}

const unlabelled = (row: Omit<TaggedRow, 'labels'>): TaggedRow => ({ ...row, labels: new Int32Array(0) });

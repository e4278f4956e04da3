/** Training and metrics of taggers in words. */
import type { Metrics } from '../training/objective.js';
import { type MetricRow, metricLines } from './metricLines.js';
import { figure, type LearningWords } from './trainingView.js';

export const TAGGING_WORDS: LearningWords = {
  losses: ({ loss, accuracy }) => [...figure('loss', loss, 4), ...figure('accuracy', accuracy, 3)],
  metrics: ({ f1, precision, recall, accuracy, loss }) =>
    [
      ...figure('F1', f1, 4),
      ...figure('precision', precision, 4),
      ...figure('recall', recall, 4),
      ...figure('accuracy', accuracy, 4),
      ...figure('loss', loss, 4),
    ].join(', '),
};

/** A line a metric, beside those of the baselines. */
export function taggingSummary(metrics: Metrics): string[] {
  const { wordTagF1, wordTagAccuracy, majorityAccuracy, unknownTags } = metrics;
  const byWord = "each word's most frequent tag";
  const baselines = (...figures: string[][]) => {
    const all = figures.flat();
    return all.length === 0 ? '' : `   ${all.length === 1 ? 'baseline' : 'baselines'}: ${all.join(', ')}`;
  };
  const rows: MetricRow[] = [
    ['F1 of spans', metrics.f1, baselines(figure(byWord, wordTagF1, 4))],
    ['precision', metrics.precision],
    ['recall', metrics.recall],
    [
      'accuracy of words',
      metrics.accuracy,
      baselines(figure(byWord, wordTagAccuracy, 4), figure('the most frequent tag', majorityAccuracy, 4)),
    ],
    ['loss', metrics.loss],
  ];
  return [
    ...metricLines(rows, 20),
    ...(unknownTags ? [`  words whose tag the model does not know, which count as missed: ${unknownTags}`] : []),
  ];
}

/** Training and metrics of classifiers in words. */
import type { Metrics } from '../training/objective.js';
import { figure, type LearningWords } from './trainingView.js';

export const CLASSIFICATION_WORDS: LearningWords = {
  losses: ({ loss, accuracy }) => [...figure('loss', loss, 4), ...figure('accuracy', accuracy, 3)],
  metrics: ({ loss, accuracy, f1, macroF1, matthews }) =>
    [
      ...figure('accuracy', accuracy, 4),
      ...(f1 === undefined ? figure('macro F1', macroF1, 4) : figure('F1', f1, 4)),
      ...figure('Matthews', matthews, 4),
      ...figure('loss', loss, 4),
    ].join(', '),
};

/** A line a metric, accuracy beside those of the baselines. */
export function classificationSummary(metrics: Metrics): string[] {
  const { majorityAccuracy, bagOfWordsAccuracy } = metrics;
  const baselines = [
    ...figure('the most frequent label', majorityAccuracy, 4),
    ...figure('a bag of words', bagOfWordsAccuracy, 4),
  ].join(', ');
  const rows: [name: string, value: number | undefined, beside?: string][] = [
    ['accuracy', metrics.accuracy, baselines && `   baselines: ${baselines}`],
    ['F1 of the second label', metrics.f1],
    ['macro F1', metrics.macroF1],
    ['Matthews correlation', metrics.matthews],
    ['loss', metrics.loss],
  ];
  return rows.flatMap(([name, value, beside = '']) =>
    value === undefined ? [] : [`  ${name.padEnd(24)}${value.toFixed(4).padStart(8)}${beside}`],
  );
}

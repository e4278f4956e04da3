/** Training and metrics of classifiers in words. */
import type { Metrics } from '../training/objective.js';
import { baselinesAfter, metricLines } from './metricLines.js';
import { figure, type LearningWords } from './trainingView.js';

export const CLASSIFICATION_WORDS: LearningWords = {
  losses: ({ loss, accuracy }) => [...figure('loss', loss, 4), ...figure('accuracy', accuracy, 3)],
  metrics: ({ loss, accuracy, f1, macroF1, microF1, matthews, spearman, pearson }) =>
    [
      ...figure('accuracy', accuracy, 4),
      ...figure('micro F1', microF1, 4),
      ...(f1 === undefined ? figure('macro F1', macroF1, 4) : figure('F1', f1, 4)),
      ...figure('Matthews', matthews, 4),
      ...figure('Spearman', spearman, 4),
      ...figure('Pearson', pearson, 4),
      ...figure('loss', loss, 4),
    ].join(', '),
};

/** A line a metric, the first beside those of the baselines. */
export function classificationSummary(metrics: Metrics): string[] {
  const frequent = 'the most frequent label';
  const bag = 'a bag of words';
  return metricLines([
    [
      'accuracy',
      metrics.accuracy,
      baselinesAfter(
        [frequent, metrics.majorityAccuracy],
        [bag, metrics.bagOfWordsAccuracy],
        ['chance', metrics.chanceAccuracy],
        ['most shared words', metrics.overlapAccuracy],
      ),
    ],
    [
      'micro F1',
      metrics.microF1,
      baselinesAfter([frequent, metrics.majorityMicroF1], [bag, metrics.bagOfWordsMicroF1]),
    ],
    ['F1 of the second label', metrics.f1],
    [
      'macro F1',
      metrics.macroF1,
      baselinesAfter([frequent, metrics.majorityMacroF1], [bag, metrics.bagOfWordsMacroF1]),
    ],
    ['all labels right', metrics.allRight],
    ['Matthews correlation', metrics.matthews],
    ['Spearman correlation', metrics.spearman, baselinesAfter([bag, metrics.bagOfWordsSpearman])],
    ['Pearson correlation', metrics.pearson, baselinesAfter([bag, metrics.bagOfWordsPearson])],
    ['loss', metrics.loss],
  ]);
}

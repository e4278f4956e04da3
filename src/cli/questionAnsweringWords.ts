/** Training and metrics of question answering in words. */
import type { Metrics } from '../training/objective.js';
import { baselinesAfter, metricLines } from './metricLines.js';
import { figure, type LearningWords } from './trainingView.js';

export const QUESTION_ANSWERING_WORDS: LearningWords = {
  losses: ({ loss, startAccuracy, endAccuracy, noAnswerAccuracy }) => [
    ...figure('loss', loss, 4),
    ...figure('start', startAccuracy, 3),
    ...figure('end', endAccuracy, 3),
    ...figure('answer or none', noAnswerAccuracy, 3),
  ],
  metrics: ({ f1, exactMatch, characterF1, hasAnswerF1, noAnswerF1, loss }) =>
    [
      ...figure('F1', f1, 4),
      ...figure('exact match', exactMatch, 4),
      ...figure('F1 of characters', characterF1, 4),
      ...figure('F1 with an answer', hasAnswerF1, 4),
      ...figure('without', noAnswerF1, 4),
      ...figure('loss', loss, 4),
    ].join(', '),
};

/** A line a metric, with those of the baselines. */
export function questionAnsweringSummary(metrics: Metrics): string[] {
  const { slidingWindowF1, slidingWindowCharacterF1, answersNothingF1 } = metrics;
  const window = 'a sliding window of words';
  return metricLines([
    ['F1', metrics.f1, baselinesAfter([window, slidingWindowF1], ['answering nothing', answersNothingF1])],
    ['exact match', metrics.exactMatch],
    ['F1 of characters', metrics.characterF1, baselinesAfter([window, slidingWindowCharacterF1])],
    ['F1 with an answer', metrics.hasAnswerF1],
    ['F1 without an answer', metrics.noAnswerF1],
    ['loss', metrics.loss],
  ]);
}

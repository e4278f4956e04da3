/** Training and metrics of question answering in words. */
import type { Metrics } from '../training/objective.js';
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

/** A line a metric, F1 beside those of the baselines. */
export function questionAnsweringSummary(metrics: Metrics): string[] {
  const { slidingWindowF1, slidingWindowCharacterF1, answersNothingF1 } = metrics;
  const beside = (...baselines: readonly string[]) =>
    baselines.length === 0 ? '' : `   baselines: ${baselines.join(', ')}`;
  const ofWindow = (value: number | undefined) => figure('a sliding window of words', value, 4);
  const ofWords = beside(...ofWindow(slidingWindowF1), ...figure('answering nothing', answersNothingF1, 4));
  const rows: [name: string, value: number | undefined, baselines?: string][] = [
    ['F1', metrics.f1, ofWords],
    ['exact match', metrics.exactMatch],
    ['F1 of characters', metrics.characterF1, beside(...ofWindow(slidingWindowCharacterF1))],
    ['F1 with an answer', metrics.hasAnswerF1],
    ['F1 without an answer', metrics.noAnswerF1],
    ['loss', metrics.loss],
  ];
  return rows.flatMap(([name, value, baselines = '']) =>
    value === undefined ? [] : [`  ${name.padEnd(24)}${value.toFixed(4).padStart(8)}${baselines}`],
  );
}

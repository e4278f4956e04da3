import { describe, expect, it } from 'vitest';
import { slidingWindowMetrics } from './evaluation.js';
import type { Question } from './questions.js';
import { fitSlidingWindow, parseSlidingWindow, type SlidingWindow, slidingWindowAnswer } from './slidingWindow.js';

const ask = (question: string, context: string, answer = ''): Question => ({
  id: 'q',
  question,
  context,
  references: answer === '' ? [] : [answer],
  answers: [],
  misplaced: [],
  isImpossible: answer === '',
  place: 'here',
});

const CONTEXT =
  'The cathedral was built by Maurice in 1163 near the river. Much later, in a war, the bridge of stone was destroyed by Bertha. The end.';
const window = (passageWords: number, answerWords: number): SlidingWindow => ({
  ...{ format: 'pleiad-sliding-window', version: 1 },
  passageWords,
  answerWords,
  counts: { the: 400, a: 400, war: 50, later: 50, was: 100, in: 200, by: 100, of: 300 },
});

describe('a sliding window', () => {
  it('answers with rare words beside those of the question', () => {
    expect(slidingWindowAnswer(window(8, 1), ask('Who built the cathedral?', CONTEXT))).toBe('Maurice');
    expect(slidingWindowAnswer(window(10, 1), ask('Who destroyed the bridge of stone?', CONTEXT))).toBe('Bertha');
  });

  it('answers with a part of the context, white space and all', () => {
    const answer = slidingWindowAnswer(window(8, 2), ask('cathedral?', 'a  cathedral,\n grand   hall'));
    expect(answer).toBe('grand   hall');
    expect(slidingWindowAnswer(window(8, 2), ask('who?', '...'))).toBe('');
  });

  it('finds its lengths on training questions, and counts words that are there more than once', () => {
    const questions = [
      ask('Who built the cathedral?', CONTEXT, 'Maurice'),
      ask('Who destroyed the bridge?', CONTEXT, 'Bertha'),
      ask('Why?', CONTEXT),
    ];
    const fitted = fitSlidingWindow(questions);
    expect(fitted.answerWords).toBe(1);
    expect(fitted.counts).toEqual({ the: 4, was: 2, by: 2, in: 2 });
    expect(parseSlidingWindow(JSON.stringify(fitted))).toEqual(fitted);
    expect(() => parseSlidingWindow('{"format":"x","version":1}')).toThrow('expected pleiad-sliding-window 1');
  });

  it('is scored by words, and by characters where particles are written onto words', () => {
    const questions = [ask('누가 성당을 지었는가?', '성당은 마우리스가 지었다.', '마우리스')];
    const answered = { ...window(3, 1), counts: { 성당은: 50, 지었다: 50 } };
    expect(slidingWindowAnswer(answered, questions[0])).toBe('마우리스가');
    const figures = slidingWindowMetrics(answered, questions, { characters: true });
    // Four of five characters are right, and all four are found.
    expect(figures).toEqual({
      slidingWindowF1: 0,
      slidingWindowExactMatch: 0,
      slidingWindowCharacterF1: expect.closeTo((2 * 0.8) / 1.8, 12),
    });
    expect(slidingWindowMetrics(answered, questions, { characters: false })).not.toHaveProperty(
      'slidingWindowCharacterF1',
    );
  });
});

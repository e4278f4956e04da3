import { expect, test } from 'vitest';
import { describeLong, longPairs, measureLong, type Pair } from './askLong.js';

const PAIRS: readonly Pair[] = Array.from(
  { length: 6 },
  (_, i): Pair => [`question ${i}`, Array.from({ length: 20 }, (_, word) => `p${i}w${word}`).join(' ')],
);
const QUIET = { mostLoad: 100, minutes: 1, pids: [process.pid] };
const words = (text: string) => text.split(/\s+/).length;

test('a long text has as many words as asked for and ends in the paragraph of its question', () => {
  for (const [i, [question, context]] of longPairs(PAIRS, 150, 3).entries()) {
    const own = PAIRS[2 * i];
    expect(words(context)).toBe(150);
    expect(question).toBe(own[0]);
    expect(context.endsWith(`\n${own[1]}`)).toBe(true);
    expect(context.split(own[1])).toHaveLength(2);
  }
});

test('time is by question, and an answer counts where it comes from the last paragraph', async () => {
  const pairs = longPairs(PAIRS, 100, 3);
  const side = {
    name: 'side',
    answer: async ([[, context]]: readonly Pair[]) => ({
      ms: 5,
      answers: [context === pairs[1][1] ? context.slice(-5) : context.slice(0, 4)],
    }),
  };
  const measured = await measureLong(side, pairs, 100, QUIET);
  expect(measured).toMatchObject({ ms: 5, msPer1000Words: 50, found: 1, questions: 2 });
  expect(describeLong([measured])[0]).toContain('1 of 2 answers');
});

test('a side that fails is said to give no answer', async () => {
  const side = {
    name: 'short',
    answer: () => Promise.reject(new Error('only 512 positions\nat line 3')),
  };
  expect(describeLong([await measureLong(side, PAIRS, 100, QUIET)])).toEqual([
    '100 words, short: no answer (only 512 positions)',
  ]);
});

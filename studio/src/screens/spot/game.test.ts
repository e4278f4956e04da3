import { describe, expect, it } from 'vitest';
import { BUILT } from './builtRounds.js';
import {
  BUILT_ROUNDS,
  fakesOf,
  hits,
  modelMarks,
  parsePlayed,
  playedText,
  ROUNDS,
  requestOf,
  toggledMark,
  totals,
} from './game.js';

const word = (doubt: number, original?: string) => ({ before: ' ', text: 'a', doubt, ...(original && { original }) });
const ROUND = { words: [word(0.2), word(0.9, 'b'), word(0.9), word(0.1, 'c'), word(0.3)], after: '.' };

describe('spot the fake', () => {
  it('has the model mark the most doubted words, as many as were replaced', () => {
    expect(fakesOf(ROUND)).toEqual([1, 3]);
    expect(modelMarks(ROUND)).toEqual([1, 2]);
    expect(hits(ROUND.words, modelMarks(ROUND))).toBe(1);
    expect(hits(ROUND.words, [3, 1])).toBe(2);
  });

  it('gives the reader no more marks than the model has', () => {
    expect(toggledMark([4], 2, 2)).toEqual([4, 2]);
    expect(toggledMark([4, 2], 0, 2)).toEqual([2, 0]);
    expect(toggledMark([4, 2], 4, 2)).toEqual([2]);
  });

  it('keeps a game in the address, and believes no other', () => {
    const rounds = [
      { fakes: 3, you: 2, model: 1 },
      { fakes: 4, you: 0, model: 4 },
    ];
    expect(playedText(rounds)).toBe('321-404');
    expect(parsePlayed('321-404')).toEqual(rounds);
    expect(totals(rounds)).toEqual({ fakes: 7, you: 2, model: 5 });
    for (const text of [undefined, '', 'x', '321-', '350', '245', '9', '<b>', Array(11).fill('211').join('-')]) {
      expect(parsePlayed(text), text).toEqual([]);
    }
  });

  it('has no sentence twice in a game, and gives all who play it the same', () => {
    for (const language of ['en', 'ko'] as const) {
      for (const game of [1, 2, 3, 4]) {
        const texts = Array.from({ length: ROUNDS }, (_, round) => requestOf(language, game, round).text);
        expect(new Set(texts).size).toBe(ROUNDS);
      }
    }
  });

  it('has the first rounds in the page, of the sentences that come first', () => {
    for (const language of ['en', 'ko'] as const) {
      expect(BUILT[language]).toHaveLength(BUILT_ROUNDS);
      BUILT[language].forEach(({ words, after }, round) => {
        const text = words.map(({ before, text, original }) => before + (original ?? text)).join('') + after;
        expect(text).toBe(requestOf(language, 1, round).text);
        expect(fakesOf({ words, after }).length).toBeGreaterThanOrEqual(2);
      });
    }
  });
});

import { describe, expect, it } from 'vitest';
import { chooseAlphabet } from './alphabet.js';
import { DEFAULT_NORMALIZATION } from './normalization.js';

const counts = (words: Readonly<Record<string, number>>) => new Map(Object.entries(words));
const choose = (words: Readonly<Record<string, number>>, room: number, limit?: number) =>
  chooseAlphabet(counts(words), room, DEFAULT_NORMALIZATION, limit);
/** `from` and the code points after it. */
const letters = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(from + i));

describe('chooseAlphabet', () => {
  it('gives letters met at word starts only their ## form, but not what is always a word of its own', () => {
    const { letters: all, continuing } = choose({ '7': 3, zebra: 1, 漢: 5, '.': 5, '😀': 2 }, 100);
    expect(all).toEqual([...'.7aberz', '漢', '😀']);
    expect(continuing).toEqual([...'7aberz', '😀']);
  });

  it('gives them half of the room that is left, the most frequent first', () => {
    // Five letters and one form that was met take 6 of 10 places; 2 of the other 4 are for forms.
    expect(choose({ ab: 1, c: 2, d: 9, e: 5 }, 10)).toMatchObject({ letters: [...'abcde'], continuing: [...'bde'] });
    expect(choose({ ab: 1, c: 2, d: 9, e: 5 }, 6).continuing).toEqual(['b']);
  });

  it('keeps all letters of a short text that has room', () => {
    const words = Object.fromEntries(letters(0xac00, 600).map((letter) => [letter, 1]));
    expect(choose(words, 700)).toMatchObject({ coverage: 1, placesOfAll: 600 });
    expect(choose(words, 700).letters).toHaveLength(600);
  });

  it('leaves out the rarest 0.05 % of a long text, unless the alphabet is less than a quarter of the vocabulary', () => {
    // 2000 common letters make up 2,000,000 of the text; of 1500 rare ones, once each, 1000 may be missing (1,000.75).
    const common = letters(0xac00, 2000).map((letter) => [letter, 1000] as const);
    const rare = letters(0x4e00, 1500).map((letter) => [letter, 1] as const);
    const words = Object.fromEntries([...common, ...rare]);
    expect(choose(words, 8000).letters).toHaveLength(2500);
    expect(choose(words, 12_000).letters).toHaveLength(3000);
    expect(choose(words, 40_000).letters).toHaveLength(3500);
  });

  it('keeps the most frequent letters when not all have room, and says how much of the text they are', () => {
    const found = choose({ aaaa: 2, b: 3, c: 1 }, 3);
    expect(found.letters).toEqual(['a', 'b']);
    expect(found.coverage).toBeCloseTo(11 / 12);
    expect(choose({ aaaa: 2, b: 3, c: 1 }, 3, 3).letters).toEqual(['a', 'b', 'c']);
  });
});

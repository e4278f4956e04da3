import { describe, expect, it } from 'vitest';
import { WordPiece } from './wordpiece.js';

const VOCABULARY = ['[UNK]', 'want', '##want', '##ed', 'wa', 'un', 'runn', '##ing', 'unwant', '##😀', '##'];

function split(word: string, maxCharsPerWord = 100): [string, number, number][] {
  const out: number[] = [];
  new WordPiece(VOCABULARY, 0, maxCharsPerWord).split(word, out);
  return Array.from({ length: out.length / 3 }, (_, i) => [VOCABULARY[out[3 * i]], out[3 * i + 1], out[3 * i + 2]]);
}

describe('WordPiece', () => {
  it('takes the longest piece first', () => {
    expect(split('unwanted')).toEqual([
      ['unwant', 0, 6],
      ['##ed', 6, 8],
    ]);
    expect(split('running')).toEqual([
      ['runn', 0, 4],
      ['##ing', 4, 7],
    ]);
    expect(split('wa😀')).toEqual([
      ['wa', 0, 2],
      ['##😀', 2, 4],
    ]);
  });

  it('makes a word with any unknown part one [UNK]', () => {
    expect(split('unwantedX')).toEqual([['[UNK]', 0, 9]]);
    expect(split('ed')).toEqual([['[UNK]', 0, 2]]);
  });

  it('counts the characters of a long word in code points', () => {
    expect(split('wa😀', 3)).toHaveLength(2);
    expect(split('wa😀', 2)).toEqual([['[UNK]', 0, 4]]);
  });
});

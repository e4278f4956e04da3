import { describe, expect, it } from 'vitest';
import { absentIds, isPiece } from './pieces.js';

const TOKENS = ['[PAD]', '[unused0]', '', 'the', '\u3000', '##s', '##'];

describe('the ids that stand for no piece', () => {
  it('are blank lines of the vocabulary, and rows of the table beyond it', () => {
    expect([...absentIds(TOKENS)]).toEqual([2, 4]);
    expect([...absentIds(TOKENS, 9)]).toEqual([2, 4, 7, 8]);
  });

  it('are not special tokens, nor unused ones, which have names', () => {
    expect([0, 1, 3, 5, 6].every((id) => isPiece(TOKENS, id))).toBe(true);
    expect([2, 4, 7, -1].some((id) => isPiece(TOKENS, id))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodeSentences, taggingBatch, unitsOf, windowRows } from './rows.js';

const tokenizer = WordPieceTokenizer.fromVocabulary(
  ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'Chef', 'chef', 'cook', '##ed', '.', 'a'],
  { lowercase: false },
);
const LABELS = ['O', 'B-X', 'I-X'];
const sentence = (words: string[], tags: string[]) => ({ words, tags, place: 'a:1' });
const OPTIONS = { tokenizer, length: 16, units: 'words' } as const;
const encode = (words: string[], tags: string[], length = 16) =>
  encodeSentences([sentence(words, tags)], LABELS, { ...OPTIONS, length });
const pieces = (ids: ArrayLike<number>) => Array.from(ids, (id) => tokenizer.idToToken(id)).join(' ');

describe('rows of a sentence', () => {
  it('have the label of a word at its first piece, and keep its case', () => {
    const { rows } = encode(['Chef', 'cooked', 'chef.'], ['B-X', 'O', 'I-X']);
    expect(pieces(rows[0].ids)).toBe('[CLS] Chef cook ##ed chef . [SEP]');
    expect([...rows[0].labels]).toEqual([-1, 1, 0, -1, 2, -1, -1]);
  });

  it('have [UNK] for a word of which nothing is left, and nothing for a word of spaces', () => {
    const { rows, emptied } = encode(['\u0001', ' ', 'a'], ['B-X', 'O', 'I-X']);
    expect(pieces(rows[0].ids)).toBe('[CLS] [UNK] a [SEP]');
    expect([...rows[0].labels]).toEqual([-1, 1, 2, -1]);
    expect(emptied).toBe(1);
  });

  it('of a sentence that is too long lose its end, which is counted', () => {
    const { rows, cut } = encode(['a', 'cooked', 'a', 'a'], ['O', 'B-X', 'O', 'O'], 5);
    expect(pieces(rows[0].ids)).toBe('[CLS] a cook ##ed [SEP]');
    expect(cut).toEqual({ sentences: 1, words: 2 });
    // A last word that keeps its first piece keeps its label.
    expect(encode(['a', 'a', 'cooked'], ['O', 'O', 'B-X'], 5).cut).toEqual({ sentences: 0, words: 0 });
  });

  it('as a batch have weight 1 where there is a label', () => {
    const { rows } = encodeSentences(
      [sentence(['a'], ['I-X']), sentence(['cooked', '.'], ['B-X', 'O'])],
      LABELS,
      OPTIONS,
    );
    const { length, labels, labelWeights } = taggingBatch(rows, tokenizer.padId);
    expect(length).toBe(8);
    expect([...labels]).toEqual([0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect([...labelWeights]).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
  });
});

describe('rows of characters', () => {
  const characters = [...'a cooked.'];
  const tags = ['O', 'O', ...'BIIIII'].map((tag) => (tag === 'O' ? 'O' : `${tag}-X`)).concat('O');

  it('are the pieces of their text, each with the tag of its first character', () => {
    const { rows } = encodeSentences([sentence(characters, tags)], LABELS, { ...OPTIONS, units: 'characters' });
    expect(pieces(rows[0].ids)).toBe('[CLS] a cook ##ed . [SEP]');
    expect([...rows[0].labels]).toEqual([-1, 0, 1, 2, 0, -1]);
  });

  it('are told by their spaces', () => {
    expect(unitsOf([sentence(characters, tags), sentence(['a'], ['O'])])).toBe('characters');
    expect(unitsOf([sentence(['a', '😀', ' '], ['O', 'O', 'O'])])).toBe('characters');
    expect(unitsOf([sentence(['a', 'b'], ['O', 'O'])])).toBe('words');
    expect(unitsOf([sentence(characters, tags), sentence(['ab'], ['O'])])).toBe('words');
  });
});

describe('windows of long sentences', () => {
  it('have every word once, where most stands around it, at its first piece', () => {
    const words = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 'cooked' : 'a'));
    const { rows, numWords } = windowRows([{ words: ['a'] }, { words }, { words: [' '] }], { ...OPTIONS, length: 14 });
    expect(numWords).toBe(42);
    const seen = rows.flatMap((row) => [...row.words]);
    expect(seen.toSorted((a, b) => a - b)).toEqual([...Array(41).keys()]);
    for (const { ids, words: numbers, firstPieces } of rows) {
      expect(ids.length).toBeLessThanOrEqual(14);
      for (const [i, word] of numbers.entries()) {
        const first = word === 0 ? 'a' : words[word - 1] === 'a' ? 'a' : 'cook';
        expect(tokenizer.idToToken(ids[firstPieces[i]])).toBe(first);
      }
    }
    // A quarter of a window of 12 pieces is shared: of its 3 pieces one is judged in the earlier window, two in the later.
    const edges = rows.slice(1, -1).map(({ ids, firstPieces }) => ids.length - 1 - firstPieces.at(-1)!);
    expect(Math.min(...edges)).toBeGreaterThan(1);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodePair } from './encodePair.js';
import { chooseMarkers, markersOf } from './markers.js';

const WORDS = ['the', 'chef', 'of', 'inn', 'ate', '##s'];
const FRAME = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const UNUSED = ['[unused1]', '[unused2]', '[unused3]', '[unused4]', '[unused5]'];
const tokenizer = WordPieceTokenizer.fromVocabulary([...FRAME, ...UNUSED, ...WORDS]);
const markers = chooseMarkers(tokenizer);
const shown = (ids: Int32Array) =>
  Array.from(ids, (id) => tokenizer.idToToken(id).replace(/\[unused(\d)\]/, '$1')).join(' ');
const encode = (text: string, head: [number, number], tail: [number, number], length = 64) => {
  const spans = [head, tail].map(([start, end]) => ({ start, end }));
  return encodePair({ text, head: spans[0], tail: spans[1] }, { tokenizer, markers, length });
};

describe('a text with marked entities', () => {
  it('has a piece before and after each, of head and tail others, in either order', () => {
    const text = 'the chef of the inn ate';
    expect(shown(encode(text, [4, 8], [16, 19]).ids)).toBe('[CLS] the 1 chef 2 of the 3 inn 4 ate [SEP]');
    expect(shown(encode(text, [16, 19], [4, 8]).ids)).toBe('[CLS] the 3 chef 4 of the 1 inn 2 ate [SEP]');
  });

  it('may have one inside the other, or the very same', () => {
    expect(shown(encode('the chef', [0, 8], [4, 8]).ids)).toBe('[CLS] 1 the 3 chef 4 2 [SEP]');
    expect(shown(encode('the chef', [4, 8], [0, 8]).ids)).toBe('[CLS] 3 the 1 chef 2 4 [SEP]');
    const same = shown(encode('chef', [0, 4], [0, 4]).ids);
    for (const mark of ['1', '2', '3', '4']) expect(same.split(' ')).toContain(mark);
    expect(shown(encode('chefinn', [0, 4], [4, 7]).ids)).toBe('[CLS] 1 chef 2 3 inn 4 [SEP]');
  });

  it('that is too long keeps both entities, and what is near them', () => {
    const long = `${'of '.repeat(20)}chef ate inn${' of'.repeat(20)}`;
    const { ids, isCut } = encode(long, [60, 64], [69, 72], 13);
    expect(isCut).toBe(true);
    expect(shown(ids)).toBe('[CLS] of of 1 chef 2 ate 3 inn 4 of of [SEP]');
    const apart = `chef ${'of '.repeat(40)}inn`;
    expect(shown(encode(apart, [0, 4], [125, 128], 12).ids)).toBe('[CLS] 1 chef 2 of of of of 3 inn 4 [SEP]');
    const early = encode(`chef inn${' of'.repeat(40)}`, [0, 4], [5, 8], 12);
    expect(shown(early.ids)).toBe('[CLS] 1 chef 2 3 inn 4 of of of of [SEP]');
  });

  it('never has more tokens than the row takes, and all markers as long as they fit', () => {
    const side = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(side, side, side, fc.integer({ min: 10, max: 40 }), (before, between, after, length) => {
        const text = `${'of '.repeat(before)}chef ${'of '.repeat(between)}inn${' of'.repeat(after)}`;
        const head = 3 * before;
        const tail = head + 5 + 3 * between;
        const { ids, isCut } = encode(text, [head, head + 4], [tail, tail + 3], length);
        const whole = before + between + after + 8;
        expect(ids).toHaveLength(Math.min(length, whole));
        expect(isCut).toBe(whole > length);
        expect(shown(ids).replace(/ of/g, '')).toBe('[CLS] 1 chef 2 3 inn 4 [SEP]');
      }),
    );
  });
});

describe('entity markers', () => {
  it('are punctuation, else unused pieces of the vocabulary', () => {
    expect(markers).toEqual({ head: ['[unused1]', '[unused2]'], tail: ['[unused3]', '[unused4]'] });
    const plain = WordPieceTokenizer.fromVocabulary([...FRAME, ...UNUSED, ...WORDS, '@', '#']);
    expect(chooseMarkers(plain)).toEqual({ head: ['@', '@'], tail: ['#', '#'] });
    expect(() => chooseMarkers(WordPieceTokenizer.fromVocabulary([...FRAME, ...WORDS]))).toThrow(
      'the vocabulary has no pieces to mark entities with',
    );
  });

  it('are read from config.json, and must be pieces of the tokenizer', () => {
    expect(markersOf({ relationMarkers: markers }, 'model', tokenizer)).toEqual(markers);
    expect(() => markersOf({}, 'model', tokenizer)).toThrow('model does not say which pieces mark its entities');
    const other = { relationMarkers: { head: ['@', '@'], tail: ['#', '#'] } };
    expect(() => markersOf(other, 'model', tokenizer)).toThrow('marks entities with @, which its vocabulary does not');
  });
});

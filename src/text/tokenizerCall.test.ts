/** `tokenizer(texts, options)`, with the lists that transformers gives for the same call. */
import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { tokenizerFromFiles } from './tokenizerFolder.js';

const TOKENS = '[PAD] [UNK] [CLS] [SEP] [MASK] the chef cook ##ed a meal 한국 ##어 😀'.split(' ');
const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS);

describe('a tokenizer that is called', () => {
  it('gives one text as lists, several as lists of lists', () => {
    expect(tokenizer('the chef cooked')).toEqual({
      inputIds: [2, 5, 6, 7, 8, 3],
      attentionMask: [1, 1, 1, 1, 1, 1],
      tokenTypeIds: [0, 0, 0, 0, 0, 0],
    });
    expect(tokenizer(['the chef', 'a'])).toEqual({
      inputIds: [
        [2, 5, 6, 3],
        [2, 9, 3],
      ],
      attentionMask: [
        [1, 1, 1, 1],
        [1, 1, 1],
      ],
      tokenTypeIds: [
        [0, 0, 0, 0],
        [0, 0, 0],
      ],
    });
    expect(tokenizer([])).toEqual({ inputIds: [], attentionMask: [], tokenTypeIds: [] });
    expect(tokenizer('', { addSpecialTokens: false }).inputIds).toEqual([]);
  });

  it('pads to the longest of the texts, or to maxLength', () => {
    const { inputIds, attentionMask } = tokenizer(['the chef cooked', '한국어'], { padding: true, truncation: true });
    expect(inputIds).toEqual([
      [2, 5, 6, 7, 8, 3],
      [2, 11, 12, 3, 0, 0],
    ]);
    expect(attentionMask[1]).toEqual([1, 1, 1, 1, 0, 0]);
    expect(tokenizer('a', { padding: 'maxLength', maxLength: 5 }).inputIds).toEqual([2, 9, 3, 0, 0]);
    expect(tokenizer('the chef cooked', { padding: 'maxLength', maxLength: 4 }).inputIds).toHaveLength(6);
  });

  it('cuts to maxLength, or to what its files say', () => {
    expect(tokenizer('the chef cooked', { truncation: true, maxLength: 4 }).inputIds).toEqual([2, 5, 6, 3]);
    expect(tokenizer('the chef cooked', { maxLength: 4 }).inputIds).toEqual([2, 5, 6, 3]);
    expect(tokenizer('the chef cooked', { truncation: false, maxLength: 4 }).inputIds).toHaveLength(6);
    expect(tokenizer('the chef cooked', { truncation: true }).inputIds).toHaveLength(6);
    const tokenizerConfig = { do_lower_case: false, model_max_length: 3 };
    const short = tokenizerFromFiles({ vocabText: TOKENS.join('\n'), tokenizerConfig }, 'folder');
    expect(short.maxLength).toBe(3);
    expect(short('the chef cooked', { truncation: true }).inputIds).toEqual([2, 5, 3]);
    expect(short('the chef cooked').inputIds).toHaveLength(6);
  });

  it('takes pairs, and gives offsets as pairs', () => {
    const options = { textPair: '😀 meal', returnOffsets: true, padding: 'maxLength', maxLength: 8 } as const;
    expect(tokenizer('a chef', options)).toEqual({
      inputIds: [2, 9, 6, 3, 13, 10, 3, 0],
      attentionMask: [1, 1, 1, 1, 1, 1, 1, 0],
      tokenTypeIds: [0, 0, 0, 0, 1, 1, 1, 0],
      offsets: [
        [0, 0],
        [0, 1],
        [2, 6],
        [0, 0],
        [0, 2],
        [3, 7],
        [0, 0],
        [0, 0],
      ],
    });
    const { tokenTypeIds } = tokenizer(['a', 'the'], { textPair: ['chef', 'a meal'] });
    expect(tokenTypeIds).toEqual([
      [0, 0, 0, 1, 1],
      [0, 0, 0, 1, 1, 1],
    ]);
    const cut = tokenizer('a', { textPair: 'the chef cooked', truncation: 'onlySecond', maxLength: 5 });
    expect(cut.inputIds).toEqual([2, 9, 3, 5, 3]);
  });

  it('is still the tokenizer that it was', () => {
    expect(tokenizer).toBeInstanceOf(WordPieceTokenizer);
    expect([...tokenizer.encode('the chef').ids]).toEqual(tokenizer('the chef').inputIds);
  });

  it('refuses what it cannot do, all at once', () => {
    const bad = { padding: 'max_length', truncation: 'longest_first', max_length: 4 } as never;
    expect(() => tokenizer('a', bad)).toThrow(SettingsError);
    expect(() => tokenizer('a', bad)).toThrow(
      /3 settings.*no option max_length.*padding is max_length.*'longestFirst'/s,
    );
    expect(() => tokenizer('a', { padding: 'maxLength' })).toThrow(/'maxLength' without maxLength/);
    expect(() => tokenizer('a', { maxLength: 2.5 })).toThrow(/maxLength is 2.5/);
    expect(() => tokenizer(['a', 'the'], { textPair: ['a'] })).toThrow(/textPair is a list of 1; expected a list of 2/);
    expect(() => tokenizer('a', { textPair: ['a'] })).toThrow(/expected one text/);
    expect(() => tokenizer(['a', null as never])).toThrow(DataError);
    expect(() => tokenizer(['a', null as never])).toThrow(/texts\[1\] is null; expected text/);
    expect(() => tokenizer(undefined as never)).toThrow(/texts is undefined; expected text or a list/);
  });
});

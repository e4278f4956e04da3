/**
 * What the files of a model folder say together. Expected values are those of transformers 5.23 on the same files, but for
 * the casing that no file says: there it lower-cases, and we look at the vocabulary.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors/errors.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from './tokenizer.js';
import { type TokenizerFiles, type TokenizerOverrides, tokenizerFromFiles } from './tokenizerFolder.js';

const UNCASED = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'chef', 'cafe', 'the', '##s', '<m>', 'ℝ'];
const CASED = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'chef', 'Chef', 'café', 'cafe', 'The', '<m>'];
const text = (tokens: readonly string[]) => `${tokens.join('\n')}\n`;
const json = (tokens: readonly string[], lowercase: boolean): unknown =>
  WordPieceTokenizer.fromVocabulary(tokens, { ...PUBLISHED_NORMALIZATION, lowercase }).toTokenizerJson();
const read = (files: TokenizerFiles, overrides?: TokenizerOverrides) => tokenizerFromFiles(files, 'folder', overrides);
const pieces = (files: TokenizerFiles, overrides?: TokenizerOverrides) =>
  read(files, overrides).encode('Chef café', { addSpecialTokens: false }).tokens;

describe('casing', () => {
  it('is looked up in the vocabulary where no file says it', () => {
    expect(pieces({ vocabText: text(CASED) })).toEqual(['Chef', 'café']);
    expect(pieces({ vocabText: text(UNCASED) })).toEqual(['chef', 'cafe']);
    expect(pieces({ vocabText: text(CASED), tokenizerConfig: { model_max_length: 512 } })).toEqual(['Chef', 'café']);
    const hangul = ['[UNK]', '한글', '##을', '서울'];
    expect(read({ vocabText: text(hangul) }).settings.lowercase).toBe(false);
  });

  it('is lower case with accents, where a vocabulary has no capital and would lose many pieces without them', () => {
    const accents = ['[UNK]', 'chef', 'café', 'schön', 'schon'];
    expect(read({ vocabText: text(accents) }).settings).toMatchObject({ lowercase: true, stripAccents: false });
    expect(pieces({ vocabText: text(accents) })).toEqual(['chef', 'café']);
    expect(pieces({ vocabText: text(accents) }, { lowercase: true })).toEqual(['chef', 'café']);
    // A cased vocabulary that is to be lower-cased is read as uncased BERT reads it.
    expect(pieces({ vocabText: text(CASED) }, { lowercase: true })).toEqual(['chef', 'cafe']);
  });

  it('of a letter that has no lower case decides nothing', () => {
    expect(read({ vocabText: text(['[UNK]', 'ℝ', '##ℝ']) }).settings.lowercase).toBe(true);
  });

  it('is a flag of tokenizer_config.json, before tokenizer.json', () => {
    const tokenizerConfig = { do_lower_case: false, tokenizer_class: 'BertTokenizer' };
    expect(pieces({ tokenizerJson: json(CASED, true), tokenizerConfig })).toEqual(['Chef', 'café']);
    expect(pieces({ tokenizerJson: json(CASED, true), tokenizerConfig: { do_lower_case: false } })).toEqual([
      'Chef',
      'café',
    ]);
    expect(pieces({ tokenizerJson: json(UNCASED, true), tokenizerConfig: { strip_accents: false } })).toEqual([
      'chef',
      '[UNK]',
    ]);
    const silent = { tokenizer_class: 'BertTokenizer', strip_accents: null };
    expect(pieces({ tokenizerJson: json(CASED, false), tokenizerConfig: silent })).toEqual(['Chef', 'café']);
  });

  it('is tokenizer.json’s for the class that reads nothing else', () => {
    const tokenizerConfig = { do_lower_case: false, tokenizer_class: 'PreTrainedTokenizerFast' };
    expect(pieces({ tokenizerJson: json(UNCASED, true), tokenizerConfig })).toEqual(['chef', 'cafe']);
  });

  it.each<[string, TokenizerFiles]>([
    [
      'tokenizer_config.json',
      { vocabText: text(CASED), tokenizerConfig: { do_lower_case: true, model_max_length: 1e30 } },
    ],
    ['tokenizer.json', { tokenizerJson: json(CASED, true) }],
    [
      'tokenizer_config.json over tokenizer.json',
      { tokenizerJson: json(CASED, false), tokenizerConfig: { do_lower_case: true } },
    ],
  ])('of the vocabulary against the word of %s is an error that names the way out', (_, files) => {
    expect(() => read(files)).toThrow(DataError);
    expect(() => read(files)).toThrow(
      /^folder: the vocabulary is cased, but the tokenizer lower-cases and removes accents: 3 of 5 pieces, such as "Chef", "café", "The", could never be met\. Say lowercase: false to.*lowercase: true if/,
    );
    expect(pieces(files, { lowercase: false })).toEqual(['Chef', 'café']);
    expect(pieces(files, { lowercase: true })).toEqual(['chef', 'cafe']);
  });

  it('may be mixed as the files say, when the vocabulary was made that way', () => {
    const korean = ['[UNK]', '한글', 'chef'];
    const tokenizerConfig = { do_lower_case: true, strip_accents: false };
    expect(pieces({ vocabText: text(korean), tokenizerConfig })).toEqual(['chef', '[UNK]']);
    expect(() => read({ vocabText: text(korean), tokenizerConfig: { do_lower_case: true } })).toThrow(
      /1 of 2 pieces, such as "한글"/,
    );
  });
});

describe('special tokens', () => {
  it('are looked up under the names that the files give: the map, then the config, then tokenizer.json', () => {
    const tokenizerConfig = { do_lower_case: false, mask_token: '[MASK]' };
    const specialTokensMap = { mask_token: { content: '<m>', lstrip: false } };
    expect(read({ vocabText: text(CASED), tokenizerConfig }).maskId).toBe(4);
    expect(read({ vocabText: text(CASED), tokenizerConfig, specialTokensMap }).maskId).toBe(10);
    expect(read({ tokenizerJson: json(CASED, false), specialTokensMap }).maskId).toBe(10);
    expect(read({ tokenizerJson: json(CASED, false), tokenizerConfig: { mask_token: '<m>' } }).maskId).toBe(10);
    const odd = ['[UNK]', '<end>', '<start>', 'a'];
    const names = { cls_token: '<start>', sep_token: '<end>' };
    expect([...read({ vocabText: text(odd), specialTokensMap: names }).encode('a').ids]).toEqual([2, 3, 1]);
  });

  it('that the vocabulary lacks are an error when they are needed', () => {
    const tokenizer = read({ vocabText: text(CASED), specialTokensMap: { mask_token: '<mask>' } });
    expect(tokenizer.clsId).toBe(2);
    expect(() => tokenizer.maskId).toThrow(/has no <mask>/);
  });
});

describe('added tokens', () => {
  const tokenizerConfig = { do_lower_case: false };
  const last = CASED.length;

  it('come behind the vocabulary, from either file', () => {
    const decoder = {
      [last]: { content: '[X]', special: true, lstrip: false },
      0: { content: '[PAD]', special: true },
    };
    for (const files of [
      { tokenizerConfig: { ...tokenizerConfig, added_tokens_decoder: decoder } },
      { tokenizerConfig, addedTokens: { '[X]': last }, specialTokensMap: { additional_special_tokens: ['[X]'] } },
    ]) {
      const tokenizer = read({ vocabText: text(CASED), ...files });
      expect(tokenizer.vocabSize).toBe(last + 1);
      expect(tokenizer.encode('[X] chef', { addSpecialTokens: false }).tokens).toEqual(['[X]', 'chef']);
      expect(tokenizer.settings.additionalSpecialTokens).toEqual(['[X]']);
    }
  });

  it('with an id that is not theirs are refused', () => {
    const files = (id: number) => ({ vocabText: text(CASED), tokenizerConfig, addedTokens: { '[X]': id } });
    expect(() => read(files(5))).toThrow(/id of the added token \[X\] is 5/);
    expect(() => read(files(last + 1))).toThrow(/id of the added token \[X\]/);
  });
});

describe('a folder of another kind', () => {
  it.each(['BertJapaneseTokenizer', 'RobertaTokenizer', 'XLNetTokenizerFast'])('is refused: %s', (tokenizer_class) => {
    const files = { vocabText: text(CASED), tokenizerConfig: { tokenizer_class, do_lower_case: false } };
    expect(() => read(files)).toThrow(new RegExp(`tokenizer_class "${tokenizer_class}"`));
  });

  it('without a vocabulary is named', () => {
    expect(() => read({ tokenizerConfig: {} })).toThrow(/^folder has neither tokenizer\.json nor vocab\.txt/);
  });
});

const VOCABULARIES = new URL('../../../shared/data/vocab/', import.meta.url);
const hasVocabularies = existsSync(VOCABULARIES);
if (!hasVocabularies) console.warn('published vocabularies are skipped: ../shared/data is not beside this repository');

describe.skipIf(!hasVocabularies)('published vocabularies without settings', () => {
  const vocabText = (name: string) => readFileSync(new URL(`${name}/vocab.txt`, VOCABULARIES), 'utf8');

  // Ids by line number in the published files.
  it.each([
    ['bert-base-uncased', true, [0, 100, 101, 102, 103]],
    ['bert-base-cased', false, [0, 100, 101, 102, 103]],
    ['koelectra', false, [0, 1, 2, 3, 4]],
  ])('%s: lower-cased %s, special ids %j', (name, lowercase, ids) => {
    const tokenizer = read({ vocabText: vocabText(name) });
    expect(tokenizer.settings.lowercase).toBe(lowercase);
    const { padId, unkId, clsId, sepId, maskId } = tokenizer;
    expect([padId, unkId, clsId, sepId, maskId]).toEqual(ids);
  });

  it('the cased ones are not lower-cased by a word in tokenizer_config.json', () => {
    const tokenizerConfig = { do_lower_case: true, model_max_length: 1e30 };
    expect(() => read({ vocabText: vocabText('bert-base-cased'), tokenizerConfig })).toThrow(
      /8826 of 28890 pieces, such as "A"/,
    );
    expect(() => read({ vocabText: vocabText('koelectra'), tokenizerConfig })).toThrow(
      /31050 of 31995 pieces, such as "A"/,
    );
    expect(read({ vocabText: vocabText('bert-base-uncased'), tokenizerConfig }).settings.lowercase).toBe(true);
  });
});

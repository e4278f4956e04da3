import { Tokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors/errors.js';
import { PUBLISHED_NORMALIZATION } from './normalization.js';
import { type TokenizerOptions, WordPieceTokenizer } from './tokenizer.js';
import { maxLengthFromTokenizerConfig, settingsFromTokenizerConfig } from './tokenizerFiles.js';

const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'the',
  'cafe',
  'café',
  '##s',
  '한글',
  '1',
  '漢',
  '[E1]',
];
const make = (settings?: TokenizerOptions) => WordPieceTokenizer.fromVocabulary(VOCABULARY, settings);

const EVERY_SETTING: TokenizerOptions[] = [
  {},
  PUBLISHED_NORMALIZATION,
  { lowercase: false },
  { lowercase: false, stripAccents: true },
  { stripAccents: true },
  { nfc: false },
  { stripAccents: true, tearHangul: true },
  { cleanText: false, handleChineseChars: false },
  { keepFormat: false },
  { cutLongWords: false },
  { maxCharsPerWord: 20, additionalSpecialTokens: ['[E1]'] },
];

type Json = Record<string, Record<string, unknown>>;
const changed = (change: (json: Json) => void): Json => {
  const json = structuredClone(make().toTokenizerJson()) as Json;
  change(json);
  return json;
};

describe('tokenizer files', () => {
  it.each(EVERY_SETTING)('tokenizer.json keeps everything: %o', (settings) => {
    const tokenizer = make(settings);
    const again = WordPieceTokenizer.fromTokenizerJson(JSON.parse(JSON.stringify(tokenizer.toTokenizerJson())));
    expect(again.hash()).toBe(tokenizer.hash());
  });

  it.each(EVERY_SETTING)('vocab.txt and tokenizer_config.json keep everything: %o', (settings) => {
    const tokenizer = make(settings);
    const config = settingsFromTokenizerConfig(JSON.parse(JSON.stringify(tokenizer.toTokenizerConfig())));
    expect(WordPieceTokenizer.fromVocabText(tokenizer.toVocabText(), config).hash()).toBe(tokenizer.hash());
  });

  it.each(EVERY_SETTING)('the tokenizers package reads tokenizer.json and gives the same ids: %o', async (settings) => {
    const tokenizer = make(settings);
    const theirs = Tokenizer.fromString(JSON.stringify(tokenizer.toTokenizerJson()));
    for (const text of ['The CAFÉs cafés', 'cafe\u0301s [MASK] 한글', '한글'.normalize('NFD'), 'a漢1 [E1]the\u200d']) {
      const expected = await theirs.encode(text, 'the');
      expect([...tokenizer.encode(text, { pair: 'the' }).ids], text).toEqual(expected.getIds());
    }
  });

  it('tokenizer.json as we wrote it before keeps its meaning', () => {
    const json = changed((j) => {
      j.normalizer = {
        type: 'Sequence',
        normalizers: [
          { type: 'NFC' },
          {
            type: 'BertNormalizer',
            clean_text: true,
            handle_chinese_chars: true,
            strip_accents: false,
            lowercase: false,
          },
          { type: 'NFD' },
          { type: 'Replace', pattern: { Regex: '\\p{Mn}' }, content: '' },
          { type: 'NFC' },
          { type: 'Lowercase' },
        ],
      } as never;
      j.pre_tokenizer = { type: 'BertPreTokenizer' };
    });
    const before = { ...PUBLISHED_NORMALIZATION, nfc: true, tearHangul: false };
    expect(WordPieceTokenizer.fromTokenizerJson(json).hash()).toBe(make(before).hash());
    const config = {
      do_lower_case: true,
      strip_accents: true,
      pleiad: { nfc: true, clean_text: true, tear_hangul: false },
    };
    const settings = settingsFromTokenizerConfig(config);
    expect(WordPieceTokenizer.fromVocabText(make().toVocabText(), settings).hash()).toBe(make(before).hash());
  });

  it('tokenizer_config.json always says the casing', () => {
    expect(
      make({ lowercase: false }).toTokenizerConfig({ modelMaxLength: 128, tokenizerClass: 'BertTokenizer' }),
    ).toMatchObject({
      do_lower_case: false,
      strip_accents: false,
      tokenize_chinese_chars: true,
      model_max_length: 128,
      tokenizer_class: 'BertTokenizer',
      mask_token: '[MASK]',
    });
    expect(make({ stripAccents: true }).toTokenizerConfig()).toMatchObject({ strip_accents: true });
    expect(make().toTokenizerConfig()).toMatchObject({
      do_lower_case: true,
      strip_accents: false,
      model_max_length: 512,
    });
  });

  it('tokenizer_config.json names the class in transformers that gives the same ids', () => {
    expect(make(PUBLISHED_NORMALIZATION).toTokenizerConfig().tokenizer_class).toBe('ElectraTokenizer');
    const cased = { ...PUBLISHED_NORMALIZATION, lowercase: false };
    expect(make(cased).toTokenizerConfig().tokenizer_class).toBe('ElectraTokenizer');
    expect(make(cased).toTokenizerConfig({ modelType: 'bert', segmentIds: true }).tokenizer_class).toBe(
      'BertTokenizer',
    );
    // Those that BertNormalizer cannot say must be read from tokenizer.json.
    for (const settings of [
      {},
      { lowercase: false },
      { nfc: false },
      ...[
        { nfc: true },
        { keepFormat: true },
        { cutLongWords: true },
        { tearHangul: false },
        { maxCharsPerWord: 200 },
      ].map((change) => ({ ...PUBLISHED_NORMALIZATION, ...change })),
    ]) {
      expect(make(settings).toTokenizerConfig().tokenizer_class).toBe('PreTrainedTokenizerFast');
      // The name under which transformers.js gives segment ids, and Python reads tokenizer.json.
      expect(make(settings).toTokenizerConfig({ segmentIds: true }).tokenizer_class).toBe('ConvBertTokenizer');
    }
  });

  it('a published tokenizer_config.json means published normalisation', () => {
    const config = { do_lower_case: false, mask_token: { content: '<mask>', lstrip: false }, model_max_length: 512 };
    expect(settingsFromTokenizerConfig(config)).toMatchObject({
      lowercase: false,
      nfc: false,
      tearHangul: true,
      specialTokens: { mask: '<mask>' },
    });
    expect(() => settingsFromTokenizerConfig({ do_lower_case: 'no' })).toThrow(
      /do_lower_case is "no"; expected true or false/,
    );
  });

  it('a tokenizer_config.json that is silent decides nothing', () => {
    expect(settingsFromTokenizerConfig({ strip_accents: null })).toMatchObject({
      lowercase: undefined,
      stripAccents: undefined,
      handleChineseChars: undefined,
    });
  });

  it('a tokenizer_config.json that asks for what we do not do is refused by name', () => {
    expect(() => settingsFromTokenizerConfig({ do_basic_tokenize: false })).toThrow(/do_basic_tokenize is false/);
    expect(() => settingsFromTokenizerConfig({ never_split: ['Inc.'] })).toThrow(
      /never_split is \["Inc\."\]; expected none/,
    );
  });

  it('model_max_length of int(1e30), as Python writes it, is no length', () => {
    const length = (text: string) => maxLengthFromTokenizerConfig(JSON.parse(`{"model_max_length":${text}}`));
    expect(length('1000000000000000019884624838656')).toBeUndefined();
    expect(length('1e+30')).toBeUndefined();
    expect(length('512')).toBe(512);
    expect(length('null')).toBeUndefined();
    expect(maxLengthFromTokenizerConfig({})).toBeUndefined();
    for (const bad of ['0', '-1', '1.5', '"512"', 'true']) {
      expect(() => length(bad), bad).toThrow(/model_max_length is .*; expected a number of tokens/);
    }
  });

  it('vocab.txt may have CRLF, a byte order mark and no last newline', () => {
    const text = '\ufeff[UNK]\r\nthe\r\n##s';
    expect(WordPieceTokenizer.fromVocabText(text).tokens).toEqual(['[UNK]', 'the', '##s']);
    expect(WordPieceTokenizer.fromVocabText(make().toVocabText()).tokens).toEqual(VOCABULARY);
    expect(() => WordPieceTokenizer.fromVocabText('')).toThrow(DataError);
  });

  it('reads BertProcessing, and special tokens added behind the vocabulary', () => {
    const json = changed((j) => {
      j.post_processor = { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] };
      (j.added_tokens as unknown as object[]).push({ id: VOCABULARY.length, content: '[E2]', special: true });
    });
    const tokenizer = WordPieceTokenizer.fromTokenizerJson(json);
    expect(tokenizer.encode('the [E2]').tokens).toEqual(['[CLS]', 'the', '[E2]', '[SEP]']);
  });

  it.each<[string, (json: Json) => void, RegExp]>([
    [
      'model',
      (j) => {
        j.model.type = 'BPE';
      },
      /model.type is "BPE"; expected WordPiece/,
    ],
    [
      'prefix',
      (j) => {
        j.model.continuing_subword_prefix = '@@';
      },
      /prefix is "@@"; expected ##/,
    ],
    [
      'pre-tokenizer',
      (j) => {
        j.pre_tokenizer.type = 'Metaspace';
      },
      /"Metaspace"; expected BertPreTokenizer/,
    ],
    [
      'normalizer',
      (j) => {
        j.normalizer = { type: 'NFKC' };
      },
      /normalizer is "NFKC"; expected BertNormalizer/,
    ],
    [
      'normalizer step',
      (j) => {
        (j.normalizer.normalizers as object[]).push({ type: 'Strip' });
      },
      /normalizer is "NFC, .*BertNormalizer.*Strip"/,
    ],
    [
      'post-processor',
      (j) => {
        j.post_processor = { type: 'RobertaProcessing' };
      },
      /post_processor is "RobertaProcessing"/,
    ],
    [
      'vocabulary gap',
      (j) => {
        (j.model.vocab as Record<string, number>).late = 99;
      },
      /vocab\["late"\] is 99; expected an id from 0 to 27/,
    ],
    [
      'added token',
      (j) => {
        (j.added_tokens as unknown as Json[])[0].lstrip = 'yes' as never;
      },
      /lstrip of tokenizer.json: added token \[PAD\] is "yes"; expected true or false/,
    ],
  ])('refuses another %s by name', (_, change, message) => {
    expect(() => WordPieceTokenizer.fromTokenizerJson(changed(change))).toThrow(DataError);
    expect(() => WordPieceTokenizer.fromTokenizerJson(changed(change))).toThrow(message);
  });

  it('refuses what is not an object', () => {
    expect(() => WordPieceTokenizer.fromTokenizerJson(null)).toThrow(/tokenizer.json is null; expected an object/);
  });
});

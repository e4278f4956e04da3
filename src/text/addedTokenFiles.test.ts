/** Added tokens by the files that name them. Expected ids are those of transformers 5.24 on the same files, but where a test says otherwise. */
import { PreTrainedTokenizer } from '@huggingface/transformers';
import { Tokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import type { AddedTokenInput } from './addedTokens.js';
import { PUBLISHED_NORMALIZATION } from './normalization.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { type TokenizerFiles, tokenizerFromFiles } from './tokenizerFolder.js';

const PIECES = '[PAD] [UNK] [CLS] [SEP] [MASK] the cat z ##or < > e - k'.split(' ');
const next = PIECES.length;
const vocabText = `${PIECES.join('\n')}\n`;
const BERT = { tokenizer_class: 'BertTokenizer', do_lower_case: true };
const flags = { lstrip: false, rstrip: false, single_word: false, normalized: false };
const object = { content: '<E>', ...flags };

const read = (files: TokenizerFiles) => tokenizerFromFiles({ vocabText, ...files }, 'folder');
const idsOf = (tokenizer: WordPieceTokenizer, text: string) => [
  ...tokenizer.encode(text, { addSpecialTokens: false }).ids,
];

/** "<E>" and "<e>" as they are without an added token. */
const APART = [9, 11, 10];

describe('added tokens in the files of a folder', () => {
  it.each<[string, TokenizerFiles, { upper: number[]; lower: number[]; special: boolean }]>([
    ['added_tokens.json', { addedTokens: { '<E>': next } }, { upper: [next], lower: [next], special: false }],
    [
      'added_tokens.json, named additional in the config',
      { addedTokens: { '<E>': next }, tokenizerConfig: { ...BERT, additional_special_tokens: ['<E>'] } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      // transformers 4 takes it so; 5 forgets in this one form that the token is special and meets <e> as well.
      'added_tokens.json, named additional in special_tokens_map.json',
      { addedTokens: { '<E>': next }, specialTokensMap: { additional_special_tokens: ['<E>'] } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      'a list of objects in special_tokens_map.json',
      { addedTokens: { '<E>': next }, specialTokensMap: { additional_special_tokens: [object] } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      'a list of objects in the config, with flags',
      {
        tokenizerConfig: {
          ...BERT,
          additional_special_tokens: [{ __type: 'AddedToken', ...object, normalized: true }],
        },
      },
      { upper: [next], lower: [next], special: true },
    ],
    [
      'extra_special_tokens, a list',
      { tokenizerConfig: { ...BERT, extra_special_tokens: ['<E>'] } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      'extra_special_tokens, a table',
      { tokenizerConfig: { ...BERT, extra_special_tokens: { ent_token: '<E>' } } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      'added_tokens_decoder',
      { tokenizerConfig: { ...BERT, added_tokens_decoder: { [next]: { ...object, special: true } } } },
      { upper: [next], lower: APART, special: true },
    ],
    [
      'added_tokens_decoder, flags left out',
      { tokenizerConfig: { ...BERT, added_tokens_decoder: { [next]: { content: '<E>' } } } },
      { upper: [next], lower: [next], special: false },
    ],
    [
      'added_tokens_decoder, which goes before the other files',
      {
        tokenizerConfig: { ...BERT, added_tokens_decoder: { [next]: { ...object, special: true } } },
        specialTokensMap: { additional_special_tokens: ['<F>'] },
        addedTokens: { '<E>': next, '<G>': next + 1 },
      },
      { upper: [next], lower: APART, special: true },
    ],
  ])('%s', (_, files, { upper, lower, special }) => {
    const tokenizer = read({ tokenizerConfig: BERT, ...files });
    expect(tokenizer.vocabSize).toBe(next + 1);
    expect(idsOf(tokenizer, 'the <E> cat')).toEqual([5, ...upper, 6]);
    expect(idsOf(tokenizer, 'the <e> cat')).toEqual([5, ...lower, 6]);
    expect(tokenizer.specialIds.has(next)).toBe(special);
  });

  it.each(['<mask-token>', '[MASK-1]', '(mask)', '한글-마스크', '🎭'])(
    'may be the mask, whatever its letters: %s',
    (mask) => {
      const files = { vocabText: `${vocabText}${mask}\n`, tokenizerConfig: { ...BERT, mask_token: mask } };
      const tokenizer = read(files);
      expect(tokenizer.maskId).toBe(next);
      expect(idsOf(tokenizer, `the${mask} cat`)).toEqual([5, next, 6]);
      expect(idsOf(tokenizer, 'the [MASK] cat')).not.toContain(4);
    },
  );

  it('that the vocabulary has already are found within words', () => {
    const tokenizer = read({ tokenizerConfig: BERT, addedTokens: { cat: 6 } });
    expect(tokenizer.vocabSize).toBe(next);
    expect(idsOf(tokenizer, 'the CATk')).toEqual([5, 6, 13]);
  });

  it('without content are none, and names that stand for nothing add nothing', () => {
    const tokenizerConfig = { ...BERT, bos_token: '<s>', image_token: '<i>', mask_token: object };
    const tokenizer = read({ tokenizerConfig, addedTokens: { '': next } });
    expect(tokenizer.vocabSize).toBe(next);
    expect(() => tokenizer.maskId).toThrow(/has no <E>/);
  });

  it('take the ids that empty lines at the end of a vocab.txt keep for them', () => {
    const files = { vocabText: `${vocabText}\n\n`, tokenizerConfig: BERT };
    expect(read(files).vocabSize).toBe(next);
    expect(idsOf(read({ ...files, addedTokens: { new: next + 2 } }), 'NEW cat')).toEqual([next + 2, 6]);
    expect(idsOf(read({ ...files, addedTokens: { new: next } }), 'new cat')).toEqual([next, 6]);
    const tokenizer = read({ ...files, vocabText: `${vocabText}\n`, addedTokens: { new: next + 1 } });
    const tokenizerConfig = tokenizer.toTokenizerConfig();
    expect(read({ vocabText: tokenizer.toVocabText(), tokenizerConfig }).hash()).toBe(tokenizer.hash());
    expect(WordPieceTokenizer.fromTokenizerJson(tokenizer.toTokenizerJson()).hash()).toBe(tokenizer.hash());
    expect(() => read({ ...files, addedTokens: { new: next + 3 } })).toThrow(
      /added_tokens.json: id of the added token new is 17; expected 16, the next after the vocabulary/,
    );
  });

  it('are refused when two files give them different ids', () => {
    const json = WordPieceTokenizer.fromVocabText(vocabText, PUBLISHED_NORMALIZATION).toTokenizerJson();
    (json.added_tokens as object[]).push({ ...object, id: next, special: true });
    expect(() => read({ tokenizerJson: json, addedTokens: { '<E>': 6 } })).toThrow(
      /is 6; expected 14, as tokenizer.json/,
    );
  });

  it('do not make a vocabulary cased', () => {
    expect(read({ addedTokens: { Zorvex: next, Newword: next + 1 } }).settings.lowercase).toBe(true);
  });
});

describe('a vocabulary with blank lines', () => {
  const lines = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n\n\ncat\nthe\n \ndog';

  it.each<[string, string]>([
    ['with a newline at the end', `${lines}\n`],
    ['without', lines],
    ['with empty lines at the end', `${lines}\n\n\n`],
    ['with CRLF', `${lines}\n\n`.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\ufeff${lines}\n`],
  ])('gives each line an id, and a repeated token the last: %s', (_, text) => {
    const tokenizer = tokenizerFromFiles({ vocabText: text, tokenizerConfig: BERT }, 'folder');
    expect(idsOf(tokenizer, 'the cat dog')).toEqual([9, 8, 11]);
    expect(tokenizer.vocabSize).toBe(12);
    expect(tokenizer.numUsedIds).toBe(12);
    const again = WordPieceTokenizer.fromTokenizerJson(tokenizer.toTokenizerJson());
    expect(again.hash()).toBe(tokenizer.hash());
    expect(again.tokens).toEqual(tokenizer.tokens);
  });

  it('keeps empty tokens at the end that a tokenizer.json has, in either form that we write', () => {
    const json = WordPieceTokenizer.fromVocabulary([...PIECES, ''], PUBLISHED_NORMALIZATION).toTokenizerJson();
    const tokenizer = tokenizerFromFiles({ tokenizerJson: json, tokenizerConfig: BERT }, 'folder');
    expect([tokenizer.vocabSize, tokenizer.numUsedIds]).toEqual([next + 1, next]);
    const written = { vocabText: tokenizer.toVocabText(), tokenizerConfig: tokenizer.toTokenizerConfig() };
    expect(tokenizerFromFiles(written, 'folder').hash()).toBe(tokenizer.hash());
  });

  it('in a tokenizer.json has ids that no token has, as transformers saves it', async () => {
    const json = tokenizerFromFiles({ vocabText: lines, tokenizerConfig: BERT }, 'folder').toTokenizerJson();
    const { vocab } = json.model as { vocab: Record<string, number> };
    expect(vocab).toMatchObject({ the: 9, cat: 8, '': 7, dog: 11 });
    expect(Object.values(vocab)).not.toContain(6);
    const theirs = await Tokenizer.fromString(JSON.stringify(json)).encode('the cat dog');
    expect(theirs.getIds()).toEqual([2, 9, 8, 11, 3]);
  });
});

describe('what we write of added tokens', () => {
  const ADDED: readonly AddedTokenInput[] = [
    { content: '[MASK]', special: true, lstrip: true },
    { content: '<e1-start>', special: true },
    { content: '[E-1]', special: true, normalized: true },
    { content: 'Zorvex' },
    { content: 'e-bike' },
    { content: 'New York' },
    { content: '漢字' },
    { content: 'C++', normalized: false },
    { content: '\n', normalized: false },
  ];
  const TEXTS = [
    ...['the ZORVEX cat', 'zorvexes E-Bike e-bikes xe-bike', 'new  york NEW YORK', 'C++ c++', 'the\ncat', 'a漢字b 漢'],
    ...['<e1-start>the <E1-START> [e-1]cat', 'the  [MASK] cat [mask]', 'zórvex é', ''],
  ];

  it.each([
    ['uncased', PUBLISHED_NORMALIZATION],
    ['cased', { ...PUBLISHED_NORMALIZATION, lowercase: false }],
    ['with accents kept', { ...PUBLISHED_NORMALIZATION, stripAccents: false }],
    ['with our own normalisation', {}],
  ])('gives the same ids everywhere: %s', async (_, settings) => {
    const behind = ADDED.slice(1).map(({ content }) => content);
    const options = { ...settings, addedTokens: ADDED.slice(0, 1).concat(ADDED.slice(2)), wordPieceSize: next };
    const tokenizer = WordPieceTokenizer.fromVocabulary([...PIECES, ...behind], {
      ...options,
      additionalSpecialTokens: ['<e1-start>'],
    });
    const tokenizerJson = JSON.parse(JSON.stringify(tokenizer.toTokenizerJson()));
    const tokenizerConfig = JSON.parse(JSON.stringify(tokenizer.toTokenizerConfig()));
    const ours = [
      WordPieceTokenizer.fromTokenizerJson(tokenizerJson),
      tokenizerFromFiles({ tokenizerJson, tokenizerConfig }, 'folder'),
      tokenizerFromFiles({ vocabText: tokenizer.toVocabText(), tokenizerConfig }, 'folder'),
    ];
    for (const again of ours) {
      expect(again.hash()).toBe(tokenizer.hash());
      expect(again.settings.addedTokens).toEqual(tokenizer.settings.addedTokens);
    }
    const native = Tokenizer.fromString(JSON.stringify(tokenizerJson));
    const inBrowsers = new PreTrainedTokenizer(tokenizerJson, tokenizerConfig);
    for (const text of TEXTS) {
      const ids = [...tokenizer.encode(text).ids];
      expect((await native.encode(text)).getIds(), text).toEqual(ids);
      expect(inBrowsers.encode(text), text).toEqual(ids);
    }
  });

  it('keeps the order of special tokens, on which the hash depends', () => {
    const tokenizerConfig = { ...BERT, additional_special_tokens: ['cat', 'the'] };
    const tokenizer = read({ tokenizerConfig });
    const written = { tokenizerJson: tokenizer.toTokenizerJson(), tokenizerConfig: tokenizer.toTokenizerConfig() };
    expect(tokenizerFromFiles(written, 'folder').hash()).toBe(tokenizer.hash());
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { normalize, PUBLISHED_NORMALIZATION } from './normalization.js';
import { PieceBuffer, type TokenizerOptions, WordPieceTokenizer } from './tokenizer.js';
import { WordPiece } from './wordpiece.js';
import { forEachWord } from './words.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const VOCABULARY = [
  ...SPECIAL,
  ...[
    'want',
    '##want',
    '##ed',
    'wa',
    'un',
    'runn',
    '##ing',
    ',',
    '.',
    'a',
    'b',
    'c',
    '##a',
    '##b',
    '##c',
    'cafe',
    'é',
    'e',
  ],
  ...['안녕', '##하', '##세', '##요', '한', '##글', '漢', '字', '😀', '##😀', '[', ']', 'mask', '='],
];

/** One tokenizer for each choice of settings: each has a cache of several megabytes, too much for every random case. */
const made = new Map<string, WordPieceTokenizer>();
function make(settings?: TokenizerOptions): WordPieceTokenizer {
  const key = JSON.stringify(settings ?? {});
  const tokenizer = made.get(key) ?? WordPieceTokenizer.fromVocabulary(VOCABULARY, settings);
  made.set(key, tokenizer);
  return tokenizer;
}
const tokensOf = (text: string, settings?: TokenizerOptions) =>
  make(settings).encode(text, { addSpecialTokens: false }).tokens;
/** The original text of every token. */
function slices(text: string, settings?: TokenizerOptions): string[] {
  const { offsets, length } = make(settings).encode(text, { addSpecialTokens: false });
  return Array.from({ length }, (_, i) => text.slice(offsets[2 * i], offsets[2 * i + 1]));
}

describe('WordPieceTokenizer', () => {
  it('tokenizes the example of the original BERT tests', () => {
    const settings = PUBLISHED_NORMALIZATION;
    expect(tokensOf('UNwant\u00e9d,running', settings)).toEqual(['un', '##want', '##ed', ',', 'runn', '##ing']);
    expect(slices('UNwant\u00e9d,running', settings)).toEqual(['UN', 'want', 'éd', ',', 'runn', 'ing']);
  });

  it('keeps Hangul whole when uncased, also when it arrives decomposed', () => {
    const text = '안녕하세요';
    expect(tokensOf(text)).toEqual(['안녕', '##하', '##세', '##요']);
    expect(tokensOf(text.normalize('NFD'))).toEqual(['안녕', '##하', '##세', '##요']);
    expect(slices(text.normalize('NFD')).map((part) => part.normalize('NFC'))).toEqual(['안녕', '하', '세', '요']);
    expect(tokensOf(text, { stripAccents: true })).toEqual(['안녕', '##하', '##세', '##요']);
    expect(tokensOf(text, { stripAccents: true, tearHangul: true })).toEqual(['[UNK]']);
  });

  it('frames one text and a pair', () => {
    const single = make().encode('wanted, a');
    expect(single.tokens).toEqual(['[CLS]', 'want', '##ed', ',', 'a', '[SEP]']);
    expect([...single.wordIds]).toEqual([-1, 0, 0, 1, 2, -1]);
    expect([...single.specialTokensMask]).toEqual([1, 0, 0, 0, 0, 1]);
    const pair = make().encode('a', { pair: 'b c' });
    expect(pair.tokens).toEqual(['[CLS]', 'a', '[SEP]', 'b', 'c', '[SEP]']);
    expect([...pair.typeIds]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...pair.sequenceIds]).toEqual([-1, 0, -1, 1, 1, -1]);
    expect([...pair.offsets]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 0, 0]);
  });

  it('counts offsets in UTF-16 units, or in code points on request', () => {
    expect([...make().encode('😀 a', { addSpecialTokens: false }).offsets]).toEqual([0, 2, 3, 4]);
    expect([...make().encode('😀 a', { addSpecialTokens: false, offsets: 'codePoint' }).offsets]).toEqual([0, 1, 2, 3]);
  });

  it('recognises special tokens written in the text, except for corpora', () => {
    const tokenizer = make();
    const encoding = tokenizer.encode('a [MASK]b', { addSpecialTokens: false });
    expect(encoding.tokens).toEqual(['a', '[MASK]', 'b']);
    expect([...encoding.offsets]).toEqual([0, 1, 2, 8, 8, 9]);
    expect([...encoding.wordIds]).toEqual([0, 1, 2]);
    const literal = ['a', '[', 'mask', ']', 'b'];
    expect(tokenizer.encode('a [MASK]b', { addSpecialTokens: false, parseSpecialTokens: false }).tokens).toEqual(
      literal,
    );
    expect(Array.from(tokenizer.encodeIds('a [MASK]b'), (id) => tokenizer.idToToken(id))).toEqual(literal);
  });

  it('recognises additional special tokens, the longer first', () => {
    const tokenizer = WordPieceTokenizer.fromVocabulary([...VOCABULARY, '<e>', '<e>x'], {
      additionalSpecialTokens: ['<e>', '<e>x'],
    });
    expect(tokenizer.encode('a<e>xa<e>', { addSpecialTokens: false }).tokens).toEqual(['a', '<e>x', 'a', '<e>']);
  });

  it('cuts a long text into windows that overlap by the stride', () => {
    const encoding = make().encode('a b c a b c a', { maxLength: 5, stride: 1 });
    expect([encoding, ...encoding.overflow].map((window) => window.tokens.join(' '))).toEqual([
      '[CLS] a b c [SEP]',
      '[CLS] c a b [SEP]',
      '[CLS] b c a [SEP]',
    ]);
    expect([...encoding.overflow[1].offsets]).toEqual([0, 0, 8, 9, 10, 11, 12, 13, 0, 0]);
  });

  it('does not cut without a maxLength or with truncation none', () => {
    expect(make().encode('a b c a b c').length).toBe(8);
    expect(make().encode('a b c a b c', { maxLength: 4, truncation: 'none' }).length).toBe(8);
  });

  it('pads every window', () => {
    const encoding = make().encode('a b c', { maxLength: 4, padTo: 6 });
    expect(encoding.tokens).toEqual(['[CLS]', 'a', 'b', '[SEP]', '[PAD]', '[PAD]']);
    expect([...encoding.attentionMask]).toEqual([1, 1, 1, 1, 0, 0]);
    expect(encoding.overflow[0].tokens).toEqual(['[CLS]', 'c', '[SEP]', '[PAD]', '[PAD]', '[PAD]']);
  });

  it('refuses options that cannot be met, and says which', () => {
    const t = make();
    expect(() => t.encode('a b c', { maxLength: 2 })).toThrow(SettingsError);
    expect(() => t.encode('a b c', { maxLength: 4, stride: 2 })).toThrow(/stride is 2.*holds only 2/);
    expect(() => t.encode('a', { pair: 'b c', maxLength: 4, truncation: 'onlyFirst' })).toThrow(
      /maxLength is 4.*first text/,
    );
    expect(() => t.encode('a b', { maxLength: 3, truncation: 'onlySecond' })).toThrow(/no second text/);
    expect(() => t.encode('a', { truncation: 'longestFirst' })).toThrow(/without maxLength/);
    expect(() => t.encode('a', { maxLength: -1, stride: 0.5 })).toThrow(/2 settings are wrong/);
  });

  it('encodes the empty text and texts of removed characters only', () => {
    for (const text of ['', ' \n', '\0\u00ad\u200b', '\ud800']) {
      expect(make().encode(text).tokens).toEqual(['[CLS]', '[SEP]']);
      expect(make().encodeIds(text)).toEqual(new Int32Array(0));
    }
  });

  it('makes a word of 10 million letters one [UNK] where long words are not cut', () => {
    const word = 'a'.repeat(10_000_000);
    const tokenizer = make(PUBLISHED_NORMALIZATION);
    expect([...tokenizer.encodeIds(`b ${word} c`)]).toEqual(
      ['b', '[UNK]', 'c'].map((token) => tokenizer.tokenToId(token)),
    );
    expect([...tokenizer.encode(word, { addSpecialTokens: false }).offsets]).toEqual([0, word.length]);
  });

  it('cuts a word of a million letters into words of a hundred', () => {
    const word = 'a'.repeat(1_000_000);
    const { tokens, wordIds, offsets } = make().encode(`b ${word}`, { addSpecialTokens: false });
    expect(tokens.slice(0, 4)).toEqual(['b', 'a', '##a', '##a']);
    expect(tokens.filter((token) => token === 'a')).toHaveLength(10_000);
    expect(wordIds.at(-1)).toBe(10_000);
    expect([...offsets.subarray(-4)]).toEqual([1_000_000, 1_000_001, 1_000_001, 1_000_002]);
  });

  it('parts no mark from its letter where it cuts a word', () => {
    const word = `${'a'.repeat(99)}e\u0308b`; // the e is letter 100, its mark 101
    const { wordIds, offsets } = make({ nfc: false }).encode(word, { addSpecialTokens: false });
    expect([...wordIds]).toEqual([...Array(99).fill(0), 1]);
    expect([...offsets.subarray(-2)]).toEqual([99, 102]);
  });

  it.each(['😀x', 'e\u0301', '\u0301', '한', '漢字', 'a.', '\u200d', '\u1112\u1161'])(
    'survives a million units of %j without a space',
    (unit) => {
      const repeated = unit.repeat(1_000_000 / unit.length);
      const ids = make().encodeIds(`a ${repeated} b`);
      expect(ids[0]).toBe(make().tokenToId('a'));
      expect(ids.at(-1)).toBe(make().tokenToId('b'));
    },
  );

  it('looks special tokens up and names the one that is missing', () => {
    const t = WordPieceTokenizer.fromVocabulary(['[SEP]', 'a', '[UNK]', '[CLS]', '<pad>'], {
      specialTokens: { pad: '<pad>' },
    });
    expect([t.sepId, t.unkId, t.clsId, t.padId]).toEqual([0, 2, 3, 4]);
    expect(() => t.maskId).toThrow(DataError);
    expect(() => t.maskId).toThrow(/vocabulary of 5 tokens has no \[MASK\]/);
    expect(() => WordPieceTokenizer.fromVocabulary(['a'])).toThrow(/no \[UNK\]/);
    const noFrame = WordPieceTokenizer.fromVocabulary(['[UNK]', 'a']);
    expect(() => noFrame.encode('a')).toThrow(/no \[CLS\]/);
    expect(noFrame.encode('a', { addSpecialTokens: false }).tokens).toEqual(['a']);
  });

  it('gives a token that stands twice its last id, and empty ones none', () => {
    const tokenizer = WordPieceTokenizer.fromVocabulary(['[UNK]', 'a', '', 'b', 'a', '', 'c']);
    expect([...tokenizer.encodeIds('a b c')]).toEqual([4, 3, 6]);
    expect(tokenizer.tokens).toEqual(['[UNK]', '', '', 'b', 'a', '', 'c']);
    expect(tokenizer.tokenToId('')).toBeUndefined();
    expect(tokenizer.vocabSize).toBe(7);
  });

  it('refuses ids outside the vocabulary', () => {
    expect(() => make().idToToken(1000)).toThrow(/token id 1000 lies outside/);
    expect(make().tokenToId('zebra')).toBeUndefined();
  });

  it('decodes words, pieces and punctuation', () => {
    const tokenizer = make();
    const { ids } = tokenizer.encode('Unwanted, running cafe.');
    expect(tokenizer.decode(ids)).toBe('unwanted, running cafe.');
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe('[CLS] unwanted, running cafe. [SEP]');
    expect(tokenizer.decode([tokenizer.tokenToId('##ing')!])).toBe('##ing');
  });

  it('marks where words start on the fast path', () => {
    const tokenizer = make();
    const sink = new PieceBuffer(1);
    tokenizer.appendIds('running, a', sink);
    tokenizer.appendIds('wanted', sink);
    expect(Array.from(sink.ids.subarray(0, sink.length), (id) => tokenizer.idToToken(id))).toEqual(
      'runn ##ing , a want ##ed'.split(' '),
    );
    expect([...sink.wordStarts.subarray(0, sink.length)]).toEqual([1, 0, 1, 1, 1, 0]);
  });

  it('gives the same pieces after its table of known words has overflowed', () => {
    const tokenizer = make();
    const before = tokenizer.encodeIds('running wanted, 안녕하세요');
    let text = '';
    for (let i = 0; i < 200_000; i++) text += `w${i.toString(36)} `;
    tokenizer.encodeIds(text);
    expect(tokenizer.encodeIds('running wanted, 안녕하세요')).toEqual(before);
  });

  it('has a hash that changes with the vocabulary and each setting', () => {
    const hashes = [
      make(),
      WordPieceTokenizer.fromVocabulary([...VOCABULARY, 'x']),
      WordPieceTokenizer.fromVocabulary([...VOCABULARY].reverse()),
      ...[{ nfc: false }, { lowercase: false }, { stripAccents: true }, { handleChineseChars: false }].map(make),
      ...[{ stripAccents: true, tearHangul: true }, { cleanText: false }, { maxCharsPerWord: 50 }].map(make),
      ...[{ keepFormat: false }, { cutLongWords: false }].map(make),
      make({ specialTokens: { pad: 'a' } }),
      make({ additionalSpecialTokens: ['a'] }),
      make({ addedTokens: [{ content: 'a' }] }),
      make({ addedTokens: [{ content: 'a', singleWord: true }] }),
      make({ addedTokens: [{ content: 'a', normalized: false }] }),
      make({ addedTokens: [{ content: '=', special: true, normalized: true }] }),
    ].map((tokenizer) => tokenizer.hash());
    expect(new Set(hashes).size).toBe(hashes.length);
    const follows = WordPieceTokenizer.fromVocabulary(VOCABULARY, { stripAccents: undefined });
    expect(follows.hash()).toBe(make({ stripAccents: true }).hash());
    // Shards are found again by these; they were the same before words could be added.
    expect(make(PUBLISHED_NORMALIZATION).hash()).toBe('818971ef4495833601781b050f6343ba');
    const additionalSpecialTokens = ['=', 'a'];
    expect(make({ ...PUBLISHED_NORMALIZATION, additionalSpecialTokens }).hash()).toBe(
      '5d70401a37fc2890dfadc24b5aac61b1',
    );
    // How a special token is matched changes no corpus.
    const mask = { content: '[MASK]', special: true, lstrip: true, normalized: true };
    expect(make({ addedTokens: [mask] }).hash()).toBe(make().hash());
    expect(make().hash()).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has the hash that it had before there were careful cleaning and long words to cut', () => {
    const before = { ...PUBLISHED_NORMALIZATION, nfc: true, tearHangul: false };
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a'];
    const hash = (settings: TokenizerOptions) => WordPieceTokenizer.fromVocabulary(tokens, settings).hash();
    expect(hash(before)).toBe('68cfca6f0f0afb1e7fdc5593c81a9c4a');
    expect(hash({ ...before, lowercase: false })).toBe('b64f6405c0a91b69cbfe594259a8d10f');
    expect(hash(PUBLISHED_NORMALIZATION)).toBe('597d7ebac93738419cc3f00f5d52aafb');
  });
});

describe('encode and encodeIds, for any text', () => {
  const unit = fc.oneof(
    fc.constantFrom(...'abc ,.[]=é한글漢字안녕하세요\t\u0301\u200d\u00a0\u1112\u1161\u11ab'),
    fc.constantFrom('😀', 'want', 'ed', 'running', '[MASK]', '[CLS]', '\ud83d', '\ude00', 'e\u0301', '<\u0338'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const text = fc.array(unit, { maxLength: 40 }).map((units) => units.join(''));
  const settings = fc.record({
    lowercase: fc.boolean(),
    nfc: fc.boolean(),
    tearHangul: fc.boolean(),
    cleanText: fc.boolean(),
    keepFormat: fc.boolean(),
    handleChineseChars: fc.boolean(),
    stripAccents: fc.constantFrom(true, false, undefined),
    cutLongWords: fc.boolean(),
    maxCharsPerWord: fc.constantFrom(5, 100),
  });

  it('give the same ids, those of the whole text normalised and cut at once', () => {
    fc.assert(
      fc.property(text, settings, (t, chosen) => {
        const tokenizer = make(chosen);
        const encoding = tokenizer.encode(t, { addSpecialTokens: false, parseSpecialTokens: false });
        expect(tokenizer.encodeIds(t)).toEqual(encoding.ids);
        const normalized = normalize(t, tokenizer.settings);
        const pieces: number[] = [];
        const { maxCharsPerWord, cutLongWords } = tokenizer.settings;
        const wordPiece = new WordPiece(VOCABULARY, tokenizer.unkId, maxCharsPerWord);
        const split = (start: number, end: number) => wordPiece.split(normalized.slice(start, end), pieces);
        forEachWord(normalized, split, cutLongWords ? maxCharsPerWord : undefined);
        expect([...encoding.ids]).toEqual(pieces.filter((_, i) => i % 3 === 0));
      }),
      { numRuns: 500 },
    );
  });

  it('have offsets in order, within the text, that cut out what the piece says', () => {
    fc.assert(
      fc.property(text, settings, (t, chosen) => {
        const tokenizer = make(chosen);
        const { offsets, tokens, wordIds, length } = tokenizer.encode(t, { addSpecialTokens: false });
        for (let i = 0; i < length; i++) {
          const [start, end] = [offsets[2 * i], offsets[2 * i + 1]];
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(t.length);
          if (i > 0) expect(start).toBeGreaterThanOrEqual(offsets[2 * i - 2]);
          if (i > 0) expect(wordIds[i] - wordIds[i - 1]).toBeLessThanOrEqual(1);
          if (SPECIAL.includes(tokens[i])) continue;
          const piece = tokenizer.isContinuation(tokenizer.tokenToId(tokens[i])!) ? tokens[i].slice(2) : tokens[i];
          expect(normalize(t.slice(start, end), tokenizer.settings)).toContain(piece);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('agree with a text cut at a space', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const tokenizer = make(PUBLISHED_NORMALIZATION);
        const whole = tokenizer.encodeIds(`${a} ${b}`);
        expect([...tokenizer.encodeIds(a), ...tokenizer.encodeIds(b)]).toEqual([...whole]);
      }),
    );
  });
});

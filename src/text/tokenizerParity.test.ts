/**
 * Equality with the published tokenizers on real text: the original BERT tokenizer's recorded output, and the
 * tokenizers package run beside ours. The texts are those of ../shared/data, too large to keep in this repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Tokenizer, type TruncationStrategy } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import type { Encoding } from './encoding.js';
import { PUBLISHED_NORMALIZATION } from './normalization.js';
import { type EncodeOptions, type TokenizerOptions, WordPieceTokenizer } from './tokenizer.js';

const DATA = new URL('../../../shared/data/', import.meta.url);
const hasData = existsSync(new URL('vocab/', DATA));
const withData = describe.skipIf(!hasData);
if (!hasData) console.warn('tokenizer parity is skipped: ../shared/data is not beside this repository');

const UNCASED = { ...PUBLISHED_NORMALIZATION };
const CASED = { ...PUBLISHED_NORMALIZATION, lowercase: false };

function read(path: string): string {
  const bytes = readFileSync(new URL(path, DATA));
  return new TextDecoder().decode(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

function load(vocabulary: string, settings: TokenizerOptions): { ours: WordPieceTokenizer; theirs: Tokenizer } {
  const ours = WordPieceTokenizer.fromVocabText(read(`vocab/${vocabulary}/vocab.txt`), settings);
  return { ours, theirs: Tokenizer.fromString(JSON.stringify(ours.toTokenizerJson())) };
}

type TheirEncoding = Awaited<ReturnType<Tokenizer['encode']>>;

const plain = (e: Encoding) => ({
  tokens: e.tokens,
  ids: [...e.ids],
  typeIds: [...e.typeIds],
  attentionMask: [...e.attentionMask],
  specialTokensMask: [...e.specialTokensMask],
  offsets: [...e.offsets],
  wordIds: [...e.wordIds],
  sequenceIds: [...e.sequenceIds],
});

const theirPlain = (e: TheirEncoding) => ({
  tokens: e.getTokens(),
  ids: e.getIds(),
  typeIds: e.getTypeIds(),
  attentionMask: e.getAttentionMask(),
  specialTokensMask: e.getSpecialTokensMask(),
  offsets: e.getOffsets().flat(),
  wordIds: e.getWordIds().map((word) => word ?? -1),
  sequenceIds: e.getSequenceIds().map((sequence) => sequence ?? -1),
});

/** Encodes each line with both; UTF-16 offsets are checked against code points counted here, not by our own conversion. */
async function expectEqualLines(vocabulary: string, settings: TokenizerOptions, lines: string[]): Promise<void> {
  const { ours, theirs } = load(vocabulary, settings);
  const encodings = await theirs.encodeBatch(lines);
  lines.forEach((line, i) => {
    const expected = theirPlain(encodings[i]);
    expect(plain(ours.encode(line, { offsets: 'codePoint' })), line).toEqual(expected);
    const utf16 = [0];
    for (const character of line) utf16.push(utf16[utf16.length - 1] + character.length);
    expect([...ours.encode(line).offsets], line).toEqual(expected.offsets.map((offset) => utf16[offset]));
    if (!/\[(PAD|UNK|CLS|SEP|MASK)\]/.test(line))
      expect([...ours.encodeIds(line)], line).toEqual(expected.ids.slice(1, -1));
  });
}

const linesOf = (text: string, count: number) =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, count);

const CONJOINING_JAMO = /[\u1100-\u11ff]/;

const CURIOSITIES = [
  '',
  ' ',
  'The chef cooked the meal.',
  'é e\u0301 cafe\u0301s naïve Ångström \u212b ﬁ ß İstanbul ΟΔΟΣ Σ',
  '😀 cats 👨‍👩‍👧 and 🏳️‍🌈 flags; one😀two',
  '中文字符 and 漢字かな交じり文 が か\u3099 \uf900 𠀀𪜀',
  '\u1112\u1161\u11ab\u1100\u1173\u11af NFD 한글 mixed \u1112\u1161\u11ab글',
  'control\u0000\u0001\u200b\u200d\ufeffs \u00ad soft\u00adhyphen \ufffd tab\tnew\nline\r\u0085\u000bend',
  'spaces\u00a0\u2003\u3000\u2028between',
  'a<\u0338b a.\u0301b ≠ x≠y \u0301leading 5\u20d35',
  "don't U.S.A. $5.00 ^_^ `code` a~b “quoted” — dash… ¿qué?",
  'नमस्ते दुनिया ภาษาไทย ব্যাকরণ עִבְרִית العَرَبِيَّة',
  'x'.repeat(100),
  `${'x'.repeat(101)} y`,
  '가'.repeat(101),
  'a [MASK] b[SEP]c [mask] [[CLS]] [UNK] [MASK',
  'ﷺ ½ ① ｆｕｌｌ ＷＩＤＴＨ Ⅳ ⑴',
];

withData('equality with the published tokenizers', () => {
  it('agrees with the original BERT tokenizer on every line of tokenizer-parity', () => {
    const { ours } = load('bert-base-uncased', UNCASED);
    const lines = read('tokenizer-parity/squad-dev-questions.bert-base-uncased.jsonl.gz').trim().split('\n');
    expect(lines.length).toBe(8963);
    for (const line of lines) {
      const { text, ids, wordpiece } = JSON.parse(line) as { text: string; ids: number[]; wordpiece: string[] };
      const encoding = ours.encode(text, { addSpecialTokens: false });
      expect([...encoding.ids], text).toEqual(ids);
      expect(encoding.tokens, text).toEqual(wordpiece);
      expect([...ours.encodeIds(text)], text).toEqual(ids);
    }
  });

  it.each([
    ['uncased English', 'bert-base-uncased', UNCASED],
    ['cased English', 'bert-base-cased', CASED],
    ['uncased with accents kept', 'bert-base-uncased', { ...UNCASED, stripAccents: false }],
    ['cased with accents removed', 'bert-base-cased', { ...CASED, stripAccents: true }],
    [
      'no ideograph spacing, no cleaning',
      'bert-base-uncased',
      { ...UNCASED, handleChineseChars: false, cleanText: false },
    ],
    ['cased Korean', 'koelectra', CASED],
    ['uncased Korean torn into jamo', 'koelectra', UNCASED],
    ['uncased Korean kept whole', 'koelectra', { ...UNCASED, tearHangul: false }],
  ])('agrees on curious lines: %s', async (_, vocabulary, settings) => {
    // Where composing joins characters, their package points at the first one only and we at all of them.
    const composes = settings.tearHangul === false;
    await expectEqualLines(
      vocabulary,
      settings,
      CURIOSITIES.filter((line) => !(composes && CONJOINING_JAMO.test(line))),
    );
  });

  it('agrees with the ids of a tokenizer that composes to NFC first, as our defaults do', async () => {
    const { ours, theirs } = load('koelectra', {});
    const encodings = await theirs.encodeBatch(CURIOSITIES);
    CURIOSITIES.forEach((line, i) => {
      expect([...ours.encode(line).ids], line).toEqual(encodings[i].getIds());
      expect([...ours.encode(line).wordIds], line).toEqual(encodings[i].getWordIds().map((word) => word ?? -1));
    });
  });

  it('agrees on English books and encyclopedia, cased and uncased', async () => {
    const text = [
      ...linesOf(read('text-en/enwiki-articles.txt.gz'), 1500),
      ...linesOf(read('text-en/books/moby-dick.txt.gz'), 1500),
      ...linesOf(read('text-en/wikitext2-raw-test.part.txt'), 500),
    ];
    await expectEqualLines('bert-base-uncased', UNCASED, text);
    await expectEqualLines('bert-base-cased', CASED, text);
  });

  it('agrees on Korean petitions, news and film reviews', async () => {
    const text = [
      ...linesOf(read('text-ko/petitions_2019-06.txt.gz'), 800),
      ...linesOf(read('text-ko/ud-korean-kaist-dev-test.txt'), 1000),
      ...linesOf(read('nsmc/ratings_test_part.txt.gz'), 2000),
    ];
    await expectEqualLines('koelectra', CASED, text);
    await expectEqualLines('koelectra', { ...UNCASED, tearHangul: false }, text);
    await expectEqualLines(
      'koelectra',
      CASED,
      text.slice(0, 500).map((line) => line.normalize('NFD')),
    );
  });

  const QUESTION = 'When did the first person reach the South Pole 😀?';
  const CONTEXT =
    'Roald Amundsen reached the South Pole on 14 December 1911. Scott’s party arrived 33 days later, and unforgettably cold.';

  /** Truncates after encoding: when it truncates while encoding, the Node package drops the text beyond the second window. */
  async function theirWindows(theirs: Tokenizer, texts: string[], truncate: (theirs: Tokenizer) => void) {
    const [first, second] = await Promise.all(
      texts.map((text) => theirs.encode(text, null, { addSpecialTokens: false })),
    );
    truncate(theirs);
    const encoding = theirs.postProcess(first, second, true);
    return [encoding, ...encoding.getOverflowing()].map(theirPlain);
  }

  /** postProcess forgets which text pieces come from, except in the first window: the first ends with the second special token. */
  function withTypes(e: ReturnType<typeof theirPlain>) {
    const firstLength = e.specialTokensMask.indexOf(1, 1) + 1;
    const typeIds = e.ids.map((_, i) => (i < firstLength ? 0 : 1));
    return { ...e, typeIds, sequenceIds: typeIds.map((type, i) => (e.specialTokensMask[i] ? -1 : type)) };
  }

  const windowsOf = (encoding: Encoding) => [encoding, ...encoding.overflow].map(plain);

  it.each<[EncodeOptions['truncation'], string, string, number, number]>([
    ['onlySecond', QUESTION, CONTEXT, 24, 0],
    ['onlySecond', QUESTION, CONTEXT, 24, 5],
    ['onlyFirst', CONTEXT, QUESTION, 40, 3],
    ['longestFirst', QUESTION, CONTEXT, 20, 2],
    ['longestFirst', CONTEXT, QUESTION, 20, 2],
    ['longestFirst', CONTEXT, QUESTION, 11, 1],
    ['longestFirst', QUESTION, CONTEXT, 30, 4],
    ['longestFirst', QUESTION, CONTEXT, 200, 4],
  ])('agrees on pairs and windows: %s, %s | %s', async (truncation, text, pair, maxLength, stride) => {
    const { ours, theirs } = load('bert-base-uncased', UNCASED);
    const strategy = (truncation![0].toUpperCase() + truncation!.slice(1)) as unknown as TruncationStrategy;
    const expected = await theirWindows(theirs, [text, pair], (t) => t.setTruncation(maxLength, { strategy, stride }));
    const actual = windowsOf(ours.encode(text, { pair, truncation, maxLength, stride, offsets: 'codePoint' }));
    expect(actual).toEqual(expected.map(withTypes));
  });

  it('agrees on windows of one long text, and on padding', async () => {
    const { ours, theirs } = load('bert-base-uncased', UNCASED);
    const expected = await theirWindows(theirs, [CONTEXT], (t) => {
      t.setTruncation(16, { stride: 4 });
      t.setPadding({ maxLength: 16, padToken: '[PAD]', padId: 0 });
    });
    const actual = ours.encode(CONTEXT, { maxLength: 16, stride: 4, padTo: 16, offsets: 'codePoint' });
    expect(windowsOf(actual)).toEqual(expected);
    expect(actual.overflow.at(-1)!.attentionMask).toContain(0);
  });
});

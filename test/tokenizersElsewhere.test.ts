/**
 * What we write gives the same ids everywhere: in the tokenizers package, in transformers.js, in Python's transformers and
 * here, for every kind of tokenizer that we can make. The Python part needs one with transformers (no torch), named by
 * PLEIAD_TRANSFORMERS_PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AutoTokenizer, env } from '@huggingface/transformers';
import fc from 'fast-check';
import { Tokenizer } from 'tokenizers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertModel } from '../src/pretrained/convert.node.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';
import { PUBLISHED_NORMALIZATION, type TokenizerOptions, WordPieceTokenizer } from '../src/text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../src/text/tokenizer.node.js';
import { VocabularyTrainer } from '../src/text/vocabularyTraining.js';

const PYTHON = process.env.PLEIAD_TRANSFORMERS_PYTHON ?? process.env.PLEIAD_PYTHON;
if (PYTHON === undefined) {
  console.warn('transformers in Python is skipped: PLEIAD_TRANSFORMERS_PYTHON names no Python that has it');
}
const SCRIPT = fileURLToPath(new URL('./golden/check_tokenizers.py', import.meta.url));
const CASE = fileURLToPath(new URL('./cases/exported-tokenizer-in-python/model', import.meta.url));

const PUBLISHED = PUBLISHED_NORMALIZATION;
const OTHER_TOKENS = { pad: '<pad>', unk: '<unk>', cls: '<s>', sep: '</s>', mask: '<mask>' };
/** One tokenizer of each row, made by `make`. */
/** Words as `add_tokens` of Python adds them: found in the normalised text. One has a sign that means something in patterns. */
const ADDED = ['Zorvex', 'e-bike', '한국어를', 'école'].map((content) => ({ content, normalized: true }));

const MATRIX: Readonly<Record<string, TokenizerOptions>> = {
  'ours: lower case, accents kept': {},
  'ours: cased': { lowercase: false },
  'ours: accents removed, Hangul whole': { stripAccents: true },
  'ours: accents removed, Hangul torn': { stripAccents: true, tearHangul: true },
  'ours: cased, accents removed': { lowercase: false, stripAccents: true },
  'ours: without NFC': { nfc: false },
  'ours: ideographs in words': { handleChineseChars: false },
  'ours: all format characters removed': { keepFormat: false },
  'ours: words cut at 20': { maxCharsPerWord: 20 },
  'ours: long words unknown': { cutLongWords: false },
  'ours: other special tokens': { specialTokens: OTHER_TOKENS },
  'ours: additional special tokens': { additionalSpecialTokens: ['[E1]', '<e2>'] },
  'ours: added words': { addedTokens: ADDED },
  'published: added words': { ...PUBLISHED, addedTokens: ADDED },
  'ours before: accents removed, Hangul whole': { ...PUBLISHED, nfc: true, tearHangul: false },
  'ours before: cased': { ...PUBLISHED, nfc: true, tearHangul: false, lowercase: false },
  'published: uncased': PUBLISHED,
  'published: cased': { ...PUBLISHED, lowercase: false },
  'published: uncased, accents kept': { ...PUBLISHED, stripAccents: false },
  'published: cased, accents removed': { ...PUBLISHED, lowercase: false, stripAccents: true },
  'published: uncased, Hangul whole': { ...PUBLISHED, tearHangul: false },
  'published: words to 200': { ...PUBLISHED, maxCharsPerWord: 200 },
  'published: other special tokens': { ...PUBLISHED, specialTokens: OTHER_TOKENS },
  'published: additional special tokens': { ...PUBLISHED, additionalSpecialTokens: ['[E1]', '<e2>'] },
};

/** What the vocabularies are made of. */
const KNOWN = [
  'The Chef cooked a good meal, and the chefs ate CAFÉS café naïve Ångström über schön schon',
  '한국어를 배우는 학생 한글 서울에서 요리사는 7 3',
  'パンを食べた。ハスの花 かぎがない 漢字かな交じり文 中文字符 𠀀𠀁',
  'ผู้หญิงคนนั้นกินข้าวที่ตลาด น้ำเย็นมาก कुल कल पुर पर नमस्ते दुनिया',
  'עִבְרִית العَرَبِيَّة می‌خواهم שָׁלוֹם Việt má mà ма́ма ёлка Ελλάδα ΟΔΟΣ οδός İstanbul ılık',
  '👨‍👩‍👧 🏳️‍🌈 😀 ﬁ ß ﷺ ½ ① ｆｕｌｌ Ⅳ',
];
const TEXTS: readonly (readonly [text: string, pair: string | null])[] = [
  ...KNOWN.map((text) => [text, null] as const),
  ...KNOWN.map((text) => [text.normalize('NFD'), null] as const),
  ['', null],
  ['The chef cooked a meal.', 'Who cooked? 한국어'],
  ['a [MASK] b [E1] [SEP]c <mask>d </s> <e2>x [[CLS]] [mask]', null],
  ['ΟΔΟΣ ΣΟΦΟΣ, ΑΣ. Σ ΣΑΣ', 'ÉCOLE e\u0301cole ẞ ß'],
  [
    'control\u0000\u0001\u200b\u200d\ufeffs \u00ad soft\u00adhyphen \ufffd tab\tnew\nline\rfeed\fvt\u000bnel\u0085end',
    null,
  ],
  [
    'spaces\u00a0\u2003\u3000\u2028between ខ្មែរ\u200bភាសា 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    null,
  ],
  ['a<\u0338b a.\u0301b ≠ x≠y \u0301leading 5\u20d35 漢\u3099 が か\u3099 \uf900 葛\u{e0100}', null],
  ['we saw zorvex, a ZORVEXES and Zorvex on an E-bike; École ÉCOLE ecole', null],
  ["don't U.S.A. $5.00 ^_^ `code` a~b “quoted” — dash… ¿qué? 汉字漢", null],
  [`${'x'.repeat(100)} ${'x'.repeat(101)} y ${'가'.repeat(250)}`, null],
  ['ผู้หญิงคนนั้นกินข้าวที่ตลาดน้ำเย็นมาก'.repeat(9), `${'พ'.repeat(99)}พี่พี่`],
  [`ก${'\u0e48'.repeat(150)} ${'😀'.repeat(101)} ${'e\u0301'.repeat(120)}`, null],
];

const root = mkdtempSync(join(tmpdir(), 'tokenizers-elsewhere-'));
afterAll(() => rmSync(root, { recursive: true }));
const at = (...words: string[]) => join(root, ...words);
const NAMES = Object.keys(MATRIX);
const folderOf = (name: string, way: 'model' | 'web') => at(`${way}-${NAMES.indexOf(name)}`);

function make(options: TokenizerOptions): WordPieceTokenizer {
  const trainer = new VocabularyTrainer(options);
  for (const text of KNOWN) trainer.add(text);
  const { specialTokens } = trainer.settings;
  const special = [...Object.values(specialTokens), ...(options.additionalSpecialTokens ?? [])];
  const added = (options.addedTokens ?? []).map((token) => (typeof token === 'string' ? token : token.content));
  const tokens = trainer.train({ size: 500, minFrequency: 1, specialTokens: special });
  return WordPieceTokenizer.fromVocabulary([...tokens, ...added.filter((word) => !tokens.includes(word))], options);
}

const ours = (tokenizer: WordPieceTokenizer) =>
  TEXTS.map(([text, pair]) => {
    const { ids, typeIds } = tokenizer.encode(text, pair === null ? {} : { pair });
    return [[...ids], [...typeIds]];
  });

beforeAll(async () => {
  env.allowRemoteModels = false;
  env.localModelPath = root;
  for (const name of NAMES) {
    // A model's folder, and what `pleiad export` writes beside the graph.
    await saveTokenizer(make(MATRIX[name]), folderOf(name, 'model'));
    await saveTokenizer(make(MATRIX[name]), folderOf(name, 'web'), { segmentIds: true });
  }
});

/** Compares text by text, so that a failure shows the text. */
function expectSame(found: unknown[], tokenizer: WordPieceTokenizer): void {
  const expected = ours(tokenizer);
  TEXTS.forEach(([text], i) => {
    expect(found[i], text).toEqual(expected[i]);
  });
}

describe('every tokenizer that we make, as we write it', () => {
  it('has pieces for what it was made of', () => {
    for (const name of NAMES) {
      const tokenizer = make(MATRIX[name]);
      for (const text of KNOWN)
        expect([...tokenizer.encodeIds(text)], `${name}: ${text}`).not.toContain(tokenizer.unkId);
    }
  });

  it.each(NAMES)('gives the same ids here, from tokenizer.json and from vocab.txt: %s', (name) => {
    const tokenizer = make(MATRIX[name]);
    for (const way of ['model', 'web'] as const) {
      const again = loadTokenizer(folderOf(name, way));
      expect(again.hash()).toBe(tokenizer.hash());
      expectSame(ours(again), tokenizer);
      const copy = at('vocabulary-alone');
      cpSync(folderOf(name, way), copy, { recursive: true });
      rmSync(join(copy, 'tokenizer.json'));
      expect(loadTokenizer(copy).hash()).toBe(tokenizer.hash());
      rmSync(copy, { recursive: true });
    }
  });

  it.each(NAMES)('gives the same ids in the tokenizers package: %s', async (name) => {
    const theirs = Tokenizer.fromString(readFileSync(join(folderOf(name, 'model'), 'tokenizer.json'), 'utf8'));
    const found = [];
    for (const [text, pair] of TEXTS) {
      const encoding = await theirs.encode(text, pair);
      found.push([encoding.getIds(), encoding.getTypeIds()]);
    }
    expectSame(found, make(MATRIX[name]));
  });

  it.each(NAMES)('gives the same ids and segment ids in transformers.js: %s', async (name) => {
    const theirs = await AutoTokenizer.from_pretrained(folderOf(name, 'web').slice(root.length + 1));
    const found = TEXTS.map(([text, pair]) => {
      const { input_ids, token_type_ids } = theirs(text, { text_pair: pair, return_tensor: false } as object);
      return [input_ids, token_type_ids];
    });
    expectSame(found, make(MATRIX[name]));
  });
});

function python(folders: readonly string[], texts = TEXTS): Record<string, [number[], number[]][]> {
  const input = JSON.stringify({ folders, texts });
  return JSON.parse(execFileSync(PYTHON!, [SCRIPT], { input, encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 26 }));
}

describe('any text', () => {
  const signs = [
    ...'abAB ÄäéÇßİıΣςσйЁ\t\n\f.,!«$^漢字𠀀かガパ한글กน้ำคुि่ẹ́بּَהֶּ<=',
    ...['\u0301', '\u0338', '\u3099', '\u0e48', '\u093f', '\ufe0f', '\u1112', '\u1161', '\u11ab', '\u09c7', '\u09be'],
    ...['\u200b', '\u200c', '\u200d', '\u00ad', '\ufeff', '\u0000', '\ufffd', '\u00a0', '\u3000', '\u0600', '\ue000'],
    ...['👨‍👩‍👧', '😀', '[MASK]', '[CLS', '한국어', 'chef', 'ก'.repeat(60), 'x'.repeat(101)],
  ];
  const text = fc.array(fc.constantFrom(...signs), { maxLength: 60 }).map((units) => units.join(''));

  it.each(NAMES)('has the same ids in the tokenizers package and in transformers.js: %s', async (name) => {
    const tokenizer = make(MATRIX[name]);
    const theirs = Tokenizer.fromString(JSON.stringify(tokenizer.toTokenizerJson()));
    const transformersJs = await AutoTokenizer.from_pretrained(folderOf(name, 'web').slice(root.length + 1));
    const check = async (t: string) => {
      const expected = [...tokenizer.encode(t).ids];
      expect((await theirs.encode(t)).getIds()).toEqual(expected);
      const { input_ids } = transformersJs(t, { return_tensor: false } as object) as unknown as { input_ids: number[] };
      expect(input_ids).toEqual(expected);
    };
    await fc.assert(fc.asyncProperty(text, check), { numRuns: 150 });
  });
});

describe.skipIf(PYTHON === undefined)('every tokenizer that we make, in transformers (Python)', () => {
  it('gives the same ids and segment ids, from a model folder and from an exported one', () => {
    const found = python(NAMES.flatMap((name) => [folderOf(name, 'model'), folderOf(name, 'web')]));
    for (const name of NAMES) {
      for (const way of ['model', 'web'] as const) {
        const expected = ours(make(MATRIX[name]));
        TEXTS.forEach(([text], i) => {
          expect(found[folderOf(name, way)][i], `${name}, ${way}: ${text}`).toEqual(expected[i]);
        });
      }
    }
  }, 120_000);

  it('knows the Korean words of an exported model (case exported-tokenizer-in-python)', async () => {
    await exportModel(CASE, at('web'));
    const text = '한국어를 배우는 학생';
    const [[ids]] = python([at('web')], [[text, null]])[at('web')];
    const here = loadTokenizer(at('web'));
    expect(ids).toEqual([...here.encode(text).ids]);
    expect(ids.slice(1, -1).map((id) => here.idToToken(id))).toEqual(['한국어를', '배우는', '학생']);
  }, 60_000);
});

describe('a model folder that is converted and exported', () => {
  it('has the tokenizer’s ids in transformers.js (case exported-tokenizer-in-python)', async () => {
    await convertModel(CASE, at('converted'));
    await exportModel(at('converted'), at('exported'));
    const theirs = await AutoTokenizer.from_pretrained('exported');
    const text = '한국어를 배우는 학생';
    const { input_ids } = theirs(text, { return_tensor: false } as object) as unknown as { input_ids: number[] };
    expect(input_ids).toEqual([...loadTokenizer(CASE).encode(text).ids]);
  });
});

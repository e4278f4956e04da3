/** `pleiad vocab` on text of many scripts, as a child process. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../src/text/tokenizer.node.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const CASES = fileURLToPath(new URL('./cases/', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-scripts-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const at = (name: string) => join(FOLDER, name);

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { code: status, said: stdout + stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}

/** Trains a vocabulary on a file and loads it. */
function vocabOf(file: string, ...flags: string[]) {
  const out = at('vocab');
  rmSync(out, { recursive: true, force: true });
  const result = pleiad('vocab', file, '--out', out, '--json', ...flags);
  expect(result.code, result.said).toBe(0);
  const tokenizer = loadTokenizer(out);
  return { ...result, tokenizer, pieces: (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).tokens };
}
const SMALL = ['--size', '400', '--min-frequency', '1'];
const script = (name: string) => join(CASES, 'vocabulary-of-other-scripts', name);

describe('case vocabulary-of-other-scripts', () => {
  it.each([
    ['ja.txt', 'パン ハン かぎ かき でんわ てんわ バス ハス'],
    ['hi.txt', 'कुल कल पुर पर कील कूल'],
    ['th.txt', 'น้ำ นำ พี่ พ'],
    ['de.txt', 'möchte mochte müsste musste schön schon fördern fordern'],
  ])('%s: words that differ in one sign have different pieces, none is [UNK]', (file, words) => {
    const { pieces } = vocabOf(script(file), ...SMALL);
    const found = words.split(' ').map((word) => pieces(word));
    expect(new Set(found.map(String)).size).toBe(found.length);
    expect(found.flat()).not.toContain('[UNK]');
  });

  it('no-spaces.txt: makes a vocabulary, with which prepare makes no [UNK]', () => {
    const { pieces, tokenizer, json } = vocabOf(script('no-spaces.txt'), ...SMALL);
    const [line] = readFileSync(script('no-spaces.txt'), 'utf8').split('\n');
    expect(pieces(line)).not.toContain('[UNK]');
    expect(json.characters).toMatchObject({ coverage: 1 });
    const prepared = pleiad(
      ...['prepare', script('no-spaces.txt'), '--tokenizer', at('vocab'), '--out', at('shards')],
      ...['--held-out-fraction', '0', '--json'],
    );
    expect(prepared.code, prepared.said).toBe(0);
    const lines = 2;
    expect(prepared.json.train.tokens).toBe(lines * pieces(line).length);
    expect(tokenizer.settings.cutLongWords).toBe(true);
  });

  it('de.txt: lower-cases and keeps accents, unless told otherwise', () => {
    const kept = vocabOf(script('de.txt'), ...SMALL);
    expect(kept.pieces('MÖCHTE')).toEqual(kept.pieces('möchte'));
    expect(kept.json.normalization).toMatchObject({ cased: false, stripAccents: false, asPublished: false });
    expect(kept.said).toContain('lower case, accents kept');
    expect(vocabOf(script('de.txt'), ...SMALL, '--no-strip-accents').json.tokenizerHash).toBe(kept.json.tokenizerHash);
    const stripped = vocabOf(script('de.txt'), ...SMALL, '--strip-accents');
    expect(stripped.pieces('möchte')).toEqual(stripped.pieces('mochte'));
    expect(stripped.json.normalization).toMatchObject({ stripAccents: true, preserveHangul: true });
    const cased = vocabOf(script('de.txt'), ...SMALL, '--cased');
    expect(cased.pieces('Er')).not.toEqual(cased.pieces('er'));
  });
});

describe('case letters-at-word-starts', () => {
  it('makes no [UNK] of letters that it has', () => {
    const file = join(CASES, 'letters-at-word-starts', 'start.txt');
    const { pieces } = vocabOf(file, '--cased', '--size', '300');
    expect(pieces('73')).toEqual(['7', '##3']);
    expect(pieces('글한')).toEqual(['글', '##한']);
    expect(pieces('dayZ').at(-1)).toBe('##Z');
    expect(pieces('dayZ')).not.toContain('[UNK]');
    // A full stop is always a word of its own.
    expect(pieces('a.b')).toEqual(['a', '.', 'b']);
    expect(readFileSync(join(at('vocab'), 'vocab.txt'), 'utf8').split('\n')).not.toContain('##.');
  });
});

describe('pleiad vocab', () => {
  it('does exactly what the published BERT does with --bert-normalization', () => {
    const read = (name: string) => JSON.parse(readFileSync(join(at('vocab'), name), 'utf8'));
    const uncased = vocabOf(script('ja.txt'), ...SMALL, '--bert-normalization');
    expect(uncased.pieces('パン')).toEqual(uncased.pieces('ハン'));
    expect(uncased.said).toContain('as BERT was published');
    expect(uncased.json.normalization).toMatchObject({ asPublished: true, preserveHangul: false, nfc: false });
    expect(read('tokenizer_config.json').tokenizer_class).toBe('ElectraTokenizer');
    expect(uncased.pieces('ハ'.repeat(101))).toEqual(['[UNK]']);
    const cased = vocabOf(script('ja.txt'), ...SMALL, '--bert-normalization', '--cased');
    expect(cased.pieces('パン')).not.toEqual(cased.pieces('ハン'));
    expect(cased.json.normalization).toMatchObject({ asPublished: true, cased: true, stripAccents: false });
  });

  it('tears Hangul where accents are removed, and says so where they are not', () => {
    writeFileSync(at('ko.txt'), '한국어 한국 카페 café');
    const torn = vocabOf(at('ko.txt'), ...SMALL, '--no-preserve-hangul');
    expect(torn.json.normalization).toMatchObject({ stripAccents: true, preserveHangul: false });
    expect(torn.pieces('café')).toEqual(torn.pieces('cafe'));
    const whole = vocabOf(at('ko.txt'), ...SMALL, '--bert-normalization', '--preserve-hangul');
    expect(whole.json.normalization).toMatchObject({ stripAccents: true, preserveHangul: true, nfc: false });
    expect(vocabOf(at('ko.txt'), ...SMALL, '--strip-accents').json.normalization.preserveHangul).toBe(true);
    for (const flag of ['--cased', '--no-strip-accents']) {
      const whole = vocabOf(at('ko.txt'), ...SMALL, '--no-preserve-hangul', flag);
      expect(whole.json.normalization).toMatchObject({ stripAccents: false, preserveHangul: true });
      expect(whole.said).toContain('--no-preserve-hangul changed nothing');
    }
  });

  it('says what part of the text a vocabulary too small for its characters can spell, and refuses one that is no use', () => {
    const syllables = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0xac00 + i));
    writeFileSync(
      at('many.txt'),
      [...Array(20).fill(syllables.slice(0, 100).join(' ')), syllables.join(' ')].join('\n'),
    );
    const { said, json } = vocabOf(at('many.txt'), '--size', '280');
    // Of 2,300 syllables 2,275 are those kept: the vocabulary has 5 special tokens and room for 275.
    expect(json.characters).toEqual({ distinct: 300, kept: 275, coverage: 2275 / 2300 });
    expect(said).toContain('275 of 300 different characters, 98.9 % of the text');
    const none = pleiad('vocab', at('many.txt'), '--size', '60', '--out', at('none'));
    expect(none.code).toBe(2);
    expect(none.said).toContain('special tokens and alphabet alone are 305; raise the size');
    expect(existsSync(at('none'))).toBe(false);
  });
});

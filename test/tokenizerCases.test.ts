/**
 * Tokenizers as users of the neighbouring systems have them: test/cases holds the folders, each with a README. The ids are
 * those of transformers 5.23.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../src/text/tokenizer.node.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const caseFolder = (name: string) => fileURLToPath(new URL(`cases/${name}`, import.meta.url));
const made = mkdtempSync(join(tmpdir(), 'tokenizer-cases-'));
afterAll(() => rmSync(made, { recursive: true }));

async function pleiad(...words: string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words, '--json']);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}
const fillMask = (folder: string, text: string) => pleiad('fill-mask', '--model', folder, text, '--top-k', '1');
const idsOf = (folder: string, text: string) => [...loadTokenizer(folder).encode(text).ids];

describe('case special-token-with-hyphen', () => {
  const folder = caseFolder('special-token-with-hyphen/model');

  it('loads, and its special tokens have their ids', async () => {
    expect(idsOf(folder, 'the <e1-start> cat <e1-end> .')).toEqual([2, 5, 32, 7, 33, 18, 3]);
    expect((await fillMask(folder, 'the cat [MASK] .')).masks).toHaveLength(1);
    expect((await pleiad('info', folder)).models[0].tokenizer.tokens).toBe(34);
  });

  it('is what prepare makes shards with', async () => {
    const text = join(made, 'text.txt');
    writeFileSync(text, 'the cat sat on the mat .\n'.repeat(20));
    const shards = join(made, 'shards');
    await pleiad('prepare', text, '--tokenizer', folder, '--out', shards);
    expect(idsOf(join(shards, 'tokenizer'), 'the <e1-start> cat')).toEqual([2, 5, 32, 7, 3]);
  });
});

describe('case added-words', () => {
  it('in the older form: words are looked for in the normalised text', () => {
    const folder = caseFolder('added-words/older-form');
    expect(idsOf(folder, 'we saw zorvex .')).toEqual([2, 10, 9, 143, 15, 3]);
    expect(idsOf(folder, 'the ZORVEX')).toEqual([2, 5, 143, 3]);
    expect(idsOf(folder, 'Newword Zorvexes')).toEqual([2, 144, 143, 21, 3]);
    expect([...loadTokenizer(folder).encodeIds('Newword Zorvexes')]).toEqual([144, 143, 21]);
    expect([...loadTokenizer(folder).encode('Newword Zorvexes').offsets].slice(2, -2)).toEqual([0, 7, 8, 14, 14, 16]);
  });

  it('as transformers 5 saves them: fill-mask runs, convert writes the same words', async () => {
    const folder = caseFolder('added-words/saved-by-transformers-5');
    const text = 'we saw zorvex on [MASK] .';
    expect(idsOf(folder, text)).toEqual([2, 22, 24, 34, 15, 4, 18, 3]);
    expect((await fillMask(folder, text)).masks).toHaveLength(1);
    const out = join(made, 'converted');
    await pleiad('convert', folder, out);
    expect(idsOf(out, text)).toEqual(idsOf(folder, text));
    expect(loadTokenizer(out).hash()).toBe(loadTokenizer(folder).hash());
  });
});

describe('case mask-with-lstrip', () => {
  it('gives the ids that it has without', async () => {
    const folder = caseFolder('mask-with-lstrip/model');
    const text = 'the cat [MASK] on the mat .';
    expect(idsOf(folder, text)).toEqual([2, 5, 7, 4, 15, 5, 17, 18, 3]);
    const { masks } = await fillMask(folder, text);
    expect(masks).toMatchObject([{ start: 8, end: 14 }]);
    const out = join(made, 'lstrip');
    await pleiad('convert', folder, out);
    expect(idsOf(out, text)).toEqual(idsOf(folder, text));
    expect(loadTokenizer(out).settings.addedTokens).toMatchObject([{ content: '[MASK]', special: true, lstrip: true }]);
  });
});

describe('case vocab-with-blank-lines', () => {
  it.each([
    ['blank-middle', 23, 36],
    ['blank-end', 21, 34],
  ])('%s: "at" has the id %i', async (name, at, size) => {
    const folder = caseFolder(`vocab-with-blank-lines/${name}`);
    const text = 'the cat [MASK] at the mat .';
    expect(idsOf(folder, text)[4]).toBe(at);
    expect(loadTokenizer(folder).vocabSize).toBe(size);
    const { masks } = await fillMask(folder, text);
    expect(masks[0].candidates[0].token).not.toBe('');
    const out = join(made, name);
    await pleiad('convert', folder, out);
    expect(idsOf(out, text)).toEqual(idsOf(folder, text));
    expect(loadTokenizer(out).hash()).toBe(loadTokenizer(folder).hash());
  });
});

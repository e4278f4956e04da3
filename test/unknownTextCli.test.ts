/** A Korean text and an English vocabulary: every command that reads text says what the vocabulary does not know. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'pleiad-unknown-'));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function pleiad(...args: string[]) {
  // biome-ignore lint/suspicious/noExplicitAny: what a command prints
  return new Promise<{ code: number; stderr: string; json: any }>((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--json'], { cwd: ROOT }, (error, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({
        code: error ? Number(error.code) : 0,
        stderr,
        json: last.startsWith('{') ? JSON.parse(last) : undefined,
      });
    });
  });
}

const ENGLISH = Array.from({ length: 60 }, (_, i) => `the cook number ${i} ate the old meal by the river .`);
const KOREAN = '요리사는 집에서 식사를 했다 .';
const FIELDS = 'hiddenSize=16,numHiddenLayers=1,numAttentionHeads=1,intermediateSize=16,embeddingSize=16';
const TINY = [
  '--size',
  'tiny',
  '--model',
  FIELDS,
  '--threads',
  '1',
  '--length',
  '16',
  '--batch-size',
  '4',
  '--steps',
  '2',
];

beforeAll(async () => {
  writeFileSync(join(ROOT, 'en.txt'), ENGLISH.join('\n\n'));
  writeFileSync(join(ROOT, 'ko.txt'), Array.from({ length: 40 }, (_, i) => `${KOREAN} ${i}`).join('\n\n'));
  for (const command of [
    ['vocab', 'en.txt', '--out', 'vocab', '--size', '100'],
    ['prepare', 'en.txt', '--tokenizer', 'vocab', '--out', 'en', '--held-out-fraction', '0.2'],
    ['prepare', 'ko.txt', '--tokenizer', 'vocab', '--out', 'ko', '--held-out-fraction', '0.2'],
    ['pretrain', '--data', 'en', '--out', 'run', ...TINY],
  ]) {
    const { code, stderr } = await pleiad(...command);
    expect(code, stderr).toBe(0);
  }
});

const HANGUL = 'they are mostly in Hangul script, of which the vocabulary has nothing; it is of another language';

describe('text that the vocabulary does not know', () => {
  it.each<[string, string[], number]>([
    ['detect', [KOREAN], 4],
    ['fill-mask', [`${KOREAN} [MASK]`], 4],
    ['fill-span', ['--by', 'mlm', `${KOREAN} [MASK] .`], 4],
  ])('is warned about by %s', async (command, args, unknown) => {
    const { code, stderr, json } = await pleiad(command, '--model', 'run', ...args);
    expect(code, stderr).toBe(0);
    expect(json.warnings).toHaveLength(1);
    expect(json.warnings[0]).toMatch(new RegExp(`^${unknown} of \\d+ tokens are \\[UNK\\] \\(\\d+ %\\): ${HANGUL}`));
    expect(stderr).toContain(`warning: ${json.warnings[0]}\n`);
  });

  it.each([
    ['detect', ['the cook ate the meal .']],
    ['fill-mask', ['the cook [MASK] the meal .']],
  ])('is not met by %s in text of its own', async (command, args) => {
    const { json, stderr } = await pleiad(command, '--model', 'run', ...args);
    expect(json.warnings).toEqual([]);
    expect(stderr).not.toContain('[UNK]');
  });

  it('is warned about by prepare, also when it has nothing to do, and by pretrain from the shards', async () => {
    const again = await pleiad(
      'prepare',
      'ko.txt',
      '--tokenizer',
      'vocab',
      '--out',
      'ko',
      '--held-out-fraction',
      '0.2',
    );
    expect(again.json.status).toBe('unchanged');
    expect(again.json.warnings.at(-1)).toMatch(new RegExp(`^160 of \\d+ tokens are \\[UNK\\] .*: ${HANGUL}`));
    const run = await pleiad('pretrain', '--data', 'ko', '--out', 'run-ko', ...TINY);
    expect(run.code, run.stderr).toBe(0);
    const warning = run.json.warnings.find((text: string) => text.includes('[UNK]'));
    expect(warning).toMatch(
      /^\d+ of \d+ tokens of the training text are \[UNK\] \(\d+ %\): .*another language, casing/,
    );
    expect(warning).toContain('prepare the text with that');
    expect(run.stderr).toContain(warning);
    const own = await pleiad('pretrain', '--data', 'en', '--out', 'run-en', ...TINY);
    expect(own.json.warnings.filter((text: string) => text.includes('[UNK]'))).toEqual([]);
  });

  it('is warned about by vocab, where characters are left out of its own text', async () => {
    const syllables = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0xac00 + 28 * i));
    writeFileSync(
      join(ROOT, 'wide.txt'),
      [...Array(9).fill(syllables.slice(0, 200).join(' ')), syllables.join(' ')].join('\n'),
    );
    const limited = await pleiad('vocab', 'wide.txt', '--out', 'few', '--size', '1000', '--alphabet-limit', '200');
    expect(limited.json).toMatchObject({ words: 2100, unknownWords: 100 });
    expect(limited.json.warnings).toEqual([
      '100 of 2,100 words (4.8 %) have characters that the vocabulary leaves out, and become [UNK]. Keep more characters (--alphabet-limit), in a larger vocabulary (--size)',
    ]);
    expect(limited.stderr).toContain(`warning: ${limited.json.warnings[0]}\n`);
    const whole = await pleiad('vocab', 'wide.txt', '--out', 'all', '--size', '1000');
    expect(whole.json).toMatchObject({ unknownWords: 0, warnings: [] });
  });
});

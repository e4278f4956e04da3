/** `pleiad tokenize` as a child process. `npm test` builds it first. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'tokenize-cli-'));
const VOCAB = join(FOLDER, 'vocab.txt');
writeFileSync(VOCAB, '[PAD] [UNK] [CLS] [SEP] [MASK] the chef cook ##ed 한국 ##어 <e-1>'.split(' ').join('\n'));
writeFileSync(join(FOLDER, 'tokenizer_config.json'), '{"do_lower_case":false,"extra_special_tokens":["<e-1>"]}');
afterAll(() => rmSync(FOLDER, { recursive: true }));

function pleiad(
  words: readonly string[],
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, 'tokenize', ...words], { env: { ...process.env, NO_COLOR: '1' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

describe('pleiad tokenize', () => {
  it('shows a table of tokens, ids and places, aligned for Hangul as well', async () => {
    const { stdout } = await pleiad(['--tokenizer', FOLDER, 'the 한국어 <e-1> meal']);
    expect(stdout.split('\n')).toEqual([
      'token  id  start  end',
      '[CLS]   2',
      'the     5      0    3',
      '한국    9      4    6',
      '##어   10      6    7',
      '<e-1>  11      8   13',
      '[UNK]   1     14   18',
      '[SEP]   3',
      '7 tokens, 1 of them [UNK]',
      '',
    ]);
  });

  it('reads a file or standard input, line by line when asked, and a vocab.txt by name', async () => {
    const file = join(FOLDER, 'text.txt');
    writeFileSync(file, 'the chef\n');
    const plain = ['--tokenizer', VOCAB, '--cased', '--no-special-tokens', '--json'];
    const json = async (words: string[], input?: string) => JSON.parse((await pleiad(words, input)).stdout);
    expect((await json([...plain, '--file', file])).tokens).toEqual([
      { token: 'the', id: 5, start: 0, end: 3, sequence: 0 },
      { token: 'chef', id: 6, start: 4, end: 8, sequence: 0 },
    ]);
    const { texts } = await json([...plain, '--lines'], 'the chef\n\ncooked\n');
    expect(texts.map(({ text }: { text: string }) => text)).toEqual(['the chef', 'cooked']);
    const paired = await json(['--tokenizer', FOLDER, '--json', '--pair', 'chef', 'the']);
    expect(paired.tokens.map(({ sequence }: { sequence: number }) => sequence)).toEqual([-1, 0, -1, 1, -1]);
  });

  it('wants one tokenizer', async () => {
    for (const [words, message] of [
      [['the'], /--model is missing.*--tokenizer/],
      [['--model', FOLDER, '--tokenizer', FOLDER, 'the'], /--model and --tokenizer are both given/],
    ] as const) {
      const { code, stderr } = await pleiad(words);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
  });
});

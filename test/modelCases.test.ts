/** Models as users have them, each reported of another system that does this work; inputs in test/cases. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { fromPretrained } from '../src/pretrained/pretrained.node.js';
import { loadTokenizer } from '../src/text/tokenizer.node.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const CASES = fileURLToPath(new URL('cases/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'model-cases-'));
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stderr: string;
  readonly json: Record<string, never>;
}

function pleiad(...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words, '--json'], (error, stdout, stderr) => {
      const json = JSON.parse(stdout.trimEnd().split('\n').at(-1) || '{}');
      resolve({ code: error ? Number(error.code) : 0, stderr, json });
    });
  });
}

describe('case padded-word-table', () => {
  const model = join(CASES, 'padded-word-table', 'model');
  const isPiece = (id: number) => id >= 5 && id <= 33;

  it('fills masks with pieces alone', async () => {
    const { code, json, stderr } = await pleiad('fill-mask', '--model', model, 'the cat [MASK] .', '--top-k', '3');
    expect(code, stderr).toBe(0);
    const { masks, fillings } = json as unknown as {
      masks: { candidates: { id: number }[] }[];
      fillings: { ids: number[] }[];
    };
    expect(masks[0].candidates).toHaveLength(3);
    expect(masks[0].candidates.every(({ id }) => isPiece(id))).toBe(true);
    expect(fillings.flatMap(({ ids }) => ids).every(isPiece)).toBe(true);
  });

  it('fills spans with pieces alone', async () => {
    const words = ['fill-span', '--model', model, '--by', 'mlm', 'the cat [MASK] . the dog', '--pieces', '2'];
    const { code, json, stderr } = await pleiad(...words);
    expect(code, stderr).toBe(0);
    const { fillings } = json as unknown as { fillings: { mlm: { ids: number[] }[] } };
    expect(fillings.mlm.length).toBeGreaterThan(2);
    expect(fillings.mlm.flatMap(({ ids }) => ids).every(isPiece)).toBe(true);
  });

  it('does so too when it was exported in 8 bits', async () => {
    expect((await pleiad('export', model, '--out', at('web'), '--quantize')).code).toBe(0);
    const { code, json, stderr } = await pleiad(
      ...['fill-mask', '--model', at('web'), '--onnx', 'onnx/model_quantized.onnx', 'the cat [MASK] .'],
    );
    expect(code, stderr).toBe(0);
    const { masks } = json as unknown as { masks: { candidates: { id: number }[] }[] };
    expect(masks[0].candidates.map(({ id }) => isPiece(id))).toEqual(Array(5).fill(true));
  });

  it('gives the logits of all rows to who asks the model itself, as transformers does', async () => {
    const loaded = await fromPretrained(model, { threads: 1 });
    const { logits } = await loaded.run({ inputIds: [loaded.tokenizer!.encode('the cat [MASK] .').ids] });
    await loaded.release();
    expect(logits!.shape).toEqual([1, 6, 48]);
  });
});

describe('case config-of-another-class', () => {
  const of = (name: string) => join(CASES, 'config-of-another-class', name);

  it.each([
    ['joint', 'encoder', 'BertModel', 4],
    ['integer-labels', 'encoder', 'ElectraModel', 4],
    ['labels-from-1', 'masked-lm', 'ElectraForMaskedLM', 0],
  ])('%s loads as the %s that was asked for', async (name, task, architecture, unused) => {
    const converted = await pleiad('convert', of(name), at(name), '--task', task);
    expect(converted.code, converted.stderr).toBe(0);
    expect(converted.json).toMatchObject({ architecture, missing: [] });
    expect(converted.json.unexpected).toHaveLength(unused);
    const shown = await pleiad('info', of(name), '--task', task);
    expect(shown.code, shown.stderr).toBe(0);
    expect((shown.json.models as unknown as { unused: unknown[] }[])[0]).toMatchObject({ architecture });
    const config = JSON.parse(readFileSync(at(name, 'config.json'), 'utf8'));
    expect(config.architectures).toEqual([architecture]);
    expect(config).not.toHaveProperty('id2label');
  });

  it('without a task says of the unknown class what to ask for', async () => {
    const { code, stderr } = await pleiad('info', of('joint'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/has architectures \["JointBERT"\]; expected BertModel or .*--task encoder/);
  });
});

describe('case safetensors-metadata-null', () => {
  it('loads', async () => {
    const model = join(CASES, 'safetensors-metadata-null', 'model');
    const { code, json, stderr } = await pleiad('info', model);
    expect(code, stderr).toBe(0);
    expect((json.models as unknown as object[])[0]).toMatchObject({
      architecture: 'ElectraForMaskedLM',
      weights: { format: 'safetensors', dtypes: ['F32'] },
      missing: [],
    });
    const filled = await pleiad('fill-mask', '--model', model, 'the [MASK][MASK] .');
    expect(filled.code, filled.stderr).toBe(0);
  });
});

describe('case masks-side-by-side', () => {
  it('writes a text that encodes to the filling again', async () => {
    const model = join(CASES, 'safetensors-metadata-null', 'model');
    const tokenizer = loadTokenizer(model);
    const ids = (text: string) => [...tokenizer.encode(text, { addSpecialTokens: false }).ids];
    for (const text of ['the [MASK][MASK] house', 'the[MASK]cat', '[MASK][MASK][MASK]', 'the cat[MASK].']) {
      const { json } = await pleiad('fill-mask', '--model', model, text, '--top-k', '10');
      const { fillings } = json as unknown as { fillings: { text: string; ids: number[]; tokens: string[] }[] };
      const whole = fillings.filter(({ tokens }) => tokens.every((token) => !token.startsWith('##')));
      expect(whole.length).toBeGreaterThan(0);
      for (const { text: filled, ids: found } of whole) {
        let next = 0;
        const mask = tokenizer.maskId;
        expect(ids(filled), filled).toEqual(ids(text).map((id) => (id === mask ? found[next++] : id)));
      }
    }
  });
});

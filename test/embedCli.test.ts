/** `pleiad embed` and `pleiad classify --zero-shot` as child processes, on tiny models of random weights. `npm test` builds first. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import type { Architecture } from '../src/models/config.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const temporary = temporaryFolder('embed');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);
const TEXTS = ['the chef ate', 'a good meal', 'the meal'];

beforeAll(async () => {
  for (const [name, architecture] of [
    ['model', 'ElectraModel'],
    ['discriminator', 'ElectraForPreTraining'],
  ] as const satisfies (readonly [string, Architecture])[]) {
    const { graph, weights } = testModel(architecture);
    const tensors = new Map(graph.parameters.map(({ name: key, shape }) => [key, { shape, data: weights.get(key)! }]));
    await saveModelFolder(at(name), { architecture, config: TEST_CONFIG, tensors, tokenizer: TEST_TOKENIZER });
  }
  writeFileSync(at('texts.txt'), `${TEXTS.join('\n')}\n`);
  writeFileSync(at('texts.csv'), `id,Review\n${TEXTS.map((text, i) => `${i},"${text}"`).join('\n')}\n`);
});

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words, '--threads', '1'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    input: '',
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { status, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}
const embed = (...words: string[]) => pleiad('embed', '--model', at('model'), ...words);
const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function vectors(options: { normalize?: boolean; pooling?: 'mean' | 'max' } = {}): Promise<Float32Array[]> {
  const { normalize = true, pooling = 'mean' } = options;
  const model = await pipeline('feature-extraction', { model: at('model'), threads: 1 });
  const all = await model(TEXTS, { pooling, normalize });
  await model.release();
  return all;
}

const expectVector = (found: readonly number[], expected: Float32Array) => {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 6);
};

describe('pleiad embed', () => {
  it('writes a vector for each line, as JSON Lines', async () => {
    const expected = await vectors();
    const { stdout, status } = embed('--lines', '--file', at('texts.txt'));
    expect(status).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.map(({ text }) => text)).toEqual(TEXTS);
    for (const [i, { embedding }] of rows.entries()) {
      expectVector(embedding, expected[i]);
      // Nine digits are the float32 itself.
      expect(Math.fround(embedding[0])).toBe(Math.fround(Number(expected[i][0].toPrecision(9))));
    }
    const { json } = embed('--lines', '--file', at('texts.txt'), '--json');
    expect(json).toMatchObject({ dimensions: 16, embeddings: rows.map(({ embedding }) => embedding) });
    expect(rowsOf(embed(TEXTS[0]).stdout)).toHaveLength(1);
  });

  it('writes a table with a column for each unit, and a matrix for NumPy', async () => {
    const expected = await vectors({ normalize: false, pooling: 'max' });
    const words = [at('texts.csv'), '--columns', 'text=Review', '--pooling', 'max', '--no-normalize'];
    const [titles, ...lines] = embed(...words)
      .stdout.trimEnd()
      .split('\n');
    expect(titles).toBe(`id,Review,${Array.from({ length: 16 }, (_, i) => `v${i}`).join()}`);
    expect(lines).toHaveLength(3);
    for (const [i, line] of lines.entries()) {
      const cells = line.split(',');
      expect(cells.slice(0, 2)).toEqual([`${i}`, TEXTS[i]]);
      expectVector(cells.slice(2).map(Number), expected[i]);
    }
    const { stdout, json } = embed(...words, '--out', at('vectors.npy'), '--json');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(json).toMatchObject({ file: at('vectors.npy'), format: 'npy', rows: 3, dimensions: 16 });
    const bytes = readFileSync(at('vectors.npy'));
    expect(bytes).toHaveLength(128 + 4 * 3 * 16);
    for (let i = 0; i < 48; i++) {
      expect(bytes.readFloatLE(128 + 4 * i)).toBeCloseTo(expected[Math.floor(i / 16)][i % 16], 5);
    }
  });

  it('ranks texts by how near they are to one', async () => {
    const words = ['--similar-to', 'the meal', '--lines', '--file', at('texts.txt')];
    const { json } = embed(...words, '--json');
    expect(json.results[0]).toMatchObject({ index: 2, text: 'the meal', similarity: expect.closeTo(1, 5) });
    const found = json.results.map(({ similarity }: { similarity: number }) => similarity);
    expect(found).toEqual([...found].sort((a, b) => b - a));
    expect(embed(...words, '--top-k', '1').stdout).toMatch(/^cosine {2}text\n +1\.000 {2}the meal\n$/);
    const [first] = rowsOf(embed(...words, '--format', 'jsonl').stdout);
    expect(first).toEqual({ text: 'the meal', similarity: expect.closeTo(1, 5) });
  });

  it('says what is wrong', () => {
    expect(embed(at('texts.csv')).stderr).toMatch(
      /has no column called text \(it has id, Review\).*--columns text=id/s,
    );
    const { status, stderr } = embed('a', '--out', at('x.txt'), '--top-k', '2');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /--top-k is given without --similar-to[\s\S]*expected a name that ends in \.jsonl, \.csv, \.tsv, \.npy/,
    );
    expect(embed('a', '--similar-to', 'b', '--format', 'npy').stderr).toMatch(
      /--format npy is given with --similar-to/,
    );
  });
});

describe('pleiad classify --zero-shot', () => {
  const classify = (...words: string[]) => pleiad('classify', '--zero-shot', '--model', at('discriminator'), ...words);
  const TEMPLATE = ['--template', '{text} a {label} .'];

  it('gives what the pipeline gives', async () => {
    const zero = await pipeline('zero-shot-classification', { model: at('discriminator'), threads: 1 });
    const labels = { nice: ['good', 'cooked'], done: ['ate'] };
    const expected = await zero('the chef', { labels, template: '{text} a {label} .', calibrate: true });
    await zero.release();
    const words = ['the chef', '--labels', 'nice=good/cooked,done=ate', ...TEMPLATE, '--calibrate'];
    const { json } = classify(...words, '--json');
    expect(json.result.labels).toEqual(expected.labels);
    for (const [i, score] of expected.scores.entries()) expect(json.result.scores[i]).toBeCloseTo(score, 5);
    expect(classify(...words).stdout).toMatch(
      /^score {2}label\n[01]\.\d{3} {2}(nice|done)\n[01]\.\d{3} {2}(nice|done)\n$/,
    );
    expect(
      classify(...words, '--top-k', '1')
        .stdout.trimEnd()
        .split('\n'),
    ).toHaveLength(2);
  });

  it('labels the rows of a table', () => {
    const words = [at('texts.csv'), '--columns', 'text=Review', '--labels', 'good,ate', ...TEMPLATE];
    const { stdout } = classify(...words);
    const [titles, ...lines] = stdout.trimEnd().split('\n');
    expect(titles).toBe('id,Review,label,score');
    for (const line of lines) expect(line).toMatch(/^\d,[\w ]+,(good|ate),[01](\.\d+)?$/);
    expect(lines).toHaveLength(3);
  });

  it('says what is wrong', () => {
    expect(classify('a').stderr).toMatch(/--labels is missing; expected names such as great,terrible/);
    expect(classify('a', '--labels', 'good=,ate').stderr).toMatch(/--labels is "good=,ate"; expected names/);
    expect(classify('a', '--labels', 'a=good,a=ate').stderr).toMatch(/--labels has "a" twice; put its words together/);
    expect(classify('a', '--labels', 'good,ate', '--pair', 'b').stderr).toMatch(/--pair is given with --zero-shot/);
    expect(classify('a', '--labels', 'good,zebra').stderr).toMatch(
      /label word "zebra" is not in the vocabulary.*--labels/s,
    );
    const without = pleiad('classify', '--model', at('discriminator'), 'a', '--labels', 'good', '--calibrate');
    expect(without.stderr).toMatch(/--labels, --calibrate are given without --zero-shot/);
  });
});

/** Weights that programs are compiled with, wherever they lie. */
import { mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Values } from '../files/storedValues.js';
import { FileValues } from '../files/storedValues.node.js';
import { GraphBuilder } from '../graph/graph.js';
import type { Engine } from './engine.js';
import { createInterpreterEngine } from './interpreterEngine.js';
import { ENGINES } from './testEngines.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weights-')));
afterAll(() => rmSync(folder, { recursive: true }));

const [ROWS, WIDTH] = [3, 64];
const count = WIDTH * WIDTH;
/** A matrix and a bias; small multiples of ¼, so that sums are exact. */
const all = Float32Array.from({ length: count + WIDTH }, (_, i) => ((i * 7) % 9) / 4 - 1);
const x = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => ((i * 5) % 7) - 3);
/** x·Wᵀ + b, in float64. */
const expected = Float32Array.from({ length: ROWS * WIDTH }, (_, at) => {
  const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
  let sum = all[count + column];
  for (let k = 0; k < WIDTH; k++) sum += x[row * WIDTH + k] * all[column * WIDTH + k];
  return sum;
});

const path = join(folder, 'weights.bin');
const HEADER = 12;
writeFileSync(path, Buffer.concat([Buffer.alloc(HEADER, 255), new Uint8Array(all.buffer)]));
const { size, mtimeMs, ino } = statSync(path);
const inFile = (start: number, length: number) =>
  new FileValues({ path, size, mtimeMs, ino }, HEADER + 4 * start, length);
const shared = (values: Float32Array) => {
  const memory = new Float32Array(new SharedArrayBuffer(values.byteLength));
  memory.set(values);
  return memory;
};

const engines: readonly (readonly [string, () => Promise<Engine>])[] = [
  ...ENGINES,
  ['interpreter', async () => createInterpreterEngine()],
];

describe.each(engines)('%s', (_, create) => {
  test.each<[string, Values, Values]>([
    ['in memory', all.slice(0, count), all.slice(count)],
    ['in a view of memory', all.subarray(0, count), all.subarray(count)],
    ['in shared memory', shared(all.slice(0, count)), shared(all.slice(count))],
    ['in a file', inFile(0, count), inFile(count, WIDTH)],
    ['in a file and in memory', inFile(0, count), all.slice(count)],
    ['in memory and in a file', all.slice(0, count), inFile(count, WIDTH)],
  ])('weights %s', async (_, matrix, bias) => {
    const engine = await create();
    const g = new GraphBuilder();
    const [w, b] = [g.state('w', [WIDTH, WIDTH]), g.state('b', [WIDTH])];
    g.output('y', g.linear(g.input('x', 'float32', ['rows', WIDTH]), w, b));
    const weights = new Map<string, Values>([
      ['w', matrix],
      ['b', bias],
    ]);
    const program = await engine.compile(g.build(), { label: 'linear', weights });
    const { y } = await program.run({ x: { dtype: 'float32', shape: [ROWS, WIDTH], data: x } });
    expect(y.data).toEqual(expected);
    await engine.close();
  });
});

test.each(ENGINES)('%s names weights in a file that do not fit', async (_, create) => {
  const engine = await create();
  const g = new GraphBuilder();
  g.output('y', g.neg(g.state('w', [WIDTH])));
  const compiled = engine.compile(g.build(), { label: 'neg', weights: new Map([['w', inFile(0, 5)]]) });
  await expect(compiled).rejects.toThrow('weights of "w" have 5 values, its shape is [64]');
  await engine.close();
});

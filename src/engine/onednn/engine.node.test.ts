import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workerUrl } from '../../files/workerUrl.js';
import { GraphBuilder } from '../../graph/graph.js';
import { RandomStream } from '../../random/philox.js';
import type { Engine, Tensor, Tensors } from '../engine.js';
import { oneDnnMissing } from '../testEngines.js';
import { createOneDnnEngine } from './engine.node.js';

const shapes: Readonly<Record<string, readonly number[]>> = { w1: [160, 96], b1: [160], w2: [48, 160], b2: [48] };

const vector = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data });

test.skipIf(oneDnnMissing)(
  'bf16 is refused where the library has none for the processor, with what to do',
  async () => {
    // As on a processor without AVX-512; read by the library when it is loaded, so in a process of its own.
    const script = `
    const { createOneDnnEngine } = await import(${JSON.stringify(workerUrl('./engine.node.js', import.meta.url).href)});
    const fp32 = await createOneDnnEngine({ threads: 1 });
    console.log(fp32.precision);
    await createOneDnnEngine({ threads: 1, precision: 'bf16' }).catch(({ message }) => console.log(message));`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ONEDNN_MAX_CPU_ISA: 'AVX2', DNNL_MAX_CPU_ISA: 'AVX2' },
    });
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      'fp32',
      'precision "bf16" is not to be had here: oneDNN has no bf16 products for this processor. Use --precision fp32',
    ]);
  },
);

describe.skipIf(oneDnnMissing)('onednn', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createOneDnnEngine({ threads: 2, precision: 'bf16' });
  });
  afterAll(() => engine.close());

  test('takes denormal numbers for 0, in primitives on all threads and in loops', async () => {
    if (process.platform !== 'linux' || process.arch !== 'x64') return;
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n']);
    g.output('primitive', g.mul(x, g.scalar(1)));
    g.output('loop', g.where(g.less(g.scalar(-1), x), x, x));
    const program = await engine.compile(g.build(), { label: 'tiny' });
    const { primitive, loop } = await program.run({ x: vector(new Float32Array(200_000).fill(1e-39)) });
    expect(primitive.data.every((value) => value === 0)).toBe(true);
    expect(loop.data.every((value) => value === 0)).toBe(true);
    const small = await program.run({ x: vector(Float32Array.of(2e-38, 1)) });
    expect([...small.primitive.data]).toEqual([Math.fround(2e-38), 1]);
    await program.release();
  });

  test('gives the same with constant weights, which it packs, as with those of its state', async () => {
    const random = new RandomStream(3, 'test');
    const values = (length: number) => Float32Array.from({ length }, () => random.normal());
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n', 96]);
    const hidden = g.gelu(g.linear(x, g.state('w1', [160, 96]), g.state('b1', [160])));
    g.output('y', g.linear(hidden, g.state('w2', [48, 160]), g.state('b2', [48])));
    const graph = g.build();
    const weights = new Map(
      Object.entries({ w1: 160 * 96, b1: 160, w2: 48 * 160, b2: 48 }).map(([name, size]) => [name, values(size)]),
    );
    const sizes = [...weights].map(([name, data]) => [name, data.length] as const);
    const state = await engine.createState({
      arenas: Object.fromEntries(sizes),
      slots: new Map(sizes.map(([name]) => [name, { arena: name, offset: 0, shape: shapes[name] }])),
    });
    for (const [name, data] of weights) await state.write(name, data);
    const packed = await engine.compile(graph, { label: 'constant', weights });
    const plain = await engine.compile(graph, { label: 'state', state });
    // Several lengths share one packed copy, and each has a plan of its own.
    for (const rows of [1, 14, 3, 200, 14]) {
      const feeds = { x: { dtype: 'float32', shape: [rows, 96], data: values(rows * 96) } as Tensor };
      const [a, b] = [await packed.run(feeds), await plain.run(feeds)];
      const largest = Math.max(...a.y.data.map((value, at) => Math.abs(Number(value) - Number(b.y.data[at]))));
      const scale = Math.max(...b.y.data.map((value) => Math.abs(Number(value))));
      expect(largest / scale).toBeLessThan(1e-5);
    }
    await packed.release();
    await plain.release();
    await state.release();
  });

  test('reads weights that were written since the last run: their bf16 copies are made anew', async () => {
    const state = await engine.createState({
      arenas: { w: 16 },
      slots: new Map([['w', { arena: 'w', offset: 0, shape: [4, 4] }]]),
    });
    const g = new GraphBuilder();
    const w = g.state('w', [4, 4]);
    g.output('y', g.matmul(g.input('x', 'float32', [1, 4]), w));
    const reading = await engine.compile(g.build(), { label: 'read', state });
    const doubling = new GraphBuilder();
    doubling.update('w', doubling.mul(doubling.state('w', [4, 4]), doubling.scalar(2)));
    const writing = await engine.compile(doubling.build(), { label: 'double', state });
    const feeds = { x: { dtype: 'float32', shape: [1, 4], data: Float32Array.of(1, 1, 0, 0) } } as const;
    const y = async () => [...(await reading.run(feeds)).y.data];
    expect(await y()).toEqual([0, 0, 0, 0]);
    await state.write('w', new Float32Array(16).fill(1.5));
    expect(await y()).toEqual([3, 3, 3, 3]);
    await writing.run({});
    expect(await y()).toEqual([6, 6, 6, 6]);
  });

  test('plans anew for each size, also when more are asked for than it keeps', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n', 2]);
    g.output('y', g.reduceSum(g.matmul(x, x, { transposeB: true })));
    const program = await engine.compile(g.build(), { label: 'sizes' });
    for (const round of [0, 1]) {
      for (let n = 1; n <= 40; n++) {
        const { y } = await program.run({
          x: { dtype: 'float32', shape: [n, 2], data: new Float32Array(2 * n).fill(1) },
        });
        // Each of n² products of rows of two ones is 2.
        expect(y.data[0], `round ${round}, ${n} rows`).toBe(2 * n * n);
      }
    }
    await program.release();
  });

  test('has a plan for each set of shapes, and refuses those that do not fit each other also after ones that did', async () => {
    const g = new GraphBuilder();
    const [a, b, c] = (['a', 'b', 'c'] as const).map((name) => g.input(name, 'float32', [name === 'a' ? 'n' : 'm']));
    g.output('sums', g.add(g.reduceSum(a), g.reduceSum(g.mul(b, c))));
    const program = await engine.compile(g.build(), { label: 'shapes' });
    const ones = (length: number) => vector(new Float32Array(length).fill(1));
    const sums = async (n: number, m: number, last = m) =>
      (await program.run({ a: ones(n), b: ones(m), c: ones(last) })).sums.data[0];
    for (const [n, m] of [
      [1, 23],
      [12, 3],
      [3, 12],
      [1, 23],
    ]) {
      expect(await sums(n, m)).toBe(n + m);
    }
    await expect(sums(3, 12, 23)).rejects.toThrow(/"c" is float32\[23\]/);
    expect(await sums(3, 12)).toBe(15);
    await program.release();
  });

  test('gives the same bits in every run of a number of threads', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [300, 200]);
    g.output('y', g.softmax(g.matmul(g.gelu(g.matmul(x, x, { transposeA: true })), x, { transposeB: true })));
    const program = await engine.compile(g.build(), { label: 'repeat' });
    const data = Float32Array.from({ length: 60_000 }, (_, i) => Math.sin(i) / 9);
    const feeds = { x: { dtype: 'float32', shape: [300, 200], data } } as const;
    // As bytes: comparing so many elements one by one would take minutes.
    const bitsOf = ({ y }: Tensors) => Buffer.from(y.data.buffer).toString('base64');
    const run = async () => bitsOf(await program.run(feeds));
    const first = await run();
    for (let i = 0; i < 10; i++) expect((await run()) === first).toBe(true);
    const again = await createOneDnnEngine({ threads: 2, precision: 'bf16' });
    const other = await again.compile(g.build(), { label: 'repeat' });
    expect(bitsOf(await other.run(feeds)) === first).toBe(true);
    await again.close();
  });
});

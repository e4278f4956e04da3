/** What the engines in worker threads have in common: they leave the caller's thread alone, and end well. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { workerUrl } from '../../files/workerUrl.js';
import { GraphBuilder } from '../../graph/graph.js';
import type { Engine, EngineOptions, Tensor } from '../engine.js';
import { createOneDnnEngine } from '../onednn/engine.node.js';
import { createNodeEngine } from '../onnxruntime/nodeEngine.node.js';
import { oneDnnMissing } from '../testEngines.js';

/** Times that a process is seen to end well; PLEIAD_EXITS sets more. */
const EXITS = Number(process.env.PLEIAD_EXITS ?? 5);

interface WorkerEngine {
  readonly name: string;
  readonly create: (options?: EngineOptions) => Promise<Engine>;
  /** Compiled module and function, for a process of its own. */
  readonly module: string;
  readonly function: string;
  /** Part of the name of products in a profile. */
  readonly product: RegExp;
}

const engines: WorkerEngine[] = [
  {
    name: 'onnxruntime-node',
    create: createNodeEngine,
    module: '../onnxruntime/nodeEngine.node.js',
    function: 'createNodeEngine',
    product: /^Gemm$/,
  },
];
if (!oneDnnMissing) {
  engines.push({
    name: 'onednn',
    create: createOneDnnEngine,
    module: '../onednn/engine.node.js',
    function: 'createOneDnnEngine',
    product: /^matmul \(/,
  });
}

function squareProduct(size: number) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [size, size]);
  let y = x;
  for (let i = 0; i < 4; i++) y = g.matmul(y, x);
  g.output('y', g.reduceMax(y, [0, 1]));
  const feeds: { x: Tensor } = { x: { dtype: 'float32', shape: [size, size], data: new Float32Array(size * size) } };
  return { graph: g.build(), feeds };
}

describe.each(engines)('$name', ({ create, module, function: createName, product }) => {
  /** Runs a script in a process of its own, with the compiled engine at hand as `create`. */
  function runScript(body: string) {
    const script = `
      const { ${createName}: create } = await import(${JSON.stringify(workerUrl(module, import.meta.url).href)});
      const { GraphBuilder } = await import(${JSON.stringify(workerUrl('../../graph/graph.js', import.meta.url).href)});
      ${body}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 30_000 });
  }

  test('the event loop turns while it computes', async () => {
    const engine = await create({ threads: 1 });
    const { graph, feeds } = squareProduct(1024);
    const program = await engine.compile(graph, { label: 'product' });
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await program.run(feeds);
    running = false;
    await engine.close();
    expect(turns).toBeGreaterThan(20);
  });

  test('closing rejects what is under way, however far it is, and what comes later', async () => {
    const engine = await create({ threads: 1 });
    const { graph, feeds } = squareProduct(1024);
    const program = await engine.compile(graph, { label: 'product' });
    const running = [program.run(feeds), program.run(feeds)].map((run) =>
      expect(run).rejects.toThrow('the engine is closed'),
    );
    // Well inside the first product: the thread must not be ended while the runtime computes.
    await new Promise((resolve) => setTimeout(resolve, 15));
    await engine.close();
    await Promise.all(running);
    await engine.close();
    await expect(program.run(feeds)).rejects.toThrow('the engine is closed');
  });

  test('a profile tells milliseconds by op kind, once', async () => {
    const engine = await create({ threads: 1 });
    const { graph, feeds } = squareProduct(64);
    const program = await engine.compile(graph, { label: 'product', profile: true });
    await program.run(feeds);
    const elapsedMs = await program.profile!();
    const products = Object.entries(elapsedMs).filter(([name]) => product.test(name));
    expect(products.length, Object.keys(elapsedMs).join()).toBe(1);
    expect(products[0][1]).toBeGreaterThan(0);
    await expect(program.profile!()).rejects.toThrow('its profile has ended');
    const plain = await engine.compile(graph, { label: 'product' });
    expect(plain.profile).toBeUndefined();
    await engine.close();
  });

  test('a number of threads below one is refused', async () => {
    await expect(create({ threads: 0 })).rejects.toThrow('threads is 0');
  });

  test('rows of equal ids are all added, alike in every run of several threads', async () => {
    const engine = await create({ threads: 4 });
    const g = new GraphBuilder();
    const [count, rows, width] = [4096, 3, 128];
    g.output('sums', g.scatterAddRows(g.input('ids', 'int32', ['n']), g.input('rows', 'float32', ['n', width]), rows));
    const program = await engine.compile(g.build(), { label: 'scatter' });
    // Multiples of ½ add up exactly, in any order.
    const feeds = {
      ids: { dtype: 'int32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => (i * 7) % rows) },
      rows: {
        dtype: 'float32',
        shape: [count, width],
        data: Float32Array.from({ length: count * width }, (_, i) => (i % 5) / 2),
      },
    } as const;
    const expected = new Float32Array(rows * width);
    feeds.rows.data.forEach((value, i) => {
      expected[feeds.ids.data[Math.floor(i / width)] * width + (i % width)] += value;
    });
    for (let round = 0; round < 20; round++) expect((await program.run(feeds)).sums.data).toEqual(expected);
    await engine.close();
  });

  test('a view of a larger buffer is fed as the view alone, and the caller keeps it', async () => {
    const engine = await create({ threads: 1 });
    const g = new GraphBuilder();
    g.output('y', g.neg(g.input('x', 'float32', [2])));
    const program = await engine.compile(g.build(), { label: 'view' });
    const whole = Float32Array.of(1, 2, 3, 4);
    const { y } = await program.run({ x: { dtype: 'float32', shape: [2], data: whole.subarray(1, 3) } });
    expect([...y.data]).toEqual([-2, -3]);
    expect([...whole]).toEqual([1, 2, 3, 4]);
    await engine.close();
  });

  test('state of another engine is refused', async () => {
    const [engine, other] = [await create({ threads: 1 }), await create({ threads: 1 })];
    const state = await other.createState({ arenas: { w: 1 }, slots: new Map() });
    const g = new GraphBuilder();
    g.output('y', g.neg(g.state('w', [1])));
    await expect(engine.compile(g.build(), { label: 'foreign', state })).rejects.toThrow('belongs to another engine');
    await engine.close();
    await other.close();
  });

  test('a process with an idle, open engine ends by itself', () => {
    const result = runScript(`await create(); console.log('open');`);
    expect(result).toMatchObject({ status: 0, stdout: 'open\n' });
  });

  test(
    `a process that has computed with two threads ends well, ${EXITS} times of ${EXITS}, the engine closed or open`,
    () => {
      for (let i = 0; i < EXITS; i++) {
        const result = runScript(`
        const engine = await create({ threads: 2 });
        const g = new GraphBuilder();
        const x = g.input('x', 'float32', [256, 256]);
        g.output('y', g.gelu(g.matmul(x, x)));
        const program = await engine.compile(g.build(), { label: 'product' });
        await program.run({ x: { dtype: 'float32', shape: [256, 256], data: new Float32Array(256 * 256) } });
        ${i % 2 ? 'await engine.close();' : ''}
        console.log('computed');`);
        expect(result).toMatchObject({ status: 0, signal: null, stdout: 'computed\n', stderr: '' });
      }
    },
    60_000 + EXITS * 2_000,
  );

  test('a process that exits while the engine computes has the exit code it chose', () => {
    const result = runScript(`
      const engine = await create({ threads: 1 });
      const g = new GraphBuilder();
      const x = g.input('x', 'float32', [1024, 1024]);
      let y = x;
      for (let i = 0; i < 8; i++) y = g.matmul(y, x);
      g.output('y', y);
      const program = await engine.compile(g.build(), { label: 'product' });
      program.run({ x: { dtype: 'float32', shape: [1024, 1024], data: new Float32Array(1024 * 1024) } });
      setTimeout(() => process.exit(130), 20);`);
    expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 130, stderr: '' });
  });
});

test('a worker script of a source file is its compiled twin', () => {
  const source = workerUrl('./nodeWorker.js', 'file:///home/src/pleiad/src/engine/onnxruntime/nodeEngine.node.ts');
  expect(source.href).toBe('file:///home/src/pleiad/dist/src/engine/onnxruntime/nodeWorker.js');
  const compiled = workerUrl('./nodeWorker.js', 'file:///pleiad/dist/src/engine/onnxruntime/nodeEngine.js');
  expect(compiled.href).toBe('file:///pleiad/dist/src/engine/onnxruntime/nodeWorker.js');
});

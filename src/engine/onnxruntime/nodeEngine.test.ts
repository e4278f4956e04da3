import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/graph.js';
import { workerUrl } from '../../workerUrl.js';
import type { Tensor } from '../engine.js';
import { createNodeEngine } from './nodeEngine.js';

function squareProduct(size: number) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [size, size]);
  let y = x;
  for (let i = 0; i < 4; i++) y = g.matmul(y, x);
  g.output('y', g.reduceMax(y, [0, 1]));
  const feeds: { x: Tensor } = { x: { dtype: 'float32', shape: [size, size], data: new Float32Array(size * size) } };
  return { graph: g.build(), feeds };
}

test('the event loop turns while the engine computes', async () => {
  const engine = await createNodeEngine({ threads: 1 });
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

test('closing rejects what is under way and what comes later', async () => {
  const engine = await createNodeEngine({ threads: 1 });
  const { graph, feeds } = squareProduct(1024);
  const program = await engine.compile(graph, { label: 'product' });
  const running = expect(program.run(feeds)).rejects.toThrow('the engine is closed');
  await engine.close();
  await running;
  await expect(program.run(feeds)).rejects.toThrow('the engine is closed');
});

test('a profile tells milliseconds by op kind, once', async () => {
  const engine = await createNodeEngine({ threads: 1 });
  const { graph, feeds } = squareProduct(64);
  const program = await engine.compile(graph, { label: 'product', profile: true });
  await program.run(feeds);
  const elapsedMs = await program.profile!();
  expect(elapsedMs.Gemm).toBeGreaterThan(0);
  await expect(program.profile!()).rejects.toThrow('its profile has ended');
  const plain = await engine.compile(graph, { label: 'product' });
  expect(plain.profile).toBeUndefined();
  await engine.close();
});

test('a device whose provider does not load is an error with advice', async () => {
  if (process.env.CUDA_PATH ?? process.env.CUDA_HOME) return;
  await expect(createNodeEngine({ device: 'cuda' })).rejects.toThrow(/device "cuda".*--device cpu/s);
});

test('a number of threads below one is refused', async () => {
  await expect(createNodeEngine({ threads: 0 })).rejects.toThrow('threads is 0');
});

test('a view of a larger buffer is fed as the view alone, and the caller keeps it', async () => {
  const engine = await createNodeEngine({ threads: 1 });
  const g = new GraphBuilder();
  g.output('y', g.neg(g.input('x', 'float32', [2])));
  const program = await engine.compile(g.build(), { label: 'view' });
  const whole = Float32Array.of(1, 2, 3, 4);
  const { y } = await program.run({ x: { dtype: 'float32', shape: [2], data: whole.subarray(1, 3) } });
  expect([...y.data]).toEqual([-2, -3]);
  expect([...whole]).toEqual([1, 2, 3, 4]);
  await engine.close();
});

test('a process with an idle, open engine ends by itself', () => {
  const module = workerUrl('./nodeEngine.js', import.meta.url).href;
  const script = `const { createNodeEngine } = await import(${JSON.stringify(module)}); await createNodeEngine(); console.log('open');`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 30_000,
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  expect(result).toMatchObject({ status: 0, stdout: 'open\n' });
});

test('a worker script of a source file is its compiled twin', () => {
  const source = workerUrl('./nodeWorker.js', 'file:///home/src/pleiad/src/engine/onnxruntime/nodeEngine.ts');
  expect(source.href).toBe('file:///home/src/pleiad/dist/src/engine/onnxruntime/nodeWorker.js');
  const compiled = workerUrl('./nodeWorker.js', 'file:///pleiad/dist/src/engine/onnxruntime/nodeEngine.js');
  expect(compiled.href).toBe('file:///pleiad/dist/src/engine/onnxruntime/nodeWorker.js');
});

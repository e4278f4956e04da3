/** Compared in Node, on the tab's own engine in place of both. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { createWebEngine } from '../../../src/engine/onnxruntime/webEngine.js';
import { compareEngines } from './compareEngines.js';

/** As few runs as there may be. */
const BUDGET = { sentence: 0, step: 0 };

/** An engine whose sentences come out a little wrong. */
function wrong(engine: Engine): Engine {
  return {
    name: engine.name,
    description: engine.description,
    createState: (layout) => engine.createState(layout),
    async compile(graph, options) {
      const program = await engine.compile(graph, options);
      if (options.label !== 'comparison') return program;
      return {
        async run(feeds) {
          const found = await program.run(feeds);
          for (const { data } of Object.values(found)) (data as Float32Array)[3] += 0.01;
          return found;
        },
        runOverArenas: (ranges, chunk) => program.runOverArenas(ranges, chunk),
        release: () => program.release(),
      };
    },
    close: () => engine.close(),
  };
}

const broken = (engine: Engine): Engine => ({
  ...wrong(engine),
  compile: () => Promise.reject(new Error('out of memory')),
});

describe('the comparison of engines', { timeout: 240_000 }, () => {
  it('times a sentence and a step on each, and sees that both find the same', async () => {
    const [one, other] = [await createWebEngine(), await createWebEngine()];
    const { wasm, webgpu, agrees } = await compareEngines(one, other, BUDGET);
    expect(agrees).toBe(true);
    // A step is sixteen rows forth and back, a sentence one row forth.
    for (const times of [wasm, webgpu!]) expect(times.step).toBeGreaterThan(times.sentence);
  });

  it('sees an engine that is wrong, and one that fails', async () => {
    const engine = await createWebEngine();
    expect(await compareEngines(engine, wrong(engine), BUDGET)).toMatchObject({ agrees: false });
    const { webgpu, agrees } = await compareEngines(engine, broken(engine), BUDGET);
    expect([webgpu, agrees]).toEqual([undefined, false]);
  });
});

import { describe, expect, it } from 'vitest';
import type { CompileOptions, Engine } from '../src/engine/engine.js';
import { createInterpreterEngine } from '../src/engine/interpreterEngine.js';
import type { Graph } from '../src/graph/graph.js';
import { graphFlops, matrixProducts } from '../src/models/flops.js';
import { createProductCeiling } from './productCeiling.js';

/** Notes what is compiled and run; computes nothing. */
function recordingEngine(): {
  engine: Engine;
  compiled: { graph: Graph; options: CompileOptions }[];
  runs: () => number;
} {
  const compiled: { graph: Graph; options: CompileOptions }[] = [];
  let runs = 0;
  const engine: Engine = {
    ...createInterpreterEngine(),
    compile: async (graph, options) => {
      compiled.push({ graph, options });
      const run = async () => {
        runs++;
        return {};
      };
      return { run, runOverArenas: async () => ({}), release: async () => {} };
    },
  };
  return { engine, compiled, runs: () => runs };
}

describe('createProductCeiling', () => {
  const product = { batch: 4, m: 100, k: 50, n: 200, transposeA: true, transposeB: false, count: 3 };

  it('repeats each product as one graph of at least 2 GFLOP in which none is left out as equal to another', async () => {
    const { engine, compiled } = recordingEngine();
    await createProductCeiling(engine, [product, { ...product, batch: 1, transposeA: false, transposeB: true }]);
    const [batched, plain] = compiled.map(({ graph }) => matrixProducts(graph, new Map()));
    // One product of 4·100·50·200 is 8 MFLOP, one of 100·50·200 is 2 MFLOP.
    expect(batched).toEqual([{ ...product, count: 250 }]);
    expect(plain).toEqual([{ ...product, batch: 1, transposeA: false, transposeB: true, count: 1000 }]);
    expect(graphFlops(compiled[0].graph, new Map())).toBe(2e9);
  });

  it('warms up once and then runs each kind once a measurement', async () => {
    const { engine, runs } = recordingEngine();
    const ceiling = await createProductCeiling(engine, [product]);
    expect(runs()).toBe(1);
    expect(await ceiling.measure()).toBeGreaterThan(0);
    expect(runs()).toBe(2);
  });

  it('fills operands, so that no engine gains by zeros', async () => {
    const { engine, compiled } = recordingEngine();
    await createProductCeiling(engine, [{ ...product, batch: 1 }]);
    const operands = await compiled[0].options.state!.read('lefts', 0, 500);
    expect(new Set(operands).size).toBe(500);
  });
});

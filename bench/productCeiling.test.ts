import { describe, expect, it } from 'vitest';
import type { CompileOptions, Engine, Tensors } from '../src/engine/engine.js';
import { createInterpreterEngine } from '../src/engine/interpreterEngine.js';
import type { Graph } from '../src/graph/graph.js';
import { type MatrixProduct, matrixProducts } from '../src/models/flops.js';
import { createProductCeiling } from './productCeiling.js';

/** Notes what is compiled and run; computes nothing, but lets time pass by its clock: `msPerRun` of each program in turn. */
function recordingEngine(msPerRun: readonly number[] = []) {
  let clock = 0;
  const compiled: { graph: Graph; options: CompileOptions; runs: number }[] = [];
  const engine: Engine = {
    ...createInterpreterEngine(),
    compile: async (graph, options) => {
      const record = { graph, options, runs: 0 };
      const ms = msPerRun[compiled.length] ?? 1;
      compiled.push(record);
      const run = async (): Promise<Tensors> => {
        record.runs++;
        clock += ms;
        return {};
      };
      return { run, runOverArenas: async () => ({}), release: async () => {} };
    },
  };
  return { engine, compiled, now: () => clock };
}

/** No size in these graphs is a name. */
const sizes = new Map<string, number>();

describe('createProductCeiling', () => {
  // 2·4·500·250·1000 = 1 GFLOP each, so 4 of them make a measurement.
  const batched: MatrixProduct = {
    batch: 4,
    m: 500,
    k: 250,
    n: 1000,
    transposeA: true,
    transposeB: false,
    count: 3,
  };
  const plain: MatrixProduct = { ...batched, batch: 1, transposeA: false, transposeB: true };

  it('computes each product at least 4 GFLOP worth, transposed as in the training graph, none left out as equal', async () => {
    const { engine, compiled } = recordingEngine();
    await createProductCeiling(engine, [batched, plain]);
    const [first, second] = compiled.map(({ graph }) => matrixProducts(graph, sizes));
    expect(first).toEqual([{ ...batched, count: 4 }]);
    expect(second).toEqual([{ ...plain, count: 16 }]);
  });

  it('runs a program of small products several times a measurement, after a warm-up', async () => {
    const { engine, compiled, now } = recordingEngine();
    // 2·100·100·100 = 2 MFLOP: 2000 products, 48 in a program.
    const small: MatrixProduct = { ...plain, m: 100, k: 100, n: 100 };
    const ceiling = await createProductCeiling(engine, [small], now);
    expect(matrixProducts(compiled[0].graph, sizes)).toEqual([{ ...small, count: 48 }]);
    expect(compiled[0].runs).toBe(1);
    // 42 calls of 1 ms for 42·48 products of 2 MFLOP.
    expect(await ceiling.measure()).toBeCloseTo((48 * 2e6) / 1e6, 6);
    expect(compiled[0].runs).toBe(1 + 42);
  });

  it('returns one value a product, since results that leave the engine are copied', async () => {
    const { engine, compiled } = recordingEngine();
    await createProductCeiling(engine, [batched]);
    const { graph } = compiled[0];
    expect([...graph.outputs].map(([name, node]) => [name, node.shape])).toEqual([['kept', [4]]]);
    expect(graph.updates.size).toBe(0);
  });

  it('gives each product operands of its own, which share no memory and are not zero', async () => {
    const { engine, compiled } = recordingEngine();
    await createProductCeiling(engine, [plain]);
    const state = compiled[0].options.state!;
    const ranges = [...state.layout.slots.values()]
      .map(({ offset, shape }): [number, number] => [offset, offset + shape.reduce((a, b) => a * b, 1)])
      .sort(([a], [b]) => a - b);
    expect(ranges).toHaveLength(2 * 16);
    for (let i = 1; i < ranges.length; i++) expect(ranges[i][0]).toBeGreaterThanOrEqual(ranges[i - 1][1]);
    const values = await state.read('operands', ...ranges.at(-1)!);
    expect(new Set(values.slice(0, 500)).size).toBe(500);
  });

  it('weighs products by their work', async () => {
    const slow: MatrixProduct = { ...plain, count: 1 };
    const fast: MatrixProduct = { ...plain, n: 2000, count: 5 };
    const { engine, now } = recordingEngine([30, 10]);
    const gflops = await (await createProductCeiling(engine, [slow, fast], now)).measure();
    // slow is 0.25 GFLOP, 16 of them in one call of 30 ms; fast is 0.5 GFLOP, 8 of them in one call of 10 ms.
    expect(gflops).toBeCloseTo((1 * 0.25 + 5 * 0.5) / ((1 * 0.03) / 16 + (5 * 0.01) / 8), 6);
  });
});

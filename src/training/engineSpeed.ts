/** How fast an engine is in plain matrix products: a look of a tenth of a second, as the start of an estimate. */
import type { Engine, Tensor, Tensors } from '../engine/engine.js';
import { GraphBuilder } from '../graph/graph.js';
import { median } from './median.js';

/** Shapes of a small encoder's feed-forward: [512, 128] · [128, 512] and back. */
const ROWS = 512;
const WIDTH = 128;
const INNER = 512;
const FEW_PAIRS = 1;
const MANY_PAIRS = 8;
/** An engine that needs longer than this for few products is timed by those: a reference in plain loops. */
const SLOW_MS = 20;
const RUNS = 7;
/** On a busy machine fewer runs must do. */
const MOST_MS = 150;

/** @returns floating-point operations a second, as they are on this machine at this moment */
export async function engineFlops(engine: Engine, now: () => number = () => performance.now()): Promise<number> {
  const few = await timed(engine, FEW_PAIRS, 2, now);
  if (few.ms > SLOW_MS) return few.flops / (few.ms / 1000);
  const many = await timed(engine, MANY_PAIRS, RUNS, now);
  return many.flops / (many.ms / 1000);
}

async function timed(engine: Engine, pairs: number, runs: number, now: () => number) {
  const program = await engine.compile(products(pairs), { label: 'speed' });
  try {
    const durations: number[] = [];
    const begunAt = now();
    for (let run = 0; run <= runs; run++) {
      const startedAt = now();
      await program.run(FEEDS);
      if (run > 0) durations.push(now() - startedAt); // the first run warms up
      if (run > 0 && now() - begunAt > MOST_MS) break;
    }
    return { flops: pairs * 4 * ROWS * WIDTH * INNER, ms: Math.max(1e-3, median(durations)) };
  } finally {
    await program.release();
  }
}

function products(pairs: number) {
  const g = new GraphBuilder();
  const wide = g.input('wide', 'float32', [INNER, WIDTH]);
  const narrow = g.input('narrow', 'float32', [WIDTH, INNER]);
  let x = g.input('x', 'float32', [ROWS, WIDTH]);
  for (let pair = 0; pair < pairs; pair++) {
    x = g.matmul(g.matmul(x, wide, { transposeB: true }), narrow, { transposeB: true });
  }
  g.output('sum', g.reduceSum(x));
  return g.build();
}

const filled = (rows: number, columns: number): Tensor => ({
  dtype: 'float32',
  shape: [rows, columns],
  data: new Float32Array(rows * columns).fill(0.01),
});
const FEEDS: Tensors = { wide: filled(INNER, WIDTH), narrow: filled(WIDTH, INNER), x: filled(ROWS, WIDTH) };

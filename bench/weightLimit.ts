/**
 * The least time that a call of a model can take: each weight of its products must come from memory once. Measured by
 * having the engine add up a buffer of that size, which reads it and does little else.
 */
import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { Precision } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/engineNames.js';
import { elementCount } from '../src/graph/dimensions.js';
import { GraphBuilder } from '../src/graph/graph.js';
import { rounded } from './report.js';

export interface WeightLimit {
  readonly precision: Precision;
  /** Bytes that a call reads: all weights but the tables of embeddings, of which it reads a few rows. */
  readonly megabytes: number;
  readonly gigabytesPerSecond: number;
  /** Milliseconds of reading them once. */
  readonly ms: number;
}

const BYTES: Readonly<Record<Precision, number>> = { fp32: 4, bf16: 2 };
/** The sum goes by so many rows of whole vectors. */
const MULTIPLE = 64 * 16;
const RUNS = 40;

/**
 * Bytes of the weights that a call reads: matrices in the precision of products, vectors in float32.
 * @param shapes  of a model's tensors by published name
 */
export function bytesRead(shapes: ReadonlyMap<string, readonly number[]>, precision: Precision): number {
  let bytes = 0;
  for (const [name, shape] of shapes) {
    if (/\.\w+_embeddings\.weight$/.test(name)) continue;
    bytes += elementCount(shape) * (shape.length > 1 ? BYTES[precision] : BYTES.fp32);
  }
  return bytes;
}

export async function weightLimit(
  shapes: ReadonlyMap<string, readonly number[]>,
  precision: Precision,
  { engine: name, threads }: { readonly engine: EngineName; readonly threads: number },
): Promise<WeightLimit> {
  const bytes = bytesRead(shapes, precision);
  const length = MULTIPLE * Math.ceil(bytes / Float32Array.BYTES_PER_ELEMENT / MULTIPLE);
  const engine = await createEngine({ engine: name, precision: 'fp32', threads });
  try {
    const g = new GraphBuilder();
    g.output('sum', g.reduceSum(g.state('weights', [length])));
    const weights = new Map([['weights', new Float32Array(length).fill(1)]]);
    const compiled = () => engine.compile(g.build(), { label: 'reading', weights, profile: true });
    // The first program warms up; a profile adds up all runs of its own.
    let ms = 0;
    for (let round = 0; round < 2; round++) {
      const program = await compiled();
      for (let run = 0; run < RUNS; run++) await program.run({});
      ms = Object.values(await program.profile!()).reduce((sum, each) => sum + each, 0) / RUNS;
      await program.release();
    }
    return {
      precision,
      megabytes: rounded(bytes / 1e6),
      gigabytesPerSecond: rounded((4 * length) / ms / 1e6),
      ms: rounded((ms * bytes) / (4 * length)),
    };
  } finally {
    await engine.close();
  }
}

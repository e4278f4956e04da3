/** Whether bf16 products pay on this processor: asked of the processor by running one. */

import type { Precision } from '../engine.js';
import { Executable } from './executable.js';
import type { OneDnnSession } from './library/session.js';
import { allocate } from './memory.js';
import { scratch } from './plan/values.js';

/**
 * bf16 must make a product at least this much faster, for it costs casts and half of the digits. Measured on products of
 * ELECTRA-small: 4× with AMX, 2.0× with AVX512_BF16 on Zen 4, 0.7× with AVX512_BF16 on Sapphire Rapids, and 0.25× where
 * it is emulated.
 */
const LEAST_GAIN = 1.3;
/** A feed-forward product of a small model: long enough to time, short enough not to be noticed. */
const [ROWS, INNER, COLUMNS] = [256, 256, 1024];
const ROUNDS = 7;

export function choosePrecision(session: OneDnnSession): Precision {
  if (!hasBf16(session)) return 'fp32';
  return productMs(session, 'f32') / productMs(session, 'bf16') >= LEAST_GAIN ? 'bf16' : 'fp32';
}

/** Whether the library has bf16 products for this processor: loops in their place would take hours. */
export function hasBf16(session: OneDnnSession): boolean {
  try {
    session.build(product('bf16').primitive);
    return true;
  } catch {
    return false;
  }
}

function product(type: 'f32' | 'bf16') {
  const [src, weights, dst] = [
    scratch(type, [ROWS, INNER]),
    scratch(type, [INNER, COLUMNS]),
    scratch(type, [ROWS, COLUMNS]),
  ];
  return { src, weights, dst, primitive: { kind: 'matmul', src, weights, dst, postOps: [] } } as const;
}

/** The shortest of several runs: what else the machine does only makes a run longer. */
function productMs(session: OneDnnSession, type: 'f32' | 'bf16'): number {
  const { src, weights, dst, primitive } = product(type);
  session.build(primitive);
  const inputs = [src, weights].map((view, i) => ({ name: String(i), view }));
  const executable = new Executable(
    {
      steps: [{ kind: 'primitive', op: 'probe', primitive }],
      inputs,
      outputs: [{ name: 'product', view: dst, dtype: 'float32' }],
      updates: [],
      shadows: [],
      aliases: new Map(),
    },
    {
      session,
      warn: () => {},
      place: () => {
        throw new Error('a product of scratch memory');
      },
    },
  );
  executable.bind(allocate(executable.layout.bytes, (buffer) => session.library.addressOf(buffer)));
  let shortest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    executable.run();
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  executable.release();
  return shortest;
}

/** Starting values of parameters: each has a random stream of its own, so adding a parameter changes no other. */
import { elementCount } from '../graph/dimensions.js';
import { RandomStream } from '../random/philox.js';
import type { ParameterSpec } from './parameters.js';

/** 32-bit FNV-1a of the UTF-8 bytes of a name (Fowler, Noll, Vo), from a given start. */
function hashName(name: string, start: number): number {
  let hash = start;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function truncatedNormal(stream: RandomStream): number {
  for (;;) {
    const value = stream.normal();
    if (Math.abs(value) <= 2) return value;
  }
}

/** √(6 / (fan in + fan out)): Glorot and Bengio 2010, equation 16. */
function glorotLimit(shape: readonly number[]): number {
  const fanOut = shape[0];
  const fanIn = elementCount(shape.slice(1));
  return Math.sqrt(6 / (fanIn + fanOut));
}

/**
 * The starting values of one parameter, a pure function of (seed, name).
 * @param initializerRange  standard deviation of the normal distributions before they are cut
 * @returns                 float32, row-major
 */
export function initializeParameter(
  { name, shape, initializer }: ParameterSpec,
  { seed, initializerRange }: { seed: number; initializerRange: number },
): Float32Array {
  if (typeof initializer === 'function') return initializer(shape);
  const values = new Float32Array(elementCount(shape));
  if (initializer === 'zeros') return values;
  if (initializer === 'ones') return values.fill(1);
  // Two hashes make 64 bits: among thousands of names no two share a stream.
  const stream = new RandomStream(seed, 'initialization', hashName(name, 0x811c9dc5), hashName(name, 0x01234567));
  const limit = initializer === 'glorotUniform' ? glorotLimit(shape) : 0;
  const deviation = typeof initializer === 'object' ? initializer.deviation : initializerRange;
  const draw = {
    glorotUniform: () => limit * (2 * stream.uniform() - 1),
    normal: () => deviation * stream.normal(),
    truncatedNormal: () => deviation * truncatedNormal(stream),
  }[typeof initializer === 'object' ? 'truncatedNormal' : initializer];
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

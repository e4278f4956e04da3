/** What a program reads and writes, and the checks that every driver makes of its feeds. Plain data, fit for a message. */
import { type Dim, elementCount, factorsOf, formatShape, type Shape } from '../graph/dimensions.js';
import type { DType } from '../graph/ops.js';
import type { ArenaRange, Tensor, Tensors } from './engine.js';
import { EngineError } from './engineError.js';

export interface SignatureValue {
  readonly name: string;
  readonly type: DType;
  readonly shape: Shape;
}

export interface ProgramSignature {
  readonly label: string;
  readonly inputs: readonly SignatureValue[];
  /** State that is read or written; weights are none. */
  readonly states: readonly SignatureValue[];
}

/**
 * Checks that every input is fed, with its dtype and shape, and that each named size is one number throughout.
 * @returns the named sizes that the inputs tell
 * @throws EngineError for the first input that does not fit
 */
export function checkFeeds(
  { label, inputs }: Pick<ProgramSignature, 'label' | 'inputs'>,
  feeds: Tensors,
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, type, shape } of inputs) {
    const feed = feeds[name];
    const expected = `${type}${formatShape(shape)}`;
    const problem = !feed
      ? `is not fed, expected ${expected}`
      : feed.dtype !== type || !fits(feed, shape, sizes)
        ? `is ${feed.dtype}${formatShape(feed.shape)} with ${feed.data.length} values, expected ${expected}${formatSizes(sizes)}`
        : undefined;
    if (problem)
      throw new EngineError(`program "${label}": input "${name}" ${problem}`, {
        subject: name,
        found: feed?.shape,
        expected,
      });
  }
  return sizes;
}

function fits(feed: Tensor, shape: readonly Dim[], sizes: Map<string, number>): boolean {
  if (feed.shape.length !== shape.length) return false;
  if (elementCount(feed.shape) !== feed.data.length) return false;
  return shape.every((dim, axis) => {
    const { coefficient, names } = factorsOf(dim);
    const unknown = names.filter((name) => !sizes.has(name));
    const known = names.reduce((product, name) => product * (sizes.get(name) ?? 1), coefficient);
    if (unknown.length > 1) return true;
    if (unknown.length === 0) return feed.shape[axis] === known;
    sizes.set(unknown[0], feed.shape[axis] / known);
    return Number.isInteger(feed.shape[axis] / known);
  });
}

function formatSizes(sizes: ReadonlyMap<string, number>): string {
  return sizes.size === 0 ? '' : ` where ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')}`;
}

/** Names the program and the shapes of its feeds in an error of the runtime. */
export function runError({ label, inputs }: ProgramSignature, feeds: Tensors, cause: unknown): EngineError {
  const shapes = inputs.map(({ name }) => `${name} ${formatShape(feeds[name].shape)}`).join(', ');
  return new EngineError(`program "${label}" failed on ${shapes || 'no inputs'}: ${(cause as Error).message}`, {
    subject: label,
    cause,
  });
}

/** Scalar outputs of one piece of the arenas, by name. */
type RunPiece = (range: { start: number; end: number }, feeds: Tensors) => Promise<Record<string, number>>;

/**
 * Cuts ranges into pieces of at most `chunk` elements, runs them in order and sums their scalar outputs in float64.
 * @param outputs  names of the outputs, which are 0 where there is nothing to run over
 */
export async function sumOverPieces(
  { label, outputs }: { label: string; outputs: Iterable<string> },
  ranges: readonly ArenaRange[],
  chunk: number,
  runPiece: RunPiece,
): Promise<Record<string, number>> {
  if (!(Number.isInteger(chunk) && chunk > 0))
    throw new EngineError(`program "${label}": a chunk of ${chunk} elements`, { found: chunk });
  const totals: Record<string, number> = Object.fromEntries([...outputs].map((name) => [name, 0]));
  for (const { start, end, feeds } of ranges) {
    for (let from = start; from < end; from += chunk) {
      const values = await runPiece({ start: from, end: Math.min(from + chunk, end) }, feeds);
      for (const [name, value] of Object.entries(values)) totals[name] += value;
    }
  }
  return totals;
}

/**
 * The one value of an output that is summed over pieces.
 * @throws EngineError when it has another number of values
 */
export function scalarOutput(label: string, name: string, shape: readonly number[], data: ArrayLike<unknown>): number {
  if (data.length === 1) return Number(data[0]);
  throw new EngineError(`program "${label}": output "${name}" is ${formatShape(shape)}, expected one value`, {
    subject: name,
    advice: 'Programs that run over arenas return scalars, which are summed over the pieces',
  });
}

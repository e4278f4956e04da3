/**
 * What oneDNN has no kernel for, as loops over the same memory: rows by number, comparisons, sampling, losses at one label
 * a row. Each returns the loop of one step; operands are dense unless strides are given.
 */
import type { Elements, LoopStep } from '../plan/plan.js';
import type { View } from '../plan/values.js';
import { forEachRun, mergeAxes } from './strided.js';

type Run = LoopStep['run'];

/** Writes f of the elements of one, two or three views, stretched to one shape. */
export function elementwise(views: readonly View[], dst: View, f: (...values: number[]) => number): Run {
  const walk = mergeAxes([dst, ...views]);
  return (reads, [out]) => {
    const [a, b, c] = reads;
    forEachRun(walk, (offsets, steps, count) => {
      const [to, fromA, fromB, fromC] = offsets;
      const [step, stepA, stepB, stepC] = steps;
      if (reads.length === 1) {
        for (let i = 0; i < count; i++) out[to + i * step] = f(a[fromA + i * stepA]);
      } else if (reads.length === 2) {
        for (let i = 0; i < count; i++) out[to + i * step] = f(a[fromA + i * stepA], b[fromB + i * stepB]);
      } else {
        for (let i = 0; i < count; i++) {
          out[to + i * step] = f(a[fromA + i * stepA], b[fromB + i * stepB], c[fromC + i * stepC]);
        }
      }
    });
  };
}

/** Copies elements of one type, whatever the strides. */
export function copy(src: View, dst: View): Run {
  const walk = mergeAxes([dst, src]);
  return ([from], [to]) => {
    forEachRun(walk, ([toAt, fromAt], [toStep, fromStep], count) => {
      if (toStep === 1 && fromStep === 1) {
        to.set(from.subarray(fromAt, fromAt + count), toAt);
      } else {
        for (let i = 0; i < count; i++) to[toAt + i * toStep] = from[fromAt + i * fromStep];
      }
    });
  };
}

/** Copies elements to a part of a result that is 0 elsewhere. @param part  of the whole that is written, by its offset */
export function copyIntoZeros(src: View, part: View): Run {
  const write = copy(src, part);
  return (reads, writes) => {
    const [whole] = writes;
    whole.fill(0);
    write(reads, [whole.subarray(part.offset)]);
  };
}

export function fill(value: number): Run {
  return (_reads, [out]) => void out.fill(value);
}

/** Running sums of rows, from the front or the back. */
export function runningSums(width: number, reverse: boolean): Run {
  return ([x], [out]) => {
    for (let row = 0; row < x.length; row += width) {
      let sum = 0;
      for (let i = 0; i < width; i++) {
        const at = reverse ? row + width - 1 - i : row + i;
        sum += x[at];
        out[at] = sum;
      }
    }
  };
}

/** Elements of a row that are summed before the place of a draw is looked for among them. */
const BLOCK = 128;

/** The first index whose running sum reaches u·total: sums of blocks first, then the one block where it is reached. */
export function sampleRows(width: number): Run {
  const blocks = new Float64Array(Math.ceil(width / BLOCK));
  return ([probabilities, uniforms], [out]) => {
    for (let row = 0; row < out.length; row++) {
      const start = row * width;
      const end = start + width;
      let total = 0;
      for (let block = 0, from = start; block < blocks.length; block++, from += BLOCK) {
        blocks[block] = sumOf(probabilities, from, Math.min(end, from + BLOCK));
        total += blocks[block];
      }
      out[row] = reachedAt(probabilities, start, end, blocks, uniforms[row] * total);
    }
  };
}

/** Four sums side by side: one alone would wait for each addition. (Declared by destructuring, they cost four times this.) */
function sumOf(x: Elements, from: number, to: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = from;
  for (; i + 3 < to; i += 4) {
    a += x[i];
    b += x[i + 1];
    c += x[i + 2];
    d += x[i + 3];
  }
  for (; i < to; i++) a += x[i];
  return a + b + (c + d);
}

function reachedAt(p: Elements, start: number, end: number, blocks: Float64Array, threshold: number): number {
  let running = 0;
  let block = 0;
  while (block < blocks.length - 1 && running + blocks[block] < threshold) running += blocks[block++];
  const from = start + block * BLOCK;
  // Rounding may leave the threshold above this block's end: then its last token that can be drawn stands.
  let last = from;
  for (let i = from; i < Math.min(end, from + BLOCK); i++) {
    running += p[i];
    if (running >= threshold) return i - start;
    if (p[i] > 0) last = i;
  }
  return last - start;
}

export function argMax(width: number): Run {
  return ([x], [out]) => {
    for (let row = 0; row < out.length; row++) {
      let best = row * width;
      for (let i = best + 1; i < (row + 1) * width; i++) if (x[i] > x[best]) best = i;
      out[row] = best - row * width;
    }
  };
}

/**
 * Rows of a table by number.
 * @throws Error for a number that is no row: a read outside the table would be silent
 */
export function gatherRows(rows: number, width: number): Run {
  return ([table, ids], [out]) => {
    for (let i = 0; i < ids.length; ) {
      const first = requireRow(ids[i], rows, i);
      // Rows that follow each other are copied at once: where padding is left out, those of a text do.
      let count = 1;
      while (first + count < rows && ids[i + count] === first + count) count++;
      const [from, size] = [first * width, count * width];
      // Below this size copying element by element is faster than making a view.
      if (size < 16) for (let j = 0; j < size; j++) out[i * width + j] = table[from + j];
      else out.set(table.subarray(from, from + size), i * width);
      i += count;
    }
  };
}

/** base + rows of `updates` added at `ids`; a base is copied unless it is the result's own memory. */
export function addRows(rows: number, width: number): Run {
  return (reads, [out]) => {
    const [ids, updates] = reads.slice(-2);
    if (reads.length === 2) out.fill(0);
    else if (reads[0].byteOffset !== out.byteOffset || reads[0].buffer !== out.buffer) out.set(reads[0]);
    for (let i = 0; i < ids.length; i++) {
      const to = requireRow(ids[i], rows, i) * width;
      for (let j = 0, from = i * width; j < width; j++) out[to + j] += updates[from + j];
    }
  };
}

function requireRow(id: number, rows: number, at: number): number {
  if (id >= 0 && id < rows) return id;
  throw new Error(`id ${id} at ${at} is none of the ${rows} rows`);
}

/** Elements written, or added, at positions. */
export function scatter(add: boolean): Run {
  return ([data, positions, updates], [out]) => {
    if (data.byteOffset !== out.byteOffset || data.buffer !== out.buffer) out.set(data);
    for (let i = 0; i < positions.length; i++) {
      const at = requireRow(positions[i], out.length, i);
      out[at] = updates[i] + (add ? out[at] : 0);
    }
  };
}

export function pick(width: number): Run {
  return ([x, ids], [out]) => {
    for (let row = 0; row < out.length; row++) out[row] = x[row * width + requireRow(ids[row], width, row)];
  };
}

export function oneHot(depth: number): Run {
  return ([ids], [out]) => {
    out.fill(0);
    for (let i = 0; i < ids.length; i++) out[i * depth + requireRow(ids[i], depth, i)] = 1;
  };
}

/** Below this a float32 probability has lost digits, so that its logarithm is taken of the logits instead. */
const SMALLEST_PROBABILITY = 1e-30;

/** −log softmax(logits)[label], from the softmax that is needed anyway. Reads logits, probabilities, labels. */
export function crossEntropy(width: number): Run {
  return ([logits, probabilities, labels], [out]) => {
    for (let row = 0; row < out.length; row++) {
      const at = row * width + requireRow(labels[row], width, row);
      const probability = probabilities[at];
      out[row] =
        probability > SMALLEST_PROBABILITY
          ? -Math.log(probability)
          : logSumExp(logits, row * width, (row + 1) * width) - logits[at];
    }
  };
}

function logSumExp(x: Elements, from: number, to: number): number {
  let largest = x[from];
  for (let i = from + 1; i < to; i++) if (x[i] > largest) largest = x[i];
  let total = 0;
  for (let i = from; i < to; i++) total += Math.exp(x[i] - largest);
  return largest + Math.log(total);
}

/** Takes dloss off at each row's label: the −onehot(label)·dloss of cross entropy's derivative. Reads x, labels, dloss. */
export function subtractAtLabels(width: number): Run {
  return ([x, labels, dloss], [out]) => {
    if (x.byteOffset !== out.byteOffset || x.buffer !== out.buffer) out.set(x);
    for (let row = 0; row < labels.length; row++) {
      out[row * width + requireRow(labels[row], width, row)] -= dloss[row];
    }
  };
}

/** Σ or max over any axes: `to` strides of 0 where an axis is reduced. */
export function reduce(src: View, dst: View, algorithm: 'sum' | 'max'): Run {
  const walk = mergeAxes([src, dst]);
  let size = 1;
  for (let axis = 0; axis < dst.shape.length; axis++) if (dst.strides[axis] !== 0) size *= dst.shape[axis];
  const totals = new Float64Array(size);
  return ([x], [out]) => {
    totals.fill(algorithm === 'sum' ? 0 : -Infinity);
    forEachRun(walk, ([from, to], [step, toStep], count) => {
      for (let i = 0; i < count; i++) {
        const value = x[from + i * step];
        const at = to + i * toStep;
        totals[at] = algorithm === 'sum' ? totals[at] + value : Math.max(totals[at], value);
      }
    });
    out.set(totals);
  };
}

/**
 * Limited-memory BFGS for smooth convex functions (Liu & Nocedal 1989; the two-loop recursion is algorithm 7.4 of
 * Nocedal & Wright, Numerical Optimization, 2006), with backtracking until Armijo's condition holds.
 */

/** Value of the function at `x`; writes its gradient to `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimizeOptions {
  /** Ends when no element of the gradient is larger. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 300. */
  readonly maxIterations?: number;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False when `maxIterations` came first. */
  readonly converged: boolean;
}

/** Pairs of step and change of gradient that are remembered. */
const MEMORY = 10;
const SUFFICIENT_DECREASE = 1e-4;
const MOST_HALVINGS = 40;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** 1 / (step · change) */
  readonly rho: number;
}

export function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions = {}): Minimum {
  const { tolerance = 1e-5, maxIterations = 300 } = options;
  let x: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(x.length);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  for (let iterations = 0; iterations < maxIterations; iterations++) {
    if (largest(gradient) <= tolerance) return { x, value, iterations, converged: true };
    const direction = descent(gradient, pairs);
    const slope = dot(gradient, direction);
    // Nothing is known of the curvature at first: a unit step could be far too long.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const nextGradient = new Float64Array(x.length);
    let next = moved(x, direction, length);
    let nextValue = objective(next, nextGradient);
    let halvings = 0;
    while (!(nextValue <= value + SUFFICIENT_DECREASE * length * slope) && halvings++ < MOST_HALVINGS) {
      length /= 2;
      next = moved(x, direction, length);
      nextValue = objective(next, nextGradient);
    }
    // No step helps: the value is as low as float64 can tell.
    if (!(nextValue < value)) return { x, value, iterations, converged: true };
    remember(pairs, x, next, gradient, nextGradient);
    x = next;
    gradient = nextGradient;
    value = nextValue;
  }
  return { x, value, iterations: maxIterations, converged: largest(gradient) <= tolerance };
}

/** −H·g with H the inverse Hessian that the pairs imply. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.map((g) => -g);
  const alphas: number[] = [];
  for (const { step, change, rho } of [...pairs].reverse()) {
    const alpha = rho * dot(step, q);
    alphas.push(alpha);
    addScaled(q, change, -alpha);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.change, last.change));
    for (let i = 0; i < q.length; i++) q[i] *= scale;
  }
  for (const { step, change, rho } of pairs) addScaled(q, step, alphas.pop()! - rho * dot(change, q));
  return q;
}

function remember(
  pairs: Pair[],
  x: Float64Array,
  next: Float64Array,
  gradient: Float64Array,
  nextGradient: Float64Array,
): void {
  const step = next.map((value, i) => value - x[i]);
  const change = nextGradient.map((value, i) => value - gradient[i]);
  const curvature = dot(step, change);
  if (!(curvature > 1e-12 * dot(change, change))) return;
  pairs.push({ step, change, rho: 1 / curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

function moved(x: Float64Array, direction: Float64Array, length: number): Float64Array {
  return x.map((value, i) => value + length * direction[i]);
}

function addScaled(target: Float64Array, values: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * values[i];
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

/**
 * Sizes of a tensor's axes. A size is a number, or a product of named sizes in canonical form such as "batch",
 * "batch*length" or "4*batch*length": one graph then serves every batch size and length.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

interface Monomial {
  coefficient: number;
  /** Sorted, with repetition. */
  names: string[];
}

function parse(dim: Dim): Monomial {
  if (typeof dim === 'number') return { coefficient: dim, names: [] };
  let coefficient = 1;
  const names: string[] = [];
  for (const factor of dim.split('*')) {
    if (/^\d+$/.test(factor)) coefficient *= Number(factor);
    else names.push(factor);
  }
  return { coefficient, names: names.sort() };
}

function format({ coefficient, names }: Monomial): Dim {
  if (names.length === 0 || coefficient === 0) return coefficient;
  return (coefficient === 1 ? names : [String(coefficient), ...names]).join('*');
}

/** The product of sizes, in canonical form; 1 for none. */
export function multiplyDims(...dims: readonly Dim[]): Dim {
  const product: Monomial = { coefficient: 1, names: [] };
  for (const dim of dims) {
    const { coefficient, names } = parse(dim);
    product.coefficient *= coefficient;
    product.names.push(...names);
  }
  product.names.sort();
  return format(product);
}

/** dividend / divisor where it is exact for every value of the names, otherwise undefined. */
export function divideDims(dividend: Dim, divisor: Dim): Dim | undefined {
  const quotient = parse(dividend);
  const by = parse(divisor);
  if (by.coefficient === 0 || quotient.coefficient % by.coefficient !== 0) return undefined;
  for (const name of by.names) {
    const at = quotient.names.indexOf(name);
    if (at < 0) return undefined;
    quotient.names.splice(at, 1);
  }
  return format({ coefficient: quotient.coefficient / by.coefficient, names: quotient.names });
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): Dim {
  return multiplyDims(...shape);
}

/** The names that occur in a shape's sizes. */
export function namesIn(shape: Shape): Set<string> {
  return new Set(shape.flatMap((dim) => parse(dim).names));
}

/** The value of a size once its names have values. */
export function evaluateDim(dim: Dim, values: ReadonlyMap<string, number>): number {
  const { coefficient, names } = parse(dim);
  return names.reduce((product, name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`size "${name}" in "${dim}" has no value`);
    return product * value;
  }, coefficient);
}

export function evaluateShape(shape: Shape, values: ReadonlyMap<string, number>): number[] {
  return shape.map((dim) => evaluateDim(dim, values));
}

/** The factors of a size: its number and its names, for engines that compute it at run time. */
export function factorsOf(dim: Dim): { coefficient: number; names: readonly string[] } {
  return parse(dim);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** Elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/**
 * The shape that two shapes broadcast to (NumPy's rule: align at the right, 1 stretches), or undefined where they do
 * not fit. Two different names never fit: that they are equal at run time is nothing a graph can know.
 */
export function broadcastShapes(a: Shape, b: Shape): Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    result.push(left === 1 ? right : left);
  }
  return result;
}

/** Feature matrices of a linear model: dense float64, or sparse where most features of a row are 0. */

/** numRows × numColumns values, seen through the two products that a linear model needs. */
export interface FeatureMatrix {
  readonly numRows: number;
  readonly numColumns: number;
  /** Σ_j x[row, j] · weights[offset + j] */
  dot(row: number, weights: Float64Array, offset: number): number;
  /** target[offset + j] += scale · x[row, j] */
  addScaled(row: number, scale: number, target: Float64Array, offset: number): void;
}

/** @param values  row-major, [numRows, numColumns] */
export function denseFeatures(values: Float64Array, numColumns: number): FeatureMatrix {
  return {
    numRows: values.length / numColumns,
    numColumns,
    dot(row, weights, offset) {
      const from = row * numColumns;
      let sum = 0;
      for (let j = 0; j < numColumns; j++) sum += values[from + j] * weights[offset + j];
      return sum;
    },
    addScaled(row, scale, target, offset) {
      const from = row * numColumns;
      for (let j = 0; j < numColumns; j++) target[offset + j] += scale * values[from + j];
    },
  };
}

/** One row of a sparse matrix: distinct columns and their values. */
export interface SparseRow {
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export function sparseFeatures(rows: readonly SparseRow[], numColumns: number): FeatureMatrix {
  return {
    numRows: rows.length,
    numColumns,
    dot(row, weights, offset) {
      const { columns, values } = rows[row];
      let sum = 0;
      for (let i = 0; i < columns.length; i++) sum += values[i] * weights[offset + columns[i]];
      return sum;
    },
    addScaled(row, scale, target, offset) {
      const { columns, values } = rows[row];
      for (let i = 0; i < columns.length; i++) target[offset + columns[i]] += scale * values[i];
    },
  };
}

/** Some rows of a matrix, in the order given. */
export function selectRows(features: FeatureMatrix, rows: Int32Array): FeatureMatrix {
  return {
    numRows: rows.length,
    numColumns: features.numColumns,
    dot: (row, weights, offset) => features.dot(rows[row], weights, offset),
    addScaled: (row, scale, target, offset) => features.addScaled(rows[row], scale, target, offset),
  };
}

/** What moves each column of a training matrix to mean 0 and variance 1. */
export interface Standardization {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** A column that never changes gets deviation 1: it becomes 0, not NaN. */
export function standardizationOf(values: Float64Array, numColumns: number): Standardization {
  const numRows = values.length / numColumns;
  const mean = new Float64Array(numColumns);
  const variance = new Float64Array(numColumns);
  for (let i = 0; i < values.length; i++) mean[i % numColumns] += values[i] / numRows;
  for (let i = 0; i < values.length; i++) variance[i % numColumns] += (values[i] - mean[i % numColumns]) ** 2 / numRows;
  return { mean, deviation: variance.map((v) => (v > 1e-24 ? Math.sqrt(v) : 1)) };
}

export function standardize(values: Float64Array, { mean, deviation }: Standardization): Float64Array {
  const numColumns = mean.length;
  return values.map((value, i) => (value - mean[i % numColumns]) / deviation[i % numColumns]);
}

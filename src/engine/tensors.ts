/** Tensors from typed arrays; by default of one dimension. */
import type { Tensor } from './engine.js';

export function int32Tensor(data: Int32Array, shape: readonly number[] = [data.length]): Tensor {
  return { dtype: 'int32', shape, data };
}

export function float32Tensor(data: Float32Array, shape: readonly number[] = [data.length]): Tensor {
  return { dtype: 'float32', shape, data };
}

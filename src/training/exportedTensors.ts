/** The tensors of a model that a run leaves behind, out of the run's weights. */
import type { Snapshot } from './checkpoint.js';
import type { ModelExport } from './objective.js';
import type { NamedArray } from './weightsHash.js';

/** The weights to use of a run: their averages, where it keeps them. */
export function usableWeights({ average, parameters }: Pick<Snapshot, 'average' | 'parameters'>) {
  return average ?? parameters;
}

/** Published name → tensor; what is a sum of parameters is added up. */
export function exportedTensors(
  { tensors, sums = new Map() }: Pick<ModelExport, 'tensors' | 'sums'>,
  weights: ReadonlyMap<string, NamedArray>,
): Map<string, NamedArray> {
  const of = (parameter: string): NamedArray => {
    const found = weights.get(parameter);
    if (!found) throw new Error(`the run has no parameter ${parameter}`);
    return found;
  };
  return new Map([
    ...[...tensors].map(([published, parameter]) => [published, of(parameter)] as const),
    ...[...sums].map(([published, [first, second]]) => [published, sum(of(first), of(second))] as const),
  ]);
}

/** In float32, as the graph adds them. */
function sum(first: NamedArray, second: NamedArray): NamedArray {
  return { shape: first.shape, data: first.data.map((value, i) => value + second.data[i]) };
}

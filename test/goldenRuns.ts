/** Running a step's graph on golden weights: in the float64 interpreter, and in onnxruntime with gradients in place. */
import type { Engine, Tensors } from '../src/engine/engine.js';
import { type Graph, nodesOf } from '../src/graph/graph.js';
import { evaluateGraph, float64Tensor } from '../src/interpreter/evaluate.js';
import type { Objective, Phase } from '../src/training/objective.js';
import type { GoldenTensor } from './goldenFiles.js';

export interface Result {
  readonly outputs: ReadonlyMap<string, ArrayLike<number>>;
  readonly updates: ReadonlyMap<string, ArrayLike<number>>;
}

/** @param weights  by parameter name; more may be there */
export function interpret(
  graph: Graph,
  weights: ReadonlyMap<string, Pick<GoldenTensor, 'shape'> & { readonly data: ArrayLike<number> }>,
  feeds: Tensors,
): Result {
  const state = new Map(
    nodesOf(graph, 'state').map(({ attributes: { name } }) => {
      const tensor = weights.get(name)!;
      return [name, float64Tensor(tensor.shape, tensor.data)];
    }),
  );
  const fed = new Map(Object.entries(feeds).map(([name, t]) => [name, float64Tensor(t.shape, t.data, t.dtype)]));
  const { outputs, updates } = evaluateGraph(graph, fed, state);
  const data = (named: typeof outputs) => new Map([...named].map(([name, tensor]) => [name, tensor.data]));
  return { outputs: data(outputs), updates: data(updates) };
}

interface Trained extends Pick<Objective, 'parameters'> {
  readonly phases: readonly Pick<Phase, 'trainingGraph'>[];
}

/**
 * Runs the training graph of an objective's first phase `runs` times over one state.
 * @returns the outputs of the last run, and the gradients as they stand in their arena
 */
export async function runTrainingGraph(
  engine: Engine,
  { parameters, phases }: Trained,
  weights: ReadonlyMap<string, GoldenTensor>,
  { feeds, accumulate, runs }: { feeds: () => Tensors; accumulate: boolean; runs: number },
): Promise<{ outputs: Tensors; gradients: ReadonlyMap<string, Float32Array> }> {
  let offset = 0;
  const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const slots = new Map<string, { arena: string; offset: number; shape: readonly number[] }>();
  for (const { name, shape } of parameters) {
    slots.set(name, { arena: 'parameters', offset, shape });
    slots.set(`gradient:${name}`, { arena: 'gradients', offset, shape });
    offset += sizeOf(shape);
  }
  const state = await engine.createState({ arenas: { parameters: offset, gradients: offset }, slots });
  for (const { name } of parameters) {
    await state.write('parameters', weights.get(name)!.data as Float32Array, slots.get(name)!.offset);
  }
  const program = await engine.compile(phases[0].trainingGraph({ accumulate }), { label: 'golden', state });
  let outputs: Tensors = {};
  for (let i = 0; i < runs; i++) outputs = await program.run(feeds());
  const gradients = new Map<string, Float32Array>();
  for (const { name, shape } of parameters) {
    const start = slots.get(name)!.offset;
    gradients.set(name, await state.read('gradients', start, start + sizeOf(shape)));
  }
  return { outputs, gradients };
}

/**
 * An engine over the reference interpreter: float64 inside, state in float32. Far too slow for work, and needs nothing:
 * trainers and objectives are tested on it, and other engines against it.
 */

import { inMemory } from '../files/storedValues.js';
import { elementCount } from '../graph/dimensions.js';
import type { Graph, Node } from '../graph/graph.js';
import { nodesOf } from '../graph/graph.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../interpreter/evaluate.js';
import type {
  ArenaRange,
  CompileOptions,
  Engine,
  EngineState,
  Program,
  StateLayout,
  Tensor,
  Tensors,
} from './engine.js';

class InterpreterState implements EngineState {
  readonly arenas: ReadonlyMap<string, Float32Array>;

  constructor(readonly layout: StateLayout) {
    this.arenas = new Map(Object.entries(layout.arenas).map(([name, length]) => [name, new Float32Array(length)]));
  }
  arena(name: string): Float32Array {
    const arena = this.arenas.get(name);
    if (!arena) throw new Error(`no arena "${name}"; there are ${[...this.arenas.keys()].join(', ')}`);
    return arena;
  }
  /** The slot of a name, or an arena's piece start..end when the name is an arena's. */
  view(name: string, start?: number, end?: number): { shape: readonly number[]; data: Float32Array } {
    const slot = this.layout.slots.get(name);
    if (!slot) {
      const data = this.arena(name).subarray(start, end);
      return { shape: [data.length], data };
    }
    const size = elementCount(slot.shape);
    return { shape: slot.shape, data: this.arena(slot.arena).subarray(slot.offset, slot.offset + size) };
  }
  async read(arena: string, start = 0, end?: number, into?: Float32Array): Promise<Float32Array> {
    if (!into) return this.arena(arena).slice(start, end);
    into.set(this.arena(arena).subarray(start, end));
    return into;
  }
  async write(arena: string, data: Float32Array, start = 0): Promise<void> {
    this.arena(arena).set(data, start);
  }
  async release(): Promise<void> {}
}

function toFloat64(tensors: Tensors): Map<string, Float64Tensor> {
  return new Map(
    Object.entries(tensors).map(([name, { shape, data, dtype }]) => [name, float64Tensor(shape, data, dtype)]),
  );
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

function fromFloat64({ dtype, shape, data }: Float64Tensor): Tensor {
  return { dtype, shape, data: ARRAYS[dtype].from(data) };
}

class InterpreterProgram implements Program {
  readonly #states: readonly Node<'state'>[];

  constructor(
    private readonly graph: Graph,
    private readonly options: CompileOptions,
  ) {
    this.#states = nodesOf(graph, 'state');
  }

  async run(feeds: Tensors): Promise<Tensors> {
    const outputs = this.#evaluate(feeds);
    return Object.fromEntries([...outputs].map(([name, tensor]) => [name, fromFloat64(tensor)]));
  }

  async runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { start, end, feeds } of ranges) {
      for (let at = start; at < end; at += chunk) {
        for (const [name, { data }] of this.#evaluate(feeds, at, Math.min(end, at + chunk))) {
          // As an engine that computes in float32 returns it.
          sums[name] = (sums[name] ?? 0) + Math.fround(data[0]);
        }
      }
    }
    return sums;
  }

  #evaluate(feeds: Tensors, start?: number, end?: number): Map<string, Float64Tensor> {
    const state = this.options.state as InterpreterState | undefined;
    const values = this.#states.map(({ attributes: { name, shape } }): [string, Float64Tensor] => {
      const weights = this.options.weights?.get(name);
      if (weights) return [name, float64Tensor(shape as readonly number[], inMemory(weights))];
      if (!state) throw new Error(`${this.options.label}: state "${name}" has neither weights nor a state to live in`);
      const { shape: actual, data } = state.view(name, start, end);
      return [name, float64Tensor(actual, data)];
    });
    const { outputs, updates } = evaluateGraph(this.graph, toFloat64(feeds), new Map(values));
    for (const [name, { data }] of updates) state?.view(name, start, end).data.set(data);
    return outputs;
  }

  async release(): Promise<void> {}
}

/** An engine that needs no runtime, for tests. */
export function createInterpreterEngine(): Engine {
  return {
    name: 'interpreter',
    description: 'reference interpreter, float64',
    createState: async (layout) => new InterpreterState(layout),
    compile: async (graph, options) => new InterpreterProgram(graph, options),
    close: async () => {},
  };
}

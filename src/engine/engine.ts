/**
 * What an engine is: it compiles a graph to a program and keeps named state where it computes. Knows no runtime; each
 * runtime is a driver that implements these interfaces.
 */

import type { Values } from '../files/storedValues.js';
import type { Graph } from '../graph/graph.js';
import type { DType } from '../graph/ops.js';

/** A concrete tensor, row-major. bool is one byte each. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}
export type Tensors = Record<string, Tensor>;

/**
 * Where named state lies: flat float32 arenas (for instance "parameters", "gradients", "firstMoment") and, in them, named
 * tensors. Many small tensors in one arena let an update run over all of them at once.
 */
export interface StateLayout {
  /** Length of each arena, in elements. */
  readonly arenas: Readonly<Record<string, number>>;
  readonly slots: ReadonlyMap<string, StateSlot>;
}
export interface StateSlot {
  readonly arena: string;
  /** First element, in elements. */
  readonly offset: number;
  readonly shape: readonly number[];
}

/** State that lives with the engine until it is released. */
export interface EngineState {
  readonly layout: StateLayout;
  /**
   * A copy of elements start..end of an arena; of all of it by default.
   * @param into  where to put the copy, as long as it is; best in shared memory, which a driver in another thread fills
   *              without a second copy
   */
  read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array>;
  /**
   * Copies `data` into the arena from element `start` on. Data in shared memory may be read until the promise resolves.
   */
  write(arena: string, data: Float32Array, start?: number): Promise<void>;
  release(): Promise<void>;
}

/** A piece of every arena of a program that runs over arenas, with feeds of its own. */
export interface ArenaRange {
  readonly start: number;
  readonly end: number;
  readonly feeds: Tensors;
}

export interface Program {
  /** Runs once: inputs by name in, outputs by name out; updates are in the state when the promise resolves. */
  run(feeds: Tensors): Promise<Tensors>;
  /**
   * Runs a program whose state tensors are 1-D, named after arenas and of one named size, over pieces of those arenas, in
   * order, each cut to at most `chunk` elements. Scalar outputs are summed over all pieces, in float64.
   */
  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>>;
  /** Milliseconds by op kind since profiling was asked for at compilation; ends the profile. */
  profile?(): Promise<Record<string, number>>;
  release(): Promise<void>;
}

export interface CompileOptions {
  /** A short name for messages and profiles. */
  readonly label: string;
  /** Where the graph's state nodes live. */
  readonly state?: EngineState;
  /**
   * Values for state nodes that never change (serving): the engine may pre-pack them. Those in a file are taken from there
   * without a copy in between where the engine can, and the file must not be written over while the program lives. Those in
   * memory are best in shared memory, which a driver in another thread sees without a copy.
   */
  readonly weights?: ReadonlyMap<string, Values>;
  readonly profile?: boolean;
}

export interface Engine {
  /** For instance "onnxruntime-node". */
  readonly name: string;
  /** Provider, threads and versions, for logs. */
  readonly description: string;
  /** What products read; float32 where it is not said. */
  readonly precision?: Precision;
  /** Whether each set of sizes that it meets costs a plan, of which it keeps the latest few. Default false. */
  readonly plansBySize?: boolean;
  /** Threads that it computes with, where it knows. */
  readonly threads?: number;
  createState(layout: StateLayout): Promise<EngineState>;
  compile(graph: Graph, options: CompileOptions): Promise<Program>;
  close(): Promise<void>;
}

/**
 * How operands of matrix products are kept. With `bf16` they are rounded to 8 significant bits; weights, gradients of
 * weights, the residual stream, layer norm, softmax and losses stay float32.
 */
export type Precision = 'fp32' | 'bf16';

export interface EngineOptions {
  /** Where to compute; "cpu" by default. The authors never ran "cuda" and "webgpu", for want of a machine. */
  readonly device?: 'cpu' | 'cuda' | 'webgpu';
  /** Threads of the engine; all of the machine's by default. */
  readonly threads?: number;
}

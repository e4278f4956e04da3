/** Messages between the Node driver and its worker thread. */
import type { ArenaRange, StateLayout, Tensors } from '../engine.js';
import type { EncodedModel } from '../onnx/model.js';
import type { ProgramSignature } from './sessionProgram.js';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly device: 'cpu' | 'cuda' | 'webgpu';
  readonly threads: number;
}

/** The worker's first message. */
export interface Greeting {
  readonly version: string;
  /** Execution providers that the runtime was built with. */
  readonly providers: readonly string[];
}

/** Arguments and result of each request. */
export interface Requests {
  createState: { arguments: { layout: StateLayout }; result: number };
  read: {
    arguments: { state: number; arena: string; start?: number; end?: number };
    result: Float32Array<ArrayBuffer>;
  };
  write: { arguments: { state: number; arena: string; data: Float32Array; start?: number }; result: undefined };
  releaseState: { arguments: { state: number }; result: undefined };
  compile: {
    arguments: { model: EncodedModel; signature: ProgramSignature; state?: number; profile: boolean };
    result: number;
  };
  run: { arguments: { program: number; feeds: Tensors }; result: Tensors };
  runOverArenas: {
    arguments: { program: number; ranges: readonly ArenaRange[]; chunk: number };
    result: Record<string, number>;
  };
  profile: { arguments: { program: number }; result: Record<string, number> };
  releaseProgram: { arguments: { program: number }; result: undefined };
}
export type RequestKind = keyof Requests;

export interface Request<K extends RequestKind = RequestKind> {
  readonly id: number;
  readonly kind: K;
  readonly arguments: Requests[K]['arguments'];
}
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: { readonly message: string; readonly subject?: string; readonly expected?: string };
    };

/** Messages between the Node driver and its worker thread. */
import type { ArenaRange, StateLayout, Tensors } from '../engine.js';
import type { EncodedModel } from '../onnx/model.js';
import type { ProgramSignature } from './sessionProgram.js';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly device: 'cpu' | 'cuda' | 'webgpu';
  readonly threads: number;
}

export interface WorkerData {
  readonly settings: WorkerSettings;
  readonly gate: SharedArrayBuffer;
}

/**
 * Two flags that both threads see: whether the worker is inside the runtime, and whether it is to begin nothing more. A
 * thread that is ended while the runtime computes takes the whole process down with it (onnxruntime-node 1.30 throws a
 * C++ exception that nobody catches), so nobody may end it before it is out.
 */
export class Gate {
  static readonly #BUSY = 0;
  static readonly #CLOSED = 1;
  readonly flags: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.flags = new Int32Array(buffer);
  }

  /** Worker: false when it may not begin. */
  enter(): boolean {
    Atomics.store(this.flags, Gate.#BUSY, 1);
    if (Atomics.load(this.flags, Gate.#CLOSED) === 0) return true;
    this.leave();
    return false;
  }
  leave(): void {
    Atomics.store(this.flags, Gate.#BUSY, 0);
    Atomics.notify(this.flags, Gate.#BUSY);
  }
  /** Caller: from now on the worker begins nothing. */
  shut(): void {
    Atomics.store(this.flags, Gate.#CLOSED, 1);
  }
  /** Caller: blocks until the worker is out of the runtime, at most this long. */
  waitUntilLeft(timeoutMs: number): void {
    Atomics.wait(this.flags, Gate.#BUSY, 1, timeoutMs);
  }
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
  /** Puts the values into shared memory instead of a message. */
  readInto: {
    arguments: { state: number; arena: string; start?: number; end?: number; into: Float32Array };
    result: undefined;
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

/** Sent after the gate is shut; answered once everything before it is out of the way. */
export const LAST_REQUEST = 'last request';

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

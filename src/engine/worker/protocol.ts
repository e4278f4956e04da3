/** Messages between a driver of Node and its worker thread. */
import type { ArenaRange, StateLayout, Tensors } from '../engine.js';

/** What a worker is started with; its settings are the driver's own. */
export interface WorkerData<Settings> {
  readonly settings: Settings;
  readonly gate: SharedArrayBuffer;
}

/** Arguments and result of each request; what is compiled is the driver's own. */
export interface Requests<Source = unknown> {
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
  compile: { arguments: { source: Source; state?: number; profile: boolean }; result: number };
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

/** What an error carries over a message. */
export interface SentError {
  readonly message: string;
  readonly subject?: string;
  readonly expected?: string;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: SentError };

/** A message that answers no request: something the user should read. */
export interface Notice {
  readonly warning: string;
}

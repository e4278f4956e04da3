/** Messages between the server and the thread in which a model runs. */
import type { PipelineName } from '../pipelines/registry.js';

/** What the thread is started with. */
export interface ThreadSettings {
  /** The folder of a model, a checkpoint or a run. */
  readonly folder: string;
  /** Pipelines to make ready before it greets. */
  readonly ready: readonly PipelineName[];
  readonly loading: ThreadLoading;
}

/** How its models are loaded: plain values, which a message carries. */
export interface ThreadLoading {
  readonly threads?: number;
  readonly engine?: 'auto' | 'onnxruntime' | 'onednn';
  readonly device?: 'cpu' | 'cuda' | 'webgpu';
  readonly precision?: 'auto' | 'fp32' | 'bf16';
  readonly onnx?: string;
  readonly lowercase?: boolean;
  /** Rows that the model runs at once. */
  readonly batchSize: number;
}

export interface Greeting {
  /** What computes, for logs. */
  readonly engine: string;
  /** Whether its batches run without their padding. */
  readonly skipsPadding: boolean;
}

/** Requests of a batch that share a pipeline and options. */
export interface RunRequest {
  readonly id: number;
  readonly pipeline: PipelineName;
  readonly options: object;
  readonly requests: readonly (readonly unknown[])[];
}

/** What is to fail, in tests of what follows. */
export type DyingPart = 'thread' | 'engine';

export type ToThread =
  | RunRequest
  | { readonly cancel: number }
  | { readonly close: true }
  | { readonly die: DyingPart };

/** An error as data: a message loses its class. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly subject?: string;
  readonly expected?: string;
  readonly advice?: string;
  readonly problems?: readonly string[];
}

export type SentOutcome = { readonly results: readonly unknown[] } | { readonly error: SentError };

export type FromThread =
  | { readonly greeting: Greeting }
  | { readonly failed: SentError }
  /** With the last the thread ends, as its engine has failed. */
  | { readonly id: number; readonly outcomes: readonly SentOutcome[]; readonly isLast: boolean }
  | { readonly closed: true };

export function sentError(error: unknown): SentError {
  const { name, message, subject, expected, advice, problems } = error as SentError;
  return { name, message: message ?? String(error), subject, expected, advice, ...(problems && { problems }) };
}

/** What the scaling benchmark asks of its ranks, and what they answer. */
import type { Member } from '../src/collective/collective.js';

export type Work =
  | { readonly kind: 'describe' }
  /** Steps whose rows all ranks share. */
  | { readonly kind: 'together'; readonly steps: number }
  /** Each rank alone, with so many rows; all at the same time, as neighbours on one machine slow one another down. */
  | { readonly kind: 'apart'; readonly rows: number; readonly steps: number }
  /** Adding up so many gradients. */
  | { readonly kind: 'exchange'; readonly lengths: readonly number[]; readonly repeats: number }
  | { readonly kind: 'quit' };

/** Milliseconds a step, medians. */
export interface StepTimes {
  readonly totalMs: number;
  readonly engineMs: number;
  readonly exchangeMs: number;
  readonly optimizerMs: number;
  /** What is left: waiting for data that was not ready, and for the others to begin. */
  readonly restMs: number;
}

export interface Description {
  /** Of a rank's share of a step. */
  readonly rows: number;
  /** Length of the gradient arena, in elements. */
  readonly gradients: number;
  readonly engine: string;
  readonly members: readonly Member[];
  readonly pids: readonly number[];
}

export interface ExchangeTimes {
  /** For each length, milliseconds. */
  readonly ms: readonly number[];
  /** Of copying all gradients out of the engine and back, without an exchange. */
  readonly copyMs: number;
  /** Of the norm of all gradients. */
  readonly normMs: number;
  /** Until ranks have agreed on a few numbers. */
  readonly meetingMs: number;
}

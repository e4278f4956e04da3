/** What the scaling benchmark asks of its ranks, and what they answer. */
import type { Member } from '../src/collective/collective.js';

export type Work =
  | { readonly kind: 'describe' }
  /** Steps whose rows all ranks share. */
  | { readonly kind: 'together'; readonly steps: number }
  /** As many rows a rank, but each alone; all at the same time, as neighbours on one machine slow one another down. */
  | { readonly kind: 'apart'; readonly steps: number }
  /** Adding up so many gradients. */
  | { readonly kind: 'exchange'; readonly lengths: readonly number[]; readonly repeats: number }
  | { readonly kind: 'quit' };

/** Milliseconds a step, medians. */
export interface StepTimes {
  readonly totalMs: number;
  readonly engineMs: number;
  readonly exchangeMs: number;
  readonly optimizerMs: number;
}

export interface Description {
  /** Of a rank's share of a step. */
  readonly rows: number;
  /** Length of the gradient arena, in elements. */
  readonly gradients: number;
  readonly engine: string;
  readonly members: readonly Member[];
}

export interface ExchangeTimes {
  /** For each length, milliseconds. */
  readonly ms: readonly number[];
  /** Until ranks have agreed on a few numbers. */
  readonly meetingMs: number;
}

/**
 * What a collective is: ranks, one process each, that compute together and exchange numbers. Knows no transport; each is a
 * driver that implements this interface. All ranks call the same operations in the same order.
 */
import { PleiadError } from '../errors/errors.js';

/** One of the processes that compute together. */
export interface Member {
  readonly rank: number;
  /** Name of its machine. */
  readonly host: string;
  readonly pid: number;
  /** Its share of the machine's processors, which other ranks may use as well; unknown where it is left out. */
  readonly threads?: number;
}

export type Numbers = Float32Array | Float64Array;

export interface Collective {
  readonly rank: number;
  readonly size: number;
  /** All ranks, in order. */
  readonly members: readonly Member[];
  /**
   * Replaces `values` by their sums over all ranks: the same bits on every rank, and in every run with as many ranks.
   * What lies in shared memory is not copied on the way. Nobody may touch `values` until the promise resolves.
   */
  allReduce(values: Numbers): Promise<void>;
  /** Replaces `values` by those of rank 0. */
  broadcast(values: Numbers): Promise<void>;
  /** Resolves when all ranks have called it. */
  barrier(): Promise<void>;
  /**
   * Tells the others that this rank cannot go on: what they wait for, and all they call from then on, rejects with a
   * PeerError. Resolves when they know, or after a while.
   */
  fail(reason: string): Promise<void>;
  /** What the operation under way waits for; nobody when there is none, or the driver cannot know. */
  waiting(): Waiting;
  /** Leaves in good order: all ranks call it, once all work is done. */
  close(): Promise<void>;
}

/** Ranks that were started together cannot find one another. */
export class CollectiveError extends PleiadError {}

export interface Waiting {
  /** Ranks that have not come yet. */
  readonly members: readonly Member[];
  readonly elapsedMs: number;
}

/** What ended the work together, as a rank saw it. */
export type PeerFailure =
  /** A rank said that it cannot go on. */
  | 'failed'
  /** A rank's process is gone. */
  | 'died'
  /** A rank has not answered for the time it was given. */
  | 'silent'
  /** The transport reported an error. */
  | 'broken';

/** Ranks can compute together no longer. */
export class PeerError extends PleiadError {
  readonly failure: PeerFailure;
  /** The ranks that are the cause, as far as it is known. */
  readonly members: readonly Member[];

  constructor(
    message: string,
    { failure, members, ...details }: { failure: PeerFailure; members: readonly Member[] } & ErrorDetails,
  ) {
    super(message, details);
    this.failure = failure;
    this.members = members;
  }
}
type ErrorDetails = { advice?: string; cause?: unknown };

/** For instance "rank 1 (node07, process 4711)". */
export function describeMember({ rank, host, pid }: Member): string {
  return `rank ${rank} (${host}, process ${pid})`;
}

/** The collective of one process, in which every operation is done at once. */
export const ALONE: Collective = {
  rank: 0,
  size: 1,
  members: [{ rank: 0, host: 'localhost', pid: 0 }],
  async allReduce() {},
  async broadcast() {},
  async barrier() {},
  async fail() {},
  waiting: () => ({ members: [], elapsedMs: 0 }),
  async close() {},
};

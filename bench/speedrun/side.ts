/** One cell's training, whoever does it: for so long, then its models, then on. */
import type { PairFolders } from './measure.js';

/** Where a training stands. */
export interface Standing {
  /** Training alone, of all sessions. */
  readonly elapsedMs: number;
  readonly steps: number;
  readonly tokens: number;
  /** What computes, and in which precision. */
  readonly engine: string;
  /** Its whole time is over. */
  readonly isOver: boolean;
  /** Where the models lie; undefined before the first were written. */
  readonly models?: PairFolders;
}

export interface Side {
  /** The processes that train, for what else the machine does. */
  readonly pids: readonly number[];
  /** Where an earlier session left off; undefined for a new run. */
  standing(): Promise<Standing | undefined>;
  /** Trains until so much of its time is over and writes its models. At a signal it ends earlier, with all it has. */
  trainUntil(ms: number, signal?: AbortSignal): Promise<Standing>;
  close(): Promise<void> | void;
}

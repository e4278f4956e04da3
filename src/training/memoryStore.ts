/** A place for checkpoints that is no folder: in a page, in a test, wherever nothing need outlast the program. */
import type { CheckpointStore, FoundCheckpoint, SavedCheckpoint, Snapshot } from './checkpoint.js';
import { isBetterCheckpoint } from './evaluation.js';
import type { Extension } from './extension.js';
import { weightsSha256 } from './weightsHash.js';

export interface MemoryStoreOptions {
  /** Newest checkpoints to keep, besides the best. Default 1: each holds all weights three times, with the optimizer's moments. */
  readonly keep?: number;
}

/** Checkpoints of one run, in memory. A run that is given the same store and `resume` goes on from the newest. */
export class MemoryStore implements CheckpointStore {
  readonly #keep: number;
  #newest: readonly Snapshot[] = [];
  #best: Snapshot | undefined;
  #planned: number | undefined;
  #extension: Extension | undefined;

  constructor({ keep = 1 }: MemoryStoreOptions = {}) {
    this.#keep = keep;
  }

  /** The newest checkpoints, the oldest of them first. */
  get snapshots(): readonly Snapshot[] {
    return this.#newest;
  }

  /** The newest checkpoint. */
  get latest(): Snapshot | undefined {
    return this.#newest.at(-1);
  }

  /** The checkpoint with the best score of the last phase that was reached; where nothing is evaluated, the newest. */
  get best(): Snapshot | undefined {
    return this.#best;
  }

  async save(snapshot: Snapshot): Promise<SavedCheckpoint> {
    this.#newest = [...this.#newest, snapshot].slice(-this.#keep);
    const isNewBest = isBest(snapshot, this.#best);
    if (isNewBest) this.#best = snapshot;
    return {
      path: `step ${snapshot.progress.step}`,
      weightsSha256: await weightsSha256(snapshot.parameters),
      isBest: isNewBest,
    };
  }

  async newest(): Promise<FoundCheckpoint | undefined> {
    const snapshot = this.latest;
    return snapshot && { path: `step ${snapshot.progress.step}`, snapshot };
  }

  async recordPlan(totalSteps: number): Promise<void> {
    this.#planned = totalSteps;
  }

  async plannedSteps(): Promise<number | undefined> {
    return this.#planned;
  }

  async recordExtension(extension: Extension): Promise<void> {
    this.#extension = extension;
    this.#planned = undefined;
  }

  async extension(): Promise<Extension | undefined> {
    return this.#extension;
  }
}

/** As in a run folder. */
function isBest(snapshot: Snapshot, best: Snapshot | undefined): boolean {
  return best === undefined || isBetterCheckpoint(snapshot, best);
}

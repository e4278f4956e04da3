/** A checkpoint store without a file system, for tests of the trainer. */
import type { CheckpointStore, Snapshot } from './checkpoint.js';
import type { Extension } from './extension.js';
import { weightsSha256 } from './weightsHash.js';

/** Keeps every checkpoint in memory. */
export class MemoryStore implements CheckpointStore {
  readonly snapshots: Snapshot[] = [];
  planned: number | undefined;
  extended: Extension | undefined;
  async save(snapshot: Snapshot) {
    this.snapshots.push(snapshot);
    return {
      path: `step ${snapshot.progress.step}`,
      weightsSha256: await weightsSha256(snapshot.parameters),
      isBest: false,
    };
  }
  async newest() {
    const snapshot = this.snapshots.at(-1);
    return snapshot && { path: `step ${snapshot.progress.step}`, snapshot };
  }
  async recordPlan(totalSteps: number) {
    this.planned = totalSteps;
  }
  async plannedSteps() {
    return this.planned;
  }
  async recordExtension(extension: Extension) {
    this.extended = extension;
    this.planned = undefined;
  }
  async extension() {
    return this.extended;
  }
}

/** What a checkpoint holds, and where a trainer keeps its checkpoints. Knows no file. */

import type { Extension } from './extension.js';
import type { HeldOutMetrics } from './metrics.js';
import type { ModelExport } from './objective.js';
import type { NamedArray } from './weightsHash.js';

/** All that decides how a run goes on, besides settings and tensors. */
export interface TrainerProgress {
  /** Steps done. */
  readonly step: number;
  /** Updates since the moments were last zero: Adam's t. Skipped steps do not count. */
  readonly updates: number;
  /** Index of the phase that the last step was in. */
  readonly phase: number;
  /** The step that the phase began with, where the number of all steps has changed since: else its share of them says so. */
  readonly phaseStart?: number;
  /** Steps of the whole run; undefined until a time budget has been turned into steps. */
  readonly totalSteps?: number;
  readonly tokensSeen: number;
  /** Time in training so far, all sessions together. */
  readonly elapsedMs: number;
  /** What rollbacks have multiplied the learning rate by. */
  readonly rateScale: number;
  readonly rollbacks: number;
  /** Steps in a row that were skipped because something was not finite. */
  readonly skippedInRow: number;
}

export interface Snapshot {
  readonly progress: TrainerProgress;
  readonly parameters: ReadonlyMap<string, NamedArray>;
  readonly firstMoment: ReadonlyMap<string, NamedArray>;
  readonly secondMoment: ReadonlyMap<string, NamedArray>;
  /** The evaluation at this very step, where there was one. */
  readonly heldOut?: HeldOutMetrics;
  /** The models that are being trained, by whose tensors `parameters` can be used; a checkpoint on disk has folders of them. */
  readonly models?: readonly ModelExport[];
  /** Tokens in a row of the run: positions beyond it have learned nothing. */
  readonly length?: number;
}

export interface SavedCheckpoint {
  readonly path: string;
  readonly weightsSha256: string;
  readonly isBest: boolean;
}

export interface FoundCheckpoint {
  readonly path: string;
  readonly snapshot: Snapshot;
}

export interface CheckpointStore {
  /** The folder of the run, where it is kept in one. */
  readonly path?: string;
  /** @throws CheckpointError when it cannot be written; earlier checkpoints are untouched then */
  save(snapshot: Snapshot): Promise<SavedCheckpoint>;
  /**
   * The newest whole checkpoint.
   * @param onDamaged  told of each newer one that is not whole, and why
   * @throws CheckpointError when it is of another model, vocabulary or corpus
   */
  newest(onDamaged: (path: string, reason: string) => void): Promise<FoundCheckpoint | undefined>;
  /** The number of steps that was fixed for a time budget, kept before the first checkpoint is written. */
  recordPlan(totalSteps: number): Promise<void>;
  plannedSteps(): Promise<number | undefined>;
  /** What the run is given more, in place of its steps and time, kept before it goes on; forgets the planned steps. */
  recordExtension(extension: Extension): Promise<void>;
  /** The last one. */
  extension(): Promise<Extension | undefined>;
}

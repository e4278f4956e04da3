/** What a checkpoint holds, and where a trainer keeps its checkpoints. Knows no file. */

import type { EvaluationResult } from './evaluation.js';
import type { Extension } from './extension.js';
import type { ModelExport } from './objective.js';
import type { TrainerProgress } from './progress.js';
import type { NamedArray } from './weightsHash.js';

export interface Snapshot {
  readonly progress: TrainerProgress;
  readonly parameters: ReadonlyMap<string, NamedArray>;
  readonly firstMoment: ReadonlyMap<string, NamedArray>;
  readonly secondMoment: ReadonlyMap<string, NamedArray>;
  /** Averages of the parameters over the last steps, where the run keeps them: what is to be used of it. */
  readonly average?: ReadonlyMap<string, NamedArray>;
  /** The evaluation at this very step, where there was one. */
  readonly evaluation?: EvaluationResult;
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
   * @param onDamaged  called for each newer one that is not whole, with the reason
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

/** What a training run tells: one stream of typed events, to which progress bars, logs and pages listen. */

import type { EvaluationResult } from './evaluation.js';
import type { NothingTrained } from './extension.js';
import type { Metrics } from './objective.js';
import type { StartRecord } from './start.js';

export interface StartedEvent {
  readonly type: 'started';
  /** The step that comes first: 0, or where a checkpoint left off. */
  readonly step: number;
  /** The checkpoint that the run goes on from. */
  readonly resumedFrom?: string;
  readonly objective: string;
  readonly engine: string;
  readonly numParameters: number;
  /** Steps of the whole run; undefined until a time budget has been turned into steps. */
  readonly totalSteps?: number;
  /** The machine of each rank, where there are several. */
  readonly ranks?: readonly string[];
}

/** The weights that the run begins with, loaded from published models or other runs. */
export interface LoadedEvent {
  readonly type: 'loaded';
  readonly step: 0;
  readonly start: StartRecord;
  /** What became of every tensor, in a few lines for people. */
  readonly lines: readonly string[];
}

/** The number of steps that a time budget allows, measured on the first steps and fixed from here on. */
export interface PlannedEvent {
  readonly type: 'planned';
  readonly step: number;
  readonly totalSteps: number;
  readonly millisecondsPerStep: number;
}

/** The run was given more steps or time than it had. */
export interface ExtendedEvent {
  readonly type: 'extended';
  /** Where it stands. */
  readonly step: number;
  readonly more?: string;
  readonly moreSteps?: number;
  /** Steps of the whole run from now on; undefined until more time has been turned into steps. */
  readonly totalSteps?: number;
  /** Steps of the whole run before, where they were known. */
  readonly stepsBefore?: number;
  /** The rate of the last step before, and of the first one from here, which may be higher. */
  readonly learningRate: { readonly last?: number; readonly next: number };
}

/** What can be expected of the run, before it is trained, and once more when its time has been measured and that says otherwise. */
export interface ForecastEvent {
  readonly type: 'forecast';
  /** Steps that the run is expected to have. */
  readonly steps: number;
  /** Whether their number is by a quick look at the engine, and not set or measured. */
  readonly isEstimate: boolean;
  /** How far recorded runs of so many steps came, in a word. */
  readonly reach: string;
  /** A sentence without its full stop. */
  readonly message: string;
  /** What would do better, where something would. */
  readonly advice?: string;
  readonly step: number;
}

export interface PhaseEvent {
  readonly type: 'phase';
  readonly step: number;
  readonly name: string;
}

/** Milliseconds a step, on average since the last of these events. */
export interface StepSplit {
  /** Forward and backward, waiting for the engine included. */
  readonly engineMs: number;
  /** Norm and update. */
  readonly optimizerMs: number;
  /** Waiting for the other ranks and adding up gradients, where there are several ranks. */
  readonly exchangeMs?: number;
  /** Making batches and feeds; all but a run's first are made while the engine works and cost a step nothing. */
  readonly dataMs: number;
}

export interface StepEvent {
  readonly type: 'step';
  /** Steps done. */
  readonly step: number;
  readonly totalSteps?: number;
  /** Averages over the tokens since the last of these events. */
  readonly losses: Metrics & { readonly totalLoss: number };
  readonly learningRate: number;
  /** Global norm before clipping, of the last step. */
  readonly gradientNorm: number;
  readonly tokensSeen: number;
  readonly tokensPerSecond: number;
  /** Training time so far, earlier sessions of a resumed run included. */
  readonly elapsedMs: number;
  readonly split: StepSplit;
}

export interface EvaluationEvent extends EvaluationResult {
  readonly type: 'evaluation';
  readonly step: number;
  readonly elapsedMs: number;
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  readonly path: string;
  readonly weightsSha256: string;
  readonly isBest: boolean;
}

/** Codes of the trainer itself; objectives, tasks and starts have more. */
export type WarningCode =
  | 'nothing-to-resume'
  | 'no-held-out'
  | 'unknown-tokens'
  | 'damaged-checkpoint'
  | 'not-finite'
  | 'rolled-back'
  | 'learning-rate-too-high'
  | 'time-exceeded'
  | 'steps-changed'
  | 'time-changed'
  | 'nothing-trained'
  | 'engine'
  | 'engine-changed'
  | (string & {});

export interface WarningEvent {
  readonly type: 'warning';
  readonly step: number;
  readonly code: WarningCode;
  readonly message: string;
  /** What to do about it, a full sentence. */
  readonly advice: string;
}

export interface DoneEvent {
  readonly type: 'done';
  /** True when a signal ended the run early; it can be resumed. */
  readonly interrupted: boolean;
  readonly step: number;
  readonly steps: number;
  /** How many of them this call trained: 0 where it had nothing left to train. */
  readonly trainedSteps: number;
  /** Why that is 0, unless it was interrupted. */
  readonly nothingTrained?: NothingTrained;
  readonly tokensSeen: number;
  /** Over the whole run, evaluations and checkpoints included. */
  readonly tokensPerSecond: number;
  readonly elapsedMs: number;
  /** Newest checkpoint; undefined without a store. */
  readonly checkpoint?: string;
  readonly weightsSha256: string;
  /** Of the last evaluation; undefined where nothing is evaluated. */
  readonly metrics?: Metrics;
}

export type TrainingEvent =
  | LoadedEvent
  | StartedEvent
  | PlannedEvent
  | ExtendedEvent
  | ForecastEvent
  | PhaseEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | WarningEvent
  | DoneEvent;

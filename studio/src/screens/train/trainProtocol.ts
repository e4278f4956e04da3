/** What the page and the worker that trains say to each other. Plain data, all of it can be structured-cloned. */
import type { ProbePrediction } from '../../../../src/studio/probes.js';
import type { ProbeSentence, StudioTrainingSettings } from '../../../../src/studio/studioApi.js';
import type { TrainingEvent } from '../../../../src/training/events.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import type { AddedModel, PlainError } from '../../backend/tabProtocol.js';
import { TAB_VOCABULARY } from '../../backend/tabTrainingSettings.js';

/** What to train on, and how. */
export interface TrainingSetup {
  readonly text: string;
  /** Whose text it is, for the page. */
  readonly source: 'sample' | 'own';
  readonly vocabularySize: number;
  readonly settings: StudioTrainingSettings;
}

/** What is known once the text is read. */
export interface Prepared {
  readonly documents: number;
  readonly tokens: number;
  readonly heldOutTokens: number;
  readonly pieces: number;
}

/** Predictions of the six sentences, as of a step. */
export interface PredictedAt {
  readonly step: number;
  readonly predictions: readonly ProbePrediction[];
}

/** A run as it was kept: all that the page shows of it. */
export interface KeptView {
  readonly setup: TrainingSetup;
  readonly prepared: Prepared;
  readonly probes: readonly ProbeSentence[];
  readonly events: readonly TrainingEvent[];
  readonly predicted: readonly PredictedAt[];
  readonly isFinished: boolean;
  /** What it was trained on last, and goes on with: another engine rounds in other places. */
  readonly device: TabDevice;
}

export type ToTrainer =
  /** @param site  address that the runtime's files lie below */
  | { readonly kind: 'open'; readonly site: string }
  | { readonly kind: 'start'; readonly setup: TrainingSetup; readonly device: TabDevice }
  | { readonly kind: 'pause' }
  /** Goes on from the newest checkpoint. */
  | { readonly kind: 'resume'; readonly device: TabDevice }
  /** Forgets the run. */
  | { readonly kind: 'clear' }
  /** The models as they are in the newest checkpoint. */
  | { readonly kind: 'models'; readonly id: string };

export type FromTrainer =
  /** What was kept of an earlier visit; undefined where nothing was. */
  | { readonly kind: 'opened'; readonly kept: KeptView | undefined }
  | { readonly kind: 'prepared'; readonly prepared: Prepared; readonly probes: readonly ProbeSentence[] }
  | { readonly kind: 'events'; readonly events: readonly TrainingEvent[] }
  | { readonly kind: 'predicted'; readonly at: PredictedAt }
  | { readonly kind: 'paused' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'models'; readonly model: AddedModel }
  | { readonly kind: 'failed'; readonly error: PlainError };

/** Pieces for a text: few for a short one, where most words are rare, and no more than the quickstart's. */
export function vocabularySizeFor(text: string): number {
  return Math.round(Math.min(TAB_VOCABULARY, Math.max(400, text.length / 100)));
}

/** What is said between the Studio's server and the thread in which it trains. */
import type { SentError } from '../serving/threadProtocol.js';
import type { ProbeSentence, StudioTrainingSettings } from './studioApi.js';

/** What to train; plain values, which a message carries. */
export type TrainingOrder =
  | {
      readonly kind: 'text';
      /** The run's folder, to be made. */
      readonly out: string;
      readonly text: string;
      readonly vocabularySize: number;
      readonly settings: StudioTrainingSettings;
    }
  | {
      readonly kind: 'data';
      readonly out: string;
      /** A folder of shards. */
      readonly data: string;
      readonly settings: StudioTrainingSettings;
    }
  | { readonly kind: 'resume'; readonly out: string; readonly more?: string };

export interface TrainingThreadData {
  readonly order: TrainingOrder;
  readonly threads?: number;
}

/** Ends the run after the step under way, with a checkpoint. */
export type ToTraining = { readonly stop: true };

export type FromTraining =
  /** The run has its folder and can be looked at. */
  { readonly begun: true } | { readonly done: true } | { readonly failed: SentError };

/** Beside a run that the Studio began: what is predicted while it learns. */
export const PROBES_FILE = 'probes.json';
export type ProbesFile = readonly ProbeSentence[];

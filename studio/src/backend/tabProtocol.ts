/** What the page and the worker of the tab say to each other. Plain data, all of it can be structured-cloned. */
import type { Architecture } from '../../../src/models/config.js';
import type { ModelFormat } from '../../../src/studio/modelFiles.js';
import type { StudioModelSummary, StudioRole } from '../../../src/studio/studioCall.js';
import type { ComputePlace, Progress } from './backend.js';
import type { TabDevice } from './engineMeasurement.js';

/** Files of a model that was dropped into the page or trained in it. */
export interface AddedFolder {
  readonly architecture?: Architecture;
  /** The longest row that it was trained on, where config.json does not say. */
  readonly maxLength?: number;
  readonly files: readonly (readonly [name: string, content: Blob])[];
}

export interface AddedModel {
  readonly summary: StudioModelSummary;
  readonly folders: Readonly<Partial<Record<StudioRole, AddedFolder>>>;
}

export interface FilesWanted {
  readonly id: string;
  readonly role: StudioRole;
  readonly format: ModelFormat;
}

/** What the page asks, with what is answered. */
export interface TabRequests {
  /** @param site  address that the models, `models.json` and the runtime's files lie below */
  start: { input: { readonly site: string; readonly device: TabDevice }; output: ComputePlace };
  list: { input: undefined; output: readonly StudioModelSummary[] };
  call: { input: { readonly name: string; readonly input: unknown }; output: unknown };
  add: { input: AddedModel; output: undefined };
  remove: { input: { readonly id: string }; output: undefined };
  /** A model's files, as a folder of that form has them. */
  files: { input: FilesWanted; output: AddedFolder['files'] };
  /** Computes on another engine from then on. */
  use: { input: { readonly device: TabDevice }; output: undefined };
  place: { input: undefined; output: ComputePlace };
}

export type TabRequestKind = keyof TabRequests;

export type ToWorker =
  | {
      readonly [K in TabRequestKind]: {
        readonly id: number;
        readonly kind: K;
        readonly input: TabRequests[K]['input'];
      };
    }[TabRequestKind]
  | { readonly id: number; readonly kind: 'cancel' };

/** An error as data. */
export interface PlainError {
  readonly message: string;
  readonly advice?: string;
}

export type FromWorker =
  | { readonly id: number; readonly kind: 'progress'; readonly progress: Progress }
  | { readonly id: number; readonly kind: 'result'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly error: PlainError };

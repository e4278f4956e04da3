/** What computes for the page: the tab itself or the server. A screen calls it by name and does not know which. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { STUDIO_CALLS, StudioCallName } from '../../../src/studio/studioCalls.js';

import type { EngineChoice } from './engineChoice.js';
import type { TabDevice } from './engineMeasurement.js';
import type { StudioServer } from './studioServer.js';
import type { AddedFolder, AddedModel, FilesWanted } from './tabProtocol.js';

type Calls = typeof STUDIO_CALLS;
/** What a call takes, and what it answers, as src/studio/studioCalls.ts declares them. */
export type CallInput<Name extends StudioCallName> = Parameters<Calls[Name]['run']>[1];
export type CallOutput<Name extends StudioCallName> = Awaited<ReturnType<Calls[Name]['run']>>;

/** Something large is on its way: a model, the engine. */
export interface Progress {
  /** `engine` or the id of a model. */
  readonly what: string;
  readonly loadedBytes: number;
  /** Undefined where it is not known. */
  readonly totalBytes?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Where the page computes, as its header says it. */
export interface ComputePlace {
  readonly kind: 'tab' | 'server';
  readonly device: TabDevice | 'native';
  readonly threads: number;
}

export interface Backend {
  /** Of the tab: which of its engines computes. */
  readonly engines?: EngineChoice;
  /** @throws BackendError when there is neither engine nor server */
  place(): Promise<ComputePlace>;
  models(): Promise<readonly StudioModelSummary[]>;
  /**
   * @throws BackendError what the call says of its input, or why it could not be made
   * @throws DOMException `AbortError`, when the signal ended it
   */
  call<Name extends StudioCallName>(
    name: Name,
    input: CallInput<Name>,
    options?: CallOptions,
  ): Promise<CallOutput<Name>>;
  /** The server that the page came from, for what a tab cannot do. */
  readonly server?: StudioServer;
  /** Adds a model of the reader's own, in place of one of the same id; the browser keeps it. */
  addModel?(model: AddedModel): Promise<void>;
  removeModel?(id: string): Promise<void>;
  /** The files of a model of the reader's own; undefined for any other. */
  /** A model's files, as a folder of that form has them; undefined of the server's models, which it writes itself. */
  modelFiles?(wanted: FilesWanted): Promise<AddedFolder['files'] | undefined>;
  ownModel?(id: string): Promise<AddedModel | undefined>;
}

/** What went wrong and what to do about it, on whichever side it happened. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  constructor(
    message: string,
    /** A full sentence. */
    readonly advice?: string,
  ) {
    super(message);
  }
}

export const BackendContext = createContext<Backend | undefined>(undefined);

export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (!backend) throw new Error('a screen is drawn outside the shell');
  return backend;
}

/** What the server's routes are given, and what is noted of a request while it is answered. */
import type { Guard } from './guard.js';
import type { Metrics } from './metrics.js';
import type { ModelSet } from './modelSet.js';
import type { RequestRecord } from './requestLog.js';
import type { ErrorType } from './servingErrors.js';
import type { ServingSettings } from './servingSettings.js';

export interface AppParts {
  readonly models: ModelSet;
  readonly settings: ServingSettings;
  readonly guard: Guard;
  readonly metrics: Metrics;
  readonly log: (record: RequestRecord) => void;
  /** Told of an error that is none of a request's. */
  readonly onDefect: (error: unknown, requestId: string) => void;
  readonly now: () => number;
  readonly after: (ms: number, call: () => void) => () => void;
  readonly newId: () => string;
  /** Whether the server is on its way out. */
  readonly isDraining: () => boolean;
}

/** What is noted of a request while it is answered. */
export interface Notes {
  readonly requestId: string;
  readonly startedAt: number;
  record: Partial<RequestRecord>;
  error?: ErrorType;
}

export type AppEnv = { Variables: { notes: Notes } };

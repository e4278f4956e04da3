/** What a request may fail by, and the status that says so. One rule for one text and for many. */
import { PleiadError } from '../errors/errors.js';

/** A model that could not do its work: no request is to blame. */
export class ModelError extends PleiadError {}

/** TEI's kinds of errors, and those that it has no word for. */
export type ErrorType =
  | 'empty'
  | 'validation'
  | 'tokenizer'
  | 'backend'
  | 'overloaded'
  | 'unhealthy'
  | 'too_large'
  | 'not_found'
  | 'forbidden'
  | 'unauthorized'
  | 'unsupported'
  | 'timeout'
  | 'cancelled'
  | 'internal';

export interface Refusal {
  readonly status: number;
  readonly type: ErrorType;
  /** Seconds after which to come again. */
  readonly retryAfter?: number;
}

/** A request that is answered with an error of its own. */
export class RequestError extends PleiadError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

const refuse = (status: number, type: ErrorType) => (message: string) => new RequestError({ status, type }, message);

/** JSON that does not read, or is empty. */
export const badRequest = refuse(400, 'validation');
export const emptyRequest = refuse(400, 'empty');
export const unauthorized = refuse(401, 'unauthorized');
export const forbidden = refuse(403, 'forbidden');
export const notFound = refuse(404, 'not_found');
export const tooLarge = refuse(413, 'too_large');
export const wrongContentType = refuse(415, 'unsupported');
/** Read, and not what the route or the model takes. */
export const invalid = refuse(422, 'validation');
export const timedOut = refuse(504, 'timeout');
/** The client is gone; the status is nginx's, and nobody reads it. */
export const cancelled = refuse(499, 'cancelled');
export const notReady = (message: string) =>
  new RequestError({ status: 503, type: 'unhealthy', retryAfter: 5 }, message);
/** 429, since huggingface.js repeats a 503 at once and without end. */
export const overloaded = (message: string) =>
  new RequestError({ status: 429, type: 'overloaded', retryAfter: 1 }, message);

/** Names of errors that say what is wrong with a request's input or options. */
const OF_INPUT = new Set(['DataError', 'SettingsError']);

/** Names of errors that say what is wrong with the model or its engine. */
const OF_MODEL = new Set(['EngineError', 'CheckpointError', 'ModelError']);

/** How an error is answered; undefined: it is a defect of ours, and nothing of it is told. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RequestError) return error.refusal;
  if (!(error instanceof Error)) return undefined;
  if (OF_INPUT.has(error.name)) return { status: 422, type: 'validation' };
  // 424 as TEI answers a failed inference.
  if (OF_MODEL.has(error.name)) return { status: 424, type: 'backend' };
  return undefined;
}

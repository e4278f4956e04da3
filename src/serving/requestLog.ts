/** One line of JSON a request, with what operators need and no word of any text. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, never the address that was asked: that may hold anything. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
  readonly model?: string;
  readonly texts?: number;
  readonly tokens?: number;
  readonly batchSize?: number;
  readonly queueMs?: number;
  readonly inferenceMs?: number;
  /** The kind of an error, not its message, which may quote a text. */
  readonly error?: string;
}

export function createLog(destination: DestinationStream, level = 'info'): Logger {
  return pino({ level, base: undefined, timestamp: stdTimeFunctions.isoTime }, destination);
}

/** Where an unexpected error came from, without its message. */
export function placesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [typeof error];
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 8).map((line) => line.trim())];
}

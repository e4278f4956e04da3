/** Requests to the hub: redirects, time-outs, and repeating what failed in a way that passes. */
import { VERSION } from '../version.js';
import type { Clock } from './clock.js';
import { HubError } from './hubError.js';

export interface Connection {
  /** Where the hub is, without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own origin and nowhere else. */
  readonly token?: string;
  /** Longest wait for the start of an answer. */
  readonly responseTimeoutMs: number;
  /** Longest pause within an answer; a slow one that keeps coming is fine. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface HubResponse {
  readonly status: number;
  /** Headers of the last answer; of `x-` headers, those of the redirects on the way as well. */
  readonly headers: Headers;
  /** Who gave the last answer. */
  readonly url: URL;
  /** The body in pieces, as they come. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Ends the transfer when the body is not wanted. */
  discard(): Promise<void>;
}

/** A failure that may pass: repeat the request. */
export class PassingFailure extends Error {
  /** How long the server asks to wait. */
  readonly retryAfterMs?: number;
  /** Whether something was received before it: then patience starts anew. */
  readonly progressed: boolean;
  /** How often to try again. */
  readonly retries: number;
  readonly status?: number;

  constructor(
    reason: string,
    details: { retryAfterMs?: number; progressed?: boolean; retries?: number; status?: number; cause?: unknown } = {},
  ) {
    super(reason, { cause: details.cause });
    this.retryAfterMs = details.retryAfterMs;
    this.progressed = details.progressed ?? false;
    this.retries = details.retries ?? MAX_RETRIES;
    this.status = details.status;
  }
}

const MAX_RETRIES = 5;
/** Waits double from the first to the second of these; about 23 seconds in all. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 8000;
/** The hub counts requests in windows of five minutes; a server that asks for more than this is not waited for. */
const LONGEST_ASKED_WAIT_MS = 6 * 60_000;
const MAX_REDIRECTS = 10;
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * One request. Redirects are followed, at most ten, without the token as soon as they leave the endpoint's origin: what a
 * large file is redirected to is another company's server, with its permission in the address.
 * @param stopAtRedirect  called with the headers of a redirect to another origin: whether they are all that is wanted
 * @throws PassingFailure when nothing or only a server's error came; HubError for a redirect that leads nowhere
 */
export async function send(
  connection: Connection,
  method: 'GET' | 'HEAD',
  address: string,
  headers: Readonly<Record<string, string>> = {},
  stopAtRedirect: (headers: Headers) => boolean = () => false,
): Promise<HubResponse> {
  let url = new URL(address);
  let isTrusted = url.origin === new URL(connection.endpoint).origin;
  const carried = new Headers();
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const authorization = isTrusted && connection.token ? { authorization: `Bearer ${connection.token}` } : undefined;
    const response = await sendOnce(connection, method, url, { ...headers, ...authorization });
    response.headers.forEach((value, name) => {
      if (name.startsWith('x-')) carried.set(name, value);
    });
    carried.forEach((value, name) => response.headers.set(name, value));
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location) {
      if (!PASSING_STATUSES.has(response.status)) return response;
      await response.discard();
      throw new PassingFailure(`${url.host} answered ${response.status}`, {
        status: response.status,
        retryAfterMs: askedWait(response.headers, connection.clock),
      });
    }
    const target = redirectTarget(location, url);
    const leaves = target.origin !== url.origin;
    if (leaves && stopAtRedirect(response.headers)) return response;
    await response.discard();
    isTrusted &&= !leaves;
    url = target;
  }
  throw new HubError('protocol', `${address} redirects more than ${MAX_REDIRECTS} times`, {
    subject: address,
    advice: 'Check HF_ENDPOINT and the proxy',
  });
}

async function sendOnce(
  connection: Connection,
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<HubResponse> {
  const { clock, responseTimeoutMs, stallTimeoutMs, signal } = connection;
  const controller = new AbortController();
  const abort = AbortSignal.any([controller.signal, ...(signal ? [signal] : [])]);
  /** Awaits what the network owes us; silence for too long ends the request. */
  const within = async <T>(milliseconds: number, what: string, owed: () => Promise<T>): Promise<T> => {
    const silence = new PassingFailure(`${url.host} gave no ${what} for ${milliseconds / 1000} s`);
    const stopAlarm = clock.alarm(milliseconds, () => controller.abort(silence));
    try {
      return await owed();
    } catch (error) {
      signal?.throwIfAborted();
      throw controller.signal.aborted ? silence : networkFailure(error, url);
    } finally {
      stopAlarm();
    }
  };
  const request: RequestInit = {
    method,
    redirect: 'manual',
    signal: abort,
    // Sizes and ranges count bytes of the file, so it must come as it is.
    headers: { 'user-agent': `pleiad/${VERSION}`, 'accept-encoding': 'identity', ...headers },
  };
  const response = await within(responseTimeoutMs, 'answer', () => fetch(url, request));
  return {
    status: response.status,
    headers: new Headers(response.headers),
    url,
    async *chunks() {
      const reader = response.body?.getReader();
      if (!reader) return;
      try {
        for (;;) {
          const { done, value } = await within(stallTimeoutMs, 'data', () => reader.read());
          if (done) return;
          yield value;
        }
      } finally {
        controller.abort();
      }
    },
    async discard() {
      controller.abort();
      await response.body?.cancel().catch(() => {});
    },
  };
}

function redirectTarget(location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (target?.protocol === 'https:' || target?.protocol === 'http:') return target;
  throw new HubError('protocol', `${from.host} redirects to ${JSON.stringify(location)}`, {
    subject: from.href,
    found: location,
    expected: 'an http or https address',
    advice: 'Check HF_ENDPOINT and the proxy',
  });
}

/** Failures to reach anybody: seldom over in a few seconds, so two more tries are enough. */
const CONNECTING = new Set(['ENOTFOUND', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
const CERTIFICATE = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_/;

function networkFailure(error: unknown, url: URL): Error {
  if (!(error instanceof TypeError)) return error as Error;
  // `fetch failed` says nothing; what happened is its cause.
  const cause = (error.cause ?? error) as NodeJS.ErrnoException;
  const code = cause.code ?? '';
  const reason = `${url.host}: ${cause.message || code || error.message}`;
  if (CERTIFICATE.test(code)) return new PassingFailure(reason, { retries: 0, cause: error });
  return new PassingFailure(reason, { retries: CONNECTING.has(code) ? 2 : MAX_RETRIES, cause: error });
}

/** Retry-After in seconds or as a date, or the hub's own `"api";r=0;t=55`: 0 requests left, new ones in 55 seconds. */
function askedWait(headers: Headers, clock: Clock): number | undefined {
  const limit = /;\s*r=0\s*;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '');
  const word = limit?.[1] ?? headers.get('retry-after')?.trim();
  if (!word) return undefined;
  const milliseconds = /^\d+$/.test(word) ? Number(word) * 1000 : Date.parse(word) - clock.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/**
 * Repeats what fails in passing: at most five times in a row without anything received, after 1, 2, 4, 8 and 8 seconds or
 * what the server asks for.
 * @param onRetry  called before each wait
 * @throws the last PassingFailure when patience is over, any other error at once
 */
export async function withRetries<T>(
  { clock, signal }: Pick<Connection, 'clock' | 'signal'>,
  onRetry: (reason: string, waitMs: number) => void,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (error.progressed) failures = 0;
      const asked = error.retryAfterMs;
      if (++failures > error.retries || (asked ?? 0) > LONGEST_ASKED_WAIT_MS) throw error;
      const waitMs = asked ?? Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
      onRetry(error.message, waitMs);
      await clock.wait(waitMs, signal);
    }
  }
}

/** The page's side of the Studio's own server: each request with the token, each answer checked, errors as the page shows them. */
import {
  API_PREFIX,
  type PreparedData,
  type RunEvents,
  type RunSummary,
  type ServerPlace,
  type StartRun,
  type WriteModel,
  type WrittenModel,
} from '../../../src/studio/studioApi.js';
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import { BackendError } from './backend.js';

const TOKEN_KEY = 'pleiad.token';

/** Whether the page came from the Studio's server, which says so in the page's markup. */
export function isServed(): boolean {
  return document.querySelector('meta[name="pleiad-backend"][content="server"]') !== null;
}

/**
 * The token of the address that `pleiad studio` printed. It leaves the address at once, so that no screenshot and no copied
 * address holds it, and stays with this tab, so that the page can be loaded again.
 */
export function takeToken(): string | undefined {
  const [, given] = /^#token=([\w-]+)$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
    try {
      sessionStorage.setItem(TOKEN_KEY, given);
    } catch {
      // Then it lasts until the page is loaded again.
    }
    return given;
  }
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

export class StudioServer {
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;

  constructor(token: string | undefined, request: typeof fetch = (...words) => fetch(...words)) {
    this.#token = token;
    this.#fetch = request;
  }

  place = () => this.#ask<ServerPlace>('/place');
  models = () => this.#ask<StudioModelSummary[]>('/models');
  data = () => this.#ask<PreparedData[]>('/data');
  runs = () => this.#ask<RunSummary[]>('/runs');

  events(id: string, cursor: string | undefined, signal?: AbortSignal): Promise<RunEvents> {
    const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    return this.#ask(`/runs/${encodeURIComponent(id)}/events${query}`, undefined, signal);
  }

  start = (order: StartRun) => this.#ask<RunSummary>('/runs', order);
  stop = (id: string) => this.#ask<RunSummary>(`/runs/${encodeURIComponent(id)}/stop`, {});
  resume = (id: string, more?: string) => this.#ask<RunSummary>(`/runs/${encodeURIComponent(id)}/resume`, { more });
  write = (id: string, order: WriteModel) => this.#ask<WrittenModel>(`/models/${encodeURIComponent(id)}/files`, order);

  call(name: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#ask(`/calls/${encodeURIComponent(name)}`, input, signal);
  }

  async #ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    let response: Response;
    try {
      response = await this.#fetch(`${API_PREFIX}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${this.#token ?? ''}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new BackendError('the server does not answer', 'Start it again: pleiad studio');
    }
    const answer = await response.json().catch(() => undefined);
    if (response.ok) return answer as T;
    throw errorOf(response.status, answer);
  }
}

function errorOf(status: number, answer: unknown): BackendError {
  if (status === 401) {
    return new BackendError(
      'this page was opened without the token of the server',
      'Open the address that `pleiad studio` printed when it was started last.',
    );
  }
  const { error = `the server answered ${status}`, advice } = (answer ?? {}) as { error?: string; advice?: string };
  // Our errors end their message with the advice, which the page shows by itself.
  const end = advice === undefined ? '' : `. ${advice}`;
  return new BackendError(error.endsWith(end) ? error.slice(0, error.length - end.length) : error, advice);
}

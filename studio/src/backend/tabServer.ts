/** The worker's end: answers requests of the page one by one, and holds what they need. Knows no Worker, so tests run it in Node. */
import type { Progress } from './backend.js';
import type { FromWorker, PlainError, TabRequestKind, TabRequests, ToWorker } from './tabProtocol.js';

export interface RequestContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export type TabHandlers = {
  readonly [K in TabRequestKind]: (
    input: TabRequests[K]['input'],
    context: RequestContext,
  ) => Promise<TabRequests[K]['output']>;
};

/** @returns what takes the page's messages */
export function serveTab(handlers: TabHandlers, post: (message: FromWorker) => void): (message: ToWorker) => void {
  const running = new Map<number, AbortController>();
  return (message) => {
    const { id, kind } = message;
    if (kind === 'cancel') {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    const context: RequestContext = {
      signal: controller.signal,
      onProgress: (progress) => post({ id, kind: 'progress', progress }),
    };
    answer(handlers, message, context)
      .then((value) => post({ id, kind: 'result', value }))
      .catch((error: unknown) => post({ id, kind: 'error', error: plainError(error) }))
      .finally(() => running.delete(id));
  };
}

async function answer(
  handlers: TabHandlers,
  { kind, input }: Exclude<ToWorker, { kind: 'cancel' }>,
  context: RequestContext,
): Promise<unknown> {
  const handler = handlers[kind] as (input: unknown, context: RequestContext) => Promise<unknown>;
  return handler(input, context);
}

/** Our errors end their message with the advice, which the page shows by itself. */
export function plainError(error: unknown): PlainError {
  const { message = String(error), advice } = error as Partial<PlainError>;
  if (advice === undefined) return { message };
  const end = `. ${advice}`;
  return { message: message.endsWith(end) ? message.slice(0, -end.length) : message, advice };
}

/** The server as a function from Request to Response: guards, the table of routes, errors as JSON, one log line a request. */
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AppEnv, AppParts, Notes } from './appParts.js';
import { QueueClosed, QueueFull } from './batchQueue.js';
import { checkContentType, checkHost, checkKey, checkOrigin, corsHeaders } from './guard.js';
import { addInformation } from './information.js';
import { readJson } from './readJson.js';
import { readBody, workOf } from './requestWork.js';
import { HUB_ROUTES, hubTaskOf } from './routes/hubRoutes.js';
import type { ModelCard, Route } from './routes/route.js';
import { ROUTES } from './routes/routes.js';
import { tokenizeBody, tokenized } from './routes/teiRoutes.js';
import type { ServedModel } from './servedModel.js';
import {
  cancelled,
  invalid,
  notFound,
  notReady,
  overloaded,
  type Refusal,
  RequestError,
  refusalOf,
  timedOut,
} from './servingErrors.js';

/** Probes: open to whoever runs them, by whatever name. */
const OPEN = new Set(['/health', '/ping', '/readyz']);
/** An id that a client sends is taken over where it can do no harm in a log. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export function createApp(parts: AppParts): Hono<AppEnv> {
  const { guard, models, metrics } = parts;
  const app = new Hono<AppEnv>();

  app.use('*', async (c, next) => {
    const given = c.req.header('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : parts.newId();
    const notes: Notes = { requestId, startedAt: parts.now(), record: {} };
    c.set('notes', notes);
    c.header('x-request-id', requestId);
    c.header('x-content-type-options', 'nosniff');
    if (parts.isDraining()) c.header('connection', 'close');
    await next();
    // What is too large is not read to its end, so nothing more can come over that connection.
    if (c.res.status === 413) c.header('connection', 'close');
    const { record, error } = notes;
    const [route] = c.req.matchedRoutes.filter(({ path }) => path !== '*' && path !== '/*').slice(-1);
    parts.log({
      requestId,
      method: c.req.method,
      route: route?.path ?? 'unknown',
      status: c.res.status,
      elapsedMs: Math.round((parts.now() - notes.startedAt) * 100) / 100,
      ...record,
      ...(error && { error }),
    });
  });

  app.use('*', async (c, next) => {
    if (!OPEN.has(c.req.path)) {
      const [host, origin] = [c.req.header('host'), c.req.header('origin')];
      checkHost(host, guard);
      checkOrigin(origin, host, guard);
      for (const [name, value] of Object.entries(corsHeaders(origin, guard))) c.header(name, value);
      // A page asks for permission first, and shows no key for that.
      if (c.req.method === 'OPTIONS') return c.body(null, 204);
      checkKey(c.req.header('authorization'), guard);
      if (c.req.method === 'POST') checkContentType(c.req.header('content-type'));
    }
    await next();
  });

  const body = (c: Context<AppEnv>) => readJson(c.req.raw, parts.settings.maxBody);
  for (const route of ROUTES) {
    app.post(route.path, (c) =>
      counted(c, parts, async () => {
        const given = await body(c);
        const named = c.req.param('id') ?? modelNamedBy(given);
        return answer(c, parts, route, given, models.forTask(route.task, named));
      }),
    );
  }
  const byItsTask = async (c: Context<AppEnv>, id: string) => {
    const given = await body(c);
    const found = models.named(id);
    const task = hubTaskOf(given, found.card);
    const route = HUB_ROUTES.find((each) => each.task === task);
    if (!route) throw invalid(`the hub has no form for ${task}; ask /api/${task}`);
    return answer(c, parts, route, given, found);
  };
  app.post('/models/:id', (c) => counted(c, parts, () => byItsTask(c, c.req.param('id'))));
  app.post('/', (c) =>
    counted(c, parts, () => {
      const ids = models.all.map(({ id }) => id);
      if (ids.length > 1)
        throw invalid(`there are several models; ask one of ${ids.map((id) => `/models/${id}`).join(', ')}`);
      return byItsTask(c, ids[0]);
    }),
  );
  app.post('/tokenize', (c) =>
    counted(c, parts, async () => {
      const asked = readBody({ body: tokenizeBody }, await body(c));
      const { card } = asked.model ? models.named(asked.model) : models.named(models.all[0].id);
      return c.json(tokenized(asked, card) as object);
    }),
  );
  addInformation(app, parts);

  app.notFound((c) => refused(c, notFound('there is no such route; /docs lists them'), parts));
  app.onError((error, c) => refused(c as Context<AppEnv>, error, parts));
  app.get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }));
  return app;
}

function modelNamedBy(body: unknown): string | undefined {
  const model = typeof body === 'object' && body !== null ? (body as { model?: unknown }).model : undefined;
  return typeof model === 'string' ? model : undefined;
}

/** Counts a request under the last word of its route's path, as TEI names methods. */
async function counted(c: Context<AppEnv>, { metrics, isDraining }: AppParts, run: () => Promise<Response>) {
  metrics.begin(methodOf(c));
  if (isDraining()) throw notReady('the server is shutting down');
  return run();
}

function methodOf(c: Context<AppEnv>): string {
  const words = c.req.routePath.split('/').filter((word) => word !== '' && !word.startsWith(':'));
  return words.at(-1) ?? 'root';
}

async function answer(
  c: Context<AppEnv>,
  parts: AppParts,
  route: Route,
  given: unknown,
  { model, card }: { readonly model: ServedModel<ModelCard>; readonly card: ModelCard },
): Promise<Response> {
  const notes = c.get('notes');
  const read = readBody(route, given);
  const begun = parts.now();
  const work = workOf(route, read, card, parts.settings);
  const tokenizationMs = parts.now() - begun;
  const tokens = work.lengths.reduce((sum, length) => sum + length, 0);
  notes.record = { model: card.id, texts: work.inputs.length, tokens };
  const { signal, stop } = deadline(c, parts);
  try {
    const { results, times } = await model.run(work, signal);
    Object.assign(notes.record, {
      batchSize: times.batchSize,
      queueMs: round(times.queueMs),
      inferenceMs: round(times.inferenceMs),
    });
    const shaped = route.shape(results, read, { model: card, inputs: work.inputs, lengths: work.lengths });
    const totalMs = parts.now() - notes.startedAt;
    parts.metrics.succeed(methodOf(c), { totalMs, tokenizationMs, ...times }, work.lengths);
    return c.json(shaped as object);
  } finally {
    stop();
  }
}

const round = (ms: number) => Math.round(ms * 100) / 100;

/** Aborted when the client has gone or the time is up. */
function deadline(c: Context<AppEnv>, { after, settings: { timeout } }: AppParts) {
  const controller = new AbortController();
  const stopTimer = after(timeout * 1000, () => controller.abort(timedOut(`no answer within ${timeout} s`)));
  const gone = () => controller.abort(cancelled('the client has gone'));
  const client = c.req.raw.signal;
  if (client.aborted) gone();
  client.addEventListener('abort', gone, { once: true });
  const stop = () => {
    stopTimer();
    client.removeEventListener('abort', gone);
  };
  return { signal: controller.signal, stop };
}

/** An error as a response: JSON with what and how much; of a defect of ours nothing but that. */
function refused(c: Context<AppEnv>, error: unknown, parts: AppParts): Response {
  const notes = c.get('notes');
  const { refusal, message } = refusalFor(error, () => parts.onDefect(error, notes.requestId));
  notes.error = refusal.type;
  parts.metrics.fail(refusal.type);
  if (refusal.retryAfter !== undefined) c.header('retry-after', String(refusal.retryAfter));
  if (refusal.status === 401) c.header('www-authenticate', 'Bearer');
  const status = refusal.status as ContentfulStatusCode;
  if (!c.req.path.startsWith('/v1/')) return c.json({ error: message, error_type: refusal.type }, status);
  return c.json({ error: { message, type: refusal.type, code: openAiCode(refusal), param: null } }, status);
}

function refusalFor(error: unknown, onDefect: () => void): { refusal: Refusal; message: string } {
  if (error instanceof QueueFull) {
    const full = overloaded(`The queue holds ${error.waiting} requests; try again in 1 s`);
    return { refusal: full.refusal, message: full.message };
  }
  if (error instanceof QueueClosed) {
    const closed = notReady('the server is shutting down');
    return { refusal: closed.refusal, message: closed.message };
  }
  const refusal = refusalOf(error);
  if (!refusal) {
    onDefect();
    return {
      refusal: { status: 500, type: 'internal' },
      message: 'the server failed; its log says more by the request id',
    };
  }
  // What is wrong with a model may name folders of this machine.
  if (refusal.type === 'backend' && (error as Error).name === 'CheckpointError') {
    onDefect();
    return { refusal, message: 'the model could not be loaded for this; the log of the server says why' };
  }
  const isOwn = error instanceof RequestError || error instanceof Error;
  return { refusal, message: isOwn ? error.message : String(error) };
}

function openAiCode({ type }: Refusal): string {
  return type === 'not_found' ? 'model_not_found' : type;
}

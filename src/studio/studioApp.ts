/**
 * The Studio's server as a function from Request to Response. The page's own files are open: they hold nothing of this machine.
 * All that works or tells (models, calls, runs) needs the token of this start, which the page has from its address.
 */
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { PleiadError, SettingsError } from '../errors/errors.js';
import { checkedValue } from '../pipelines/checkedValue.js';
import { checkContentType, checkHost, checkKey, checkOrigin, type Guard } from '../serving/guard.js';
import { readJson } from '../serving/readJson.js';
import { cancelled, invalid, notFound, type Refusal, refusalOf } from '../serving/servingErrors.js';
import {
  API_PREFIX,
  type PreparedData,
  type RunEvents,
  type RunSummary,
  resumeRunBody,
  type ServerPlace,
  startRunBody,
  stopRunBody,
  type WrittenModel,
  writeModelBody,
} from './studioApi.js';
import type { StudioCall, StudioModels } from './studioCall.js';
import { STUDIO_CALLS } from './studioCalls.js';
import { STUDIO_HEADERS } from './studioHeaders.js';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether its name changes with its content. */
  readonly isImmutable: boolean;
}

export interface StudioRuns {
  list(): Promise<readonly RunSummary[]>;
  events(id: string, cursor: string | undefined): Promise<RunEvents>;
  start(order: z.output<typeof startRunBody>): Promise<RunSummary>;
  stop(id: string): Promise<RunSummary>;
  resume(id: string, more: string | undefined): Promise<RunSummary>;
}

export interface StudioAppParts {
  readonly guard: Guard;
  place(): Promise<ServerPlace>;
  readonly models: StudioModels;
  readonly runs: StudioRuns;
  data(): readonly PreparedData[];
  write(id: string, order: z.output<typeof writeModelBody>): Promise<WrittenModel>;
  /** By its path, of those that were there at the start; undefined for any other. */
  page(path: string): Promise<PageFile | undefined>;
  /** Bytes of a request. */
  readonly maxBody: number;
  readonly onDefect: (error: unknown) => void;
  /** The table of calls; another in tests. */
  readonly calls?: Readonly<Record<string, StudioCall>>;
}

export function createStudioApp(parts: StudioAppParts): Hono {
  const { guard, models, runs, maxBody } = parts;
  const calls: Readonly<Record<string, StudioCall>> = parts.calls ?? STUDIO_CALLS;
  const app = new Hono();

  app.use('*', async (c, next) => {
    for (const [name, value] of Object.entries(STUDIO_HEADERS)) c.header(name, value);
    const host = c.req.header('host');
    checkHost(host, guard);
    checkOrigin(c.req.header('origin'), host, guard);
    await next();
  });

  const api = new Hono();
  api.use('*', async (c, next) => {
    checkKey(c.req.header('authorization'), guard);
    if (c.req.method !== 'GET') checkContentType(c.req.header('content-type'));
    c.header('cache-control', 'no-store');
    await next();
  });
  const read = async <T>(c: Context, schema: z.ZodType<T>): Promise<T> =>
    checkedValue(schema, await readJson(c.req.raw, maxBody), 'the body', (all) => invalid(all.join('; ')));

  api.get('/place', async (c) => c.json(await parts.place()));
  api.get('/models', async (c) => c.json(await models.list()));
  api.get('/data', (c) => c.json(parts.data()));
  api.get('/runs', async (c) => c.json(await runs.list()));
  api.get('/runs/:id/events', async (c) => c.json(await runs.events(c.req.param('id'), c.req.query('cursor'))));
  api.post('/runs', async (c) => c.json(await runs.start(await read(c, startRunBody))));
  api.post('/runs/:id/stop', async (c) => {
    await read(c, stopRunBody);
    return c.json(await runs.stop(c.req.param('id')));
  });
  api.post('/runs/:id/resume', async (c) => {
    const { more } = await read(c, resumeRunBody);
    return c.json(await runs.resume(c.req.param('id'), more));
  });
  api.post('/models/:id/files', async (c) => {
    const order = await read(c, writeModelBody);
    return c.json(await parts.write(c.req.param('id'), order));
  });
  api.post('/calls/:name', async (c) => {
    const name = c.req.param('name');
    if (!Object.hasOwn(calls, name)) throw notFound('there is no such call');
    const call = calls[name];
    const given = await readJson(c.req.raw, maxBody);
    const input = checkedValue(call.input, given, 'the input', (all) => new SettingsError(all));
    const gone = new AbortController();
    c.req.raw.signal.addEventListener('abort', () => gone.abort(cancelled('the page has gone')), { once: true });
    return c.json((await call.run(models, input, gone.signal)) as object);
  });
  app.route(API_PREFIX, api);

  app.get('*', async (c) => {
    const file = await parts.page(c.req.path);
    if (!file) throw notFound('there is no such file');
    c.header('cache-control', file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
    return c.body(file.bytes, 200, { 'content-type': file.type });
  });
  app.notFound((c) => refused(c, notFound('there is no such route'), parts));
  app.onError((error, c) => refused(c, error, parts));
  return app;
}

/** An error as JSON. Whoever has the token owns the machine, so he is told what a library would tell; a defect the log tells. */
function refused(c: Context, error: unknown, { onDefect }: StudioAppParts): Response {
  const { status, type } = refusalOf(error) ?? (error instanceof PleiadError ? OF_WORK : OF_DEFECT);
  if (status === 500) onDefect(error);
  if (status === 401) c.header('www-authenticate', 'Bearer');
  const { message, advice } = error as PleiadError;
  const told =
    status === 500 ? { error: 'the server failed; the terminal that it runs in says why' } : { error: message };
  return c.json({ ...told, error_type: type, ...(advice && { advice }) }, status as ContentfulStatusCode);
}

const OF_WORK: Refusal = { status: 422, type: 'validation' };
const OF_DEFECT: Refusal = { status: 500, type: 'internal' };

/** The server itself: models in threads, a port, looks at the folders, and an end that answers all that was accepted. */
import { randomUUID } from 'node:crypto';
import { destination } from 'pino';
import type { LoadOptions } from '../pipelines/load.node.js';
import { createApp } from './app.js';
import { keysOf } from './keys.node.js';
import { listening } from './listening.node.js';
import { Metrics } from './metrics.js';
import { describePlace, folderOfPlace, idOfPlace, placeSignature } from './modelPlace.node.js';
import { ModelSet, namedPlaces } from './modelSet.js';
import { createLog, placesOf } from './requestLog.js';
import type { ModelCard } from './routes/route.js';
import { type ModelEvent, type ModelRunner, type ModelSource, ServedModel } from './servedModel.js';
import { parseServingSettings, type ServingSettings } from './servingSettings.js';
import { receivedError, ThreadClient } from './threadClient.node.js';
import type { ThreadLoading, ThreadSettings } from './threadProtocol.js';

export interface ServeOptions extends Omit<ThreadLoading, 'batchSize'> {
  readonly onHubEvent?: LoadOptions['onHubEvent'];
  readonly revision?: string;
  /** Told what becomes of models. */
  readonly onModel?: (event: ModelEvent) => void;
  /** Where requests are logged, a line of JSON each. Default: nowhere. */
  readonly log?: 'stderr' | { write(line: string): void };
  /** Starts what runs a model. Default a thread. */
  readonly startRunner?: (settings: ThreadSettings) => Promise<ModelRunner>;
  /** Where keys are. Default the environment of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface RunningServer {
  /** With the port that it got. */
  readonly url: string;
  readonly settings: ServingSettings;
  readonly models: ModelSet;
  /** Resolves once every model is loaded, or is known not to be. */
  readonly loaded: Promise<void>;
  /** Takes nothing more, answers what was accepted, ends. Later calls wait for the first. */
  stop(): Promise<void>;
}

/** For the last answers to be written. */
const LAST_WORDS_MS = 2000;

/**
 * Starts a server.
 * @param words     `runs/reviews`, or with an id of its own `reviews=runs/reviews`
 * @param settings  as `servingSettingsSchema` has them
 * @throws SettingsError naming all that is wrong; CheckpointError or HubError when there is no such place
 */
export async function startServer(
  words: readonly string[],
  settings: object = {},
  options: ServeOptions = {},
): Promise<RunningServer> {
  const { environment = process.env, log: to } = options;
  const isKey = keysOf(environment);
  const checked = parseServingSettings(settings, { hasKey: isKey !== undefined });
  const places = namedPlaces(words, idOfPlace);
  const folders = await Promise.all(places.map(({ place }) => folderOfPlace(place, options)));
  const now = () => performance.now();
  const after = (ms: number, call: () => void) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  };
  const log = createLog(to === 'stderr' ? destination({ dest: 2, sync: true }) : (to ?? { write: () => {} }));
  let isDraining = false;

  const models: ModelSet = new ModelSet(
    places.map(({ id }, i) => {
      return new ServedModel<ModelCard>(id, sourceOf(id, folders[i], checked, options), checked, {
        now,
        after,
        soon: (call) => void setImmediate(call),
        received: receivedError,
        onBatch: (_, size, tokens) => metrics.batch(size, tokens),
        onEvent: (event) => {
          const { error, ...rest } = event;
          log[error ? 'error' : 'info']({ ...rest, ...(error && { reason: error.message }) }, 'model');
          options.onModel?.(event);
        },
      });
    }),
  );
  const metrics = new Metrics(() => models.all.map(({ id, queue }) => [id, queue.size] as const));
  const app = createApp({
    models,
    settings: checked,
    guard: { ...checked, isKey },
    metrics,
    log: (record) => log.info(record, 'request'),
    onDefect: (error, requestId) => log.error({ requestId, at: placesOf(error) }, 'defect'),
    now,
    after,
    newId: randomUUID,
    isDraining: () => isDraining,
  });
  await Promise.all(models.all.map((model) => model.describe()));
  const { server, url } = await listening(app.fetch, checked);
  // One after the other: loading is bound by the disk, and the first is ready sooner.
  const loaded = (async () => {
    if (checked.load === 'start') for (const model of models.all) await model.load();
  })();
  const stopLooking = lookRegularly(models, checked.reload);

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    isDraining = true;
    stopLooking();
    // The port stays open meanwhile: what comes is told to go elsewhere, and every answer ends its connection. Closed at once,
    // idle connections would cut off clients that are just writing.
    const drained = Promise.all(models.all.map((model) => model.close()));
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, checked.drain * 1000).unref())]);
    await Promise.all(models.all.map((model) => model.abandon()));
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS).unref();
    await closed;
  };
  return {
    url,
    settings: checked,
    models,
    loaded,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function sourceOf(
  id: string,
  folder: string,
  settings: ServingSettings,
  options: ServeOptions,
): ModelSource<ModelCard> {
  const { threads, engine, device, precision, onnx, lowercase, startRunner = ThreadClient.start } = options;
  const loading: ThreadLoading = {
    threads,
    engine,
    device,
    precision,
    onnx,
    lowercase,
    batchSize: settings.maxBatchSize,
  };
  return {
    describe: async () => ({ id, ...(await describePlace(folder, lowercase)) }),
    start: ({ task }) => startRunner({ folder, ready: [task], loading }),
    signature: () => placeSignature(folder),
  };
}

/** @returns ends it */
function lookRegularly(models: ModelSet, seconds: number): () => void {
  if (seconds === 0) return () => {};
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    for (const model of models.all) await model.look();
    isLooking = false;
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}

/** Pleiad Studio's server: the page, the models and runs named at the start, and a token without which nothing of it works. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readRunFile } from '../checkpoint/runFile.node.js';
import { readManifest } from '../data/shards.node.js';
import { chooseEngine } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import type { EngineWish } from '../engine/engineNames.js';
import { SettingsError } from '../errors/errors.js';
import { boxedModels } from '../hub/modelsPackage.node.js';
import { convertModel } from '../pretrained/convert.node.js';
import { exportModel } from '../pretrained/exportModel.node.js';
import { isOneOf } from '../serving/keys.node.js';
import { listening } from '../serving/listening.node.js';
import { folderOfPlace, idOfPlace } from '../serving/modelPlace.node.js';
import { type NamedPlace, namedPlaces } from '../serving/modelSet.js';
import { parseSettings } from '../settings/parseSettings.js';
import { builtPage, pageFiles } from './pageFiles.node.js';
import { RunList } from './runList.node.js';
import { type ModelPlace, ServerModels } from './serverModels.node.js';
import type { PreparedData, WrittenModel, writeModelBody } from './studioApi.js';
import { createStudioApp } from './studioApp.js';
import type { startTraining } from './trainingClient.node.js';

export const studioSettingsSchema = z.strictObject({
  port: z.number().int().min(0).max(65535).default(8420).describe('Port; 0 takes a free one. Default 8420.'),
  runs: z
    .string()
    .min(1)
    .default('runs')
    .describe('Folder whose runs are listed, and in which new runs and converted models are written. Default runs.'),
});
export type StudioSettings = z.output<typeof studioSettingsSchema>;

export interface StudioOptions extends EngineWish {
  /** Folders of shards to train on, `id=FOLDER` or `FOLDER`. */
  readonly data?: readonly string[];
  /** Folder of the built page. Default: beside the compiled library. */
  readonly page?: string;
  /** Models that are always there. Default: those of the package `pleiad-models`, where it is installed. */
  readonly box?: readonly ModelPlace[];
  readonly onDefect?: (error: unknown) => void;
  /** Another in tests. */
  readonly train?: typeof startTraining;
}

export interface RunningStudio {
  /** Where it listens. */
  readonly url: string;
  /** To be opened: the page's address with the token of this start. */
  readonly address: string;
  readonly token: string;
  readonly models: ServerModels;
  readonly runs: RunList;
  /** Ends what is being trained with a checkpoint, then the server. */
  stop(): Promise<void>;
}

/** A pasted text of a few books. */
const MAX_BODY = 20_000_000;
/** The page and its questions are small; a training is not waited for. */
const REQUEST_SECONDS = 600;

/**
 * Starts the Studio at 127.0.0.1.
 * @param words  models and runs, `id=PLACE` or `PLACE`, as `startServer` takes them
 * @throws SettingsError naming all that is wrong; CheckpointError or HubError when there is no such place; PleiadError when
 *         the page is not built or the port is taken
 */
export async function startStudio(
  words: readonly string[],
  settings: object = {},
  options: StudioOptions = {},
): Promise<RunningStudio> {
  const { values, problems } = parseSettings(studioSettingsSchema, settings);
  if (!values || problems.length > 0) throw new SettingsError(problems);
  const page = pageFiles(options.page ?? builtPage());
  const places = await foldersOf(words);
  const data = preparedFolders(options.data ?? []);
  const named = places.filter(({ folder }) => readRunFile(folder) !== undefined);
  const { threads, train, box = boxedModels().map(({ name, folder }) => ({ id: name, folder })) } = options;
  const dataOf = (id: string) => data.find((each) => each.id === id)?.folder;
  const runs = new RunList({ out: values.runs, named, dataOf, threads, train });
  const engines = lazily(async () => (await chooseEngine({ purpose: 'serving', ...options })).engine);
  const models = new ServerModels(() => distinct([...places, ...runs.below(), ...box]), engines.get);
  // 256 bits, anew at each start; the page keeps it for its tab alone.
  const token = randomBytes(32).toString('base64url');
  const app = createStudioApp({
    guard: { allowedHosts: [], corsOrigins: [], isFixed: true, isKey: isOneOf([token]) },
    place: async () => {
      const engine = await engines.get();
      return { engine: engine.description, threads: engine.threads ?? threads ?? 1, out: values.runs };
    },
    models,
    runs,
    data: () => data.map(describeData),
    write: (id, order) => write(models.folderOf(id, order.role), runs.newFolder(order.name), order),
    page,
    maxBody: MAX_BODY,
    onDefect: options.onDefect ?? console.error,
  });
  const { server, url } = await listening(app.fetch, {
    host: '127.0.0.1',
    port: values.port,
    timeout: REQUEST_SECONDS,
  });
  const stop = async () => {
    await runs.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    await models.release();
    await engines.close();
  };
  return { url, address: `${url}/#token=${token}`, token, models, runs, stop };
}

async function foldersOf(words: readonly string[]): Promise<ModelPlace[]> {
  if (words.length === 0) return [];
  const places = namedPlaces(words, idOfPlace);
  return Promise.all(places.map(async ({ id, place }) => ({ id, folder: await folderOfPlace(place) })));
}

interface PreparedFolder extends NamedPlace {
  readonly folder: string;
}

/** @throws DataError for a folder that holds no shards */
function preparedFolders(words: readonly string[]): PreparedFolder[] {
  if (words.length === 0) return [];
  const folders = namedPlaces(words, idOfPlace).map((named) => ({ ...named, folder: named.place }));
  for (const { folder } of folders) readManifest(folder);
  return folders;
}

function describeData({ id, folder }: PreparedFolder): PreparedData {
  const { train, heldOut } = readManifest(folder);
  return { id, tokens: train.tokens, heldOutTokens: heldOut.tokens };
}

/** The first of each id. */
function distinct(places: readonly ModelPlace[]): ModelPlace[] {
  const all = new Map<string, ModelPlace>();
  for (const place of places) if (!all.has(place.id)) all.set(place.id, place);
  return [...all.values()];
}

/** A model as another folder. */
async function write(
  from: string,
  to: string,
  { as, quantize }: z.output<typeof writeModelBody>,
): Promise<WrittenModel> {
  if (as === 'safetensors') return { folder: to, files: [...(await convertModel(from, to)).files] };
  const { files } = await exportModel(from, to, { quantize });
  return { folder: to, files: [...files.keys()] };
}

/** An engine that is started when it is first asked for. */
function lazily(start: () => Promise<Engine>) {
  let engine: Promise<Engine> | undefined;
  return {
    get: () => {
      engine ??= start();
      return engine;
    },
    close: async () => {
      await (await engine)?.close();
    },
  };
}

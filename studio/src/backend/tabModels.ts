/** What the tab's worker does: models of the site and of the reader, on onnxruntime-web. */
import type { Engine } from '../../../src/engine/engine.js';
import { SettingsError } from '../../../src/errors/errors.js';
import { type FileSet, fileSetOf } from '../../../src/files/byteSource.js';
import { entriesOf } from '../../../src/studio/fetchedModels.js';
import { FolderModels, type StudioModelEntry } from '../../../src/studio/folderModels.js';
import { modelFiles } from '../../../src/studio/modelFiles.js';
import { MANIFEST_FILE, parseManifest } from '../../../src/studio/modelManifest.js';
import type { StudioCall } from '../../../src/studio/studioCall.js';
import { STUDIO_CALLS } from '../../../src/studio/studioCalls.js';
import type { ComputePlace, Progress } from './backend.js';
import { cachedFetch } from './cachedFetch.js';
import type { TabDevice } from './engineMeasurement.js';
import type { OpenEngine } from './tabEngine.js';
import type { AddedModel } from './tabProtocol.js';
import type { TabHandlers } from './tabServer.js';
import { usableThreads } from './threads.js';

/** How engines are made; a shared page has WebAssembly alone. */
export interface TabEngines {
  readonly wasm: OpenEngine;
  readonly webgpu?: OpenEngine;
}

/** Handlers over one engine at a time. @param engines  how they are made */
export function tabModels(engines: TabEngines): TabHandlers {
  let site = '';
  let entries = new Map<string, StudioModelEntry>();
  let device: TabDevice = 'wasm';
  let engine: Promise<Engine> | undefined;
  let models: FolderModels | undefined;

  /** Of the engine: all who wait for it see it come. */
  const watching = new Set<(progress: Progress) => void>();
  const onProgress = (progress: Progress) => watching.forEach((listener) => listener(progress));
  const open = async (): Promise<Engine> => {
    if (device === 'wasm' || !engines.webgpu) return engines.wasm(site, onProgress);
    try {
      return await engines.webgpu(site, onProgress);
    } catch {
      // The graphics processor that was measured is gone.
      device = 'wasm';
      return engines.wasm(site, onProgress);
    }
  };
  const startEngine = () => {
    engine ??= open();
    // A runtime that did not come may come at the next call.
    engine.catch(() => {
      engine = undefined;
    });
    return engine;
  };
  const running = () => {
    models ??= new FolderModels(entries.values(), startEngine);
    return models;
  };
  const place = (): ComputePlace => ({ kind: 'tab', device, threads: device === 'wasm' ? usableThreads() : 1 });

  return {
    async start(input) {
      ({ site, device } = input);
      const listed = entriesOf(await fetchManifest(site), cachedFetch(site));
      entries = new Map([...listed.map((entry) => [entry.summary.id, entry] as const), ...entries]);
      models = undefined;
      return place();
    },
    list: async () => running().list(),
    async call({ name, input }, { signal, onProgress }) {
      const call = callNamed(name);
      watching.add(onProgress);
      try {
        return await call.run(running().watchedBy(onProgress), checkedInput(call, name, input), signal);
      } finally {
        watching.delete(onProgress);
      }
    },
    async add(added) {
      const entry = entryOf(added);
      entries.set(entry.summary.id, entry);
      await running().add(entry);
      return undefined;
    },
    async remove({ id }) {
      entries.delete(id);
      await running().remove(id);
      return undefined;
    },
    files: ({ id, role, format }) => running().withModel(id, role, async (model) => [...modelFiles(model, format)]),
    async use(input) {
      if (input.device === device) return undefined;
      const [oldModels, oldEngine] = [models, engine];
      [device, engine, models] = [input.device, undefined, undefined];
      await oldModels?.release();
      await (await oldEngine?.catch(() => undefined))?.close();
      return undefined;
    },
    place: async () => place(),
  };
}

/** A site without models has no list; what the reader brings is then all there is. */
async function fetchManifest(site: string) {
  const address = new URL(MANIFEST_FILE, site).href;
  const response = await fetch(address);
  if (response.status === 404) return { models: [] };
  if (!response.ok) throw new SettingsError([`${address} answers ${response.status}`]);
  return parseManifest(await response.json(), MANIFEST_FILE);
}

function entryOf({ summary, folders }: AddedModel): StudioModelEntry {
  // A pair may hold what both share in one of its folders.
  const sets = new Map<string, FileSet>();
  const opened = Object.entries(folders).map(([role, { files, ...about }]) => {
    const set = fileSetOf(new Map(files), summary.id, sets);
    sets.set(role, set);
    return [role, { ...about, open: async () => set }];
  });
  return { summary, folders: Object.fromEntries(opened) };
}

type AnyCall = StudioCall<unknown, unknown>;

function callNamed(name: string): AnyCall {
  const calls: Readonly<Record<string, unknown>> = STUDIO_CALLS;
  if (Object.hasOwn(calls, name)) return calls[name] as AnyCall;
  throw new SettingsError([`there is no call "${name}"; there are ${Object.keys(calls).join(', ')}`]);
}

function checkedInput(call: AnyCall, name: string, input: unknown): unknown {
  const result = call.input.safeParse(input);
  if (result.success) return result.data;
  throw new SettingsError(
    result.error.issues.map(({ path, message }) => `${[name, ...path.map(String)].join('.')}: ${message}`),
  );
}

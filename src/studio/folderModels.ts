/** The models of a page, each from its folder, loaded when first asked for and kept while there is room. */
import type { Engine } from '../engine/engine.js';
import { SettingsError } from '../errors/errors.js';
import type { FileSet } from '../files/byteSource.js';
import type { Architecture } from '../models/config.js';
import type { Model } from '../pretrained/model.js';
import { loadFolderModel } from './folderModel.js';
import type { StudioModelSummary, StudioModels, StudioRole } from './studioCall.js';

/** How much of a model's files has come. */
export interface LoadProgress {
  /** The model's id. */
  readonly what: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export interface StudioFolder {
  readonly architecture?: Architecture;
  readonly maxLength?: number;
  /** Opens the files, fetching them where that is needed. */
  open(onProgress?: (progress: LoadProgress) => void): Promise<FileSet>;
}

export interface StudioModelEntry {
  readonly summary: StudioModelSummary;
  readonly folders: Readonly<Partial<Record<StudioRole, StudioFolder>>>;
}

interface Loaded {
  readonly model: Promise<Model>;
  /** Listeners of those who wait for it. */
  readonly waiting: Set<(progress: LoadProgress) => void>;
  users: number;
  bytes: number;
}

/** Weights in memory that are kept though nobody uses them. */
const KEPT_BYTES = 600e6;

export class FolderModels implements StudioModels {
  readonly #entries = new Map<string, StudioModelEntry>();
  /** By id and role, the least recently used first. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #engine: () => Promise<Engine>;
  readonly #keptBytes: number;

  /** @param engine  starts it when the first model is loaded; the caller closes it */
  constructor(
    entries: Iterable<StudioModelEntry>,
    engine: () => Promise<Engine>,
    { keptBytes = KEPT_BYTES }: { readonly keptBytes?: number } = {},
  ) {
    for (const entry of entries) this.#entries.set(entry.summary.id, entry);
    this.#engine = engine;
    this.#keptBytes = keptBytes;
  }

  async list(): Promise<readonly StudioModelSummary[]> {
    return [...this.#entries.values()].map(({ summary }) => summary);
  }

  /** Adds a model, in place of one of the same id. */
  async add(entry: StudioModelEntry): Promise<void> {
    await this.remove(entry.summary.id);
    this.#entries.set(entry.summary.id, entry);
  }

  /** Removes a model; work that is under way keeps it until it ends. */
  async remove(id: string): Promise<void> {
    this.#entries.delete(id);
    for (const [key, loaded] of this.#loaded) {
      if (!key.startsWith(`${id}/`)) continue;
      this.#loaded.delete(key);
      if (loaded.users === 0) await release(loaded);
    }
  }

  /** The same models, for a caller who wants to see them load. */
  watchedBy(onProgress: (progress: LoadProgress) => void): StudioModels {
    return {
      list: () => this.list(),
      withModel: (id, role, work) => this.withModel(id, role, work, onProgress),
    };
  }

  async withModel<T>(
    id: string,
    role: StudioRole,
    work: (model: Model) => Promise<T>,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<T> {
    const key = `${id}/${role}`;
    const loaded = this.#loaded.get(key) ?? this.#load(key, this.#folder(id, role));
    this.#loaded.delete(key);
    this.#loaded.set(key, loaded);
    loaded.users++;
    if (onProgress) loaded.waiting.add(onProgress);
    try {
      const model = await loaded.model;
      if (onProgress) loaded.waiting.delete(onProgress);
      return await work(model);
    } finally {
      if (onProgress) loaded.waiting.delete(onProgress);
      loaded.users--;
      if (this.#loaded.get(key) === loaded) await this.#makeRoom();
      else if (loaded.users === 0) await release(loaded);
    }
  }

  async release(): Promise<void> {
    const all = [...this.#loaded.values()];
    this.#loaded.clear();
    for (const loaded of all) if (loaded.users === 0) await release(loaded);
  }

  #folder(id: string, role: StudioRole): StudioFolder {
    const entry = this.#entries.get(id);
    const folder = entry?.folders[role];
    if (folder) return folder;
    const ids = [...this.#entries.keys()].join(', ') || 'none';
    throw new SettingsError([
      entry
        ? `the model "${id}" has no ${role}; it has ${Object.keys(entry.folders).join(', ')}`
        : `there is no model "${id}"; there are ${ids}`,
    ]);
  }

  #load(key: string, folder: StudioFolder): Loaded {
    const waiting: Loaded['waiting'] = new Set();
    const { architecture, maxLength } = folder;
    const open = async () => {
      const [files, engine] = await Promise.all([
        folder.open((progress) => {
          for (const listener of waiting) listener(progress);
        }),
        this.#engine(),
      ]);
      return loadFolderModel(files, engine, { architecture, maxLength });
    };
    const loaded: Loaded = { model: open(), waiting, users: 0, bytes: 0 };
    this.#loaded.set(key, loaded);
    loaded.model.then(
      ({ tensors }) => {
        for (const { data } of tensors.values()) loaded.bytes += data.byteLength;
      },
      // One that failed may be asked for again: the network may be back.
      () => this.#loaded.get(key) === loaded && this.#loaded.delete(key),
    );
    return loaded;
  }

  async #makeRoom(): Promise<void> {
    let kept = 0;
    for (const { bytes } of this.#loaded.values()) kept += bytes;
    for (const [key, loaded] of this.#loaded) {
      if (kept <= this.#keptBytes) return;
      if (loaded.users > 0) continue;
      this.#loaded.delete(key);
      kept -= loaded.bytes;
      await release(loaded);
    }
  }
}

async function release({ model }: Loaded): Promise<void> {
  const loaded = await model.catch(() => undefined);
  await loaded?.release();
}

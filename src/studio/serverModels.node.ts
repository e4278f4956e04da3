/**
 * The models of the Studio's server: those in the box, those named at the start, and runs that have a checkpoint. A run that goes
 * on learning is read anew once it has a better checkpoint.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { withClass } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import type { Engine } from '../engine/engine.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { folderFiles } from '../files/byteSource.node.js';
import type { Model } from '../pretrained/model.js';
import { trainedLength } from '../pretrained/modelPlaces.node.js';
import { placeSignature } from '../serving/modelPlace.node.js';
import { FolderModels, type StudioFolder, type StudioModelEntry } from './folderModels.js';
import { aboutFolder, modelFoldersOf } from './listModels.node.js';
import type { StudioModelSummary, StudioModels, StudioRole } from './studioCall.js';

/** A folder that was named at the start, or is a run below one. */
export interface ModelPlace {
  readonly id: string;
  readonly folder: string;
}

export class ServerModels implements StudioModels {
  readonly #places: () => readonly ModelPlace[];
  readonly #models: FolderModels;
  readonly #signatures = new Map<string, string>();

  /** @param places  as they are now: runs come and go */
  constructor(places: () => readonly ModelPlace[], engine: () => Promise<Engine>) {
    this.#places = places;
    this.#models = new FolderModels([], engine);
  }

  async list(): Promise<readonly StudioModelSummary[]> {
    await this.#look();
    return this.#models.list();
  }

  /** The folder of a model's weights. @throws SettingsError when there is none */
  folderOf(id: string, role: StudioRole): string {
    const place = this.#places().find((each) => each.id === id);
    const folder = place && foldersOf(place).find(([each]) => each === role)?.[1];
    if (folder) return folder;
    throw new SettingsError([place ? `the model "${id}" has no ${role}` : `there is no model "${id}"`]);
  }

  async withModel<T>(id: string, role: StudioRole, work: (model: Model) => Promise<T>): Promise<T> {
    await this.#look();
    return this.#models.withModel(id, role, work);
  }

  release(): Promise<void> {
    return this.#models.release();
  }

  async #look(): Promise<void> {
    const places = this.#places();
    const known = new Set(places.map(({ id }) => id));
    for (const id of this.#signatures.keys()) {
      if (known.has(id)) continue;
      this.#signatures.delete(id);
      await this.#models.remove(id);
    }
    for (const place of places) {
      const signature = placeSignature(place.folder);
      if (this.#signatures.get(place.id) === signature) continue;
      this.#signatures.set(place.id, signature);
      const entry = entryOf(place);
      if (entry) await this.#models.add(entry);
    }
  }
}

function foldersOf({ folder }: ModelPlace): [StudioRole, string][] {
  try {
    return modelFoldersOf(folder);
  } catch (error) {
    // A run without a checkpoint is no model yet.
    if (error instanceof CheckpointError) return [];
    throw error;
  }
}

function entryOf(place: ModelPlace): StudioModelEntry | undefined {
  const folders = foldersOf(place);
  if (folders.length === 0) return undefined;
  const described = folders.map(([role, folder]) => [role, folder, classOf(folder)] as const);
  return {
    summary: {
      id: place.id,
      roles: Object.fromEntries(described.map(([role, , architecture]) => [role, architecture])),
      ...aboutFolder(place.folder),
      bytes: folders.reduce((sum, [, folder]) => sum + bytesOf(folder), 0),
    },
    folders: Object.fromEntries(described.map(([role, folder, architecture]) => [role, opened(folder, architecture)])),
  };
}

function classOf(folder: string): NonNullable<StudioFolder['architecture']> {
  return withClass(loadPublishedConfig(folder)).architecture;
}

function opened(folder: string, architecture: StudioFolder['architecture']): StudioFolder {
  const maxLength = trainedLength(folder);
  return {
    architecture,
    ...(maxLength !== undefined && { maxLength }),
    open: async () => folderFiles(folder),
  };
}

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (stat?.isFile() ? stat.size : 0);
  }, 0);
}

/** The files of a folder that a reader drops or chooses, by the models in it. */

import { DataError } from '../../../../src/errors/errors.js';
import { fileSetOf } from '../../../../src/files/byteSource.js';
import { type InspectedFiles, inspectFiles } from '../../../../src/studio/inspectFiles.js';
import { STUDIO_ROLES, type StudioRole } from '../../../../src/studio/studioCall.js';
import type { AddedModel } from '../../backend/tabProtocol.js';

/** Files by their paths, as `electra/config.json`. */
export type DroppedFiles = ReadonlyMap<string, Blob>;

export interface DroppedModel {
  readonly id: string;
  readonly roles: ReadonlyMap<StudioRole, InspectedFiles>;
  /** What the page keeps; undefined where a part is missing. */
  readonly model?: AddedModel;
}

/** Nobody drops more by intent. */
const MOST_FILES = 2000;

/** Of a drop. Must be called before the event is over, as a browser forgets its items then. */
export function filesOfDrop(transfer: DataTransfer): Promise<DroppedFiles> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = new Map<string, Blob>();
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (files.size >= MOST_FILES) return;
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      files.set(entry.fullPath.replace(/^\//, ''), file);
      return;
    }
    for (const child of await entriesIn(entry as FileSystemDirectoryEntry)) await walk(child);
  };
  return (async () => {
    for (const entry of entries) await walk(entry);
    return files;
  })();
}

/** A folder gives its entries a hundred at a time. */
async function entriesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0 || all.length >= MOST_FILES) return all;
    all.push(...some);
  }
}

/** Of an input that chooses a folder. */
export function filesOfInput(list: FileList): DroppedFiles {
  return new Map([...list].slice(0, MOST_FILES).map((file) => [file.webkitRelativePath || file.name, file]));
}

/**
 * Reads what was dropped: a model folder, or one with generator/ and discriminator/ in it.
 * @throws DataError when there is no model in it; CheckpointError when one cannot be read
 */
export async function readDropped(dropped: DroppedFiles): Promise<DroppedModel> {
  const folders = modelFolders(dropped);
  const names = [...folders.keys()];
  if (names.length === 0) {
    throw new DataError('there is no config.json in what was dropped', {
      found: [...dropped.keys()].slice(0, 20),
      expected: 'a model folder: config.json, weights, tokenizer.json',
      advice: 'Drop the folder of one model, of a pair of them, or a checkpoint of a run.',
    });
  }
  const byRole = rolesOf(names);
  const roles = new Map<StudioRole, InspectedFiles>();
  for (const [role, folder] of byRole) roles.set(role, await inspectFiles(fileSetOf(folders.get(folder)!, folder)));
  const id = idOf(names[0].split('/')[0] ?? 'model');
  const isWhole = [...roles.values()].every((each) => each.isWhole);
  if (!isWhole) return { id, roles };
  const entries = [...byRole].map(([role, folder]) => {
    const { architecture } = roles.get(role)!;
    return [role, { architecture, files: [...folders.get(folder)!] }] as const;
  });
  const bytes = entries.flatMap(([, { files }]) => files.map(([, blob]) => blob.size));
  return {
    id,
    roles,
    model: {
      summary: {
        id,
        roles: Object.fromEntries(entries.map(([role, { architecture }]) => [role, architecture])),
        bytes: bytes.reduce((sum, each) => sum + each, 0),
      },
      folders: Object.fromEntries(entries),
    },
  };
}

/** Files directly in each folder that has a config.json. */
function modelFolders(dropped: DroppedFiles): Map<string, Map<string, Blob>> {
  const folders = new Map<string, Map<string, Blob>>();
  for (const path of dropped.keys()) {
    const folder = path.slice(0, -'/config.json'.length);
    if (path.endsWith('/config.json')) folders.set(folder, new Map());
  }
  for (const [path, blob] of dropped) {
    const at = path.lastIndexOf('/');
    folders.get(path.slice(0, Math.max(0, at)))?.set(path.slice(at + 1), blob);
  }
  return folders;
}

/** The newest checkpoint's, where there are several; alone it is the model. */
function rolesOf(names: readonly string[]): Map<StudioRole, string> {
  const sorted = [...names].sort();
  const found = STUDIO_ROLES.flatMap((role) => {
    const folder = sorted.findLast((name) => name.endsWith(`/${role}`));
    return folder === undefined ? [] : [[role, folder] as const];
  });
  const hasPair = found.some(([role]) => role !== 'model');
  return hasPair ? new Map(found) : new Map([['model', sorted[sorted.length - 1]]]);
}

function idOf(name: string): string {
  return name.replace(/[^\w.-]/g, '-').replace(/^\.+/, '') || 'model';
}

/** Opens a checkpoint on disk: a file, a folder, the prefix of a TensorFlow checkpoint, or an archive. */
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { folderFiles } from '../files/byteSource.node.js';
import { openTensorFile, openTensorFolder, PackedCheckpoint } from './openTensors.js';
import type { TensorSource } from './tensorSource.js';
import { unpackArchive } from './unpackArchive.node.js';

export interface OpenTensorsOptions {
  /** Where archives are unpacked while they are open; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string;
}

/**
 * Opens a checkpoint by its content, whatever it is called. An archive is unpacked into a folder that is removed when the
 * source is closed.
 * @param path  a file, a folder, or a TensorFlow checkpoint without its ending (`model.ckpt-4000000`)
 * @throws CheckpointError saying what is wrong with it, or what it is
 */
export async function openTensors(path: string, options: OpenTensorsOptions = {}): Promise<TensorSource> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return openTensorFolder(folderFiles(path));
  const name = !stat && existsSync(`${path}.index`) ? `${basename(path)}.index` : basename(path);
  if (!stat && name === basename(path)) {
    throw new CheckpointError(`There is no file or folder ${path}`, { subject: path });
  }
  try {
    return await openTensorFile(folderFiles(dirname(path)), name);
  } catch (error) {
    if (!(error instanceof PackedCheckpoint)) throw error;
    return openPacked(path, options.temporaryFolder ?? tmpdir());
  }
}

async function openPacked(path: string, temporaryFolder: string): Promise<TensorSource> {
  const { folder, remove } = await unpackTemporarily(path, temporaryFolder);
  return openTensorFolder(folderFiles(folder), remove).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
}

/**
 * Unpacks an archive into a new folder for as long as it is needed.
 * @returns the folder with the checkpoint's files, and what removes it again
 * @throws CheckpointError when anything is wrong with the archive; nothing is left then
 */
export async function unpackTemporarily(
  path: string,
  temporaryFolder = tmpdir(),
): Promise<{ folder: string; remove: () => Promise<void> }> {
  const outer = mkdtempSync(join(temporaryFolder, 'pleiad-'));
  const remove = () => rm(outer, { recursive: true, force: true });
  try {
    const unpacked = join(outer, 'unpacked');
    await unpackArchive(path, unpacked);
    return { folder: onlyFolder(unpacked), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Archives often hold one folder with everything in it. */
function onlyFolder(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(
    ({ name }) => !/^(\._|__MACOSX$|\.DS_Store$)/.test(name),
  );
  return entries.length === 1 && entries[0].isDirectory() ? onlyFolder(join(folder, entries[0].name)) : folder;
}

/** Unpacks an archive into a folder. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSource } from '../files/byteSource.node.js';
import { makeFolder } from '../files/durableFile.node.js';
import { unpackTar, unpackZip } from '../formats/archive/unpack.js';
import type { UnpackLimits, UnpackTarget } from '../formats/archive/unpacking.js';
import { refused } from '../formats/damaged.js';
import { contentKind } from './contentKind.js';

/**
 * Unpacks a .tar, .tar.gz or .zip into a folder that it makes.
 * @param folder  must not be there yet; it is removed again when anything is wrong with the archive
 * @throws CheckpointError when the archive is damaged, too large or has entries that lead out of the folder
 */
export async function unpackArchive(path: string, folder: string, limits?: UnpackLimits): Promise<void> {
  const source = await openFileSource(path);
  try {
    const kind = await contentKind(source);
    makeFolder(folder);
    try {
      if (kind === 'zip') await unpackZip(source, folderTarget(folder), limits);
      else if (kind === 'gzip' || kind === 'tar') {
        await unpackTar(source, folderTarget(folder), { gzip: kind === 'gzip', limits });
      } else throw refused(path, 'it is no archive');
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await source.close();
  }
}

/** Files are made new ("wx"), so nothing that is there, a link least of all, is ever written through. */
function folderTarget(folder: string): UnpackTarget {
  return {
    async folder(path) {
      makeFolder(join(folder, path));
    },
    async file(path) {
      const file = await open(join(folder, path), 'wx');
      return {
        async write(bytes) {
          for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
        },
        close: () => file.close(),
      };
    },
  };
}

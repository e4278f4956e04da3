/** The models that a manifest lists, fetched file by file as they are asked for. */
import { CheckpointError } from '../errors/errors.js';
import { fileSetOf } from '../files/byteSource.js';
import type { LoadProgress, StudioFolder, StudioModelEntry } from './folderModels.js';
import {
  bytesOfFiles,
  type ManifestFolder,
  type ManifestModel,
  type ModelManifest,
  summaryOf,
} from './modelManifest.js';
import type { StudioRole } from './studioCall.js';

/** Gets a file by its path below the manifest; says how many bytes have come. */
export type FetchFile = (
  path: string,
  options: { readonly version?: string; readonly onBytes: (bytes: number) => void },
) => Promise<Uint8Array | Blob>;

/** The entries of a manifest for `FolderModels`. */
export function entriesOf({ models }: ModelManifest, fetchFile: FetchFile): StudioModelEntry[] {
  return models.map((model) => ({
    summary: summaryOf(model),
    folders: Object.fromEntries(
      (Object.entries(model.roles) as [StudioRole, ManifestFolder][]).map(([role, folder]) => [
        role,
        folderOf(model, folder, fetchFile),
      ]),
    ),
  }));
}

function folderOf({ id, version }: ManifestModel, folder: ManifestFolder, fetchFile: FetchFile): StudioFolder {
  const { architecture, maxLength, files } = folder;
  return {
    architecture,
    ...(maxLength !== undefined && { maxLength }),
    async open(onProgress?: (progress: LoadProgress) => void) {
      const totalBytes = bytesOfFiles(files);
      const came = new Map<string, number>();
      const contents = await Promise.all(
        files.map(async ({ name, bytes }) => {
          const content = await fetchFile(`${folder.folder}/${name}`, {
            version,
            onBytes(count) {
              came.set(name, count);
              onProgress?.({
                what: id,
                loadedBytes: [...came.values()].reduce((sum, each) => sum + each, 0),
                totalBytes,
              });
            },
          });
          const size = content instanceof Uint8Array ? content.length : content.size;
          if (size !== bytes) throw incomplete(`${folder.folder}/${name}`, size, bytes);
          return [name, content] as const;
        }),
      );
      return fileSetOf(new Map(contents), id);
    },
  };
}

function incomplete(path: string, found: number, expected: number): CheckpointError {
  return new CheckpointError(`${path} has ${found} bytes where the list of models says ${expected}`, {
    subject: path,
    found,
    expected: `${expected} bytes`,
    advice: 'Copy the site again, whole, and reload the page',
  });
}

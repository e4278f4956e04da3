/** The models that a manifest lists, fetched file by file as they are asked for. */
import { CheckpointError } from '../errors/errors.js';
import { blobSource, type FileSet, memorySource } from '../files/byteSource.js';
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
  return models.map((model) => {
    const roles = Object.entries(model.roles) as [StudioRole, ManifestFolder][];
    const folders = roles.map(([role, folder]) => [role, studioFolder(model, folder, fetchFile)]);
    return { summary: summaryOf(model), folders: Object.fromEntries(folders) };
  });
}

function studioFolder(model: ManifestModel, folder: ManifestFolder, fetchFile: FetchFile): StudioFolder {
  const { architecture, maxLength } = folder;
  return {
    architecture,
    ...(maxLength !== undefined && { maxLength }),
    async open(onProgress) {
      const files = new FetchedFiles(model, folder, fetchFile, onProgress);
      // All at once: a model needs every one of them.
      await Promise.all(files.names.map((name) => files.fetch(name)));
      return files;
    },
  };
}

/** A folder of the manifest. The other folder of a pair is fetched where this one shares tensors with it. */
class FetchedFiles implements FileSet {
  readonly name: string;
  readonly names: readonly string[];
  readonly #model: ManifestModel;
  readonly #folder: ManifestFolder;
  readonly #fetchFile: FetchFile;
  readonly #onProgress?: (progress: LoadProgress) => void;
  readonly #came = new Map<string, number>();
  readonly #contents = new Map<string, Promise<Uint8Array | Blob>>();

  constructor(
    model: ManifestModel,
    folder: ManifestFolder,
    fetchFile: FetchFile,
    onProgress?: (progress: LoadProgress) => void,
  ) {
    this.name = model.id;
    this.names = folder.files.map(({ name }) => name);
    this.#model = model;
    this.#folder = folder;
    this.#fetchFile = fetchFile;
    this.#onProgress = onProgress;
  }

  async open(name: string) {
    const content = await this.fetch(name);
    const label = `${this.name}/${name}`;
    return content instanceof Uint8Array ? memorySource(content, label) : blobSource(content, label);
  }

  beside(role: string): FileSet | undefined {
    const { roles } = this.#model;
    const folder = Object.hasOwn(roles, role) ? roles[role as StudioRole] : undefined;
    return folder && new FetchedFiles(this.#model, folder, this.#fetchFile, this.#onProgress);
  }

  /** @throws CheckpointError when the folder has no such file, or one of another length than the manifest says */
  fetch(name: string): Promise<Uint8Array | Blob> {
    const known = this.#contents.get(name);
    if (known) return known;
    const content = this.#fetch(name);
    this.#contents.set(name, content);
    return content;
  }

  async #fetch(name: string): Promise<Uint8Array | Blob> {
    const { folder, files } = this.#folder;
    const file = files.find((each) => each.name === name);
    if (!file) throw new CheckpointError(`${folder} has no file ${name}`, { subject: name, found: this.names });
    const path = `${folder}/${name}`;
    const content = await this.#fetchFile(path, {
      version: this.#model.version,
      onBytes: (count) => this.#report(name, count),
    });
    const size = content instanceof Uint8Array ? content.length : content.size;
    if (size !== file.bytes) throw incomplete(path, size, file.bytes);
    return content;
  }

  #report(name: string, count: number): void {
    this.#came.set(name, count);
    const loadedBytes = [...this.#came.values()].reduce((sum, each) => sum + each, 0);
    this.#onProgress?.({ what: this.name, loadedBytes, totalBytes: bytesOfFiles(this.#folder.files) });
  }
}

function incomplete(path: string, found: number, expected: number): CheckpointError {
  return new CheckpointError(`${path} has ${found} bytes where the list of models says ${expected}`, {
    subject: path,
    found,
    expected: `${expected} bytes`,
    advice: 'Copy the site again, whole, and reload the page',
  });
}

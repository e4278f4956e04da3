/**
 * The cache folder of Python's huggingface_hub, in its layout, so that what a user has is found and what we fetch serves
 * Python:
 *
 *     models--owner--name/
 *       blobs/<hash>                 each content once
 *       refs/<revision>              the commit that a branch or tag stood for when it was last asked
 *       snapshots/<commit>/<file>    links to blobs: a folder to load a model from
 *       .no_exist/<commit>/<file>    files that a commit is known not to have
 *     .locks/models--owner--name/<hash>.lock
 *
 * Everything appears under its final name by a rename or a link, so a reader never sees half of it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { makeFolder, reasonOf } from '../files/durableFile.node.js';
import { HubError } from './hubError.js';
import { isCommit, repositoryFolder } from './names.js';

/** What a file system says that knows no symbolic links, or lets only some users make them. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'EACCES',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EINVAL',
]);

export class RepositoryCache {
  /** The folder of all repositories. */
  readonly root: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #symlinks: boolean;

  /** @param repository  a checked name */
  constructor(root: string, repository: string, { symlinks = true }: { symlinks?: boolean } = {}) {
    this.root = root;
    this.#name = repositoryFolder(repository);
    this.#folder = join(root, this.#name);
    this.#symlinks = symlinks;
  }

  snapshotFolder(commit: string): string {
    return join(this.#folder, 'snapshots', commit);
  }

  blobPath(content: string): string {
    return join(this.#folder, 'blobs', content);
  }

  lockPath(content: string): string {
    return join(this.root, '.locks', this.#name, `${content}.lock`);
  }

  /** The commit that a revision stands for, as far as is known here. */
  commitOf(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    const commit = readIfThere(join(this.#folder, 'refs', revision))?.trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  /** Branches, tags and commits that are here, for messages. */
  revisions(): string[] {
    const refs = namesIn(join(this.#folder, 'refs'));
    return refs.length ? refs : namesIn(join(this.#folder, 'snapshots'));
  }

  /** Path of a file that is here; a link to nowhere counts as absent. */
  find(commit: string, file: string): string | undefined {
    const path = join(this.snapshotFolder(commit), file);
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined;
  }

  isKnownAbsent(commit: string, file: string): boolean {
    return existsSync(join(this.#folder, '.no_exist', commit, file));
  }

  /** A cache that cannot be written still serves: what could not be remembered is asked again. */
  async rememberAbsent(commit: string, file: string): Promise<void> {
    const path = join(this.#folder, '.no_exist', commit, file);
    if (existsSync(path)) return;
    await ignoringErrors(async () => {
      makeFolder(dirname(path));
      await writeFile(path, '');
    });
  }

  async rememberRevision(revision: string, commit: string): Promise<void> {
    if (revision === commit || this.commitOf(revision) === commit) return;
    await ignoringErrors(() => replaceFile(join(this.#folder, 'refs', revision), commit));
  }

  /**
   * Makes the folders that a download needs.
   * @throws PleiadError when the cache cannot be written
   */
  async prepare(content: string, commit: string, file: string): Promise<void> {
    for (const path of [this.blobPath(content), join(this.snapshotFolder(commit), file)]) makeFolder(dirname(path));
    await ignoringErrors(() => makeFolder(dirname(this.lockPath(content))));
  }

  /**
   * Puts a blob into a snapshot: as a relative link, so that the cache can be moved; where there are no links as the blob
   * itself, if it is new, else as a copy.
   * @returns the file's path in the snapshot
   */
  async addToSnapshot(commit: string, file: string, content: string, isNew: boolean): Promise<string> {
    const path = join(this.snapshotFolder(commit), file);
    const blob = this.blobPath(content);
    const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const isLinked = this.#symlinks && (await isLink(relative(dirname(path), blob), temporary));
      if (isLinked || !isNew) {
        if (!isLinked) await copyFile(blob, temporary);
        await rename(temporary, path);
      } else {
        await rename(blob, path);
      }
      return path;
    } catch (cause) {
      await rm(temporary, { force: true });
      // Without a lock another process may have been faster, and have moved the blob away.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && this.find(commit, file)) return path;
      throw new HubError('disk', `${path} could not be made: ${reasonOf(cause)}`, { subject: path, cause });
    }
  }
}

/** Makes a link; false where the file system has none. */
async function isLink(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if (NO_LINKS.has((error as NodeJS.ErrnoException).code)) return false;
    throw error;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  makeFolder(dirname(path));
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

async function ignoringErrors(work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch {
    // Said to be of no consequence by every caller.
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

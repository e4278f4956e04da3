/** The files of a folder in sorted order, each folder once, with what cannot be read named instead of stopped at. */

import { type Dirent, type Stats, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { DataError } from '../../errors/errors.js';

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

export interface WalkedFolder {
  /** Paths of regular files from the folder, sorted by UTF-16 unit at each level. */
  readonly files: readonly string[];
  readonly skipped: readonly SkippedFile[];
}

/**
 * Walks a folder. Names that begin with a dot are left out. Links are followed: to a file always, to a folder only where
 * its files are not read anyway. So a folder that leads to itself, to one above it, or that two links lead to is read
 * once, under its own name where it has one here.
 * @param passOver  why a folder is not to be entered, asked with its real path
 * @throws DataError when the folder itself cannot be listed
 */
export async function walkFolder(
  folder: string,
  passOver: (realPath: string) => string | undefined = () => undefined,
): Promise<WalkedFolder> {
  const walk = new FolderWalk(folder, passOver, await realPathOf(folder));
  await walk.enter('');
  return walk;
}

class FolderWalk implements WalkedFolder {
  readonly files: string[] = [];
  readonly skipped: SkippedFile[] = [];
  /** Real paths of folders that links led to, outside the folder. */
  readonly #linked = new Map<string, string>();

  constructor(
    private readonly root: string,
    private readonly passOver: (realPath: string) => string | undefined,
    private readonly realRoot: string,
  ) {}

  /** @param prefix  path from the root, empty or with a slash at its end */
  async enter(prefix: string): Promise<void> {
    for (const entry of await this.#entries(prefix)) {
      if (entry.name.startsWith('.')) continue;
      const name = prefix + entry.name;
      const reason = await this.#take(entry, name);
      if (reason !== undefined) this.skipped.push({ path: join(this.root, name), reason });
    }
  }

  async #entries(prefix: string): Promise<Dirent[]> {
    const folder = join(this.root, prefix);
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (cause) {
      const reason = reasonUnread(cause);
      if (prefix === '') throw new DataError(`${folder} cannot be read: ${reason}`, { subject: folder, cause });
      this.skipped.push({ path: folder, reason });
      return [];
    }
  }

  /** @returns why it is skipped */
  async #take(entry: Dirent, name: string): Promise<string | undefined> {
    if (entry.isFile()) {
      this.files.push(name);
      return undefined;
    }
    const path = join(this.root, name);
    let info: Stats;
    try {
      info = await stat(path);
    } catch (cause) {
      return entry.isSymbolicLink() ? reasonOfLink(cause) : reasonUnread(cause, entry.name);
    }
    if (!info.isDirectory()) return this.#takeFile(info, name);
    const real = await realPathOf(path);
    const reason = this.passOver(real) ?? (entry.isSymbolicLink() ? this.#readAnyway(real, name) : undefined);
    if (reason === undefined) await this.enter(`${name}/`);
    return reason;
  }

  #takeFile(info: Stats, name: string): string | undefined {
    if (!info.isFile()) return kindOfFile(info);
    this.files.push(name);
    return undefined;
  }

  /** Why what a link leads to is not read again. */
  #readAnyway(real: string, name: string): string | undefined {
    if (isWithin(this.realRoot, real)) return 'a link to a folder that holds it';
    if (isWithin(real, this.realRoot)) {
      // Folders with a dot before their names are not walked, so a link is the only way to what is in them.
      const inside = relative(this.realRoot, real);
      if (!inside.split(sep).some((part) => part.startsWith('.'))) {
        return `a link to ${join(this.root, inside)}, which is read itself`;
      }
    }
    for (const [other, by] of this.#linked) {
      if (isWithin(real, other)) return `a link to the same folder as ${join(this.root, by)}`;
      if (isWithin(other, real)) return `a link to a folder that holds that of ${join(this.root, by)}`;
    }
    this.#linked.set(real, name);
    return undefined;
  }
}

/** Whether `path` is `folder` or lies in it; both real. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** As `realpath`; the path itself where the system does not say. */
async function realPathOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException)?.code ?? '';
}

function reasonOfLink(cause: unknown): string {
  const code = codeOf(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'a link to nothing';
  return code === 'ELOOP' ? 'a link that leads to itself' : reasonUnread(cause);
}

/** Why a file or folder could not be read, in words. @param name  its name, where that may be the reason */
export function reasonUnread(cause: unknown, name = ''): string {
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') return 'permission was denied';
  // Node shows bytes that are no UTF-8 so, and then finds no such name.
  if (code === 'ENOENT' && name.includes('\ufffd')) return 'its name is not UTF-8; rename it';
  if (code === 'ENOENT') return 'it is gone';
  return cause instanceof Error ? cause.message : String(cause);
}

/** What something is that is neither a file nor a folder. */
export function kindOfFile(info: Stats): string {
  if (info.isFIFO()) return 'a pipe, not a file';
  return info.isSocket() ? 'a socket, not a file' : 'a device, not a file';
}

/** What a path leads to; undefined with the reason when it leads nowhere. */
export function lookAt(path: string): { info: Stats } | { info?: undefined; reason: string } {
  try {
    return { info: statSync(path) };
  } catch (cause) {
    return { reason: reasonUnread(cause) };
  }
}

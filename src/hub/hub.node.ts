/** Files of the hub by repository, revision and name: from the cache, or fetched into it. */
import { existsSync, statSync } from 'node:fs';
import { RepositoryCache } from './cache.node.js';
import { type Clock, SYSTEM_CLOCK } from './clock.js';
import { downloadBlob, givenUp } from './download.node.js';
import type { HubListener } from './events.js';
import { lockFile } from './fileLock.node.js';
import { HubError, type HubProblem } from './hubError.js';
import { FileAbsent, type FileAddress, type FileMetadata, fileMetadata, listFiles } from './metadata.js';
import { checkFileName, checkRepositoryName, checkRevision } from './names.js';
import { type Connection, PassingFailure, withRetries } from './requests.js';
import { type HubOptions, type HubSettings, hubSettings } from './settings.node.js';

export interface HubDependencies {
  readonly clock?: Clock;
  readonly onHubEvent?: HubListener;
  /** Ends all work; what was fetched of a file is kept. */
  readonly signal?: AbortSignal;
}

/** What was found under a file's name. */
export type HubFile =
  | { readonly state: 'present'; readonly path: string; readonly commit: string }
  /** The repository has no such file. */
  | { readonly state: 'absent'; readonly commit?: string }
  /** Not in the cache, and the hub cannot be asked. */
  | { readonly state: 'unknown'; readonly commit: string };

/** What is asked for, beside the name. */
export interface FileNeed {
  /** Who named the file, for messages. */
  readonly namedBy?: string;
  /** A file of more bytes is refused. */
  readonly maxBytes?: number;
}

/**
 * One repository of the hub, for as long as a model is being gathered. When the hub cannot be asked and the cache has what
 * is wanted, the cache is used, which is said, and the hub is left alone from then on.
 */
export class HubRepository {
  readonly name: string;
  readonly settings: HubSettings;
  readonly cache: RepositoryCache;
  readonly #connection: Connection;
  readonly #onEvent: HubListener;
  /** Why the hub is not asked any more. */
  #silence?: HubError;
  #hasFetched = false;

  /** @throws SettingsError for variables that cannot be used, HubError for a name that is none */
  constructor(name: string, options: HubOptions = {}, { clock, onHubEvent, signal }: HubDependencies = {}) {
    this.name = checkRepositoryName(name);
    this.settings = hubSettings(options);
    this.cache = new RepositoryCache(this.settings.cacheFolder, name, this.settings);
    this.#connection = { ...this.settings, clock: clock ?? SYSTEM_CLOCK, signal };
    this.#onEvent = onHubEvent ?? (() => {});
  }

  /** Why the hub is not asked, if so: offline mode, or a failure before. */
  get silence(): string | undefined {
    return this.settings.offline ? 'offline mode (HF_HUB_OFFLINE)' : this.#silence?.message;
  }

  /** The same for programs. */
  get silenceProblem(): HubProblem {
    return this.#silence?.problem ?? 'offline';
  }

  /** Whether anything had to be fetched. */
  get hasFetched(): boolean {
    return this.#hasFetched;
  }

  /**
   * Finds a file, or fetches it.
   * @throws HubError when it can neither be found nor fetched
   */
  async file(file: string, revision: string, { namedBy = 'the caller', maxBytes }: FileNeed = {}): Promise<HubFile> {
    checkFileName(file, namedBy);
    checkRevision(revision);
    const commit = this.cache.commitOf(revision);
    const isFixed = commit === revision;
    const known = commit === undefined ? undefined : this.#inCache(commit, file);
    if (known && isFixed) return known;
    if (this.silence !== undefined) return known ?? this.#unasked(commit, revision);
    const address = { repository: this.name, revision, file };
    let metadata: FileMetadata;
    try {
      metadata = await this.#metadata(address, known !== undefined);
    } catch (error) {
      if (error instanceof FileAbsent) return this.#absent(address, error);
      // A cache that others filled may lack only what nobody needed. Half a download of ours is no such cache.
      const mayDo = known !== undefined || !this.#hasFetched;
      if (commit === undefined || !mayDo || !mayUseCache(error)) throw error;
      this.#silence = error;
      this.#onEvent({ type: 'cached', repository: this.name, commit, reason: error.message });
      return known ?? { state: 'unknown', commit };
    }
    await this.cache.rememberRevision(revision, metadata.commit);
    const path = this.#whole(file, metadata) ?? (await this.#fetch(address, metadata, maxBytes));
    return { state: 'present', path, commit: metadata.commit };
  }

  /** All names, for messages; undefined when the hub does not say. */
  listFiles(revision: string): Promise<readonly string[] | undefined> {
    if (this.silence !== undefined) return Promise.resolve(undefined);
    return listFiles(this.#connection, { repository: this.name, revision });
  }

  #inCache(commit: string, file: string): HubFile | undefined {
    const path = this.cache.find(commit, file);
    if (path !== undefined) return { state: 'present', path, commit };
    return this.cache.isKnownAbsent(commit, file) ? { state: 'absent', commit } : undefined;
  }

  #unasked(commit: string | undefined, revision: string): HubFile {
    if (commit) return { state: 'unknown', commit };
    const here = this.cache.revisions();
    throw new HubError('offline', `${this.name} at ${revision} is not in the cache, and ${this.silence}`, {
      subject: this.name,
      found: here,
      expected: `${this.name} in ${this.settings.cacheFolder}`,
      advice: here.length
        ? `The cache has it at ${here.join(', ')}: name one as the revision, or allow the network once`
        : 'Allow the network once, or give the folder of a model',
    });
  }

  async #absent(address: FileAddress, { commit }: FileAbsent): Promise<HubFile> {
    if (!commit) return { state: 'absent' };
    await this.cache.rememberAbsent(commit, address.file);
    await this.cache.rememberRevision(address.revision, commit);
    return { state: 'absent', commit };
  }

  /** @param hasFallback  then one try is enough */
  async #metadata(address: FileAddress, hasFallback: boolean): Promise<FileMetadata> {
    const connection = this.#connection;
    const ask = () => fileMetadata(connection, address);
    const onRetry = (reason: string, waitMs: number) => {
      this.#onEvent({ type: 'retry', file: address.file, reason, waitMs });
    };
    try {
      return await (hasFallback ? ask() : withRetries(connection, onRetry, ask));
    } catch (error) {
      throw error instanceof PassingFailure ? givenUp(address, connection, error) : error;
    }
  }

  /** The file of a snapshot, unless its size says that it is damaged. */
  #whole(file: string, { commit, bytes }: FileMetadata): string | undefined {
    const path = this.cache.find(commit, file);
    if (path === undefined) return undefined;
    const { size } = statSync(path);
    if (bytes === undefined || size === bytes) return path;
    this.#onEvent({ type: 'note', text: `${path} has ${size} bytes instead of ${bytes}; fetching it anew` });
    return undefined;
  }

  async #fetch(address: FileAddress, metadata: FileMetadata, maxBytes?: number): Promise<string> {
    const { cache } = this;
    const { content, commit, bytes } = metadata;
    const { clock, signal } = this.#connection;
    const onEvent = this.#onEvent;
    await cache.prepare(content, commit, address.file);
    const onWait = () => onEvent({ type: 'waiting', file: address.file });
    const lock = await lockFile(cache.lockPath(content), { clock, signal, onWait });
    try {
      // Another process may have been faster.
      const there = this.#whole(address.file, metadata);
      if (there) return there;
      const destination = cache.blobPath(content);
      const isThere = existsSync(destination) && (bytes === undefined || statSync(destination).size === bytes);
      if (!isThere) {
        this.#hasFetched = true;
        const isAlone = lock.isHeld;
        const connection = this.#connection;
        await downloadBlob({ connection, address, metadata, destination, isAlone, maxBytes, onEvent });
      }
      return await cache.addToSnapshot(commit, address.file, content, !isThere);
    } finally {
      await lock.release();
    }
  }
}

/**
 * Whether a copy in the cache may stand in. Yes for a hub that does not answer or gives no access now; no for a revision
 * that is gone or an answer that is not to be trusted.
 */
function mayUseCache(error: unknown): error is HubError {
  return (
    error instanceof HubError &&
    ['unreachable', 'gated', 'refused', 'repositoryNotFound', 'protocol'].includes(error.problem)
  );
}

/** One file from the hub to the disk: resumed where it was cut, and checked before it gets its name. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../files/durableFile.node.js';
import type { HubListener } from './events.js';
import { HubError } from './hubError.js';
import { type FileAddress, type FileMetadata, fileUrl, refusal } from './metadata.js';
import { type Connection, type HubResponse, PassingFailure, send, withRetries } from './requests.js';

const PROGRESS_EVERY_MS = 100;

export interface Download {
  readonly connection: Connection;
  readonly address: FileAddress;
  readonly metadata: FileMetadata;
  /** Final path, named after the content; the partial file lies beside it. */
  readonly destination: string;
  /** Whether no other process can be writing the same file now. */
  readonly isAlone: boolean;
  /** A file of more bytes is refused. */
  readonly maxBytes?: number;
  readonly onEvent: HubListener;
}

/**
 * Fetches a blob. The partial file is `<hash>.incomplete`, as huggingface_hub names it, and stays when the download fails
 * or the process is killed; the next one goes on from there. Without a lock two processes might take the same one up, so
 * then each has its own, `<hash>.<random>.incomplete`, and removes it when it fails.
 *
 * Bytes are written at their own position in the file, never appended, and the whole file on the disk is hashed before
 * it is renamed: whatever happened before, a blob with a name is right.
 * @throws HubError when the content is not what the hub said, or the transfer fails for good
 */
export async function downloadBlob(download: Download): Promise<void> {
  const { destination, isAlone, maxBytes = Infinity, metadata, address, connection, onEvent } = download;
  if ((metadata.bytes ?? 0) > maxBytes) throw tooLarge(address, maxBytes, metadata.bytes);
  const partial = `${destination}${isAlone ? '' : `.${randomBytes(4).toString('hex')}`}.incomplete`;
  const startedAt = connection.clock.now();
  try {
    let resumedFrom = resumable(partial, metadata);
    for (;;) {
      await noteMissingSpace(download, resumedFrom);
      const bytes = await transfer(download, partial, resumedFrom);
      onEvent({ type: 'checking', file: address.file, bytes });
      const problem = await contentProblem(partial, metadata);
      if (!problem) break;
      await rm(partial, { force: true });
      // What lay there may have been of another origin: then the file is fetched whole, once.
      if (resumedFrom === 0) throw damaged(address, connection, problem);
      onEvent({ type: 'note', text: `${address.file}: ${problem}; fetching it anew` });
      resumedFrom = 0;
    }
    await rename(partial, destination);
    const { size } = statSync(destination);
    onEvent({ type: 'done', file: address.file, bytes: size, elapsedMs: connection.clock.now() - startedAt });
  } catch (error) {
    // On network file systems two processes may both have been given the lock: then the other has finished this file.
    if (isSystemError(error) && error.code === 'ENOENT' && existsSync(destination)) return;
    const isWrong = error instanceof HubError && error.problem === 'damaged';
    if (!isAlone || isWrong) await rm(partial, { force: true });
    throw isSystemError(error) ? unwritable(partial, error) : error;
  }
}

/** Bytes of the partial file that a download can go on from: none where no hash would find out what is wrong in them. */
function resumable(partial: string, { bytes, content }: FileMetadata): number {
  const size = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  return hashOf(content) && (bytes === undefined || size <= bytes) ? size : 0;
}

/** @returns the size of the whole file */
async function transfer(download: Download, partial: string, from: number): Promise<number> {
  const { connection, address, metadata, onEvent } = download;
  onEvent({ type: 'start', file: address.file, bytes: metadata.bytes, resumedFrom: from });
  const file = await open(partial, from > 0 ? 'r+' : 'w');
  const state: TransferState = { received: from, expected: metadata.bytes };
  try {
    const onRetry = (reason: string, waitMs: number) => {
      onEvent({ type: 'retry', file: address.file, reason, waitMs });
    };
    await withRetries(connection, onRetry, () => receive(download, file, state));
    await file.truncate(state.received);
    await file.sync();
    return state.received;
  } catch (error) {
    // What was written stays only as far as it is known to be in order.
    await file.truncate(state.received).catch(() => {});
    throw error instanceof PassingFailure ? givenUp(address, connection, error) : error;
  } finally {
    await file.close();
  }
}

interface TransferState {
  /** Bytes of the file that are in order from its start. */
  received: number;
  expected?: number;
  /** Name that the sender gave to what it sent, for If-Range: that server's own, which need not be a hash. */
  validator?: string;
  toldAt?: number;
}

/** One request for what is still missing. */
async function receive(download: Download, file: FileHandle, state: TransferState): Promise<void> {
  if (state.received > 0 && state.received === state.expected) return;
  const { connection, address, metadata, maxBytes = Infinity, onEvent } = download;
  // Of a commit: a branch may have moved on since the metadata was asked for.
  const url = fileUrl(connection.endpoint, { ...address, revision: metadata.commit });
  const startedFrom = state.received;
  const response = await send(connection, 'GET', url, rangeHeaders(state));
  try {
    state.received = startOf(response, state, download);
    const expected = state.expected ?? metadata.bytes;
    for await (const chunk of response.chunks()) {
      if (expected !== undefined && state.received + chunk.byteLength > expected) {
        throw damaged(address, connection, `more than its ${expected} bytes were sent`);
      }
      if (state.received + chunk.byteLength > maxBytes) throw tooLarge(address, maxBytes);
      await writeAt(file, chunk, state.received);
      state.received += chunk.byteLength;
      const now = connection.clock.now();
      if (now - (state.toldAt ?? Number.NEGATIVE_INFINITY) < PROGRESS_EVERY_MS) continue;
      state.toldAt = now;
      onEvent({ type: 'progress', file: address.file, received: state.received, bytes: expected });
    }
    if (expected !== undefined && state.received < expected) {
      throw new PassingFailure(`${response.url.host} sent ${state.received} of ${expected} bytes`);
    }
  } catch (error) {
    if (!(error instanceof PassingFailure) || state.received <= startedFrom) throw error;
    throw new PassingFailure(error.message, { ...error, progressed: true, cause: error });
  } finally {
    await response.discard();
  }
}

function rangeHeaders({ received, validator }: TransferState): Record<string, string> {
  if (received === 0) return {};
  return { range: `bytes=${received}-`, ...(validator && { 'if-range': validator }) };
}

/**
 * Where in the file an answer starts: where it was asked to, or at 0 when the server sends all of it again.
 * @throws HubError for a refusal, PassingFailure for a range that cannot be used
 */
function startOf(response: HubResponse, state: TransferState, download: Download): number {
  const { address, connection } = download;
  const { status, headers } = response;
  const etag = headers.get('etag');
  // Only a strong one may be asked for a range with.
  state.validator = etag && !etag.startsWith('W/') ? etag : undefined;
  if (status === 200) {
    const length = headers.get('content-length');
    if (length && isPlain(headers)) state.expected ??= Number(length);
    return 0;
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const total = range && range[2] !== '*' ? Number(range[2]) : state.expected;
  if (
    status === 206 &&
    isPlain(headers) &&
    Number(range?.[1]) === state.received &&
    total === (state.expected ?? total)
  ) {
    state.expected = total;
    return state.received;
  }
  if (status === 206 || status === 416) {
    // The partial file is of something else, or longer than the file: from the start, then.
    state.received = 0;
    state.validator = undefined;
    throw new PassingFailure(`${response.url.host} has no such range (${status})`);
  }
  throw refusal(response, address, connection);
}

function isPlain(headers: Headers): boolean {
  return (headers.get('content-encoding') ?? 'identity') === 'identity';
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await file.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
  }
}

function hashOf(content: string): 'sha256' | 'sha1' | undefined {
  if (/^[0-9a-f]{64}$/.test(content)) return 'sha256';
  return /^[0-9a-f]{40}$/.test(content) ? 'sha1' : undefined;
}

/**
 * What is wrong with a file that is named after its content: SHA-256 for large files; for small ones git's hash, SHA-1 of
 * `blob <size>\0` and the content, or as some mirrors have it SHA-1 of the content. With any other name only the size says.
 */
async function contentProblem(path: string, { content, bytes }: FileMetadata): Promise<string | undefined> {
  const { size } = statSync(path);
  if (bytes !== undefined && size !== bytes) return `it has ${size} bytes instead of ${bytes}`;
  const algorithm = hashOf(content);
  if (!algorithm) return undefined;
  const plain = createHash(algorithm);
  const git = createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    plain.update(chunk);
    if (algorithm === 'sha1') git.update(chunk);
  }
  const found = plain.digest('hex');
  if (found === content || (algorithm === 'sha1' && git.digest('hex') === content)) return undefined;
  return `its ${algorithm === 'sha256' ? 'SHA-256' : 'SHA-1'} is not ${content}`;
}

async function noteMissingSpace({ metadata, destination, onEvent }: Download, there: number): Promise<void> {
  const needed = (metadata.bytes ?? 0) - there;
  const { bavail, bsize } = await statfs(dirname(destination)).catch(() => ({ bavail: Infinity, bsize: 1 }));
  // Some file systems do not know how much room they have: no reason to stop.
  if (bavail * bsize >= needed) return;
  const [need, have] = [needed, bavail * bsize].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
  onEvent({ type: 'note', text: `${dirname(destination)}: ${need} are needed and ${have} are free` });
}

function damaged({ repository, file }: FileAddress, { endpoint }: Connection, problem: string): HubError {
  return new HubError('damaged', `${file} of ${repository}, from ${endpoint}, is damaged: ${problem}`, {
    subject: file,
    advice: 'Nothing was kept; try again, or another HF_ENDPOINT',
  });
}

function tooLarge({ repository, file }: FileAddress, maxBytes: number, bytes?: number): HubError {
  return new HubError(
    'damaged',
    `${file} of ${repository} is refused: it has ${bytes ?? `more than ${maxBytes}`} bytes`,
    {
      subject: file,
      found: bytes,
      expected: `at most ${maxBytes} bytes in a file of this kind`,
    },
  );
}

export function givenUp(
  { repository, file }: FileAddress,
  { endpoint }: Connection,
  failure: PassingFailure,
): HubError {
  const asked = failure.retryAfterMs ? `; it asks to wait ${Math.ceil(failure.retryAfterMs / 1000)} s` : '';
  return new HubError('unreachable', `${file} of ${repository} could not be fetched: ${failure.message}${asked}`, {
    subject: endpoint,
    status: failure.status,
    advice: 'Try again later: what was fetched is kept. Check the network, HF_ENDPOINT and the proxy',
    cause: failure,
  });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function unwritable(path: string, cause: NodeJS.ErrnoException): HubError {
  return new HubError('disk', `${path} could not be written: ${reasonOf(cause)}`, {
    subject: path,
    cause,
    advice: 'Make room, or name another folder in HF_HUB_CACHE',
  });
}

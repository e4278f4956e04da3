/**
 * From files of text to a folder of token shards.
 *
 *     files -> units (cut by this thread) -> tokens (worker threads) -> shards (written by this thread, in order)
 *
 * Units are cut by the input alone and their tokens are taken in order, so the shards are the same for any number of
 * workers. Shards are what an interruption leaves: each is complete or absent, and `progress.json` says where in the
 * input the next one begins.
 */

import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeFileDurably } from '../../../checkpoint/durableFileNode.js';
import { FolderLock } from '../../../checkpoint/folderLockNode.js';
import { SafetensorsFile, writeSafetensors } from '../../../checkpoint/safetensorsNode.js';
import { saidOf } from '../../../errors.js';
import type { WordPieceTokenizer } from '../../../text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../../../text/tokenizerNode.js';
import {
  type Identity,
  MANIFEST_FILE,
  MANIFEST_VERSION,
  type Manifest,
  type ShardEntry,
  TOKENIZER_FOLDER,
  UNIGRAM_FILE,
} from '../../manifest.js';
import type { SpecialIds, SplitName } from '../../shards.js';
import { checkShardFiles, readManifest } from '../../shardsNode.js';
import { errorInFile, LineError } from '../tokenizeUnit.js';
import type { UnitTokens } from '../unit.js';
import { type InputFile, listInputs, noText, type SkippedFile } from './inputs.js';
import { checkIdentity, JOURNAL_FILE, type Journal, newJournal, readJournal, writeJournal } from './journal.js';
import { ProgressReporter } from './progress.js';
import { type PlacedUnit, readUnits, UnitBuffers } from './readUnits.js';
import { type PrepareSettings, type ResolvedSettings, resolveSettings } from './settings.js';
import { ShardWriter } from './shardWriter.js';
import { createUnitPool, type UnitPool } from './unitPool.js';

export interface PrepareResult {
  readonly out: string;
  /** `unchanged`: the folder was complete already; `continued`: earlier shards were kept. */
  readonly status: 'prepared' | 'continued' | 'unchanged';
  readonly manifest: Manifest;
  /** Files found in folders that were not read, and why. */
  readonly skipped: readonly SkippedFile[];
  /** What the caller should know before training on the result, in sentences. */
  readonly warnings: readonly string[];
  readonly elapsedMs: number;
}

const SPLITS: readonly SplitName[] = ['train', 'heldOut'];

/**
 * Prepares text for pre-training. Reads plain text, JSONL, both with .gz, and Parquet. Running it again does nothing;
 * after an interruption it continues. Memory does not grow with the corpus (Parquet: with its largest row group).
 * @throws SettingsError for settings out of range
 * @throws DataError for input that cannot be used (file and place), for a vocabulary without the special tokens, and for
 *         a folder that was made with another tokenizer, other settings or other input
 * @throws FolderInUseError when another process is preparing the folder; WriteError naming the file that could not be
 *         written
 */
export async function prepareCorpus(settings: PrepareSettings): Promise<PrepareResult> {
  const startedAt = performance.now();
  const resolved = resolveSettings(settings);
  const { out } = resolved;
  const tokenizer = loadTokenizer(resolved.tokenizerDir);
  const specialIds = saidOf(resolved.tokenizerDir, () => specialIdsOf(tokenizer));
  const { files, skipped } = await listInputs(resolved.inputs, [out, resolved.tokenizerDir]);
  const identity = identityOf(resolved, tokenizer, files);
  const result = (status: PrepareResult['status'], manifest: Manifest): PrepareResult => ({
    out,
    status,
    manifest,
    skipped,
    warnings: warningsOf(manifest),
    elapsedMs: performance.now() - startedAt,
  });

  const unchanged = () => {
    if (!existsSync(join(out, MANIFEST_FILE))) return undefined;
    const manifest = readManifest(out);
    checkIdentity(out, manifest.identity, identity);
    checkShardFiles(out, [...manifest.train.shards, ...manifest.heldOut.shards]);
    return result('unchanged', manifest);
  };
  const complete = unchanged();
  if (complete) return complete;
  makeFolder(out);
  const lock = await FolderLock.acquire(out);
  try {
    // Another process may have finished it a moment ago.
    const completed = unchanged();
    if (completed) return completed;
    const { manifest, continued } = await prepareFolder(resolved, files, { tokenizer, specialIds, identity });
    return result(continued ? 'continued' : 'prepared', manifest);
  } finally {
    lock.release();
  }
}

/** Makes or finishes the folder, which is ours alone. */
async function prepareFolder(
  settings: ResolvedSettings,
  files: readonly InputFile[],
  { tokenizer, specialIds, identity }: { tokenizer: WordPieceTokenizer; specialIds: SpecialIds; identity: Identity },
): Promise<{ manifest: Manifest; continued: boolean }> {
  const { out } = settings;
  const earlier = readJournal(out);
  if (earlier) checkIdentity(out, earlier.identity, identity);
  await removeTemporary(out);
  // The journal goes first: from now on the folder says what it is being made from.
  let journal = earlier ?? newJournal(identity);
  await writeJournal(out, journal);
  await saveTokenizer(tokenizer, join(out, TOKENIZER_FOLDER));

  let unigram = countUnigrams(out, journal, tokenizer.vocabSize);
  await writeShards(settings, files, tokenizer, journal, unigram);
  if (couldHoldOut(journal)) {
    // Rare and cheap: among 500 sections (8 MB) a hundredth is never chosen in one corpus of 150.
    journal = newJournal(identity, nextAbove(journal.hashes!.least));
    await writeJournal(out, journal);
    await removeShards(out);
    unigram = countUnigrams(out, journal, tokenizer.vocabSize);
    await writeShards(settings, files, tokenizer, journal, unigram);
  }
  const manifest = await finish(out, files, journal, tokenizer.vocabSize, specialIds, unigram);
  return { manifest, continued: earlier !== undefined && earlier.segments > 0 };
}

/** Nothing is held out although something should be, and something would remain to train on. */
function couldHoldOut({ identity, hashes, heldOut }: Journal): boolean {
  return identity.heldOutFraction > 0 && heldOut.shards.length === 0 && hashes?.least !== hashes?.greatest;
}

/** Hashes are multiples of 2^-32. */
function nextAbove(hash: number): number {
  return hash + 2 ** -32;
}

function warningsOf({ identity, heldOut, train }: Manifest): string[] {
  const warnings: string[] = [];
  if (heldOut.tokens === 0) {
    const reason = identity.heldOutFraction === 0 ? 'heldOutFraction is 0' : 'the text is a single short document';
    warnings.push(`nothing is held out (${reason}): training on this cannot be evaluated`);
  } else if (train.tokens === 0) warnings.push('everything is held out: nothing is left to train on');
  const isTagged = train.shards.some(({ tags }) => tags && tags.entity + tags.phrase > 0);
  if (identity.tags !== 'none' && !isTagged) warnings.push(NO_TAGS);
  return warnings;
}

const NO_TAGS =
  'tags were asked for and none was found: expected JSONL records with "entities" or "phrases" beside the text';

/** The main loop: units go to the workers ahead of time and come back in order. */
async function writeShards(
  settings: ResolvedSettings,
  files: readonly InputFile[],
  tokenizer: WordPieceTokenizer,
  journal: Journal,
  unigram: Record<SplitName, Float64Array>,
): Promise<void> {
  const { out, workers, signal, shardTokens } = settings;
  const diskBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const fractionDone = () => journal.diskBytes / diskBytes;
  const progress = new ProgressReporter(settings.onProgress, {
    textBytes: journal.textBytes,
    fraction: fractionDone(),
  });
  const writer = new ShardWriter(
    out,
    tokenizer.vocabSize,
    tokenizer.hash(),
    unigram,
    shardTokens,
    journal.openDocument,
    settings.tags !== undefined,
  );
  const counted = { documents: 0, tokens: 0 };
  for (const split of SPLITS) {
    counted.documents += journal[split].documents;
    for (const { tokens } of journal[split].shards) counted.tokens += tokens;
  }
  const buffers = new UnitBuffers();
  const runner = {
    tokenizerFolder: join(out, TOKENIZER_FOLDER),
    heldOutBelow: journal.heldOutBelow,
    field: settings.field,
    invalidUtf8: settings.invalidUtf8,
    tags: settings.tags,
  };
  const pool = createUnitPool(workers, runner, buffers);
  try {
    for await (const { placed, tokens } of inOrder(readUnits(files, settings, journal.next, buffers), pool, workers)) {
      signal?.throwIfAborted();
      const done = await withLine(tokens, placed, journal, settings.field);
      counted.documents += writer.add(done);
      counted.tokens += done.train.tokens.length + done.heldOut.tokens.length;
      advance(journal, placed, done);
      buffers.giveBackSpare(done.buffer);
      if (writer.pendingTokens >= shardTokens) await writeSegment(writer, journal, files, out);
      progress.update({ textBytes: journal.textBytes, fraction: fractionDone(), ...counted });
    }
    await writeSegment(writer, journal, files, out);
    progress.update({ textBytes: journal.textBytes, fraction: 1, ...counted }, true);
  } finally {
    await pool.close();
  }
}

/** Keeps the workers supplied: a few units for each are out at any time, and no more are read than that. */
async function* inOrder(
  units: AsyncIterable<PlacedUnit>,
  pool: UnitPool,
  workers: number,
): AsyncGenerator<{ placed: PlacedUnit; tokens: Promise<UnitTokens> }> {
  const ahead = 3 * workers;
  const queue: { placed: PlacedUnit; tokens: Promise<UnitTokens> }[] = [];
  let readError: unknown;
  try {
    for await (const placed of units) {
      const tokens = pool.run(placed.unit);
      // Its turn to be looked at comes later; until then it must not count as unhandled.
      tokens.catch(() => {});
      queue.push({ placed, tokens });
      while (queue.length > ahead) {
        const first = queue.shift()!;
        await first.tokens.catch(() => {});
        yield first;
      }
    }
  } catch (error) {
    // What was read before the damaged place comes first, so that the first error in the input is the one reported.
    readError = error;
  }
  for (const entry of queue) {
    await entry.tokens.catch(() => {});
    yield entry;
  }
  if (readError !== undefined) throw readError;
}

function advance(journal: Journal, { next, diskBytes }: PlacedUnit, { textBytes, lines, hashes }: UnitTokens): void {
  journal.lines = next.file === journal.next.file ? journal.lines + lines : lines;
  journal.next = next;
  journal.diskBytes = diskBytes;
  journal.textBytes += textBytes;
  if (hashes) {
    const { least, greatest } = journal.hashes ?? hashes;
    journal.hashes = { least: Math.min(least, hashes.least), greatest: Math.max(greatest, hashes.greatest) };
  }
}

async function writeSegment(
  writer: ShardWriter,
  journal: Journal,
  files: readonly InputFile[],
  out: string,
): Promise<void> {
  if (writer.pendingTokens === 0) return;
  const segment = await writer.flush(journal.segments, files[journal.next.file].name);
  for (const split of SPLITS) {
    const entry = segment[split];
    if (entry) journal[split].shards.push(entry);
    journal[split].documents += segment.began[split];
  }
  journal.segments++;
  journal.openDocument = writer.openDocument;
  await writeJournal(out, journal);
}

/** Turns an error about a line of a unit into one about a line of the file. */
async function withLine(
  tokens: Promise<UnitTokens>,
  { unit, next }: PlacedUnit,
  journal: Journal,
  field: string,
): Promise<UnitTokens> {
  try {
    return await tokens;
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    throw errorInFile(error, unit.file, next.file === journal.next.file ? journal.lines : 0, field);
  }
}

async function finish(
  out: string,
  files: readonly InputFile[],
  journal: Journal,
  vocabSize: number,
  specialIds: SpecialIds,
  unigram: Record<SplitName, Float64Array>,
): Promise<Manifest> {
  const splits = { train: describeSplit(journal.train), heldOut: describeSplit(journal.heldOut) };
  if (splits.train.tokens + splits.heldOut.tokens === 0) {
    throw noText(
      files.map(({ path }) => path),
      journal.textBytes,
    );
  }
  await writeSafetensors(join(out, UNIGRAM_FILE), [
    { name: 'train', dtype: 'F64', shape: [vocabSize], data: unigram.train },
    { name: 'held_out', dtype: 'F64', shape: [vocabSize], data: unigram.heldOut },
  ]);
  const manifest: Manifest = {
    format: 'pleiad-shards',
    version: MANIFEST_VERSION,
    identity: journal.identity,
    vocabSize,
    specialIds: { ...specialIds },
    textBytes: journal.textBytes,
    ...splits,
  };
  await writeFileDurably(join(out, MANIFEST_FILE), [`${JSON.stringify(manifest, null, 2)}\n`]);
  await rm(join(out, JOURNAL_FILE), { force: true });
  return manifest;
}

function describeSplit({ documents, shards }: { documents: number; shards: ShardEntry[] }): Manifest['train'] {
  return { documents, tokens: shards.reduce((sum, { tokens }) => sum + tokens, 0), shards };
}

/** Counts of the shards that are complete already: read again rather than stored with each of them. */
function countUnigrams(out: string, journal: Journal, vocabSize: number): Record<SplitName, Float64Array> {
  const counts = { train: new Float64Array(vocabSize), heldOut: new Float64Array(vocabSize) };
  for (const split of SPLITS) {
    checkShardFiles(out, journal[split].shards);
    for (const { file } of journal[split].shards) {
      const shard = SafetensorsFile.open(join(out, file));
      for (const id of shard.read<'U16' | 'U32'>('tokens')) counts[split][id]++;
      shard.close();
    }
  }
  return counts;
}

async function removeShards(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    if (/^(train|heldout)-\d+\.safetensors$/.test(name)) await rm(join(out, name));
  }
}

/** What a killed run was writing when it ended. */
async function removeTemporary(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    if (/^(train|heldout|progress|unigram|manifest)\S*\.tmp$/.test(name)) await rm(join(out, name), { force: true });
  }
}

/** @throws DataError when the vocabulary lacks one of them */
function specialIdsOf(tokenizer: WordPieceTokenizer): SpecialIds {
  const { padId, unkId, clsId, sepId, maskId } = tokenizer;
  return { padId, unkId, clsId, sepId, maskId };
}

function identityOf(settings: ResolvedSettings, tokenizer: WordPieceTokenizer, files: readonly InputFile[]): Identity {
  const { documentPer, field, heldOutFraction, shardTokens, invalidUtf8, tags = 'none' } = settings;
  return {
    tokenizerHash: tokenizer.hash(),
    documentPer,
    field,
    heldOutFraction,
    shardTokens,
    invalidUtf8,
    tags,
    inputs: files.map(({ name, bytes, fingerprint }) => ({ name, bytes, fingerprint })),
  };
}

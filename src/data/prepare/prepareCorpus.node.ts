/**
 * From files of text to a folder of token shards.
 *
 *     files -> units (cut by this thread) -> tokens (worker threads) -> shards (written by this thread, in order)
 *
 * Units are cut by the input alone and their tokens are taken in order, so the shards are the same for any number of
 * workers. Shards are what an interruption leaves: each is complete or absent, and `progress.jsonl` says where in the
 * input the next one begins.
 */

import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, withSource } from '../../errors/errors.js';
import { makeFolder } from '../../files/durableFile.node.js';
import { FolderLock } from '../../files/folderLock.node.js';
import { SafetensorsFile } from '../../formats/safetensors.node.js';
import { settingName } from '../../settings/settingNames.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../../text/tokenizer.node.js';
import { unknownWarning, unknownWarningText } from '../../text/unknownTokens.js';
import { type Identity, MANIFEST_FILE, type Manifest, TOKENIZER_FOLDER } from '../manifest.js';
import type { SpecialIds, SplitName } from '../shards.js';
import { checkShardFiles, readManifest, readUnigram } from '../shards.node.js';
import { checkHasText, completeFolder, describeSplit, someCounts } from './completeFolder.node.js';
import { checkIdentity, identityDifferences } from './identity.js';
import { withGuess, withPlace } from './inputErrors.node.js';
import { endingOf } from './inputFormat.node.js';
import { type InputFile, listInputs, type SkippedFile } from './inputs.node.js';
import {
  beginJournal,
  JOURNAL_FILE,
  type Journal,
  JournalWriter,
  newJournal,
  type Place,
  readJournal,
} from './journal.node.js';
import { checkParts, partFolder } from './parts.node.js';
import { ProgressReporter } from './progress.js';
import { type PlacedUnit, readUnits, UnitBuffers } from './readUnits.node.js';
import { sampleTexts } from './sampleTexts.node.js';
import { type PrepareSettings, type ResolvedSettings, resolveSettings } from './settings.node.js';
import { ShardWriter } from './shardWriter.node.js';
import { type InputSlice, partText, slicesOfPart, wholeFiles } from './slices.node.js';
import type { UnigramCounts } from './tokenizeUnit.js';
import type { HashRange, UnitCounts, UnitTokens } from './unit.js';
import { UnitPool } from './unitPool.node.js';

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
 * Prepares text for pre-training. Reads plain text, JSON, CSV and TSV, all with .gz too, and Parquet. Running it again does nothing;
 * after an interruption it continues. Memory does not grow with the corpus (Parquet: with its largest row group).
 * @throws SettingsError for settings out of range
 * @throws DataError for input that cannot be used (file and place), for a vocabulary without the special tokens, and for
 *         a folder that was made with another tokenizer, other settings or other input
 * @throws FolderInUseError when another process is preparing the folder; WriteError naming the file that could not be
 *         written
 */
export async function prepareCorpus(settings: PrepareSettings): Promise<PrepareResult> {
  const startedAt = performance.now();
  const given = resolveSettings(settings);
  const out = given.part ? join(given.out, partFolder(given.part)) : given.out;
  const resolved = { ...given, out };
  const isComplete = existsSync(join(out, MANIFEST_FILE));
  // Threads take as long to start as everything that must be done before there is work for them.
  const pool = new UnitPool(isComplete ? 0 : resolved.workers);
  try {
    if (!isComplete) checkParts(given.out, given.part);
    const tokenizer = loadTokenizer(resolved.tokenizerDir, resolved);
    const specialIds = withSource(resolved.tokenizerDir, () => specialIdsOf(tokenizer));
    const {
      files,
      skipped,
      warnings: notes,
    } = await listInputs(resolved.inputs, [given.out, out, resolved.tokenizerDir], resolved);
    const identity = identityOf(resolved, tokenizer, files);
    const { status, manifest } = isComplete
      ? { status: 'unchanged' as const, manifest: checkComplete(out, identity) }
      : await prepareFolder(resolved, files, { tokenizer, specialIds, identity }, pool);
    const warnings = [
      ...notes,
      ...warningsOf(manifest),
      ...(await unknownWarnings(out, manifest, files, resolved, tokenizer)),
    ];
    return { out, status, manifest, skipped, warnings, elapsedMs: performance.now() - startedAt };
  } finally {
    await pool.close();
  }
}

function checkComplete(out: string, identity: Identity): Manifest {
  const manifest = readManifest(out);
  checkIdentity(out, manifest.identity, identity);
  checkShardFiles(out, [...manifest.train.shards, ...manifest.heldOut.shards]);
  return manifest;
}

interface Making {
  readonly tokenizer: WordPieceTokenizer;
  readonly specialIds: SpecialIds;
  readonly identity: Identity;
}

/** Makes or finishes the folder, which no other process may do meanwhile. */
async function prepareFolder(
  settings: ResolvedSettings,
  files: readonly InputFile[],
  making: Making,
  pool: UnitPool,
): Promise<{ status: PrepareResult['status']; manifest: Manifest }> {
  const { out } = settings;
  makeFolder(out);
  const lock = await FolderLock.acquire(out);
  try {
    // Another process may have finished it a moment ago.
    if (existsSync(join(out, MANIFEST_FILE))) {
      return { status: 'unchanged', manifest: checkComplete(out, making.identity) };
    }
    return await prepareFiles(settings, files, making, pool);
  } finally {
    lock.release();
  }
}

async function prepareFiles(
  settings: ResolvedSettings,
  files: readonly InputFile[],
  { tokenizer, specialIds, identity }: Making,
  pool: UnitPool,
): Promise<{ status: 'prepared' | 'continued'; manifest: Manifest }> {
  const { out, part } = settings;
  const found = readJournal(out);
  const earlier = found && continues(out, found, identity) ? found : undefined;
  await removeTemporary(out);
  if (found && !earlier) await removeShards(out);
  let journal = earlier ?? newJournal(identity);
  // The journal goes first: from now on the folder says what it is being made from.
  if (!earlier) await beginJournal(out, journal);
  const status = journal.segments > 0 ? 'continued' : 'prepared';
  const slices = part ? await slicesOfPart(files, settings, part) : wholeFiles(files, settings);
  let written = await writeShards(settings, slices, tokenizer, journal, pool);
  // A part cannot know whether the others hold something out; `mergeParts` looks.
  if (!part && couldHoldOut(journal)) {
    // Rare and cheap: among 500 sections (8 MB) a hundredth is never chosen in one corpus of 150.
    journal = newJournal(identity, nextAbove(journal.place.hashes!.least));
    await beginJournal(out, journal);
    await removeShards(out);
    written = await writeShards(settings, slices, tokenizer, journal, pool);
  }
  const [manifest] = await Promise.all([finish(out, files, journal, { specialIds, ...written }), pool.close()]);
  return { status, manifest };
}

/**
 * Whether an unfinished folder is gone on with; if not, it is begun anew. What was prepared otherwise is worth asking about
 * only where something was prepared, and where it was not given up for an error that the change most likely mends.
 * @throws DataError naming the differences
 */
function continues(out: string, { segments, failed, identity: found }: Journal, wanted: Identity): boolean {
  const isAlike = identityDifferences(found, wanted, (name) => name).length === 0;
  if (isAlike) return true;
  if (segments > 0 && failed === undefined) checkIdentity(out, found, wanted);
  return false;
}

/** Nothing is held out although something should be, and something would remain to train on. */
function couldHoldOut({ identity, place: { hashes }, heldOut }: Journal): boolean {
  return identity.heldOutFraction > 0 && heldOut.shards.length === 0 && hashes?.least !== hashes?.greatest;
}

/** Hashes are multiples of 2^-32. */
function nextAbove(hash: number): number {
  return hash + 2 ** -32;
}

function warningsOf({ identity, heldOut, train }: Manifest): string[] {
  if (identity.part !== undefined) return [];
  const warnings: string[] = [];
  if (heldOut.tokens === 0) {
    const reason =
      identity.heldOutFraction === 0 ? `${settingName('heldOutFraction')} is 0` : 'the text is a single short document';
    warnings.push(`nothing is held out (${reason}): training on this cannot be evaluated`);
  } else if (train.tokens === 0) warnings.push('everything is held out: nothing is left to train on');
  const isTagged = train.shards.some(({ tags }) => tags && tags.entity + tags.phrase > 0);
  if (identity.tags !== 'none' && !isTagged) warnings.push(NO_TAGS);
  return warnings;
}

/** What the vocabulary does not know, as far as it deserves a warning: at most one. */
async function unknownWarnings(
  out: string,
  manifest: Manifest,
  files: readonly InputFile[],
  settings: ResolvedSettings,
  tokenizer: WordPieceTokenizer,
): Promise<string[]> {
  const counts = SPLITS.map((split) => readUnigram(out, split, manifest));
  const count = {
    unknown: counts.reduce((sum, of) => sum + of[tokenizer.unkId], 0),
    tokens: manifest.train.tokens + manifest.heldOut.tokens,
  };
  if (!unknownWarning(count, tokenizer)) return [];
  const texts = await sampleTexts(files, { ...settings, invalidUtf8: 'replace' });
  return [unknownWarningText(unknownWarning(count, tokenizer, { texts })!)];
}

const NO_TAGS =
  'tags were asked for and none was found: expected JSONL records with "entities" or "phrases" beside the text';

interface Written extends UnitCounts {
  readonly unigram: UnigramCounts;
}

function countsOf({ textBytes, recordsWithoutText, replacedCharacters }: UnitCounts): UnitCounts {
  return { textBytes, recordsWithoutText, replacedCharacters };
}

/**
 * The main loop: units go to the workers ahead of time and come back in order. A shard is written while the next is
 * filled.
 * @returns how often each id occurs in all shards of the folder, and how long the text was
 */
async function writeShards(
  settings: ResolvedSettings,
  slices: readonly InputSlice[],
  tokenizer: WordPieceTokenizer,
  journal: Journal,
  pool: UnitPool,
): Promise<Written> {
  const { out, workers, signal, shardTokens, field, invalidUtf8, tags } = settings;
  const { tokens, settings: tokenizerSettings } = tokenizer;
  const buffers = new UnitBuffers();
  const { heldOutBelow } = journal;
  pool.begin({ tokenizer: { tokens, settings: tokenizerSettings }, heldOutBelow, field, invalidUtf8, tags }, buffers);
  const journalWriter = await JournalWriter.open(out, journal);
  let writing: Promise<void> | undefined;
  try {
    await saveTokenizer(tokenizer, join(out, TOKENIZER_FOLDER));
    const unigram = countUnigrams(out, journal, tokenizer.vocabSize);
    const writer = new ShardWriter(out, tokenizer.vocabSize, tokenizer.hash(), shardTokens, {
      openDocument: journal.place.openDocument,
      hasTags: tags !== undefined,
    });
    const progress = progressOf(settings, slices, journal);
    let { place } = journal;
    const flush = async () => {
      await writing;
      if (writer.pendingTokens > 0) writing = writeSegment(writer, place, journalWriter, slices);
      // Whoever waits for it next gets its failure.
      writing?.catch(() => {});
    };
    for await (const unit of inOrder(readUnits(slices, settings, place.next, buffers), pool, workers)) {
      signal?.throwIfAborted();
      const done = await tokensOf(unit, slices, field);
      const documents = writer.add(done);
      place = { ...placeAfter(place, unit.placed, done), openDocument: writer.openDocument };
      progress(place, documents, done);
      buffers.giveBackSpare(done.buffer);
      if (writer.pendingTokens >= shardTokens) await flush();
    }
    await flush();
    await writing;
    progress(place);
    pool.addUnigrams(unigram);
    // Text without a word after the last shard is in no segment of the journal.
    return { unigram, ...countsOf(place) };
  } catch (error) {
    // What was read before the place that is wrong is kept, for a run that shall go on all the same.
    const explained = await withGuess(
      error,
      slices.map(({ file }) => file),
    );
    if (explained instanceof DataError) {
      await writing?.catch(() => {});
      await journalWriter.fail(explained.message);
    }
    throw explained;
  } finally {
    // Also after a failure nothing is written behind the caller's back.
    await writing?.catch(() => {});
    await journalWriter.close();
  }
}

/** Reports what has been done: after each unit, and without one for the last time. */
function progressOf(
  { onProgress }: ResolvedSettings,
  slices: readonly InputSlice[],
  journal: Journal,
): (place: Place, documents?: number, done?: UnitTokens) => void {
  const allBytes = slices.reduce((sum, slice) => sum + slice.diskBytes, 0);
  const { textBytes, diskBytes } = journal.place;
  const reporter = new ProgressReporter(onProgress, { textBytes, fraction: allBytes > 0 ? diskBytes / allBytes : 1 });
  const counted = { documents: 0, tokens: 0 };
  for (const split of SPLITS) {
    counted.documents += journal[split].documents;
    for (const { tokens } of journal[split].shards) counted.tokens += tokens;
  }
  return (place, documents = 0, done) => {
    counted.documents += documents;
    counted.tokens += done ? done.train.tokens.length + done.heldOut.tokens.length : 0;
    const fraction = done ? place.diskBytes / allBytes : 1;
    reporter.update({ textBytes: place.textBytes, fraction, ...counted }, done === undefined);
  };
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

function placeAfter(place: Place, { next, diskBytes }: PlacedUnit, done: UnitTokens): Place {
  return {
    next,
    diskBytes,
    textBytes: place.textBytes + done.textBytes,
    recordsWithoutText: place.recordsWithoutText + done.recordsWithoutText,
    replacedCharacters: place.replacedCharacters + done.replacedCharacters,
    hashes: rangeOf(place.hashes, done.hashes),
  };
}

function rangeOf(a: HashRange | undefined, b: HashRange | undefined): HashRange | undefined {
  if (!a || !b) return a ?? b;
  return { least: Math.min(a.least, b.least), greatest: Math.max(a.greatest, b.greatest) };
}

async function writeSegment(
  writer: ShardWriter,
  place: Place,
  journal: JournalWriter,
  slices: readonly InputSlice[],
): Promise<void> {
  const segment = await writer.flush(journal.journal.segments, slices[place.next.file].file.name);
  await journal.add({ ...place, ...segment });
}

/** @throws the unit's error with its place in the file */
async function tokensOf(
  { tokens, placed }: { placed: PlacedUnit; tokens: Promise<UnitTokens> },
  slices: readonly InputSlice[],
  field: string,
): Promise<UnitTokens> {
  try {
    return await tokens;
  } catch (error) {
    throw await withPlace(error, placed.unit, slices[placed.next.file].file, field);
  }
}

async function finish(
  out: string,
  files: readonly InputFile[],
  journal: Journal,
  { specialIds, unigram, ...counts }: Written & { readonly specialIds: SpecialIds },
): Promise<Manifest> {
  const { identity } = journal;
  const vocabSize = unigram.train.length;
  const splits = { train: describeSplit(journal.train), heldOut: describeSplit(journal.heldOut) };
  if (identity.part === undefined) {
    checkHasText(
      splits,
      files.map(({ path }) => path),
      counts.textBytes,
    );
  }
  const content = { identity, vocabSize, specialIds: { ...specialIds }, ...someCounts(counts), ...splits };
  const manifest = await completeFolder(out, content, unigram);
  await rm(join(out, JOURNAL_FILE), { force: true });
  return manifest;
}

/** Counts of the shards that are complete already: read again rather than stored with each of them. */
function countUnigrams(out: string, journal: Journal, vocabSize: number): UnigramCounts {
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
  const { documentPer, field, encoding, heldOutFraction, shardTokens, invalidUtf8, tags = 'none', part } = settings;
  return {
    tokenizerHash: tokenizer.hash(),
    documentPer,
    field,
    heldOutFraction,
    shardTokens,
    invalidUtf8,
    tags,
    ...(encoding !== undefined && { encoding }),
    inputs: files.map(inputIdentity),
    ...(part && { part: partText(part) }),
  };
}

function inputIdentity({ name, kind, bytes, fingerprint }: InputFile): Identity['inputs'][number] {
  const isPlain = kind === 'text' || kind === 'parquet' || (kind === 'jsonl' && endingOf(name)?.ending === 'jsonl');
  return { name, bytes, fingerprint, ...(!isPlain && { format: kind }) };
}

/** Prepared folders on disk. Tokens are read by position; in memory are only the document offsets. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors/errors.js';
import { recordFile } from '../files/digest.node.js';
import { SafetensorsFile } from '../formats/safetensors.node.js';
import {
  MANIFEST_FILE,
  type Manifest,
  PART_FOLDER,
  parseManifest,
  type ShardEntry,
  TOKENIZER_FOLDER,
  UNIGRAM_FILE,
} from './manifest.js';
import { notPrepared } from './notPrepared.node.js';
import { countTokens, type Shards, type SplitName, type SplitTags, type TokenSplit } from './shards.js';

export interface ShardFolder extends Shards {
  readonly manifest: Manifest;
  /** The folder of the tokenizer that the shards were made with. */
  readonly tokenizerFolder: string;
  /** SHA-256 of the tags when they come from a file of their own (tagFile.node.ts). */
  readonly tagsHash?: string;
}

const SPLITS: readonly SplitName[] = ['train', 'heldOut'];
/** Open files at a time, a split; far below any system's limit. */
const MAX_OPEN_FILES = 64;
/** Metadata of a shard whose first document began in the shard before it. */
export const CONTINUES_KEY = 'continues_document';

/**
 * Opens a prepared folder and compares the SHA-256 of its shards with the manifest: a changed byte would be trained on
 * unnoticed. That takes 1.4 seconds a gigabyte, 40 ms for 10 million tokens (docs/performance.md).
 * @param expected  `tokenizerHash`: refuses shards that were made with another tokenizer; `verify`: the splits whose
 *                  bytes are compared, by default both
 * @throws DataError when the folder is unfinished, a shard is missing, cut short, changed or made by another tokenizer
 */
export async function openShards(
  folder: string,
  expected: { tokenizerHash?: string; verify?: readonly SplitName[] } = {},
): Promise<ShardFolder> {
  const manifest = readManifest(folder);
  const { tokenizerHash } = manifest.identity;
  if (expected.tokenizerHash !== undefined && expected.tokenizerHash !== tokenizerHash) {
    throw new DataError(`${folder} was made with tokenizer ${tokenizerHash}, not with ${expected.tokenizerHash}`, {
      subject: folder,
      found: tokenizerHash,
      expected: expected.tokenizerHash,
      advice: `Use the tokenizer in ${join(folder, TOKENIZER_FOLDER)}, or prepare the text again`,
    });
  }
  const splits = {
    train: new ShardedSplit(folder, manifest.train.shards, tokenizerHash),
    heldOut: new ShardedSplit(folder, manifest.heldOut.shards, tokenizerHash),
  };
  const close = () => {
    splits.train.close();
    splits.heldOut.close();
  };
  try {
    for (const split of expected.verify ?? SPLITS) await verifyShards(folder, manifest[split].shards);
  } catch (error) {
    close();
    throw error;
  }
  return {
    source: folder,
    manifest,
    tokenizerFolder: join(folder, TOKENIZER_FOLDER),
    tokenizerHash,
    vocabSize: manifest.vocabSize,
    specialIds: manifest.specialIds,
    ...splits,
    // Shards whose counts were lost or never written are counted again.
    unigramCounts: (split) =>
      existsSync(join(folder, UNIGRAM_FILE))
        ? readUnigram(folder, split, manifest)
        : countTokens(splits[split], manifest.vocabSize),
    close,
  };
}

/** One hash of all shards: what a run, or a tag file, must find again. SHA-256 of their SHA-256 one after another, hex. */
export function corpusHash({ train, heldOut }: Manifest): string {
  const hash = createHash('sha256');
  for (const { sha256 } of [...train.shards, ...heldOut.shards]) hash.update(sha256);
  return hash.digest('hex');
}

/** @throws DataError when there is no complete manifest */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_FILE);
  if (!existsSync(path)) {
    if (!existsSync(folder)) {
      throw new DataError(`${folder} does not exist`, {
        subject: folder,
        expected: 'a folder of token shards',
        advice: 'Check its name, or make it with `pleiad prepare`',
      });
    }
    if (statSync(folder).isDirectory() && hasParts(folder)) throw notMerged(folder);
    throw notPrepared(folder);
  }
  return parseManifest(readFileSync(path, 'utf8'), path);
}

function hasParts(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => PART_FOLDER.test(name));
}

function notMerged(folder: string): DataError {
  return new DataError(`${folder} has no ${MANIFEST_FILE}: it holds parts that have not been merged`, {
    subject: folder,
    advice: `Run \`pleiad prepare --merge --out ${folder}\` when all parts are finished`,
  });
}

/** @throws DataError when a shard of the list is missing or has another length */
export function checkShardFiles(folder: string, entries: readonly ShardEntry[]): void {
  for (const { file, bytes } of entries) {
    const path = join(folder, file);
    const found = existsSync(path) ? statSync(path).size : undefined;
    if (found === bytes) continue;
    throw new DataError(found === undefined ? `${path} is missing` : `${path} has ${found} bytes, expected ${bytes}`, {
      subject: path,
      found,
      expected: `${bytes} bytes`,
      advice: 'Delete the folder and prepare the text again',
    });
  }
}

/** @throws DataError naming the first shard whose bytes are not those that were written */
async function verifyShards(folder: string, entries: readonly ShardEntry[]): Promise<void> {
  for (const { file, sha256 } of entries) {
    const path = join(folder, file);
    const found = (await recordFile(path)).sha256;
    if (found === sha256) continue;
    throw new DataError(`${path} has SHA-256 ${found}, the manifest says ${sha256}`, {
      subject: path,
      found,
      expected: sha256,
      advice:
        'The file was changed or damaged: put it back from a copy, or delete the folder and prepare the text again',
    });
  }
}

/** The shards of a split as one stream; a document may run over the end of a shard. */
class ShardedSplit implements TokenSplit {
  readonly numDocuments: number;
  readonly numTokens: number;
  readonly documentOffsets: Float64Array;
  readonly tags?: SplitTags;
  readonly #paths: string[];
  /** Tokens before each shard, float64 [shards + 1]. */
  readonly #tokensBefore: Float64Array;
  readonly #open = new Map<number, SafetensorsFile>();

  constructor(folder: string, entries: readonly ShardEntry[], tokenizerHash: string) {
    checkShardFiles(folder, entries);
    this.#paths = entries.map(({ file }) => join(folder, file));
    this.#tokensBefore = new Float64Array(entries.length + 1);
    const starts: Float64Array[] = [];
    const tagCounts = { entity: 0, phrase: 0 };
    entries.forEach((entry, shard) => {
      const file = this.#file(shard);
      checkShard(file, entry, tokenizerHash);
      const before = this.#tokensBefore[shard];
      const offsets = file.read<'I64'>('document_offsets');
      tagCounts.entity += entry.tags?.entity ?? 0;
      tagCounts.phrase += entry.tags?.phrase ?? 0;
      const isContinued = file.metadata[CONTINUES_KEY] === 'true';
      starts.push(Float64Array.from(offsets.subarray(isContinued ? 1 : 0, -1), (offset) => before + Number(offset)));
      this.#tokensBefore[shard + 1] = before + entry.tokens;
    });
    this.numTokens = this.#tokensBefore[entries.length];
    this.numDocuments = starts.reduce((sum, { length }) => sum + length, 0);
    this.documentOffsets = new Float64Array(this.numDocuments + 1);
    let at = 0;
    for (const part of starts) {
      this.documentOffsets.set(part, at);
      at += part.length;
    }
    this.documentOffsets[at] = this.numTokens;
    if (entries.length > 0 && entries.every(({ tags }) => tags)) {
      this.tags = {
        counts: tagCounts,
        read: (start, end, tags, to) =>
          this.#forEachPart(start, end, (file, from, stop, done) =>
            tags.set(file.read<'U8'>('tags', from, stop), to + done),
          ),
      };
    }
  }

  read(start: number, end: number, ids: Int32Array, wordStarts: Uint8Array, at: number): void {
    this.#forEachPart(start, end, (file, from, to, done) => {
      ids.set(file.read<'U16' | 'U32'>('tokens', from, to), at + done);
      wordStarts.set(file.read<'U8'>('word_starts', from, to), at + done);
    });
  }

  /** The shards that hold tokens `start` to `end`, and which of their tokens those are. */
  #forEachPart(
    start: number,
    end: number,
    visit: (file: SafetensorsFile, from: number, to: number, done: number) => void,
  ): void {
    let at = start;
    for (let shard = this.#shardOf(start); at < end; shard++) {
      const before = this.#tokensBefore[shard];
      const stop = Math.min(end, this.#tokensBefore[shard + 1]);
      visit(this.#file(shard), at - before, stop - before, at - start);
      at = stop;
    }
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  #shardOf(token: number): number {
    let low = 0;
    let high = this.#paths.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#tokensBefore[middle] <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The open file, most recently used last; the one unused longest is closed when there are too many. */
  #file(shard: number): SafetensorsFile {
    const file = this.#open.get(shard) ?? openShardFile(this.#paths[shard]);
    this.#open.delete(shard);
    this.#open.set(shard, file);
    if (this.#open.size > MAX_OPEN_FILES) {
      const [oldest] = this.#open.keys();
      this.#open.get(oldest)!.close();
      this.#open.delete(oldest);
    }
    return file;
  }
}

function openShardFile(path: string): SafetensorsFile {
  try {
    return SafetensorsFile.open(path);
  } catch (cause) {
    throw new DataError(cause instanceof Error ? cause.message : String(cause), { subject: path, cause });
  }
}

function checkShard(file: SafetensorsFile, entry: ShardEntry, tokenizerHash: string): void {
  const found = file.metadata.tokenizer_hash;
  if (found !== tokenizerHash) {
    throw new DataError(`${file.path} was made with tokenizer ${found}, its folder with ${tokenizerHash}`, {
      subject: file.path,
      advice: 'A shard of another folder was copied here; prepare the text again',
    });
  }
  const tokens = file.location('tokens').shape[0];
  const flags = file.location('word_starts').shape[0];
  const documents = file.location('document_offsets').shape[0] - 1;
  if (entry.tags && file.location('tags').shape[0] !== tokens) {
    throw new DataError(`${file.path} has ${file.location('tags').shape[0]} tags for ${tokens} tokens`, {
      subject: file.path,
      advice: 'Prepare the text again',
    });
  }
  if (tokens !== entry.tokens || flags !== tokens || documents !== entry.documents) {
    throw new DataError(
      `${file.path} has ${tokens} tokens, ${flags} word starts and ${documents} documents; ` +
        `the manifest says ${entry.tokens} tokens in ${entry.documents} documents`,
      { subject: file.path, advice: 'Prepare the text again' },
    );
  }
}

/**
 * How often each id occurs in a split of a prepared folder: float64 [vocabSize].
 * @throws DataError when the counts are not those of the split
 */
export function readUnigram(folder: string, split: SplitName, manifest: Manifest): Float64Array {
  const path = join(folder, UNIGRAM_FILE);
  const file = openShardFile(path);
  try {
    const counts = file.read<'F64'>(split === 'train' ? 'train' : 'held_out');
    const total = counts.reduce((sum, count) => sum + count, 0);
    const { tokens } = manifest[split];
    if (counts.length === manifest.vocabSize && total === tokens) return counts;
    throw new DataError(
      `${path} counts ${total} tokens of ${counts.length} kinds; the manifest says ${tokens} of ${manifest.vocabSize}`,
      { subject: path, found: total, expected: String(tokens), advice: 'Delete the folder and prepare the text again' },
    );
  } finally {
    file.close();
  }
}

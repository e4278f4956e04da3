/** The description of a prepared folder (`manifest.json`), complete only when preparing has finished. */

import { z } from 'zod';
import { DataError } from '../errors/errors.js';
import { parseVersionedJson, type VersionedFormat } from '../files/versionedJson.js';
import { TAG_OFFSETS } from './prepare/recordTags.js';

export const MANIFEST_FILE = 'manifest.json';
export const UNIGRAM_FILE = 'unigram.safetensors';
export const TOKENIZER_FOLDER = 'tokenizer';
/** Name of the folder with one part of several, made by a machine of its own: part-2-of-8. */
export const PART_FOLDER = /^part-(\d+)-of-(\d+)$/;
/** Grows when shards of an earlier Pleiad could be misread. */
export const MANIFEST_VERSION = 1;

const count = z.number().int().nonnegative();

export const shardEntrySchema = z.object({
  /** A name in the folder, or in merged parts in the folder of one: a path could lead out of it. */
  file: z
    .string()
    .regex(
      /^(part-\d+-of-\d+\/)?[^/\\]*[^/\\.][^/\\]*$/,
      'expected the name of a file in this folder or in that of a part',
    ),
  /**
   * Documents that begin in this shard, or go on in it from the one before. A long document counts once for each stretch
   * of it that is in the split.
   */
  documents: count,
  tokens: count,
  /** Tagged spans of each kind; absent when the shards have no tags. */
  tags: z.object({ entity: count, phrase: count }).optional(),
  /** Length of the file, bytes. */
  bytes: count,
  sha256: z.string(),
});
export type ShardEntry = z.infer<typeof shardEntrySchema>;

/** What the shards were made from and how: equal identities give equal shards. */
export const identitySchema = z.object({
  tokenizerHash: z.string(),
  documentPer: z.enum(['blankLine', 'line', 'file']),
  field: z.string(),
  /** Of the text, by a hash of documents or, where they are longer than 16,384 UTF-16 units, of their sections. */
  heldOutFraction: z.number(),
  shardTokens: count,
  invalidUtf8: z.enum(['error', 'replace']),
  /** How the places of tagged spans were counted, when tags were read. */
  tags: z.enum(['none', ...TAG_OFFSETS]).default('none'),
  /** Of text in another encoding than UTF-8. */
  encoding: z.string().optional(),
  inputs: z.array(
    z.object({
      name: z.string(),
      bytes: count,
      fingerprint: z.string(),
      /** How the file is read, where that does not follow from what an earlier version made of its ending. */
      format: z.enum(['json', 'jsonl', 'csv']).optional(),
    }),
  ),
  /** Which part of the inputs, for instance "2/8"; absent for all of them. */
  part: z.string().optional(),
});
export type Identity = z.infer<typeof identitySchema>;

const splitSchema = z.object({ documents: count, tokens: count, shards: z.array(shardEntrySchema) });

export const manifestSchema = z.object({
  format: z.literal('pleiad-shards'),
  version: z.literal(MANIFEST_VERSION),
  identity: identitySchema,
  vocabSize: count,
  specialIds: z.object({ padId: count, unkId: count, clsId: count, sepId: count, maskId: count }),
  /** Text that was read, bytes after decompression. */
  textBytes: count,
  /** Records that held null where the text should be; absent for none. */
  recordsWithoutText: count.optional(),
  /** U+FFFD put in for bytes that were no text; absent for none. */
  replacedCharacters: count.optional(),
  train: splitSchema,
  heldOut: splitSchema,
});
export type Manifest = z.infer<typeof manifestSchema>;

const MANIFEST_FORMAT: VersionedFormat<Manifest> = {
  version: MANIFEST_VERSION,
  schema: manifestSchema,
  damaged: 'is not a manifest',
  advice: {
    damaged: 'Prepare the text again into an empty folder',
    version: 'Use the version of Pleiad that wrote it, or prepare the text again into an empty folder',
  },
  error: DataError,
};

/**
 * @param path  for messages
 * @throws DataError when it is not a manifest of this version
 */
export function parseManifest(text: string, path: string): Manifest {
  return parseVersionedJson(text, path, MANIFEST_FORMAT);
}

/**
 * Tag files: where entities and phrases stand in prepared text, kept beside shards that were made without them.
 * A safetensors file with `train` and `held_out`, U8, one byte (`TAG_BITS`) a token of each split; its metadata say whose
 * tokens they are: `format` pleiad-tags, `tokenizer_hash` and `corpus` (`corpusHash`).
 */

import { createHash, type Hash } from 'node:crypto';
import { DataError } from '../errors/errors.js';
import { SafetensorsFile, writeSafetensors } from '../formats/safetensors.node.js';
import type { SplitName, SplitTags, TokenSplit } from './shards.js';
import { corpusHash, type ShardFolder } from './shards.node.js';
import { countTags, TAG_LIMIT, type TagKind, type TagSpan, writeTags } from './tags.js';

const FORMAT = 'pleiad-tags';
const TENSORS: Readonly<Record<SplitName, string>> = { train: 'train', heldOut: 'held_out' };
const SPLITS: readonly SplitName[] = ['train', 'heldOut'];
/** Bytes looked at at a time while a file is checked. */
const CHUNK = 1 << 20;

/** A document as a tagger sees it. */
export interface DocumentToTag {
  readonly split: SplitName;
  readonly ids: Int32Array;
  /** 1 where a token begins a word. */
  readonly wordStarts: Uint8Array;
}

/**
 * Tags prepared text and writes the result as a tag file.
 * @param tag  the spans of a document, in its tokens; of those of one kind that overlap, the longest counts
 * @throws DataError when a span lies outside its document
 */
export async function writeTagFile(
  path: string,
  shards: ShardFolder,
  tag: (document: DocumentToTag) => Iterable<TagSpan>,
): Promise<Record<SplitName, Record<TagKind, number>>> {
  const bytes = { train: tagSplit(shards.train, 'train', tag), heldOut: tagSplit(shards.heldOut, 'heldOut', tag) };
  await writeSafetensors(
    path,
    SPLITS.map((split) => ({
      name: TENSORS[split],
      dtype: 'U8' as const,
      shape: [bytes[split].length],
      data: bytes[split],
    })),
    { format: FORMAT, tokenizer_hash: shards.tokenizerHash, corpus: corpusHash(shards.manifest) },
  );
  return { train: countTags(bytes.train), heldOut: countTags(bytes.heldOut) };
}

function tagSplit(split: TokenSplit, name: SplitName, tag: (document: DocumentToTag) => Iterable<TagSpan>): Uint8Array {
  const tags = new Uint8Array(split.numTokens);
  for (let document = 0; document < split.numDocuments; document++) {
    const [start, end] = split.documentOffsets.subarray(document, document + 2);
    const ids = new Int32Array(end - start);
    const wordStarts = new Uint8Array(end - start);
    split.read(start, end, ids, wordStarts, 0);
    const spans = [...tag({ split: name, ids, wordStarts })];
    const outside = spans.find((span) => !(span.start >= 0 && span.end <= ids.length && span.start < span.end));
    if (outside) {
      throw new DataError(
        `Document ${document} of the ${name} split has ${ids.length} tokens; a tagged span is ${outside.start} to ${outside.end}`,
        { found: outside, expected: '0 <= start < end <= tokens of the document, end exclusive' },
      );
    }
    writeTags(tags.subarray(start, end), spans);
  }
  return tags;
}

/**
 * The same shards with the tags of a file in place of their own, if any. Closing them closes both.
 * @throws DataError when the file is no tag file, or belongs to other shards or another tokenizer
 */
export function withTagFile(shards: ShardFolder, path: string): ShardFolder {
  const file = openTagFile(path);
  try {
    checkOrigin(file, shards);
    const hash = createHash('sha256');
    const [train, heldOut] = SPLITS.map((split) => withTags(shards[split], readTags(file, split, shards[split], hash)));
    return {
      ...shards,
      tagsHash: hash.digest('hex'),
      train,
      heldOut,
      close() {
        file.close();
        shards.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function openTagFile(path: string): SafetensorsFile {
  try {
    return SafetensorsFile.open(path);
  } catch (cause) {
    throw new DataError(`tags: ${cause instanceof Error ? cause.message : cause}`, { subject: path, cause });
  }
}

function checkOrigin({ path, metadata }: SafetensorsFile, shards: ShardFolder): void {
  const wanted = { format: FORMAT, tokenizer_hash: shards.tokenizerHash, corpus: corpusHash(shards.manifest) };
  const advice = {
    format: 'Give a file that writeTagFile wrote, or see docs/masking.md for its layout',
    tokenizer_hash: 'The tags are of tokens that another tokenizer made; tag these shards anew',
    corpus: 'The tags belong to other shards; tag these anew, or prepare the text again as it was',
  };
  for (const key of ['format', 'tokenizer_hash', 'corpus'] as const) {
    if (metadata[key] === wanted[key]) continue;
    throw new DataError(
      `${path} does not belong to ${shards.source}: its ${key} is ${metadata[key] ?? 'missing'}, expected ${wanted[key]}`,
      { subject: path, found: metadata[key], expected: wanted[key], advice: advice[key] },
    );
  }
}

/** @throws DataError when the tensor has another type or length, or bytes without a meaning */
function readTags(file: SafetensorsFile, split: SplitName, { numTokens }: TokenSplit, hash: Hash): SplitTags {
  const name = TENSORS[split];
  const found = file.header.tensors.get(name);
  if (found?.dtype !== 'U8' || found.shape.length !== 1 || found.shape[0] !== numTokens) {
    const shape = found ? `${found.dtype} [${found.shape.join(', ')}]` : 'missing';
    throw new DataError(`${file.path}: ${name} is ${shape}; the split has ${numTokens} tokens, so U8 [${numTokens}]`, {
      subject: file.path,
      found: shape,
      expected: `U8 [${numTokens}]`,
      advice: 'Write one byte for each token',
    });
  }
  const counts = { entity: 0, phrase: 0 };
  let before = 0;
  for (let start = 0; start < numTokens; start += CHUNK) {
    const tags = file.read<'U8'>(name, start, Math.min(numTokens, start + CHUNK));
    hash.update(tags);
    const bad = tags.findIndex((tag) => tag >= TAG_LIMIT);
    if (bad >= 0) {
      throw new DataError(`${file.path}: ${name} has ${tags[bad]} for token ${start + bad}; expected 0 to 15`, {
        subject: file.path,
        found: tags[bad],
        expected: '3 for the first token of an entity, 2 for the others; 12 and 8 for phrases; their sum for both',
      });
    }
    const more = countTags(tags, before);
    before = tags[tags.length - 1];
    counts.entity += more.entity;
    counts.phrase += more.phrase;
  }
  return { counts, read: (start, end, tags, at) => tags.set(file.read<'U8'>(name, start, end), at) };
}

function withTags(split: TokenSplit, tags: SplitTags): TokenSplit {
  const { numDocuments, numTokens, documentOffsets } = split;
  return { numDocuments, numTokens, documentOffsets, read: (...span) => split.read(...span), tags };
}

/**
 * Rows for next-sentence prediction, BERT's second task (Devlin et al. 2019 §3.1), which SpanBERT compares itself with and
 * drops: `[CLS] A [SEP] B [SEP]`, where B follows A in half of the rows and is from another document in the others.
 *
 * BERT's builder draws A sentence by sentence, takes a random B, and cuts the longer of both at its front or back. Here A
 * is the first half of a block, as in all our pairs, and a random B is as long as what it replaces, taken from anywhere in
 * another document's block: which is what cutting at front or back leaves.
 */
import { DataError } from '../errors/errors.js';
import type { RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { type BlockIndex, type BlockSpan, frameSegments, middleWordStart, type Row, readText } from './blocks.js';
import type { SpecialIds, TokenSplit } from './shards.js';

/** Part of the rows whose B is from another document. */
const RANDOM_PROB = 0.5;

export interface NextSentenceRow {
  /** Number of positions that are not padding. */
  readonly used: number;
  /** Whether B is from another document; undefined when the block cannot be divided and there is no B. */
  readonly isRandom?: boolean;
}

/** @throws DataError when all text is in one document, so that there is no other to take a second segment from */
export function requireSeveralDocuments(index: BlockIndex, source: string): void {
  if (index.numBlocks === 0) return;
  const { document } = index.locate(0);
  const { first, end } = index.blocksOf(document);
  if (end - first < index.numBlocks) return;
  throw new DataError(`${source} has text in one document only; next-sentence prediction needs several`, {
    subject: source,
    found: 1,
    expected: 'at least two documents that are not empty',
    advice: `Prepare text of several documents (blank lines divide them), or train without ${settingName('nextSentence')}`,
  });
}

/** @param random  stream of this block alone; decides whether B is random, and which */
export function fillNextSentenceRow(
  row: Row,
  { split, index, specialIds }: { split: TokenSplit; index: BlockIndex; specialIds: SpecialIds },
  span: BlockSpan,
  random: RandomStream,
): NextSentenceRow {
  const length = readText(row, split, span, 1);
  const firstLength = middleWordStart(row.wordStarts, length);
  if (firstLength === length) return { used: frameSegments(row, length, length, specialIds) };
  const isRandom = random.uniform() < RANDOM_PROB;
  if (!isRandom) return { used: frameSegments(row, firstLength, length, specialIds), isRandom };
  for (const values of [row.inputIds, row.wordStarts, row.tags]) values?.fill(0, 1 + firstLength);
  const other = blockOfAnotherDocument(index, span.document, random);
  const replaced = replaceSecond(row, split, other, { at: 1 + firstLength, most: length - firstLength, random });
  return { used: frameSegments(row, firstLength, firstLength + replaced, specialIds), isRandom };
}

/** Any block of all other documents, each as likely: those of one document follow one another, and are passed over. */
function blockOfAnotherDocument(index: BlockIndex, document: number, random: RandomStream): BlockSpan {
  const { first, end } = index.blocksOf(document);
  const block = random.integer(index.numBlocks - (end - first));
  return index.locate(block < first ? block : block + (end - first));
}

/** Writes a stretch of a block that begins with a word where there is one. @returns its length, at least 1 */
function replaceSecond(
  row: Row,
  split: TokenSplit,
  { start, end }: BlockSpan,
  { at, most, random }: { at: number; most: number; random: RandomStream },
): number {
  const ids = new Int32Array(end - start);
  const wordStarts = new Uint8Array(end - start);
  split.read(start, end, ids, wordStarts, 0);
  const drawn = random.integer(Math.max(0, ids.length - most) + 1);
  const before = wordStarts.lastIndexOf(1, drawn);
  const from = before >= 0 ? before : Math.max(0, wordStarts.indexOf(1));
  return readText(row, split, { start: start + from, end: Math.min(end, start + from + most) }, at);
}

/**
 * A context beside its question, in overlapping windows that a model can take. A piece of the context that lies in several
 * windows is judged in the one that shows the most around it (google-research/bert, run_squad.py, "max context").
 */
import { DataError, SettingsError } from '../../errors/errors.js';
import { settingName } from '../../settings/settingNames.js';
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

/** Pieces of a question beyond so many are cut off (google-research/bert, run_squad.py). */
const MOST_QUESTION_PIECES = 64;
/** Pieces that two neighbouring windows share, at most half of a window (transformers). */
export const USUAL_OVERLAP = 128;
/** Tokens of a row, question included, at most what the model takes (transformers). */
export const USUAL_ROW = 384;

/** The usual overlap, where it leaves a step beside every question. @param rowLength  tokens of a row */
export function usualOverlap(rowLength: number): number {
  return Math.min(USUAL_OVERLAP, Math.floor((rowLength - 3 - mostQuestionPieces(rowLength)) / 2));
}

/** The largest overlap that leaves a step beside every question. */
export function largestOverlap(rowLength: number): number {
  return rowLength - 3 - mostQuestionPieces(rowLength) - 1;
}

/** Pieces of a question that are read. */
function mostQuestionPieces(rowLength: number): number {
  return Math.min(MOST_QUESTION_PIECES, questionRoom(rowLength));
}

/** Pieces `from` to `to` (exclusive) of a context. */
export interface ContextWindow {
  readonly from: number;
  readonly to: number;
}

export interface AnswerRow extends ContextWindow {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  /** Position of the first piece of the context. */
  readonly first: number;
}

/** The pieces of a context: ids, offsets and words without special tokens. */
export function contextPieces(tokenizer: WordPieceTokenizer, context: string): Encoding {
  return tokenizer.encode(context, { addSpecialTokens: false });
}

/** The ids of a question, at most half of what stands beside special tokens. @throws DataError when it has none */
export function questionIds(tokenizer: WordPieceTokenizer, question: string, rowLength: number): Int32Array {
  return wholeQuestion(tokenizer, question).subarray(0, mostQuestionPieces(rowLength));
}

/** Pieces of a question, at most: half of a row's, so that the context has the other half. */
export function questionRoom(rowLength: number): number {
  return Math.max(1, Math.floor((rowLength - 3) / 2));
}

/** All ids of a question. @throws DataError when it has none */
export function wholeQuestion(tokenizer: WordPieceTokenizer, question: string): Int32Array {
  const { ids } = tokenizer.encode(question.trimStart(), { addSpecialTokens: false });
  if (ids.length > 0) return ids;
  throw new DataError(`the question ${JSON.stringify(question)} has no word`, {
    subject: 'question',
    found: question,
    expected: 'at least one word',
  });
}

/**
 * `[CLS] question [SEP] window [SEP]`, window after window.
 * @param overlap       pieces that neighbouring windows share; undefined for the usual
 * @param usualOverlap  the usual, at most half of a window. Default 128
 * @throws SettingsError when the overlap leaves no step
 */
export function answerRows(
  { clsId, sepId }: WordPieceTokenizer,
  question: Int32Array,
  context: Int32Array,
  {
    rowLength,
    overlap,
    usualOverlap = USUAL_OVERLAP,
  }: { readonly rowLength: number; readonly overlap?: number; readonly usualOverlap?: number },
): AnswerRow[] {
  const size = rowLength - question.length - 3;
  if (size < 1) {
    throw new SettingsError([
      `${settingName('maxLength')} is ${rowLength}; expected at least ${question.length + 4}, for a piece of the context beside the question`,
    ]);
  }
  if (overlap !== undefined && overlap >= size) {
    throw new SettingsError([
      `${settingName('docStride')} is ${overlap}; expected less than ${size}, the pieces of the context beside this question in a row of ${rowLength} tokens`,
    ]);
  }
  const shared = overlap ?? Math.min(usualOverlap, Math.floor(size / 2));
  const first = question.length + 2;
  return contextWindows(context.length, size, shared).map(({ from, to }) => {
    const ids = Int32Array.of(clsId, ...question, sepId, ...context.subarray(from, to), sepId);
    return { from, to, first, ids, typeIds: new Int32Array(ids.length).fill(1, first) };
  });
}

/** Windows of at most `size` pieces, each beginning `overlap` pieces before the end of the one before it. */
export function contextWindows(length: number, size: number, overlap: number): ContextWindow[] {
  const windows: ContextWindow[] = [];
  for (let from = 0; ; from += size - overlap) {
    const to = Math.min(from + size, length);
    windows.push({ from, to });
    if (to === length) return windows;
  }
}

/** The window in which each piece is judged: where min(pieces before it, pieces after it) + 0.01·size is largest, the first. */
export function bestWindows(windows: readonly ContextWindow[], length: number): Int32Array {
  const best = new Int32Array(length);
  const scores = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  for (const [window, { from, to }] of windows.entries()) {
    for (let piece = from; piece < to; piece++) {
      const score = Math.min(piece - from, to - 1 - piece) + 0.01 * (to - from);
      if (score <= scores[piece]) continue;
      scores[piece] = score;
      best[piece] = window;
    }
  }
  return best;
}

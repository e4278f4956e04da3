/** Questions beside the windows of their contexts, as the model reads them; the same rows for training, evaluation and use. */
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { type AnswerRow, answerRows, contextPieces, questionIds } from './answerWindows.js';
import type { PlacedAnswer, Question } from './questions.js';

export interface RowOptions {
  readonly tokenizer: WordPieceTokenizer;
  /** Tokens of a row, at most. */
  readonly length: number;
  /** Pieces that neighbouring windows share; undefined for the usual. */
  readonly docStride?: number;
}

export interface EncodedQuestion {
  readonly question: Question;
  /** Of the context, without special tokens. */
  readonly pieces: Encoding;
  readonly rows: readonly AnswerRow[];
  /** Whether the question lost its end. */
  readonly isCut: boolean;
}

/**
 * Encodes questions; a context that several ask about is read once.
 * @throws SettingsError when the overlap of windows leaves no step beside a question
 */
export function encodeQuestions(
  questions: readonly Question[],
  { tokenizer, length, docStride }: RowOptions,
): EncodedQuestion[] {
  const known = new Map<string, Encoding>();
  return questions.map((question) => {
    const pieces = known.get(question.context) ?? contextPieces(tokenizer, question.context);
    known.set(question.context, pieces);
    const ids = questionIds(tokenizer, question.question, length);
    const all = tokenizer.encode(question.question.trimStart(), { addSpecialTokens: false }).length;
    const rows = answerRows(tokenizer, ids, pieces.ids, { rowLength: length, overlap: docStride });
    return { question, pieces, rows, isCut: all > ids.length };
  });
}

/** Pieces `first` to `last` (inclusive) of a context. */
export interface PieceSpan {
  readonly first: number;
  readonly last: number;
}

/**
 * The pieces that an answer touches; undefined where it has none, such as one of white space. An answer inside a word, such
 * as a Korean noun without its particle, has the pieces that it has: words play no part.
 */
export function piecesOfAnswer({ offsets }: Encoding, { start, end }: PlacedAnswer): PieceSpan | undefined {
  const length = offsets.length / 2;
  let first = 0;
  while (first < length && offsets[2 * first + 1] <= start) first++;
  let last = first;
  while (last + 1 < length && offsets[2 * (last + 1)] < end) last++;
  return first < length && offsets[2 * first] < end ? { first, last } : undefined;
}

/** A window to learn from. */
export interface LearnedRow {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  /** Position of the first and of the last token of the answer; 0, which is [CLS], where the window does not show it whole. */
  readonly startPosition: number;
  readonly endPosition: number;
}

export interface LearnedRows {
  readonly rows: readonly LearnedRow[];
  /** Questions that are in no row: their answer has no piece, or no window shows it whole and such windows are left out. */
  readonly unseen: number;
  /** Questions with an answer that no window shows whole. */
  readonly split: number;
}

/** The windows of questions with their labels: those of the first answer, as in google-research/bert. */
export function learnedRows(
  questions: readonly EncodedQuestion[],
  { emptyWindows }: { readonly emptyWindows: 'noAnswer' | 'leaveOut' },
): LearnedRows {
  let unseen = 0;
  let split = 0;
  const rows = questions.flatMap(({ question, pieces, rows: windows }) => {
    const span = question.isImpossible ? undefined : piecesOfAnswer(pieces, question.answers[0]);
    if (!question.isImpossible && !span) {
      unseen++;
      return [];
    }
    const labelled = windows.map((window) => labelledRow(window, span));
    const shown = labelled.filter(({ startPosition }) => startPosition > 0);
    if (question.isImpossible) return labelled;
    if (shown.length === 0) split++;
    if (emptyWindows === 'noAnswer') return labelled;
    if (shown.length === 0) unseen++;
    return shown;
  });
  return { rows, unseen, split };
}

/** A window with the positions of an answer in it. */
export function labelledRow({ ids, typeIds, from, to, first }: AnswerRow, span: PieceSpan | undefined): LearnedRow {
  const isWhole = span !== undefined && span.first >= from && span.last < to;
  if (!isWhole) return { ids, typeIds, startPosition: 0, endPosition: 0 };
  return { ids, typeIds, startPosition: first + span.first - from, endPosition: first + span.last - from };
}

/** Questions as token rows: one for each choice, beside what it may follow. */
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { type PaddedRows, padRows, type TokenRow } from '../tokenRows.js';
import type { AnsweredQuestion, ChoiceQuestion } from './questions.js';

export interface EncodedQuestion {
  readonly rows: readonly TokenRow[];
  readonly answer: number;
}

export interface ChoiceBatch extends PaddedRows {
  readonly numQuestions: number;
  /** Rows of each question, those that fill up a question with fewer choices included; [B] is numQuestions × numChoices. */
  readonly numChoices: number;
  /** 0 for a choice, −10⁹ for what fills up, [numQuestions × numChoices]. */
  readonly choiceBias: Float32Array;
  /** Index of the right choice of each question. */
  readonly answers: Int32Array;
}

/** Far below any logit: what fills up is never chosen and gets no gradient. */
const NO_CHOICE = -1e9;

/**
 * Context and question, then the choice: what comes first is cut where both together are too long for it.
 * @returns a row for each choice, and whether any was cut
 */
export function encodeQuestion(
  { context, question, choices }: ChoiceQuestion,
  { tokenizer, length }: { tokenizer: WordPieceTokenizer; length: number },
): { rows: TokenRow[]; isCut: boolean } {
  const first = context ?? question ?? '';
  const before = context === undefined || question === undefined ? '' : `${question} `;
  const encoded = choices.map((choice) => tokenizer.encode(first, { pair: before + choice, maxLength: length }));
  return {
    rows: encoded.map(({ ids, typeIds }) => ({ ids, typeIds })),
    isCut: encoded.some(({ overflow }) => overflow.length > 0),
  };
}

/** @returns the questions, and how many lost some of their text */
export function encodeQuestions(
  questions: readonly AnsweredQuestion[],
  options: { tokenizer: WordPieceTokenizer; length: number },
): { encoded: EncodedQuestion[]; truncated: number } {
  let truncated = 0;
  const encoded = questions.map((question): EncodedQuestion => {
    const { rows, isCut } = encodeQuestion(question, options);
    if (isCut) truncated++;
    return { rows, answer: question.answer };
  });
  return { encoded, truncated };
}

/**
 * @param numChoices  the most that a question of the data has
 * @param length      tokens of a row with its padding. Default: as many as the longest needs
 */
export function batchOfQuestions(
  questions: readonly EncodedQuestion[],
  { numChoices, tokenizer, length }: { numChoices: number; tokenizer: WordPieceTokenizer; length?: number },
): ChoiceBatch {
  // A row without a single token would have nothing to attend to.
  const filler: TokenRow = { ids: Int32Array.of(tokenizer.clsId), typeIds: Int32Array.of(0) };
  const slots = questions.flatMap(({ rows }) => Array.from({ length: numChoices }, (_, choice) => rows[choice]));
  return {
    ...padRows(
      slots.map((row) => row ?? filler),
      tokenizer.padId,
      length,
    ),
    numQuestions: questions.length,
    numChoices,
    choiceBias: Float32Array.from(slots, (row) => (row ? 0 : NO_CHOICE)),
    answers: Int32Array.from(questions, ({ answer }) => answer),
  };
}

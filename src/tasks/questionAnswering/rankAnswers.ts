/** The best answers to a question among all windows of its contexts: what the pipeline gives and what training is judged by. */
import type { Encoding } from '../../text/encoding.js';
import { BestByPlace, forEachSpan, LogSum, type WindowLogits } from './answerSearch.js';
import { type AnswerRow, bestWindows } from './answerWindows.js';

/** A context that a question is asked about, and what the model says of its windows. */
export interface AskedContext {
  readonly text: string;
  /** Without special tokens. */
  readonly pieces: Encoding;
  readonly rows: readonly AnswerRow[];
  /** By row: start and end of every position. */
  readonly logits: readonly { readonly start: Float32Array; readonly end: Float32Array }[];
}

/** UTF-16 offsets in a context. */
export interface AnswerPlace {
  /** Index of the context. */
  readonly context: number;
  readonly start: number;
  readonly end: number;
}

/** A span of characters with its logit; without a place where the answer is that there is none. */
export interface RankedAnswer {
  readonly logit: number;
  readonly place?: AnswerPlace;
}

export interface RankingOptions {
  /** So many answers at most. Default 1. */
  readonly topK?: number;
  /** Word pieces of an answer, at most. */
  readonly maxAnswerLength: number;
  /** Whether "no answer" may be an answer. */
  readonly handleImpossibleAnswer?: boolean;
  /** Whether answers are widened to whole words. */
  readonly alignToWords: boolean;
}

export interface Ranking {
  /** The best first; none where no context has a piece and "no answer" may be none. */
  readonly answers: readonly RankedAnswer[];
  /** Logit of "no answer". */
  readonly nullLogit: number;
  /** ln Σ exp(logit) over all that may be an answer. */
  readonly logSum: number;
}

/** Ranks all spans of all windows of all contexts, see answerSearch.ts. */
export function rankAnswers(contexts: readonly AskedContext[], options: RankingOptions): Ranking {
  const { topK = 1, maxAnswerLength, handleImpossibleAnswer = false, alignToWords } = options;
  const best = new BestByPlace<RankedAnswer>(topK);
  const all = new LogSum();
  for (const [index, context] of contexts.entries()) {
    for (const window of windowsOf(context)) {
      forEachSpan(window, maxAnswerLength, (first, last, logit) => {
        all.add(logit);
        if (!best.keeps(logit)) return;
        const [start, end] = charactersOf(context, first, last, alignToWords);
        best.add(`${index}:${start}:${end}`, { logit, place: { context: index, start, end } });
      });
    }
  }
  const nullLogit = nullLogitOf(contexts);
  if (handleImpossibleAnswer) {
    all.add(nullLogit);
    if (best.keeps(nullLogit)) best.add('none', { logit: nullLogit });
  }
  return { answers: best.values, nullLogit, logSum: all.value };
}

/** [CLS] stands for "no answer"; a question has none when every window says so: the least sure one decides (SQuAD 2.0). */
export function nullLogitOf(contexts: readonly AskedContext[]): number {
  return Math.min(...contexts.flatMap(({ logits }) => logits.map(({ start, end }) => start[0] + end[0])));
}

/** The logits of the context's pieces in each window, and where an answer may start: where a piece has the most around it. */
export function windowsOf({ rows, logits, pieces }: AskedContext): WindowLogits[] {
  const best = bestWindows(rows, pieces.length);
  return rows.map(({ first, from, to }, window) => ({
    start: logits[window].start.subarray(first, first + to - from),
    end: logits[window].end.subarray(first, first + to - from),
    from,
    mayStart: (piece) => best[from + piece] === window,
  }));
}

/** What the text has of pieces: whole words, if wanted, and the combining marks that belong to the last character. */
function charactersOf(
  { text, pieces: { offsets, wordIds } }: AskedContext,
  first: number,
  last: number,
  alignToWords: boolean,
): [start: number, end: number] {
  let [from, to] = [first, last];
  if (alignToWords) {
    while (from > 0 && wordIds[from - 1] === wordIds[first]) from--;
    while (to + 1 < wordIds.length && wordIds[to + 1] === wordIds[last]) to++;
  }
  let end = offsets[2 * to + 1];
  while (/^\p{M}/u.test(text.slice(end, end + 2))) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return [offsets[2 * from], end];
}

/** The best answers to a question among all windows of its contexts: what the pipeline gives and what training is judged by. */
import type { Encoding } from '../../text/encoding.js';
import type { AnswerLogits, JointLogits } from './answerLogits.js';
import {
  BestByPlace,
  forEachSpan,
  type JointWindow,
  LogSum,
  type StandardWindow,
  type WindowLogits,
} from './answerSearch.js';
import { type AnswerRow, bestWindows } from './answerWindows.js';
import { withoutParticle } from './koreanParticles.js';

/** A context that a question is asked about, and what the model says of its windows. */
export interface AskedContext {
  readonly text: string;
  /** Without special tokens. */
  readonly pieces: Encoding;
  readonly rows: readonly AnswerRow[];
  /** By row. */
  readonly logits: readonly AnswerLogits[];
}

/** UTF-16 offsets in a context. */
export interface AnswerPlace {
  /** Index of the context. */
  readonly context: number;
  readonly start: number;
  readonly end: number;
  /** Number of the window that it was judged in, within its context. */
  readonly window: number;
}

/** A span of characters with its logit; without a place where the answer is that there is none. */
export interface RankedAnswer {
  /** What it ranks by: of "no answer" its logit less the threshold. */
  readonly logit: number;
  readonly place?: AnswerPlace;
  /** Places above the last of the answers that overlap this one, and so do not stand by themselves. */
  readonly duplicates: number;
}

/** How spans of pieces become places in a text. */
export interface PlaceOptions {
  /** Whether answers are widened to whole words. */
  readonly alignToWords: boolean;
  /** Whether a Korean answer loses a particle at its end. Default false. */
  readonly dropParticle?: boolean;
}

export interface RankingOptions extends PlaceOptions {
  /** So many answers at most. Default 1. */
  readonly topK?: number;
  /** Word pieces of an answer, at most. */
  readonly maxAnswerLength: number;
  /** Whether "no answer" may be an answer. */
  readonly handleImpossibleAnswer?: boolean;
  /** "No answer" is the best when its score, see `Ranking.noAnswerScore`, is above this. Default 0. */
  readonly nullThreshold?: number;
  /** Logits are divided by it for `logSum`. Default 1. */
  readonly temperature?: number;
  /** Two places of a context are one when they share more than this fraction of the shorter. Default 1: only the very same place. */
  readonly overlapThreshold?: number;
  /** Whether answers of the same words are one, wherever they stand and whatever their case. Default false. */
  readonly mergeTexts?: boolean;
}

export interface Ranking {
  /** The best first; none where no context has a piece and "no answer" may be none. */
  readonly answers: readonly RankedAnswer[];
  /** Logit of "no answer", as the model says it. */
  readonly nullLogit: number;
  /**
   * How much speaks for "no answer": by how much its logit is larger than that of the best span; of ELECTRA's own head its
   * logit alone, since a classifier of its own says it. Undefined where there is no span.
   */
  readonly noAnswerScore?: number;
  /** ln of what "no answer" has of `logSum`, where it may be an answer. */
  readonly nullTerm: number;
  /** ln Σ exp(logit / temperature) over all that may be an answer. The threshold decides, and changes no probability. */
  readonly logSum: number;
}

type Candidate = Omit<RankedAnswer, 'duplicates'>;

/** Ranks all spans of all windows of all contexts, see answerSearch.ts. */
export function rankAnswers(contexts: readonly AskedContext[], options: RankingOptions): Ranking {
  const { topK = 1, overlapThreshold = 1, mergeTexts = false } = options;
  const merges = topK > 1 && (overlapThreshold < 1 || mergeTexts);
  // The best places first, and of them those that are no duplicates. Where these are too few, more places.
  for (let most = merges ? 4 * topK + 16 : topK; ; most *= 4) {
    const { places, ...sums } = bestPlaces(contexts, options, most);
    const answers = merges ? withoutDuplicates(places, contexts, options) : places.map(single);
    if (!merges || answers.length === topK || places.length < most) return { answers, ...sums };
  }
}

const single = (candidate: Candidate): RankedAnswer => ({ ...candidate, duplicates: 0 });

/** So many places of all windows, the best first, and the sums over all of them. */
function bestPlaces(contexts: readonly AskedContext[], options: RankingOptions, most: number) {
  const { maxAnswerLength, handleImpossibleAnswer = false, nullThreshold = 0, temperature = 1 } = options;
  const best = new BestByPlace<Candidate>(most);
  const all = new LogSum();
  for (const [index, context] of contexts.entries()) {
    for (const [window, logits] of windowsOf(context).entries()) {
      forEachSpan(logits, maxAnswerLength, (first, last, logit) => {
        all.add(logit / temperature);
        if (!best.keeps(logit)) return;
        const [start, end] = charactersOf(context, first, last, options);
        best.add(`${index}:${start}:${end}`, { logit, place: { context: index, start, end, window } });
      });
    }
  }
  const nullLogit = nullLogitOf(contexts);
  // A classifier's logit is that of "no answer" against all spans together: P(no answer) = sigmoid(logit / temperature).
  const isApart = contexts.some(({ logits }) => logits.some(isJoint));
  const bestSpan = best.values[0]?.logit;
  const nullTerm = nullLogit / temperature + (isApart && bestSpan !== undefined ? all.value : 0);
  const score = bestSpan === undefined ? {} : { noAnswerScore: isApart ? nullLogit : nullLogit - bestSpan };
  if (handleImpossibleAnswer) {
    all.add(nullTerm);
    // Before the best span where its score is above the threshold, by either head.
    const logit = nullLogit - nullThreshold + (isApart ? (bestSpan ?? 0) : 0);
    if (best.keeps(logit)) best.add('none', { logit });
  }
  return { places: best.values, nullLogit, nullTerm, ...score, logSum: all.value };
}

const isJoint = (logits: AnswerLogits): logits is JointLogits => 'beams' in logits;

/** Each place that is no duplicate of a better one, and how many of those it has. */
function withoutDuplicates(
  places: readonly Candidate[],
  contexts: readonly AskedContext[],
  { topK = 1, overlapThreshold = 1, mergeTexts = false }: RankingOptions,
): RankedAnswer[] {
  const textOf = ({ context, start, end }: AnswerPlace) => contexts[context].text.slice(start, end).toLowerCase();
  const isSame = ({ place: a }: Candidate, { place: b }: Candidate) =>
    a !== undefined && b !== undefined && (overlaps(a, b, overlapThreshold) || (mergeTexts && textOf(a) === textOf(b)));
  const kept: { answer: Candidate; duplicates: number }[] = [];
  for (const answer of places) {
    if (kept.length === topK) break;
    const same = kept.find((better) => isSame(better.answer, answer));
    if (same) same.duplicates++;
    else kept.push({ answer, duplicates: 0 });
  }
  return kept.map(({ answer, duplicates }) => ({ ...answer, duplicates }));
}

function overlaps(a: AnswerPlace, b: AnswerPlace, threshold: number): boolean {
  if (a.context !== b.context) return false;
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return shared > threshold * Math.min(a.end - a.start, b.end - b.start);
}

/** [CLS] stands for "no answer"; a question has none when every window says so: the least sure one decides (SQuAD 2.0). */
export function nullLogitOf(contexts: readonly AskedContext[]): number {
  const ofRow = (row: AnswerLogits) => (isJoint(row) ? row.noAnswer : row.start[0] + row.end[0]);
  return Math.min(...contexts.flatMap(({ logits }) => logits.map(ofRow)));
}

/** The logits of the context's pieces in each window, and where an answer may start: where a piece has the most around it. */
export function windowsOf({ rows, logits, pieces }: AskedContext): WindowLogits[] {
  const best = bestWindows(rows, pieces.length);
  return rows.map((row, window) => ({
    ...ofContext(row, logits[window]),
    from: row.from,
    mayStart: (piece) => best[row.from + piece] === window,
  }));
}

/** What is said of a window's own pieces. */
function ofContext(
  { first, from, to }: AnswerRow,
  logits: AnswerLogits,
): Pick<StandardWindow, 'start' | 'end'> | Pick<JointWindow, 'beams'> {
  const end = first + to - from;
  if (!isJoint(logits)) return { start: logits.start.subarray(first, end), end: logits.end.subarray(first, end) };
  const beams = logits.beams.flatMap(({ position, logit, ends }) =>
    position >= first && position < end
      ? [{ first: position - first, logit, ends: ends.subarray(0, end - position) }]
      : [],
  );
  return { beams };
}

/** What the text has of pieces: whole words, if wanted, and the combining marks that belong to the last character. */
function charactersOf(
  { text, pieces: { offsets, wordIds } }: AskedContext,
  first: number,
  last: number,
  { alignToWords, dropParticle = false }: PlaceOptions,
): [start: number, end: number] {
  let [from, to] = [first, last];
  if (alignToWords) {
    while (from > 0 && wordIds[from - 1] === wordIds[first]) from--;
    while (to + 1 < wordIds.length && wordIds[to + 1] === wordIds[last]) to++;
  }
  const start = offsets[2 * from];
  const end = endWithMarks(text, offsets[2 * to + 1]);
  return [start, dropParticle ? withoutParticle(text, start, end, offsets[2 * last + 1]) : end];
}

function endWithMarks(text: string, end: number): number {
  let to = end;
  while (/^\p{M}/u.test(text.slice(to, to + 2))) to += text.codePointAt(to)! > 0xffff ? 2 : 1;
  return to;
}

/**
 * The best answers among all spans of all windows. A span from piece s to piece e of a window has the logit
 *
 *   start_s + end_e        s judged in this window (answerWindows.ts), s ≤ e < s + maxAnswerLength
 *
 * and its score is the softmax of the logits over all such spans of all windows and, where "no answer" is allowed, that of no
 * answer. Logits of different windows compare as they are; probabilities within each window would not (a window without an
 * answer gives its best span a high one), and scores add up to at most 1.
 *
 * ELECTRA's own head has ln P(s) + ln P(e | s) instead, of the starts of its beam alone. Its probabilities do compare, where
 * it was trained on windows without an answer: in those they are of [CLS]. Whether there is an answer is then apart: see
 * rankAnswers.ts.
 */

interface WindowPlace {
  /** Number of its first piece in the context. */
  readonly from: number;
  /** Whether an answer may start at a piece of the window, by its place in it. */
  readonly mayStart: (piece: number) => boolean;
}

/** What a model says of a window: of each piece of the context in it. */
export interface StandardWindow extends WindowPlace {
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
}

export interface JointWindow extends WindowPlace {
  readonly beams: readonly {
    /** Place of the start in the window. */
    readonly first: number;
    readonly logit: number;
    /** Of the pieces from there on. */
    readonly ends: ArrayLike<number>;
  }[];
}

export type WindowLogits = StandardWindow | JointWindow;

/** Pieces `first` to `last` (inclusive) of a context. */
export interface AnswerSpan {
  readonly first: number;
  readonly last: number;
  readonly logit: number;
}

/** ln Σ eˣ, term by term. */
export class LogSum {
  #largest = Number.NEGATIVE_INFINITY;
  #sum = 0;

  add(x: number): void {
    if (x <= this.#largest) {
      this.#sum += Math.exp(x - this.#largest);
      return;
    }
    this.#sum = this.#sum * Math.exp(this.#largest - x) + 1;
    this.#largest = x;
  }

  get value(): number {
    return this.#largest + Math.log(this.#sum);
  }
}

/** The best so many by place, the best first; of one place the best logit. */
export class BestByPlace<T extends { readonly logit: number }> {
  readonly #most: number;
  readonly #best: { readonly place: string; readonly value: T }[] = [];
  /** The logit of each place that is kept. */
  readonly #logits = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a logit would be kept. */
  keeps(logit: number): boolean {
    return this.#best.length < this.#most || logit > this.#best[this.#best.length - 1].value.logit;
  }

  add(place: string, value: T): void {
    const known = this.#logits.get(place);
    if (known !== undefined) {
      if (known >= value.logit) return;
      this.#best.splice(
        this.#best.findIndex((each) => each.place === place),
        1,
      );
    }
    this.#best.splice(this.#placeOf(value.logit), 0, { place, value });
    this.#logits.set(place, value.logit);
    if (this.#best.length > this.#most) this.#logits.delete(this.#best.pop()!.place);
  }

  get values(): T[] {
    return this.#best.map(({ value }) => value);
  }

  /** Behind those that are as good: what was found first stays first. */
  #placeOf(logit: number): number {
    let [low, high] = [0, this.#best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#best[middle].value.logit >= logit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Visits every span of a window that may be an answer: length × maxAnswerLength of them at most. */
export function forEachSpan(
  window: WindowLogits,
  maxAnswerLength: number,
  visit: (first: number, last: number, logit: number) => void,
): void {
  if ('beams' in window) forEachOfBeams(window, maxAnswerLength, visit);
  else forEachOfPieces(window, maxAnswerLength, visit);
}

function forEachOfBeams(
  { beams, from, mayStart }: JointWindow,
  maxAnswerLength: number,
  visit: Parameters<typeof forEachSpan>[2],
): void {
  for (const { first, logit, ends } of beams) {
    if (!mayStart(first)) continue;
    const count = Math.min(ends.length, maxAnswerLength);
    for (let i = 0; i < count; i++) visit(from + first, from + first + i, logit + ends[i]);
  }
}

function forEachOfPieces(
  { start, end, from, mayStart }: StandardWindow,
  maxAnswerLength: number,
  visit: Parameters<typeof forEachSpan>[2],
): void {
  for (let s = 0; s < start.length; s++) {
    if (!mayStart(s)) continue;
    const limit = Math.min(start.length, s + maxAnswerLength);
    for (let e = s; e < limit; e++) visit(from + s, from + e, start[s] + end[e]);
  }
}

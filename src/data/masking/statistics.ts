/** What a masking scheme does, in figures: the acceptance table of a scheme, over as many blocks as are added. */

import { candidatePositions, MASK_ACTIONS, type MaskedBlock, type MaskingBlock } from './scheme.js';
import { MAX_SPAN_TARGETS, mergedSpans, textBeside } from './spans.js';

export interface MaskStatistics {
  readonly blocks: number;
  /** Text tokens in them. */
  readonly tokens: number;
  /** Masked tokens by text tokens. */
  readonly maskedFraction: number;
  /** Merged spans in a block. */
  readonly spansPerBlock: number;
  readonly piecesPerSpan: number;
  /** Words that begin in a span; a word that is cut counts when its beginning is masked. */
  readonly wordsPerSpan: number;
  /** Part of the spans that have more than `MAX_SPAN_TARGETS` pieces. */
  readonly longSpans: number;
  /** Part of the masked tokens that the span boundary objective predicts: see `textBeside` and `MAX_SPAN_TARGETS`. */
  readonly sboShare: number;
  /** Anchors drawn in vain for each span drawn. */
  readonly rejectsPerSpan: number;
  /** Spans in a block that became part of another one. */
  readonly mergesPerBlock: number;
  /** Part of the masked tokens that each action has. */
  readonly actions: Readonly<Record<keyof typeof MASK_ACTIONS, number>>;
}

export class MaskCounter {
  #blocks = 0;
  #tokens = 0;
  #masked = 0;
  #spans = 0;
  #words = 0;
  #long = 0;
  #bounded = 0;
  #accepted = 0;
  #rejected = 0;
  readonly #actions = new Float64Array(3);

  add(block: MaskingBlock, { positions, actions, draws }: MaskedBlock): void {
    const candidates = candidatePositions(block);
    this.#blocks++;
    this.#tokens += candidates.length;
    this.#masked += new Set(positions).size;
    const spans = mergedSpans(positions);
    for (let i = 0; i < spans.length; i += 2) {
      const [first, last] = [spans[i], spans[i + 1]];
      const length = last - first + 1;
      this.#spans++;
      for (let position = first; position <= last; position++) this.#words += block.wordStarts[position];
      if (length > MAX_SPAN_TARGETS) this.#long++;
      const { left, right } = textBeside(block, first, last);
      if (left !== undefined && right !== undefined) this.#bounded += Math.min(length, MAX_SPAN_TARGETS);
    }
    for (const action of actions) this.#actions[action]++;
    this.#accepted += draws?.accepted ?? spans.length / 2;
    this.#rejected += draws?.rejected ?? 0;
  }

  /** Fractions of nothing are 0. */
  result(): MaskStatistics {
    const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
    const slots = this.#actions.reduce((sum, count) => sum + count, 0);
    const { mask, random, keep } = MASK_ACTIONS;
    return {
      blocks: this.#blocks,
      tokens: this.#tokens,
      maskedFraction: share(this.#masked, this.#tokens),
      spansPerBlock: share(this.#spans, this.#blocks),
      piecesPerSpan: share(this.#masked, this.#spans),
      wordsPerSpan: share(this.#words, this.#spans),
      longSpans: share(this.#long, this.#spans),
      sboShare: share(this.#bounded, this.#masked),
      rejectsPerSpan: share(this.#rejected, this.#accepted),
      mergesPerBlock: share(this.#accepted - this.#spans, this.#blocks),
      actions: {
        mask: share(this.#actions[mask], slots),
        random: share(this.#actions[random], slots),
        keep: share(this.#actions[keep], slots),
      },
    };
  }
}

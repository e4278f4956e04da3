/**
 * Drawing spans until a block's budget is met. SpanBERT (arXiv 1907.10529 §3.1); released code pretraining/fairseq/data/
 * masking.py, PairWithSpanMaskingScheme.
 */

import { SettingsError } from '../../errors/errors.js';
import type { RandomStream } from '../../random/philox.js';
import { type ActionSettings, actionProblems, drawActions, type ReplacementUnit } from './actions.js';
import { type Budget, type BudgetSettings, budgetProblems, maskBudget } from './budget.js';
import type { LengthLaw } from './lengths.js';
import { candidatePositions, type MaskingBlock, type MaskingScheme } from './scheme.js';
import { type TokenDraw, uniformTokens } from './tokenDraw.js';

/**
 * Where a span begins. `reference`: a piece is drawn, and the span begins with its word, so that a word of three pieces
 * is hit three times as often (released code). `paper`: a word is drawn (§3.1, "uniformly selected").
 */
export const ANCHOR_LAWS = ['reference', 'paper'] as const;
export type AnchorLaw = (typeof ANCHOR_LAWS)[number];

/** What all schemes that mask spans have in common. `budget` is `spanbert` by default. */
export interface SpanSettings extends BudgetSettings {
  /** Part of the spans that keep their tokens, 0 to 1. Default 0.1. */
  readonly keepProb?: number;
  /** Part of the spans that show random tokens, 0 to 1. Default 0.1. */
  readonly randomProb?: number;
  /** Whether a span is masked, replaced or kept as a whole, or each of its pieces apart. Default `span`. */
  readonly replacementUnit?: ReplacementUnit;
  /** Where random tokens come from. Default: any id; SpanBERT draws from the corpus (`unigramTokens`). */
  readonly drawToken?: TokenDraw;
  /** Default `reference`. */
  readonly anchor?: AnchorLaw;
}

/** Masks one more span on the canvas, or leaves out a word for good. */
export type SpanDraw = (canvas: SpanCanvas, random: RandomStream) => void;

/**
 * A scheme that draws spans until the budget is masked, or no word is left that fits in it.
 * @param problems  what is wrong with the scheme's own settings
 * @throws SettingsError with all settings that are out of range
 */
export function spanScheme(
  name: string,
  settings: SpanSettings,
  problems: readonly string[],
  makeDraw: () => (block: MaskingBlock) => SpanDraw,
): MaskingScheme {
  const { keepProb = 0.1, randomProb = 0.1, replacementUnit = 'span', drawToken = uniformTokens } = settings;
  const actions: ActionSettings = { keepProb, randomProb, unit: replacementUnit, drawToken };
  const { anchor = 'reference' } = settings;
  const anchorProblems = ANCHOR_LAWS.includes(anchor)
    ? []
    : [`anchor is ${anchor}; expected ${ANCHOR_LAWS.join(' or ')}`];
  const all = [...problems, ...anchorProblems, ...budgetProblems(settings), ...actionProblems(actions)];
  if (all.length > 0) throw new SettingsError(all);
  const budget = maskBudget(settings, 'spanbert');
  const drawFor = makeDraw();

  return {
    name,
    maxSlots: budget.maxSlots,
    mask(block, random) {
      const canvas = new SpanCanvas(block, budget);
      const draw = drawFor(block);
      while (!canvas.isFull) draw(canvas, random);
      const positions = canvas.positions();
      const { accepted, rejected } = canvas;
      return { positions, ...drawActions(positions, actions, block, random), draws: { accepted, rejected } };
    },
  };
}

/** Draws a length in words and a place. */
export function drawWords(lengths: LengthLaw, anchor: AnchorLaw = 'reference'): SpanDraw {
  return (canvas, random) => canvas.maskWords(canvas.drawAnchor(anchor, random), lengths.draw(random));
}

/**
 * Draws a place and masks its word with all its pieces. A word that would pass the budget is left out, as in BERT's released
 * code (google-research/bert create_pretraining_data.py: "just skip this candidate"), so that no word is ever cut; a block may then
 * have a few masked tokens less than its budget, and one that is a single long word has none.
 */
export function drawWholeWord(anchor: AnchorLaw = 'reference'): SpanDraw {
  return (canvas, random) => canvas.maskWholeWord(canvas.drawAnchor(anchor, random));
}

/** After so many anchors in vain, the next is drawn among those that are left: the same law, and it ends. */
const MOST_REJECTIONS = 32;

/** A block while spans are drawn on it. */
export class SpanCanvas {
  /** Spans masked so far. */
  accepted = 0;
  /** Anchors drawn in vain so far. */
  rejected = 0;
  readonly #candidates: Int32Array;
  readonly #budget: number;
  /** By position: whether it may be masked. */
  readonly #isCandidate: Uint8Array;
  readonly #wordStarts: Uint8Array;
  readonly #isMasked: Uint8Array;
  #numMasked = 0;
  /** By position: whether it is masked, or of a word that was left out. */
  readonly #isTaken: Uint8Array;
  #numTaken = 0;
  #wordAnchors?: Int32Array;

  constructor(block: MaskingBlock, budget: Budget) {
    this.#candidates = candidatePositions(block);
    this.#budget = Math.min(budget.slots(block, this.#candidates.length), this.#candidates.length);
    this.#isCandidate = new Uint8Array(block.n + 1);
    for (const position of this.#candidates) this.#isCandidate[position] = 1;
    this.#wordStarts = block.wordStarts;
    this.#isMasked = new Uint8Array(block.n + 1);
    this.#isTaken = new Uint8Array(block.n + 1);
  }

  /** Whether the budget is masked, or every word that is left was left out. */
  get isFull(): boolean {
    return this.#numMasked >= this.#budget || this.#numTaken >= this.#candidates.length;
  }

  /** Whether the position may be masked and is not yet. */
  #isFree(position: number): boolean {
    return this.#isCandidate[position] === 1 && this.#isMasked[position] === 0;
  }

  /** Free positions from first to last (inclusive). */
  #freeIn(first: number, last: number): number {
    let free = 0;
    for (let position = first; position <= last; position++) if (this.#isFree(position)) free++;
    return free;
  }

  /** Whether something from first to last (inclusive) is free. */
  hasFree(first: number, last: number): boolean {
    return this.#freeIn(first, last) > 0;
  }

  /** Whether something from first to last (inclusive) is free, and all of that fits in what is left of the budget. */
  fits(first: number, last: number): boolean {
    const free = this.#freeIn(first, last);
    return free > 0 && this.#numMasked + free <= this.#budget;
  }

  /** Masked positions, ascending. */
  positions(): Int32Array {
    return this.#candidates.filter((position) => this.#isMasked[position] === 1);
  }

  /** Whether a word begins here. The first token after a special one does, also where a block was cut inside a word. */
  #beginsWord(position: number): boolean {
    return this.#wordStarts[position] === 1 || this.#isCandidate[position - 1] === 0;
  }

  /**
   * A position that is not masked yet, and not left out. Must not be called when `isFull`.
   * As released, only the anchor is looked at: the span that begins there may run over masked tokens.
   */
  drawAnchor(law: AnchorLaw, random: RandomStream): number {
    const anchors = law === 'paper' ? this.#wordStartAnchors() : this.#candidates;
    for (let attempt = 0; attempt < MOST_REJECTIONS; attempt++) {
      const anchor = anchors[random.integer(anchors.length)];
      if (!this.#isTaken[anchor]) return anchor;
      this.rejected++;
    }
    // Where tagged spans were masked, a word may be left whose first piece is masked.
    const open = (list: Int32Array) => list.filter((position) => !this.#isTaken[position]);
    const left = open(anchors);
    const choices = left.length > 0 ? left : open(this.#candidates);
    return choices[random.integer(choices.length)];
  }

  #wordStartAnchors(): Int32Array {
    this.#wordAnchors ??= this.#candidates.filter((position) => this.#beginsWord(position));
    return this.#wordAnchors;
  }

  /**
   * Masks whole words from the anchor's on, up to `words` of them, a special token or the budget, which may cut the last
   * word. Words that are masked already count.
   */
  maskWords(anchor: number, words: number): void {
    this.maskRange(...this.#wordsFrom(anchor, words));
  }

  /** Masks the whole word that the anchor is in; where it does not fit in the budget, it is left out for good. */
  maskWholeWord(anchor: number): void {
    const [first, last] = this.#wordsFrom(anchor, 1);
    if (this.fits(first, last)) {
      this.maskRange(first, last);
      return;
    }
    this.rejected++;
    for (let position = first; position <= last; position++) this.#take(position);
  }

  /** First and last position of so many words, that of the anchor first, up to a special token. */
  #wordsFrom(anchor: number, words: number): [first: number, last: number] {
    let first = anchor;
    while (!this.#beginsWord(first)) first--;
    let last = first;
    for (let begun = 1; this.#isCandidate[last + 1] === 1; last++) {
      if (this.#beginsWord(last + 1) && ++begun > words) break;
    }
    return [first, last];
  }

  #take(position: number): void {
    if (this.#isTaken[position]) return;
    this.#isTaken[position] = 1;
    this.#numTaken++;
  }

  /** Masks positions from first to last (inclusive), as far as the budget goes. */
  maskRange(first: number, last: number): void {
    this.accepted++;
    for (let position = first; position <= last && !this.isFull; position++) {
      if (!this.#isFree(position)) continue;
      this.#isMasked[position] = 1;
      this.#numMasked++;
      this.#take(position);
    }
  }
}

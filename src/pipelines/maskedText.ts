/** Texts with masks in them: where the masks are, what a model can see around them, and what a text says once filled. */
import { DataError } from '../errors/errors.js';
import { IDEOGRAPH } from '../text/characters.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { CONTINUATION_PREFIX } from '../text/wordpiece.js';
import { joinParts, type TextPart } from './joinedText.js';
import type { MaskedRow } from './maskedLanguageModel.js';

export interface MaskedText extends MaskedRow {
  readonly text: string;
  /** UTF-16 start and end of each mask. */
  readonly offsets: readonly (readonly [number, number])[];
}

/** @throws DataError when the text has no [MASK] */
export function findMasks(tokenizer: WordPieceTokenizer, text: string): MaskedText {
  const { maskId } = tokenizer;
  const encoding = tokenizer.encode(text);
  const positions = [...encoding.ids.keys()].filter((i) => encoding.ids[i] === maskId);
  if (positions.length === 0) {
    const mask = tokenizer.settings.specialTokens.mask;
    throw new DataError(`the text has no ${mask}: ${JSON.stringify(shortened(text))}`, {
      subject: 'text',
      expected: `at least one ${mask}`,
      advice: `Write ${mask} where a word is to be filled in, for instance "The chef ${mask} the meal."`,
    });
  }
  const offsets = positions.map((i) => [encoding.offsets[2 * i], encoding.offsets[2 * i + 1]] as const);
  return { text, offsets, ids: encoding.ids, positions };
}

/** A text as messages show it. */
export function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * The row as it is when it fits, else [CLS], as many tokens on both sides of the masks as there is room for, [SEP].
 * @throws DataError when the masks lie too far apart for the model to see all of them
 */
export function cutAround({ ids, positions }: MaskedRow, maxLength: number): MaskedRow {
  if (ids.length <= maxLength) return { ids, positions };
  const size = maxLength - 2;
  const first = positions[0];
  const last = positions.at(-1)!;
  const span = last - first + 1;
  if (span > size) {
    throw new DataError(`the masks lie ${span} tokens apart; the model takes ${size} at a time`, {
      subject: 'text',
      found: span,
      expected: `at most ${size} tokens from the first mask to the last`,
      advice: 'Fill parts of the text one after another',
    });
  }
  const middle = first - Math.floor((size - span) / 2);
  const from = Math.max(1, Math.min(middle, ids.length - 1 - size)); // [SEP] is last
  const cut = Int32Array.of(ids[0], ...ids.subarray(from, from + size), ids[ids.length - 1]);
  return { ids: cut, positions: positions.map((position) => position - from + 1) };
}

/** Ids by falling score, those left out that `allows` refuses; equal ones in id order. */
export function mostProbable(scores: ArrayLike<number>, count: number, allows: (id: number) => boolean): number[] {
  const best: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    const isBetter = best.length < count || scores[id] > scores[best[best.length - 1]];
    if (!isBetter || !allows(id)) continue;
    let at = best.length;
    while (at > 0 && scores[best[at - 1]] < scores[id]) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Signs that need no space before them. */
const CLOSING = /^[.,?!]$/;
const IS_IDEOGRAPH = new RegExp(`^[${IDEOGRAPH}]$`, 'u');

/**
 * The original text with its masks replaced; a `##` piece is joined to what stands before it. The text says what was filled
 * in: it encodes to the same tokens, wherever any text does (none has a `##` piece after punctuation, or where the vocabulary
 * knows the whole word).
 */
export function filledText(
  tokenizer: WordPieceTokenizer,
  { text, offsets }: Pick<MaskedText, 'text' | 'offsets'>,
  ids: readonly number[],
): string {
  let from = 0;
  const parts = ids.flatMap((id, mask): TextPart[] => {
    const [start, end] = offsets[mask];
    const before = text.slice(from, start);
    from = end;
    const continues = tokenizer.isContinuation(id);
    const token = tokenizer.idToToken(id);
    const apart = before === '' && mask > 0 && standsApart(token, tokenizer.idToToken(ids[mask - 1]));
    return [{ text: before }, { text: continues ? token.slice(CONTINUATION_PREFIX.length) : token, continues, apart }];
  });
  return joinParts(tokenizer, [...parts, { text: text.slice(from) }]).text;
}

/** Of two masks side by side: whether a space is written between their tokens though it may not be needed. */
function standsApart(token: string, previous: string): boolean {
  return !CLOSING.test(token) && !(IS_IDEOGRAPH.test(token) && IS_IDEOGRAPH.test(previous));
}

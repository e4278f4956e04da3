/**
 * Tags: where entities and phrases stand in a text, one byte a token. Spans of one kind do not overlap; an entity and a
 * phrase may.
 */

export const TAG_KINDS = ['entity', 'phrase'] as const;
export type TagKind = (typeof TAG_KINDS)[number];

/**
 * Bits of a token's byte. Every token of a span has `inside`, its first one `begin` as well: entities read 3 2 2, phrases
 * 12 8 8, and the sum where both are.
 */
export const TAG_BITS: Readonly<Record<TagKind, { begin: number; inside: number }>> = {
  entity: { begin: 1, inside: 2 },
  phrase: { begin: 4, inside: 8 },
};

/** Above the greatest byte that has a meaning. */
export const TAG_LIMIT = 16;

/**
 * The spans of a kind: first and last token (inclusive) of each. What a cut left of a span counts as one.
 * @param tags  bytes of `TAG_BITS`
 */
export function taggedSpans(tags: Uint8Array, kind: TagKind, numTokens = tags.length): [number, number][] {
  const { begin, inside } = TAG_BITS[kind];
  const spans: [number, number][] = [];
  let isOpen = false;
  for (let token = 0; token < numTokens; token++) {
    const tag = tags[token];
    const isInside = (tag & inside) !== 0;
    if (isInside && isOpen && !(tag & begin)) spans[spans.length - 1][1] = token;
    else if (isInside) spans.push([token, token]);
    isOpen = isInside;
  }
  return spans;
}

/**
 * How many spans of each kind begin among these tokens.
 * @param before  the byte of the token before them, where there is one
 */
export function countTags(tags: Uint8Array, before = 0): Record<TagKind, number> {
  const counts = { entity: 0, phrase: 0 };
  let previous = before;
  for (const tag of tags) {
    for (const kind of TAG_KINDS) {
      const { begin, inside } = TAG_BITS[kind];
      if (tag & inside && (tag & begin || !(previous & inside))) counts[kind]++;
    }
    previous = tag;
  }
  return counts;
}

/** A tagged stretch of tokens or characters; `end` is exclusive. */
export interface TagSpan {
  readonly kind: TagKind;
  readonly start: number;
  readonly end: number;
}

/**
 * Writes spans of tokens into zeroed bytes. Of spans of one kind that overlap, the longest counts, then the first.
 * @param spans  in tokens, within the bytes
 */
export function writeTags(tags: Uint8Array, spans: Iterable<TagSpan>): void {
  const longestFirst = [...spans].sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  for (const { kind, start, end } of longestFirst) {
    const { begin, inside } = TAG_BITS[kind];
    if (end <= start || tags.subarray(start, end).some((tag) => (tag & inside) !== 0)) continue;
    for (let token = start; token < end; token++) tags[token] |= inside;
    tags[start] |= begin;
  }
}

/**
 * Spans of characters as spans of tokens: every token that has a character of the span. Spans without any are left out.
 * @param offsets  start and end (exclusive) of each token in the same text, ascending, [2n]
 */
export function tokenSpans(spans: Iterable<TagSpan>, offsets: ArrayLike<number>): TagSpan[] {
  const numTokens = offsets.length / 2;
  const result: TagSpan[] = [];
  for (const { kind, start, end } of spans) {
    const first = firstToken((token) => offsets[2 * token + 1] > start, numTokens);
    const after = firstToken((token) => offsets[2 * token] >= end, numTokens);
    if (first < after) result.push({ kind, start: first, end: after });
  }
  return result;
}

/** The first of `count` tokens for which the condition holds, `count` when none; it holds for all after that one. */
function firstToken(holds: (token: number) => boolean, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

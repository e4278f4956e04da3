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

/** How many spans of each kind begin among these tokens. */
export function countTags(tags: Uint8Array): Record<TagKind, number> {
  const counts = { entity: 0, phrase: 0 };
  for (const tag of tags) {
    if (tag & TAG_BITS.entity.begin) counts.entity++;
    if (tag & TAG_BITS.phrase.begin) counts.phrase++;
  }
  return counts;
}

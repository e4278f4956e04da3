/** Strict UTF-8 for input files: where exactly a file stops being text. */

/**
 * Index of the first byte that no UTF-8 sequence can have there, or -1. Well-formed sequences: The Unicode Standard,
 * table 3-7 (no overlong forms, no surrogates, nothing beyond U+10FFFF).
 */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i];
    if (lead < 0x80) {
      i++;
      continue;
    }
    const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > bytes.length) return i;
    // Only the second byte's range depends on the lead byte.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (bytes[i + 1] < low || bytes[i + 1] > high) return i;
    for (let j = 2; j < length; j++) if ((bytes[i + j] & 0xc0) !== 0x80) return i;
    i += length;
  }
  return -1;
}

/** The largest index up to `end` at which no character is cut in two. */
export function characterBoundary(bytes: Uint8Array, end: number): number {
  let at = end;
  // A character has at most three continuation bytes; more of them are not UTF-8, and any cut does.
  while (at > 0 && end - at < 4 && (bytes[at] & 0xc0) === 0x80) at--;
  return (bytes[at] & 0xc0) === 0x80 || at === 0 ? end : at;
}

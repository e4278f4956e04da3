/** Where a stream of text may be cut into units without a document, a word or a character being torn. */

import type { DocumentSplit } from './unit.js';
import { characterBoundary } from './utf8.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Index just after the last blank line (newline, blanks, newline), or 0. Counts only if wholly inside the bytes. */
function lastBlankLine(bytes: Uint8Array): number {
  let newline = bytes.lastIndexOf(NEWLINE);
  while (newline > 0) {
    let before = newline - 1;
    while (before >= 0 && isBlank(bytes[before])) before--;
    if (before < 0) return 0;
    if (bytes[before] === NEWLINE) return newline + 1;
    newline = bytes.lastIndexOf(NEWLINE, before);
  }
  return 0;
}

/**
 * Index at which the bytes can be cut so that all documents before it are whole; 0 when there is none.
 * A text that falls into no documents (`none`) cannot be cut so.
 */
export function documentCut(bytes: Uint8Array, split: DocumentSplit): number {
  if (split === 'blankLine') return lastBlankLine(bytes);
  return split === 'none' ? 0 : bytes.lastIndexOf(NEWLINE) + 1;
}

/**
 * Index at which to cut inside a document, in the second half of the bytes: at the last line end, else at the last
 * space, else between characters. The newline itself goes to the next part, so that a blank line is never split and
 * missed.
 */
export function forcedCut(bytes: Uint8Array): number {
  const half = bytes.length >> 1;
  for (const separator of [NEWLINE, SPACE]) {
    const at = bytes.lastIndexOf(separator);
    if (at > half) return at;
  }
  return characterBoundary(bytes, bytes.length - 4);
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0x09 || byte === 0x0d || byte === 0x0b || byte === 0x0c;
}

/** Where a stream of text may be cut into units without a document, a word or a character being torn. */

import { blankBefore, isBlankCharacter, Utf8Character } from './blankLines.js';
import type { DocumentSplit } from './unit.js';
import { characterBoundary } from './utf8.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Where the blanks begin that end at `end`. */
function blanksBefore(bytes: Uint8Array, end: number): number {
  let start = end;
  for (let length = blankBefore(bytes, start); length > 0; length = blankBefore(bytes, start)) start -= length;
  return start;
}

/** Index just after the last blank line (newline, blanks, newline), or 0. Counts only if wholly inside the bytes. */
function lastBlankLine(bytes: Uint8Array): number {
  let newline = bytes.lastIndexOf(NEWLINE);
  while (newline > 0) {
    const before = blanksBefore(bytes, newline) - 1;
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

/** Looks for the first place at which a text can be cut between documents, in pieces of it that come one after another. */
export class DocumentCutFinder {
  readonly #split: DocumentSplit;
  /** Since the last newline there were only blanks. */
  #afterNewline = false;
  readonly #character = new Utf8Character();

  constructor(split: DocumentSplit) {
    this.#split = split;
  }

  /** Index just after the first blank line (or line, as the text is split) that ends in these bytes; -1 when none does. */
  find(bytes: Uint8Array): number {
    if (this.#split === 'none') return -1;
    if (this.#split !== 'blankLine') {
      const newline = bytes.indexOf(NEWLINE);
      return newline < 0 ? -1 : newline + 1;
    }
    for (let i = 0; i < bytes.length; i++) {
      const codePoint = this.#character.push(bytes[i]);
      if (codePoint === NEWLINE) {
        if (this.#afterNewline) return i + 1;
        this.#afterNewline = true;
      } else if (this.#afterNewline && codePoint !== undefined && !(codePoint >= 0 && isBlankCharacter(codePoint))) {
        this.#afterNewline = false;
      }
    }
    return -1;
  }
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

/**
 * Index at which bytes can be cut anywhere in a text, documents or not: at a line end, which goes to the next part with
 * all blank lines before it, so that none is split and missed; in a line that is longer, between characters.
 */
export function pieceCut(bytes: Uint8Array): number {
  let cut = bytes.lastIndexOf(NEWLINE);
  for (let before = cut; before > 0; ) {
    before = blanksBefore(bytes, before) - 1;
    if (before < 0 || bytes[before] !== NEWLINE) break;
    cut = before;
  }
  return cut > 0 ? cut : characterBoundary(bytes, bytes.length - 4);
}

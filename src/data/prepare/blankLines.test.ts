import { describe, expect, it } from 'vitest';
import { blankBefore, blankLineEnds, isBlankCharacter } from './blankLines.js';
import { DocumentCutFinder, documentCut, pieceCut } from './cuts.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Python's `str.isspace`, which google-research/electra strips lines of (CPython, Objects/unicodetype_db.h). */
const PYTHON_SPACES = [
  0x09, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
  0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

describe('a blank character', () => {
  it("is each of Python's spaces but the newline, and each that Unicode gives no shape", () => {
    const ignorable = /\p{Default_Ignorable_Code_Point}/u;
    for (let codePoint = 0; codePoint < 0x10000; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      const expected = PYTHON_SPACES.includes(codePoint) || ignorable.test(String.fromCodePoint(codePoint));
      expect(isBlankCharacter(codePoint), codePoint.toString(16)).toBe(expected);
    }
  });

  it.each([0x20, 0xa0, 0x3000, 0x200f])(
    'U+%s is found by all who look for the ends of documents, in text and bytes',
    (codePoint) => {
      const blank = String.fromCodePoint(codePoint);
      const text = `한\n${blank}\n${blank}\r\nb\nc${blank}`;
      const blankEnd = text.indexOf('b');
      expect([...blankLineEnds(text)].at(-1)![1]).toBeLessThanOrEqual(blankEnd);
      expect([...blankLineEnds(`a\n${blank}\nb`)]).toEqual([[1, 4]]);
      expect(documentCut(bytes(text), 'blankLine')).toBe(bytes(text.slice(0, blankEnd)).length);
      expect(pieceCut(bytes(text.slice(0, blankEnd)))).toBe(3);
      const first = bytes(`한\n${blank}\n`).length;
      for (let at = 0; at <= bytes(text).length; at++) {
        const finder = new DocumentCutFinder('blankLine');
        const found = finder.find(bytes(text).subarray(0, at));
        expect(found >= 0 ? found : at + finder.find(bytes(text).subarray(at))).toBe(first);
      }
    },
  );

  it('is not torn out of another character', () => {
    expect(blankBefore(bytes('한'), 3)).toBe(0);
    expect(blankBefore(Uint8Array.of(0x80, 0x80), 2)).toBe(0);
    expect(blankBefore(bytes('\u3000'), 3)).toBe(3);
    expect(blankBefore(bytes('😀'), 4)).toBe(0);
  });
});

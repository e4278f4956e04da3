import { describe, expect, it } from 'vitest';
import { DocumentCutFinder, documentCut, forcedCut } from './cuts.js';
import { characterBoundary, firstInvalidUtf8 } from './utf8.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('documentCut', () => {
  it('is just after the last blank line, with blanks or carriage returns in it or not', () => {
    expect(documentCut(bytes('a\n\nb\nc'), 'blankLine')).toBe(3);
    expect(documentCut(bytes('a\r\n \t\r\nb\r\nc'), 'blankLine')).toBe(7);
    expect(documentCut(bytes('a\n\nb\n\n\n'), 'blankLine')).toBe(7);
    expect(documentCut(bytes('a\nb\n'), 'blankLine')).toBe(0);
    expect(documentCut(bytes('\na'), 'blankLine')).toBe(0);
  });

  it('is after the last line for lines and JSONL, and nowhere for a whole file', () => {
    expect(documentCut(bytes('a\nb\nc'), 'line')).toBe(4);
    expect(documentCut(bytes('{}\n{'), 'jsonl')).toBe(3);
    expect(documentCut(bytes('a\n\nb'), 'none')).toBe(0);
  });
});

describe('DocumentCutFinder', () => {
  it('finds the first cut in pieces that come one after another', () => {
    const text = bytes('a b\r\n \t\r\n\nc');
    for (let at = 0; at <= text.length; at++) {
      const finder = new DocumentCutFinder('blankLine');
      const first = finder.find(text.subarray(0, at));
      expect(first >= 0 ? first : at + finder.find(text.subarray(at))).toBe(9);
    }
    expect(new DocumentCutFinder('blankLine').find(bytes('a\nb \nc'))).toBe(-1);
    expect(new DocumentCutFinder('jsonl').find(bytes('{}\n{}\n'))).toBe(3);
    expect(new DocumentCutFinder('none').find(bytes('a\n\nb'))).toBe(-1);
  });
});

describe('forcedCut', () => {
  it('prefers a line end, then a space, and leaves it to the next part', () => {
    expect(forcedCut(bytes('aaaa aaaa aa\naa a'))).toBe(12);
    expect(forcedCut(bytes('a\naaaaaaaaaa aaaa'))).toBe(12);
  });

  it('never tears a character', () => {
    for (const character of ['é', '한', '😀']) {
      const text = bytes(character.repeat(40));
      for (let length = 40; length < text.length; length++) {
        const cut = forcedCut(text.subarray(0, length));
        expect(cut).toBeGreaterThan(0);
        expect(firstInvalidUtf8(text.subarray(0, cut))).toBe(-1);
      }
    }
  });

  it('cuts somewhere in bytes that are no characters', () => {
    expect(characterBoundary(new Uint8Array(20).fill(0x80), 16)).toBe(16);
  });
});

describe('firstInvalidUtf8', () => {
  it.each([
    ['text', [...bytes('a é 한 😀')], -1],
    ['a lone continuation', [0x61, 0x80], 1],
    ['an overlong form', [0x61, 0xc0, 0x80], 1],
    ['an overlong three-byte form', [0xe0, 0x80, 0x80], 0],
    ['a surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a cut character', [0x61, 0xed, 0x95], 1],
  ])('finds the place in %s', (_, input, expected) => {
    const array = Uint8Array.from(input);
    expect(firstInvalidUtf8(array)).toBe(expected);
    const isValid = (() => {
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(array);
        return true;
      } catch {
        return false;
      }
    })();
    expect(expected === -1).toBe(isValid);
  });
});

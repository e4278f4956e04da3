import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_NORMALIZATION,
  type NormalizationSettings,
  normalize,
  PUBLISHED_NORMALIZATION,
} from './normalization.js';
import { ChunkKind, ChunkScanner, forEachWord } from './words.js';

function wordsOf(normalized: string): string[] {
  const words: string[] = [];
  forEachWord(normalized, (start, end) => words.push(normalized.slice(start, end)));
  return words;
}

function chunksOf(text: string, settings: NormalizationSettings = DEFAULT_NORMALIZATION): [string, number][] {
  const scanner = new ChunkScanner(settings);
  scanner.reset(text);
  const chunks: [string, number][] = [];
  while (scanner.next()) chunks.push([text.slice(scanner.start, scanner.end), scanner.kind]);
  return chunks;
}

describe('words', () => {
  it('end at spaces and around every punctuation sign, ASCII symbols included', () => {
    expect(wordsOf("don't  pay $5.00—now…")).toEqual(['don', "'", 't', 'pay', '$', '5', '.', '00', '—', 'now', '…']);
    expect(wordsOf('©a + b€ ^_^')).toEqual(['©a', '+', 'b€', '^', '_', '^']);
    expect(wordsOf(' \t ')).toEqual([]);
  });
});

describe('chunks', () => {
  it('are words, single signs and, around marks and emoji, whatever lies between spaces', () => {
    expect(chunksOf('Hello, “한글” a.e\u0301x b')).toEqual([
      ['Hello', ChunkKind.word],
      [',', ChunkKind.isolated],
      ['“', ChunkKind.isolated],
      ['한글', ChunkKind.word],
      ['”', ChunkKind.isolated],
      ['a', ChunkKind.word],
      ['.', ChunkKind.isolated],
      ['e\u0301x', ChunkKind.mixed],
      ['b', ChunkKind.word],
    ]);
  });

  it('are not cut before a sign that a mark turns into a letter', () => {
    // "<" with U+0338 composes to "≮", which is no punctuation, so "a≮b" is one word.
    expect(chunksOf('a<\u0338b')).toEqual([['a<\u0338b', ChunkKind.mixed]]);
    expect(wordsOf(normalize('a<\u0338b', { ...DEFAULT_NORMALIZATION, stripAccents: false }))).toEqual(['a≮b']);
  });

  it('give the same words one by one as the whole text at once', () => {
    const unit = fc.oneof(
      fc.constantFrom(
        ...'ab AB\t\n.<=한글漢字éÉ≠“\u0301\u0338\u3099か\u1112\u1161\u11ab\u200b\u200d\f\u00ad\u0000\ufffdİΣ',
      ),
      fc.constantFrom('😀', '𠀀', '\ud800', '\udc00', '\u00a0', '\u0915\u094d', '\u09c7\u09be', '\uf900', '\u0344'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    const settings = fc.record({
      nfc: fc.boolean(),
      cleanText: fc.boolean(),
      keepFormat: fc.boolean(),
      handleChineseChars: fc.boolean(),
      lowercase: fc.boolean(),
      stripAccents: fc.option(fc.boolean(), { nil: undefined }),
      tearHangul: fc.boolean(),
      cutLongWords: fc.boolean(),
    });
    const texts = fc.array(unit, { maxLength: 24 }).map((units) => units.join(''));
    fc.assert(
      fc.property(texts, settings, (text, chosen) => {
        const apart = chunksOf(text, chosen).flatMap(([chunk]) => wordsOf(normalize(chunk, chosen)));
        expect(apart).toEqual(wordsOf(normalize(text, chosen)));
      }),
      { numRuns: 2000 },
    );
  });

  it('lie within the bounds asked for', () => {
    const scanner = new ChunkScanner(PUBLISHED_NORMALIZATION);
    scanner.reset('abcdef', 1, 3);
    expect(scanner.next()).toBe(true);
    expect([scanner.start, scanner.end]).toEqual([1, 3]);
    expect(scanner.next()).toBe(false);
  });
});

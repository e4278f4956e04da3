import { describe, expect, it } from 'vitest';
import type { PieceBuffer } from '../../text/pieceBuffer.js';
import { SECTION_UNITS, tokenizeTextUnit, UnitCollector } from './tokenizeUnit.js';
import type { DocumentSplit, TextUnit } from './unit.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Sections in the order in which a unit gives them to the tokenizer, by document. */
function sectionsOf(text: string, split: DocumentSplit, more: Partial<TextUnit> = {}): string[][] {
  const documents: string[][] = [];
  // A token a section; nothing is held out, so a document that ends begins a new length.
  const sections: string[] = [];
  const tokenizer = {
    vocabSize: 1,
    appendIds(section: string, sink: PieceBuffer) {
      if (section.trim() === '') return;
      sections.push(section);
      sink.reserve(1);
      sink.length++;
    },
  };
  const unit = {
    kind: 'text',
    file: 'a.txt',
    split,
    bytes: bytes(text),
    offset: 0,
    continues: false,
    open: false,
  } as const;
  const { train } = tokenizeTextUnit({ ...unit, ...more }, new UnitCollector(tokenizer, 0), {
    field: 'text',
    invalidUtf8: 'error',
  });
  for (const length of train.lengths) documents.push(sections.splice(0, length));
  expect(sections).toEqual([]);
  return documents;
}

/** The same said plainly, with the whole text as one string. */
function expectedSections(text: string, separator: RegExp): string[][] {
  return text
    .split(separator)
    .map((document) => document.trimStart())
    .filter((document) => document.trim() !== '')
    .map((document) => {
      const sections: string[] = [];
      let rest = document;
      while (rest.length > SECTION_UNITS) {
        const window = rest.slice(0, SECTION_UNITS);
        const ends = [window.lastIndexOf('\n'), window.lastIndexOf(' ')].filter((at) => at >= SECTION_UNITS / 2);
        const pair = /[\ud800-\udbff]$/.test(window) ? 1 : 0;
        const cut = ends.length > 0 ? ends[0] + 1 : SECTION_UNITS - pair;
        sections.push(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      return rest.trim() === '' ? sections : [...sections, rest];
    });
}

/** Pseudo-random text of these parts. */
function textOf(parts: readonly string[], length: number, seed: number): string {
  let text = '';
  for (let x = seed; text.length < length; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    text += parts[(x >>> 16) % parts.length];
  }
  return text;
}

describe('a unit', () => {
  const blankLine = /\n[ \t\r\v\f]*\n/;

  it('is cut into the documents and sections of its whole text, wherever blank lines fall', () => {
    const words = ['chef ', '한국 ', '😀', 'é', 'meal\n', ' '];
    for (let seed = 1; seed <= 30; seed++) {
      const dense = textOf([...words, '\n\n', '\n \t', '\r\n', `\n${' '.repeat(50)}\n`], 90_000, seed);
      expect(sectionsOf(dense, 'blankLine')).toEqual(expectedSections(dense, blankLine));
      const long = `${textOf(words, 100_000, seed)}\n\n\n${textOf(['😀', '한'], 60_000, seed)}\n \n${textOf(words, 99, seed)}`;
      expect(sectionsOf(long, 'blankLine')).toEqual(expectedSections(long, blankLine));
      expect(sectionsOf(long, 'none')).toEqual(expectedSections(long, /(?!)/));
      expect(sectionsOf(dense, 'line')).toEqual(expectedSections(dense, /\n/));
    }
  });

  it('finds a blank line of many blanks across the place where decoding stops', () => {
    for (let before = 32_700; before < 32_800; before += 7) {
      const text = `${'a'.repeat(before)}\n${' '.repeat(60)}\nb`;
      expect(sectionsOf(text, 'blankLine')).toEqual(expectedSections(text, blankLine));
    }
  });

  it('reads JSONL lines of any length', () => {
    const texts = ['a', 'b'.repeat(100_000), 'c d'.repeat(20_000), 'e'];
    const jsonl = `${texts.map((text) => JSON.stringify({ text })).join('\n\n')}\n`;
    expect(sectionsOf(jsonl, 'jsonl').map((document) => document.join(''))).toEqual(texts);
  });

  it('leaves out one byte order mark at the beginning of a file, and of any line of JSON', () => {
    expect(sectionsOf('\ufeff{"text":"a"}\n\ufeff{"text":"b"}', 'jsonl')).toEqual([['a'], ['b']]);
    expect(sectionsOf('\ufeff{"text":"a"}', 'jsonl', { offset: 5 })).toEqual([['a']]);
    expect(() => sectionsOf('\ufeff\ufeff{"text":"a"}', 'jsonl', { offset: 5 })).toThrow('found U+FEFF');
    expect(sectionsOf('a\ufeffb', 'blankLine')).toEqual([['a\ufeffb']]);
  });
});

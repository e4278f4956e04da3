import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth, padStartToWidth, padToWidth, tableLines, wrapLine } from './columns.js';

describe('displayWidth', () => {
  it.each([
    ['chef', 4],
    ['한국어', 6],
    ['한국어'.normalize('NFD'), 6],
    ['東京タワー', 10],
    ['ｱｲｳ', 3], // half-width katakana
    ['ＡＢ', 4], // full-width Latin
    ['é'.normalize('NFD'), 1],
    ['สวัสดี', 4], // two of its six signs stand above the line
    ['🍕', 2],
    ['❤️', 2],
    ['👩‍👩‍👧', 2],
    ['🇰🇷', 2],
    ['##의', 4],
    ['\u200b', 0],
    ['\x1b[31mred\x1b[39m', 3],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('padToWidth and padStartToWidth', () => {
  it('give every text of at most that width exactly that width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        // Two texts side by side may join into one grapheme; a letter and a space never do.
        const word = `x${text.replace(/\s/g, '')}x`;
        const width = displayWidth(word) + 3;
        expect(displayWidth(padToWidth(word, width))).toBe(width);
        expect(displayWidth(padStartToWidth(word, width))).toBe(width);
        expect(padToWidth(word, width).trimEnd()).toBe(word);
      }),
    );
  });
});

describe('tableLines', () => {
  it('lets the columns of Korean and English rows begin at the same place', () => {
    const rows = [
      ['0.9', '요리사', 'a'],
      ['0.12', 'chef', 'b'],
    ];
    const lines = tableLines([{ title: 'p', align: 'right' }, { title: 'token' }, { title: 'x' }], rows);
    expect(lines).toEqual([
      '   p  token   x', //
      ' 0.9  요리사  a',
      '0.12  chef    b',
    ]);
  });
});

describe('wrapLine', () => {
  it('keeps every word, in order, in lines no wider than asked unless one word is', () => {
    const words = fc.array(fc.constantFrom('a', 'chef', '요리사가', 'antidisestablishment', '--learning-rate'), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(words, fc.integer({ min: 30, max: 100 }), fc.nat(4), (list, width, indent) => {
        const line = ' '.repeat(indent) + list.join(' ');
        const lines = wrapLine(line, width);
        expect(lines.join(' ').split(/ +/).filter(Boolean)).toEqual(list);
        for (const each of lines) expect(displayWidth(each)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('keeps together what stands between two spaces, such as a token and its figure', () => {
    expect(wrapLine('doubt  the 0.06  che 0.20  ##f 0.17', 20)).toEqual(['doubt  the 0.06', '  che 0.20  ##f 0.17']);
  });

  it('leaves a command in one piece, so that it can be copied', () => {
    const command = `  pleiad detect --model run/ --file ${'long/'.repeat(20)}notes.txt`;
    expect(wrapLine(command, 40)).toEqual([command]);
  });
});

describe('cutToWidth', () => {
  it('cuts by columns, never inside a character', () => {
    expect(cutToWidth('한국어 문장', 6)).toBe('한국…');
    expect(cutToWidth('chef', 4)).toBe('chef');
  });
});

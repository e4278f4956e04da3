import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_NORMALIZATION,
  type NormalizationSettings,
  normalize,
  normalizeAligned,
  PUBLISHED_NORMALIZATION,
} from './normalization.js';

const STRIPPED = { ...DEFAULT_NORMALIZATION, stripAccents: true };
const CASED = { ...DEFAULT_NORMALIZATION, lowercase: false };
const decomposed = '한글'.normalize('NFD');

/** Original text behind units from..to (exclusive) of the normalised one. */
function source(text: string, settings: NormalizationSettings, part: string): string {
  const aligned = normalizeAligned(text, settings);
  const from = aligned.text.indexOf(part);
  expect(from).toBeGreaterThanOrEqual(0);
  return text.slice(aligned.starts[from], aligned.ends[from + part.length - 1]);
}

describe('normalization', () => {
  it('lower-cases and keeps accents; as published, removes them when it lower-cases', () => {
    expect(normalize('Café ÅNGSTRÖM', DEFAULT_NORMALIZATION)).toBe('café ångström');
    expect(normalize('Café ÅNGSTRÖM', STRIPPED)).toBe('cafe angstrom');
    expect(normalize('Café ÅNGSTRÖM', PUBLISHED_NORMALIZATION)).toBe('cafe angstrom');
    expect(normalize('Café', { ...PUBLISHED_NORMALIZATION, lowercase: false })).toBe('Café');
    expect(normalize('Café', CASED)).toBe('Café');
    expect(normalize('Café', { ...CASED, stripAccents: true })).toBe('Cafe');
  });

  it('keeps Hangul whole by default and tears it into jamo as published', () => {
    for (const settings of [DEFAULT_NORMALIZATION, STRIPPED])
      expect(normalize('한글 Œuvre', settings)).toBe('한글 œuvre');
    expect(normalize('한글', PUBLISHED_NORMALIZATION)).toBe(decomposed);
    expect(normalize('한글', { ...PUBLISHED_NORMALIZATION, tearHangul: false })).toBe('한글');
  });

  it('composes decomposed text first by default', () => {
    expect(normalize(decomposed, CASED)).toBe('한글');
    expect(normalize('e\u0301', CASED)).toBe('é');
    expect(normalize(decomposed, { ...CASED, nfc: false })).toBe(decomposed);
  });

  it('removes control, format and replacement characters and makes every space a space', () => {
    for (const settings of [CASED, PUBLISHED_NORMALIZATION]) {
      expect(normalize('a\0bc\ufffd\u00add\ufeff\u200e\ue000', settings)).toBe('abcd');
      expect(normalize('a\tb\nc\rd\u00a0e\u3000f', settings)).toBe('a b c d e f');
    }
    expect(normalize('a\u200db\tc', { ...CASED, cleanText: false })).toBe('a\u200db\tc');
  });

  it('keeps format characters that tell words apart, which were removed as published', () => {
    // Persian "they go", an Arabic year, the Sinhala word for "honourable", a family, the flag of England.
    for (const text of ['می\u200cروند', '\u0600١٤', 'ශ්\u200dරී', '👨\u200d👩', '🏴\u{e0067}\u{e0062}\u{e007f}']) {
      expect(normalize(text, CASED)).toBe(text);
      expect(normalize(text, PUBLISHED_NORMALIZATION)).not.toBe(text);
    }
  });

  it('parts words where a text says that they end, which were joined as published', () => {
    const text = 'ខ្មែរ\u200bភាសា a\fb\u0085c\vd';
    expect(normalize(text, CASED)).toBe('ខ្មែរ ភាសា a b c d');
    expect(normalize(text, { ...PUBLISHED_NORMALIZATION, stripAccents: false })).toBe('ខ្មែរភាសា abcd');
  });

  it('sets ideographs apart, not kana and not Hangul', () => {
    expect(normalize('a漢字かな한', CASED)).toBe('a 漢  字 かな한');
    expect(normalize('𠀀', CASED)).toBe(' 𠀀 ');
    expect(normalize('a漢', { ...CASED, handleChineseChars: false })).toBe('a漢');
  });

  it('lower-cases character by character, so a final sigma stays σ', () => {
    expect(normalize('ΟΔΟΣ', DEFAULT_NORMALIZATION)).toBe('οδοσ');
  });

  it('drops lone surrogates and keeps pairs', () => {
    expect(normalize('a\ud83db\ude00c😀', CASED)).toBe('abc😀');
    expect(normalize('a\ud83db', { ...CASED, cleanText: false })).toBe('ab');
  });

  it('remembers which original text each character stands for', () => {
    expect(source('x e\u0301 y', CASED, 'é')).toBe('e\u0301');
    expect(source(`x${decomposed}y`, CASED, '글')).toBe('글'.normalize('NFD'));
    expect(source('ÉCOLE', STRIPPED, 'ecole')).toBe('ÉCOLE');
    expect(source('한글', PUBLISHED_NORMALIZATION, '글'.normalize('NFD'))).toBe('글');
    expect(source('so\u00adft', CASED, 'soft')).toBe('so\u00adft');
    expect(source('a漢b', CASED, '漢')).toBe('漢');
    expect(source('a😀', CASED, '😀')).toBe('😀');
    // İ lower-cased without removing accents is two characters, both standing for it.
    expect(source('aİb', { ...DEFAULT_NORMALIZATION, stripAccents: false }, '\u0307')).toBe('İ');
  });

  it('has an alignment that is ordered and inside the text, whatever the text and settings', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.record({
          nfc: fc.boolean(),
          cleanText: fc.boolean(),
          keepFormat: fc.boolean(),
          handleChineseChars: fc.boolean(),
          lowercase: fc.boolean(),
          stripAccents: fc.option(fc.boolean(), { nil: undefined }),
          tearHangul: fc.boolean(),
          cutLongWords: fc.boolean(),
        }),
        (text, settings) => {
          const aligned = normalizeAligned(text, settings);
          expect(aligned.starts.length).toBe(aligned.text.length);
          expect(aligned.ends.length).toBe(aligned.text.length);
          for (let i = 0; i < aligned.text.length; i++) {
            expect(aligned.starts[i]).toBeLessThan(aligned.ends[i]);
            expect(aligned.ends[i]).toBeLessThanOrEqual(text.length);
            if (i > 0) expect(aligned.starts[i]).toBeGreaterThanOrEqual(aligned.starts[i - 1]);
            if (i > 0) expect(aligned.ends[i]).toBeGreaterThanOrEqual(aligned.ends[i - 1]);
          }
        },
      ),
    );
  });
});

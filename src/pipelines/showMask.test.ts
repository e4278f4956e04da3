import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { wordVocabulary } from '../text/wordVocabulary.js';
import { maskStatistics, showMask, textShards } from './showMask.js';

const SENTENCE = 'You are expected to know the laws of your country';
const TOKENS = ['[CLS]', ...SENTENCE.split(' '), '[SEP]'];
/** The span of the book's example, asked for by its characters. */
const LAWS = { kind: 'entity', start: SENTENCE.indexOf('the'), end: SENTENCE.indexOf(' country') } as const;
const ONLY_LAWS = { masking: 'entity', tagProb: 1, maskProb: 0.4, tagSpans: [LAWS] } as const;

describe('showing a mask', () => {
  it('predicts x7 of the span x6..x9 from R5, R10 and P2', () => {
    const shown = showMask(SENTENCE, { ...ONLY_LAWS, maskRandomProb: 0, maskKeepProb: 0 });
    expect(shown.tokens).toEqual(TOKENS);
    expect(shown.tokens.slice(6, 10)).toEqual(['the', 'laws', 'of', 'your']);
    expect(shown.shown.join(' ')).toBe('[CLS] You are expected to know [MASK] [MASK] [MASK] [MASK] country [SEP]');
    expect(shown.spans).toEqual([{ start: 6, end: 9, left: 5, right: 10 }]);
    expect(shown.masked).toEqual(
      [6, 7, 8, 9].map((position, i) => ({
        position,
        action: 'mask',
        boundaryLeft: 5,
        boundaryRight: 10,
        spanPosition: i + 1,
      })),
    );
    expect(shown.masked[1]).toMatchObject({ position: 7, boundaryLeft: 5, boundaryRight: 10, spanPosition: 2 });
    expect(shown.omitted).toBe(0);
  });

  it('finds the same span by drawing, with the seed of the documentation', () => {
    const { spans } = showMask(SENTENCE, { masking: 'span', maskProb: 0.4, seed: 33 });
    expect(spans).toEqual([{ start: 6, end: 9, left: 5, right: 10 }]);
  });

  it('shows the token that replaces another, and the one that is kept', () => {
    const replaced = showMask(SENTENCE, { ...ONLY_LAWS, maskRandomProb: 1, maskKeepProb: 0 });
    expect(replaced.masked.map(({ action }) => action)).toEqual(['random', 'random', 'random', 'random']);
    expect(replaced.shown.slice(0, 6)).toEqual(TOKENS.slice(0, 6));
    for (const token of replaced.shown.slice(6, 10)) expect(TOKENS.slice(1, -1)).toContain(token); // of this text
    const kept = showMask(SENTENCE, { ...ONLY_LAWS, maskKeepProb: 1, maskRandomProb: 0 });
    expect(kept.shown).toEqual(TOKENS);
    expect(kept.masked).toHaveLength(4);
  });

  it('gives a span beside [CLS] or [SEP] no boundary there, and its tokens no target', () => {
    const first = { kind: 'entity', start: 0, end: 7 } as const;
    const shown = showMask(SENTENCE, { masking: 'entity', tagProb: 1, maskProb: 0.2, tagSpans: [first] });
    expect(shown.spans).toEqual([{ start: 1, end: 2, left: null, right: 3 }]);
    expect(Object.keys(shown.masked[0])).toEqual(['position', 'action']);
    const last = { kind: 'entity', start: LAWS.end, end: SENTENCE.length } as const;
    const end = showMask(SENTENCE, { masking: 'entity', tagProb: 1, maskProb: 0.1, tagSpans: [last] });
    expect(end.spans).toEqual([{ start: 10, end: 10, left: 9, right: null }]);
  });

  it('gives tokens beyond the fifteenth of a span no target', () => {
    const text = Array.from({ length: 40 }, (_, i) => `w${i}`).join(' ');
    const span = { kind: 'entity', start: text.indexOf('w10'), end: text.indexOf(' w30') } as const;
    const { masked } = showMask(text, { masking: 'entity', tagProb: 1, maskProb: 0.5, tagSpans: [span] });
    expect(masked).toHaveLength(20);
    expect(masked.map(({ spanPosition }) => spanPosition)).toEqual([
      ...Array.from({ length: 15 }, (_, i) => i + 1),
      ...new Array(5).fill(undefined),
    ]);
  });

  it('masks anew with each seed and epoch, and the same again with the same', () => {
    const positions = (seed: number, epoch: number) =>
      showMask(SENTENCE, { maskProb: 0.3, seed, epoch })
        .masked.map(({ position }) => position)
        .join();
    expect(positions(1, 0)).toBe(positions(1, 0));
    const different = new Set([0, 1, 2, 3, 4].flatMap((i) => [positions(i, 0), positions(9, i)]));
    expect(different.size).toBeGreaterThan(4);
  });

  it('masks whole words of pieces', () => {
    const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'law', '##s', '##uits', 'know', 'the'];
    const tokenizer = WordPieceTokenizer.fromVocabulary(pieces);
    for (let seed = 0; seed < 30; seed++) {
      const { tokens, spans } = showMask('know the lawsuits know', {
        tokenizer,
        masking: 'whole-word',
        maskProb: 0.4,
        seed,
      });
      expect(tokens).toEqual(['[CLS]', 'know', 'the', 'law', '##s', '##uits', 'know', '[SEP]']);
      // Two of six: the word of three pieces is cut by the budget, but begins with its first.
      for (const { start } of spans) expect([4, 5]).not.toContain(start);
    }
  });

  it('shows the first block of a longer text', () => {
    const text = Array.from({ length: 50 }, (_, i) => `w${i}`).join(' ');
    const shown = showMask(text, { length: 16 });
    expect(shown.tokens).toHaveLength(16);
    expect(shown.omitted).toBe(36);
    expect(shown.masked).toHaveLength(3); // 15 % of 14
  });

  it('reads a special token that is written out as text, as corpora are read', () => {
    expect(showMask('the [MASK] law').tokens).toEqual(['[CLS]', 'the', '[', 'MASK', ']', 'law', '[SEP]']);
  });

  it('refuses what it cannot show', () => {
    expect(() => showMask('  ')).toThrow(DataError);
    expect(() => showMask(SENTENCE, { masking: 'span', geometricP: 7, maskProb: 0 })).toThrow(SettingsError);
    expect(() => showMask(SENTENCE, { masking: 'phrase', tagSpans: [LAWS] })).toThrow(
      /masking phrase needs to know where the text has any/,
    );
    expect(() => showMask('a b', { masking: 'entity', tagSpans: [{ kind: 'entity', start: 2, end: 9 }] })).toThrow(
      /entity 2:9 is not in the text, which has 3 characters/,
    );
  });
});

describe('statistics of masks', () => {
  const text = `${'one two three four five six seven eight nine ten\n'.repeat(20)}\n\n${'a b c '.repeat(30)}`;

  it('are taken over the blocks of all documents', () => {
    const shards = textShards(text, wordVocabulary(text));
    const statistics = maskStatistics(shards, { masking: 'span', length: 34, epochs: 3 });
    // 200 words are 6 blocks of 32 and one of 8; 90 words are 2 of 32 and one of 26.
    expect(statistics.blocks).toBe(3 * (7 + 3));
    expect(statistics.tokens).toBe(3 * 290);
    // ceil(4.8) = 5 of 32, ceil(1.2) = 2 of 8, ceil(3.9) = 4 of 26
    expect(statistics.maskedFraction).toBeCloseTo((8 * 5 + 2 + 4) / 290, 12);
    expect(statistics.wordsPerSpan).toBe(statistics.piecesPerSpan);
  });

  it('say that a scheme of tags has none', () => {
    const shards = textShards(text, wordVocabulary(text), 'book.txt');
    expect(() => maskStatistics(shards, { masking: 'entity' })).toThrow(/book.txt has no tags; masking entity/);
  });

  it('refuse settings all at once, and a text without blocks', () => {
    const shards = textShards(text, wordVocabulary(text));
    expect(() => maskStatistics(shards, { epochs: 0 })).toThrow(/epochs is 0/);
    expect(() => maskStatistics(shards, { length: 4, maskProb: 3 })).toThrow(/maskProb is 3[\s\S]*length is 4/);
    expect(() => maskStatistics(textShards('', wordVocabulary('')))).toThrow(/nothing to mask: the text has no token/);
  });
});

import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../../errors/errors.js';
import { createPipeline } from '../createPipeline.js';
import { replacedTokenDetection } from '../replacedTokenDetection.js';
import { TEST_TOKENIZER, testModel } from '../testModels.js';
import { calibrate, doubtOf, plantErrors, sentencesOf, thresholdFor } from './calibration.js';
import type { WordEvidence } from './evidence.js';
import { proofread } from './proofread.js';
import { isOneSlip, SpellingNeighbours } from './spelling.js';
import { isDoubled, wordsOf } from './words.js';

const pair = () => [testModel('ElectraForPreTraining').model(), testModel('ElectraForMaskedLM').model()] as const;

describe('words', () => {
  const words = (text: string) => wordsOf(text, TEST_TOKENIZER.encode(text, { addSpecialTokens: false }));

  it('are what a reader counts, with all their pieces, in UTF-16 units', () => {
    const text = "🍕 Chef cooked, don't: a well-known 한국어.";
    const found = words(text);
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual([
      'Chef',
      'cooked',
      "don't",
      'a',
      'well-known',
      '한국어',
    ]);
    const { tokens } = TEST_TOKENIZER.encode(text, { addSpecialTokens: false });
    expect(tokens.slice(found[1].from, found[1].to)).toEqual(['cook', '##ed']);
  });

  it('that stand twice are seen, but for those that may', () => {
    const doubled = (text: string) =>
      words(text)
        .filter((word, i, all) => isDoubled(text, word, all[i - 1]))
        .map(({ start }) => start);
    expect(doubled('the the chef ate a a meal')).toEqual([4, 19]);
    expect(doubled('he had had a meal. a Meal no, no 7 7')).toEqual([]);
    expect(doubled('the\n  the chef')).toEqual([6]);
  });
});

describe('one slip', () => {
  it.each([
    ['form', 'from', true],
    ['goverment', 'government', true],
    ['chefs', 'chef', true],
    ['meal', 'meat', true],
    ['ab', 'ba', true],
    ['meal', 'lame', false],
    ['chef', 'chief', true],
    ['chef', 'cheeef', false],
  ])('%s and %s: %s', (one, other, expected) => {
    expect([isOneSlip(one, other), isOneSlip(other, one)]).toEqual([expected, expected]);
  });

  it('finds words of the vocabulary', () => {
    const neighbours = new SpellingNeighbours(TEST_TOKENIZER);
    expect(neighbours.of('cehfs').map(({ text }) => text)).toEqual([]);
    expect(neighbours.of('chfe').map(({ text }) => text)).toEqual(['chef']);
    expect(neighbours.of('mea').map(({ text }) => text)).toEqual(['meal']);
  });
});

describe('a proofreader', () => {
  it('doubts a word as much as its most doubted piece, and proposes whole words with their probability', async () => {
    const reader = await proofread(...pair());
    const text = 'the Chef cooked a good meal .';
    const [[...words]] = await reader.read([text], { threshold: 0, topK: 2 });
    expect(words.map(({ start, end }) => text.slice(start, end))).toEqual(words.map(({ text: written }) => written));
    const detector = await replacedTokenDetection(testModel('ElectraForPreTraining').model());
    const tokens = await detector.detect(text);
    for (const { start, end, doubt } of words) {
      const own = tokens.filter((token) => token.start < end && token.end > start).map(({ replaced }) => replaced);
      expect(doubt).toBeCloseTo(Math.max(...own), 5);
    }
    const asked = words.filter(({ proposals }) => proposals.length > 0);
    expect(asked.length).toBeGreaterThan(0);
    for (const { text: written, proposals } of asked) {
      expect(proposals).toHaveLength(2);
      expect(proposals.every(({ text: other, score }) => other !== written && score > 0 && score < 1)).toBe(true);
      expect(proposals.every(({ text: other }) => /^\p{L}+$/u.test(other))).toBe(true);
    }
  });

  it('reads long texts as short ones, gives nothing for nothing, and doubles are certain', async () => {
    const reader = await proofread(...pair());
    const long = Array(12).fill('the chef ate a good meal .').join(' ');
    const [words] = await reader.read([long], { threshold: 0 });
    expect(words).toHaveLength(72);
    expect(await reader.read(['', '🍕 !'], { threshold: 0 })).toEqual([[], []]);
    const [[first]] = await reader.read(['the the'], { threshold: 0.999 });
    expect(first).toEqual({ start: 4, end: 7, text: 'the', doubt: 1, proposals: [{ text: '', score: 1 }] });
  });

  it('works without a generator, and without proposals then', async () => {
    const call = await createPipeline('proofread', pair()[0], { threshold: 0 });
    const words = await call('the chef ate');
    expect(words.map(({ text, proposals }) => [text, proposals.length])).toEqual([
      ['the', 0],
      ['chef', 0],
      ['ate', 0],
    ]);
  });

  it('refuses rates and thresholds that mean nothing, and a second model that is none', async () => {
    const reader = await proofread(...pair());
    await expect(reader.read(['a'], { falseAlarms: 0.01 })).rejects.toThrow(
      /nothing says how often this model is wrong/,
    );
    await expect(reader.read(['a'], { threshold: 2 })).rejects.toThrow(SettingsError);
    await expect(reader.calibrate(['the chef ate a meal .'])).rejects.toThrow(DataError);
    await expect(createPipeline('proofread', pair()[0], {}, pair()[0])).rejects.toThrow(
      /proofread needs ElectraForMaskedLM/,
    );
  });
});

describe('a calibration', () => {
  /** Words whose logits fall from 4 to −5; planted ones are doubted more. */
  const word = (logit: number): WordEvidence => ({ text: 'chef', start: 0, end: 4, from: 0, to: 1, logit });
  const right = Array.from({ length: 100 }, (_, i) =>
    Array.from({ length: 10 }, (_, j) => word(-5 + ((i * 10 + j) % 97) / 20)),
  );
  const planted = Array.from({ length: 60 }, (_, i) => ({
    word: word(2 + (i % 7) / 4),
    kind: i % 2 ? (1 as const) : (2 as const),
  }));

  it('lists as many right words as it may, and finds what was planted', () => {
    const calibration = calibrate(right, planted);
    expect(calibration.words).toBe(500);
    const measured = right.filter((_, i) => i % 2 === 1).flat();
    for (const rate of [0.01, 0.05, 0.1]) {
      const threshold = thresholdFor(calibration, rate);
      const listed = measured.filter((each) => doubtOf(each, calibration) >= threshold).length;
      expect(listed / 500).toBeGreaterThan(0.5 * rate);
      expect(listed / 500).toBeLessThan(rate + 0.015); // ties
    }
    const [low, between, high] = [0.01, 0.015, 0.02].map((rate) => thresholdFor(calibration, rate));
    expect(low).toBeGreaterThanOrEqual(between);
    expect(between).toBeGreaterThanOrEqual(high);
    const threshold = thresholdFor(calibration, 0.01);
    expect(planted.filter((each) => doubtOf(each.word, calibration) >= threshold).length).toBeGreaterThan(50);
  });

  it('plants one error a sentence, by turns a word of the text and two letters exchanged', () => {
    const text = 'The quick fox jumps over lazy dogs. Another sentence follows after this one.\nToo short.';
    const sentences = sentencesOf(text);
    expect(sentences).toEqual(['The quick fox jumps over lazy dogs.', 'Another sentence follows after this one.']);
    const errors = plantErrors(sentences);
    for (const { text: wrong, start, end, kind } of errors) {
      const i = kind - 1;
      const original = sentences[i].slice(start, start + sentences[i].length - (wrong.length - (end - start)));
      expect(wrong.slice(0, start)).toBe(sentences[i].slice(0, start));
      if (kind === 2) expect([...wrong.slice(start, end)].sort()).toEqual([...original.slice(0, end - start)].sort());
    }
    expect(plantErrors(sentences)).toEqual(errors);
    const korean = sentencesOf('요리사가 따뜻한 음식을 만들었다. 선원이 오래된 책을 찾지 못했다.');
    expect(korean).toHaveLength(2);
    expect(plantErrors(korean).length).toBeGreaterThan(0);
  });
});

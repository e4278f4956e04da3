import { describe, expect, it } from 'vitest';
import { DataError } from '../../errors/errors.js';
import { testModel } from '../../pipelines/testModels.js';
import { testStudioModels } from '../testStudioModels.js';
import { corruptionScores } from './corruptionScores.js';
import { electraStep } from './electraStep.js';
import { gapComparison } from './gapComparison.js';
import { spotRound } from './spotRound.js';
import { tokenize } from './tokenize.js';

const TEST_PAIR = testStudioModels({
  pair: {
    generator: testModel('ElectraForMaskedLM').model(),
    discriminator: testModel('ElectraForPreTraining').model(),
  },
});

describe('tokenize', () => {
  it('gives each piece with its place in the text', async () => {
    const text = 'A chef cooks 한국어';
    const { tokens, vocabSize } = await tokenize.run(TEST_PAIR, { model: 'pair', role: 'generator', text });
    expect(tokens.map(({ piece }) => piece)).toEqual(['a', 'chef', 'cook', '##s', '한국어']);
    expect(tokens.map(({ word }) => word)).toEqual([0, 1, 2, 2, 3]);
    for (const token of tokens) expect(text.slice(token.start, token.end)).toBe(token.text);
    expect(vocabSize).toBe(20);
  });
});

describe('gap-comparison', () => {
  const ask = (first: string, second: string) =>
    gapComparison.run(TEST_PAIR, { model: 'pair', role: 'generator', first, second, count: 5 });

  it('gives the likeliest pieces of both sentences, each with both probabilities', async () => {
    const { pieces } = await ask('the [MASK] ate a meal', 'a [MASK] cook');
    const electra = async (text: string) =>
      (
        await electraStep.run(TEST_PAIR, {
          model: 'pair',
          text,
          masked: [1],
          typed: [],
          temperature: 1,
          draw: 'most-probable',
          top: 15,
        })
      ).places[0].candidates;
    const [inFirst, inSecond] = [await electra('the a ate a meal'), await electra('a a cook')];
    expect(pieces.length).toBeGreaterThanOrEqual(5);
    expect(pieces.some(({ piece }) => piece.startsWith('##'))).toBe(false);
    const words = inFirst.filter(({ piece }) => /^\p{L}/u.test(piece));
    for (const { piece } of words.slice(0, 5)) expect(pieces.map((each) => each.piece)).toContain(piece);
    for (const { piece, first, second } of pieces) {
      expect(Math.exp(first)).toBeCloseTo(inFirst.find((each) => each.piece === piece)!.probability, 6);
      expect(Math.exp(second)).toBeCloseTo(inSecond.find((each) => each.piece === piece)!.probability, 6);
    }
  });

  it('says which text lacks a mask', async () => {
    await expect(ask('the [MASK] ate', 'no gap')).rejects.toThrow(DataError);
  });
});

describe('corruption-scores', () => {
  it('labels a token by whether it differs from the text', async () => {
    const asked = {
      model: 'pair',
      text: 'the chef ate a good meal .',
      fraction: 0.3,
      temperature: 1,
      corruptions: 20,
      seed: 1,
    };
    const { doubts, labels, masked, drawnAgain } = await corruptionScores.run(TEST_PAIR, asked);
    expect(doubts).toHaveLength(20 * 7);
    expect(labels).toHaveLength(20 * 7);
    expect(masked).toBe(20 * 2);
    expect(labels.filter((label) => label === 1)).toHaveLength(masked - drawnAgain);
    expect(drawnAgain).toBeGreaterThan(0);
    expect(await corruptionScores.run(TEST_PAIR, asked)).toEqual({ doubts, labels, masked, drawnAgain });
  });

  it('has nothing to say of an empty text', async () => {
    const asked = { model: 'pair', text: '', fraction: 0.3, temperature: 1, corruptions: 2, seed: 1 };
    expect(await corruptionScores.run(TEST_PAIR, asked)).toEqual({ doubts: [], labels: [], masked: 0, drawnAgain: 0 });
  });
});

describe('spot-round', () => {
  const TEXT = '"The chef ate a good meal," the chef cooked.';
  const round = (seed: number, text = TEXT) => spotRound.run(TEST_PAIR, { model: 'pair', text, seed });

  it('replaces two to four words, each by another, and keeps the rest of the text', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const { words, after } = await round(seed);
      const fakes = words.filter(({ original }) => original !== undefined);
      expect(fakes.length).toBeGreaterThanOrEqual(2);
      expect(fakes.length).toBeLessThanOrEqual(4);
      for (const { text, original } of fakes) expect(text.toLowerCase()).not.toBe(original!.toLowerCase());
      expect(words.map(({ before, text, original }) => before + (original ?? text)).join('') + after).toBe(TEXT);
      expect(words.map(({ text }) => text).every((text) => /^\p{L}+$/u.test(text))).toBe(true);
      for (const { doubt } of words) expect(doubt > 0 && doubt < 1).toBe(true);
    }
  });

  it('writes a draw as the word before it was written, so that its case does not give it away', async () => {
    const firsts = await Promise.all(Array.from({ length: 30 }, async (_, seed) => (await round(seed)).words[0]));
    expect(firsts.some(({ original }) => original !== undefined)).toBe(true);
    for (const { text } of firsts) expect(text).not.toMatch(/^\p{Ll}/u);
  });

  it('gives one seed one round', async () => {
    expect(await round(4)).toEqual(await round(4));
    expect(await round(4)).not.toEqual(await round(5));
  });

  it('refuses a text of too few words', async () => {
    await expect(round(1, 'the chef')).rejects.toThrow(/could not replace 2 words/);
  });
});

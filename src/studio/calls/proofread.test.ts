import { describe, expect, it } from 'vitest';
import { createPipeline } from '../../pipelines/createPipeline.js';
import { proofread } from '../../pipelines/proofread/proofread.js';
import { testModel } from '../../pipelines/testModels.js';
import { testStudioModels } from '../testStudioModels.js';
import { doubtWords } from './doubtWords.js';
import { proposeWords } from './proposeWords.js';

const discriminator = testModel('ElectraForPreTraining').model();
const generator = testModel('ElectraForMaskedLM').model();
const models = testStudioModels({ pair: { generator, discriminator }, alone: { generator } });
const TEXT = 'The chef cooked a 한국어 meal.';

describe('proofread', () => {
  it("gives every word the largest of its pieces' doubts", async () => {
    const { words } = await doubtWords.run(models, { model: 'pair', text: TEXT });
    expect(words.map(({ start, end }) => TEXT.slice(start, end))).toEqual([
      'The',
      'chef',
      'cooked',
      'a',
      '한국어',
      'meal',
    ]);
    const tokens = await (await createPipeline('replaced-token-detection', discriminator))(TEXT);
    const pieces = tokens.filter(({ start }) => start >= 9 && start < 15);
    expect(pieces.map(({ token }) => token)).toEqual(['cook', '##ed']);
    expect(words[2].doubt).toBe(Math.max(...pieces.map(({ replaced }) => replaced)));
  });

  it('asks the generator too where the pair was calibrated, and says at which doubt how many right words are marked', async () => {
    const kinds = [{ weights: [1, 0, 0.2, 0.1, 0, 0, 0, 0, 0, 0], bias: -0.5 }];
    const thresholds: [number, number][] = [[0.01, 0.9]];
    const description = { ...discriminator.description, pleiad: { proofread: { kinds, thresholds, words: 1000 } } };
    const calibrated = testModel('ElectraForPreTraining').model({ description });
    const pair = testStudioModels({ pair: { generator, discriminator: calibrated } });
    const found = await doubtWords.run(pair, { model: 'pair', text: TEXT });
    expect(found.thresholds).toEqual(thresholds);
    const read = await (await proofread(calibrated, generator)).read([TEXT], { threshold: 0, topK: 6 });
    expect(found.words).toEqual(read[0].map(({ text: _, ...word }) => word));
    expect(found.words.some(({ proposals }) => proposals.length > 0)).toBe(true);
  });

  it('finds no word in an empty text', async () => {
    expect(await doubtWords.run(models, { model: 'pair', text: ' ' })).toEqual({ text: ' ', words: [] });
  });
});

describe('proposals', () => {
  const at = { text: TEXT, start: 9, end: 15 };

  it("are the pipeline's, and of a generator alone what fill-mask writes there, whole words by falling probability", async () => {
    const ofPair = await proposeWords.run(models, { model: 'pair', ...at, topK: 5 });
    const [words] = await (await proofread(discriminator, generator)).read([TEXT], { threshold: 0, topK: 5 });
    const { proposals } = words.find(({ start }) => start === at.start)!;
    expect(proposals.length).toBeGreaterThan(0);
    expect(ofPair.map(({ text, score }) => ({ text, score }))).toEqual(proposals);
    const found = await proposeWords.run(models, { model: 'alone', ...at, topK: 5 });
    const fill = await createPipeline('fill-mask', generator);
    const expected = await fill('The chef [MASK] a 한국어 meal.', { topK: 15 });
    const whole = (expected as { token: string; score: number }[]).filter(({ token }) => /^[^#.]/u.test(token));
    expect(found.map(({ text }) => text)).toEqual(whole.slice(0, 5).map(({ token }) => token));
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(whole[i].score, 6);
  });

  it('carry the doubt that the discriminator has in the text with them', async () => {
    const [best] = await proposeWords.run(models, { model: 'pair', ...at });
    const written = TEXT.slice(0, at.start) + best.text + TEXT.slice(at.end);
    const { words } = await doubtWords.run(models, { model: 'pair', text: written });
    expect(best.doubt).toBeCloseTo(words[2].doubt, 6);
    const [unjudged] = await proposeWords.run(models, { model: 'alone', ...at });
    expect(unjudged).not.toHaveProperty('doubt');
  });

  it('are only judged where they are known, also words of several pieces and a word that is to go', async () => {
    const given = [
      { text: 'ate', score: 0.5 },
      { text: 'chefs', score: 0.25 },
      { text: '', score: 1 },
    ];
    const found = await proposeWords.run(models, { model: 'pair', ...at, given });
    expect(found.map(({ text, score }) => ({ text, score }))).toEqual(given);
    for (const { text, doubt } of found.slice(0, 2)) {
      const written = TEXT.slice(0, at.start) + text + TEXT.slice(at.end);
      const { words } = await doubtWords.run(models, { model: 'pair', text: written });
      expect(doubt).toBeCloseTo(words[2].doubt, 6);
    }
    expect(found[2].doubt).toBeUndefined();
  });

  it('begin with a capital where the word does, and leave out the word itself', async () => {
    const found = await proposeWords.run(models, { model: 'alone', text: TEXT, start: 0, end: 3, topK: 20 });
    const words = found.map(({ text }) => text);
    expect(words).toContain('Chef');
    expect(words).not.toContain('The');
  });

  it('want a word', async () => {
    const between = proposeWords.run(models, { model: 'pair', text: TEXT, start: 3, end: 4 });
    await expect(between).rejects.toThrow('no word stands at 3 to 4 of the text');
  });
});

import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../../errors/errors.js';
import type { SpanBoundaryConfig } from '../../models/spanbert.js';
import { fillSpan } from '../../pipelines/fillSpan.js';
import { TEST_CONFIG, testModel } from '../../pipelines/testModels.js';
import { testStudioModels } from '../testStudioModels.js';
import { predictSpan } from './predictSpan.js';

const config = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
const spanBoundary: SpanBoundaryConfig = {
  maxSpanTargets: 4,
  positionSize: 5,
  endpoints: 'external',
  edgeSpans: 'drop',
};
const spanBert = testModel('BertForMaskedLM', { config, spanBoundary });
const models = testStudioModels({
  span: { model: spanBert.model() },
  pair: {
    generator: testModel('ElectraForMaskedLM').model(),
    discriminator: testModel('ElectraForPreTraining').model(),
  },
  heads: { discriminator: testModel('ElectraForPreTraining').model() },
});
const TEXT = 'the chef ate a good meal .';
const span = (text: string, part: string) => ({
  text,
  start: text.indexOf(part),
  end: text.indexOf(part) + part.length,
});

describe('span', () => {
  it('says of each masked piece what both heads say, as the score of a span has it', async () => {
    const found = await predictSpan.run(models, { model: 'span', ...span(TEXT, 'ate a good') });
    const { tokens } = await (await fillSpan(spanBert.model())).scoreSpan(TEXT, span(TEXT, 'ate a good'));
    expect(found.masked.map(({ token }) => token)).toEqual(['ate', 'a', 'good']);
    // The masked LM of the score knows the pieces before; of the first it knows none.
    expect(found.masked[0].score).toBeCloseTo(Math.exp(tokens[0].mlm), 6);
    for (const [place, { sbo }] of tokens.entries()) {
      expect(found.places?.[place].scores[place]).toBeCloseTo(Math.exp(sbo), 6);
    }
    expect(found.boundaries?.left.token).toBe('chef');
    expect(found.boundaries?.right).toEqual({ token: 'meal', start: 20, end: 24 });
    expect(found.missing).toBeUndefined();
  });

  it('asks every place that has a position embedding, also beyond the span, and each says something else', async () => {
    const short = await predictSpan.run(models, { model: 'span', ...span(TEXT, 'good') });
    expect(short.places).toHaveLength(4);
    const best = short.places!.map(({ candidates }) => candidates[0].score);
    expect(new Set(best).size).toBe(4);
  });

  it('lists candidates by falling probability, special tokens left out', async () => {
    const { masked, places } = await predictSpan.run(models, { model: 'span', ...span(TEXT, 'a good'), topK: 3 });
    for (const { candidates } of [...masked, ...places!]) {
      const scores = candidates.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(candidates.map(({ token }) => token).filter((token) => token.startsWith('['))).toEqual([]);
      expect(candidates).toHaveLength(3);
    }
  });

  it('masks whole words', async () => {
    const text = 'the chef cooked a meal';
    const found = await predictSpan.run(models, { model: 'span', text, start: 13, end: 14 });
    expect(text.slice(found.start, found.end)).toBe('cooked');
    expect(found.masked.map(({ token }) => token)).toEqual(['cook', '##ed']);
  });

  it('asks the masked LM alone at an edge of the text and of a model without boundary head, and says why', async () => {
    const atEdge = await predictSpan.run(models, { model: 'span', ...span(TEXT, 'the chef') });
    expect(atEdge).toMatchObject({ missing: 'edge', masked: [{ token: 'the' }, { token: 'chef' }] });
    expect(atEdge.places).toBeUndefined();
    const ofGenerator = await predictSpan.run(models, { model: 'pair', ...span(TEXT, 'ate') });
    expect(ofGenerator.missing).toBe('head');
    expect(ofGenerator.masked[0].candidates).toHaveLength(5);
  });

  it('finds a span in a text that is longer than the model takes', async () => {
    const text = `${'the chef ate a good meal . '.repeat(8)}chef ate meal ${'a good meal . '.repeat(8)}`;
    const at = text.indexOf('chef ate meal') + 5;
    const found = await predictSpan.run(models, { model: 'span', text, start: at, end: at + 3 });
    expect(found.boundaries?.left).toEqual({ token: 'chef', start: at - 5, end: at - 1 });
    expect(found.boundaries?.right).toEqual({ token: 'meal', start: at + 4, end: at + 8 });
  });

  it('refuses a span without a word and a model that fills no masks', async () => {
    const nothing = predictSpan.run(models, { model: 'span', text: TEXT, start: 3, end: 4 });
    await expect(nothing).rejects.toThrow(DataError);
    const wrong = predictSpan.run(models, { model: 'heads', ...span(TEXT, 'ate') });
    await expect(wrong).rejects.toThrow(SettingsError);
    await expect(wrong).rejects.toThrow('model heads has ElectraForPreTraining; expected BertForMaskedLM or');
  });
});

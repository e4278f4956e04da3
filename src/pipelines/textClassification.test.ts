import { describe, expect, it } from 'vitest';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { createPipeline } from './createPipeline.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';
import { hasSeveralLabels } from './textClassification.js';

const LABELS = ['neg', 'neutral', 'pos'];

async function classifierOf(change: Partial<ModelDescription> = {}) {
  const config = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
  const model = testModel('BertForSequenceClassification', { config, labels: LABELS, ...change }).model();
  return { model, classifier: await createPipeline('text-classification', model) };
}

describe('text classification', async () => {
  const { model, classifier } = await classifierOf();

  it('gives the best label with its probability: the softmax of the logits', async () => {
    const { ids, typeIds } = TEST_TOKENIZER.encode('the chef ate');
    const { logits } = await model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
    const powers = Array.from(logits!.data, Math.exp);
    const scores = powers.map((power) => power / powers.reduce((a, b) => a + b));
    const best = scores.indexOf(Math.max(...scores));
    const found = await classifier('the chef ate');
    expect(found.label).toBe(LABELS[best]);
    expect(found.score).toBeCloseTo(scores[best], 6);
  });

  it('gives several labels best first with topK, and of many texts the results in their order', async () => {
    const [one, two] = await classifier(['the chef ate', 'a good meal .'], { topK: 2 });
    expect(one).toHaveLength(2);
    expect(one[0].score).toBeGreaterThanOrEqual(one[1].score);
    const alone = await classifier('a good meal .', { topK: 2 });
    expect(alone.map(({ label }) => label)).toEqual(two.map(({ label }) => label));
    alone.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(two[i].score, 6);
    });
  });

  it('reads a pair as two segments', async () => {
    const pair = await classifier({ text: 'the chef', textPair: 'a meal' }, { topK: 3 });
    const other = await classifier({ text: 'the chef a', textPair: 'meal' }, { topK: 3 });
    expect(pair).not.toEqual(other);
    const { ids, typeIds } = TEST_TOKENIZER.encode('the chef', { pair: 'a meal' });
    const { logits } = await model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
    const powers = Array.from(logits!.data, Math.exp);
    const total = powers.reduce((a, b) => a + b);
    expect(pair[0].score).toBeCloseTo(Math.max(...powers) / total, 6);
  });

  it('gives all labels above the threshold where the config says several: a sigmoid each', async () => {
    const many = await classifierOf({ otherFields: { problem_type: 'multi_label_classification' } });
    expect(hasSeveralLabels(many.model)).toBe(true);
    const all = await many.classifier('the chef ate', { topK: 3 });
    const { ids, typeIds } = TEST_TOKENIZER.encode('the chef ate');
    const { logits } = await many.model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
    const sigmoids = Array.from(logits!.data, (x) => 1 / (1 + Math.exp(-x))).sort((a, b) => b - a);
    all.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(sigmoids[i], 6);
    });
    const threshold = (all[0].score + all[1].score) / 2;
    expect(await many.classifier('the chef ate', { threshold })).toEqual([all[0]]);
  });

  it('gives the number itself where the config says regression, whatever the threshold', async () => {
    const numbers = await classifierOf({ labels: ['stars'], otherFields: { problem_type: 'regression' } });
    const { ids, typeIds } = TEST_TOKENIZER.encode('the chef ate');
    const { logits } = await numbers.model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
    const found = await numbers.classifier('the chef ate', { threshold: 1 });
    expect(found).toHaveLength(1);
    expect(found[0].label).toBe('stars');
    expect(found[0].score).toBeCloseTo(logits!.data[0], 6);
    expect(Math.abs(found[0].score)).toBeGreaterThan(0.01);
  });

  it('cuts what is longer than the model takes', async () => {
    const long = Array.from({ length: 60 }, () => 'good').join(' ');
    const cut = Array.from({ length: 22 }, () => 'good').join(' '); // 24 positions with [CLS] and [SEP]
    expect(await classifier(long)).toEqual(await classifier(cut));
  });

  it('refuses a model without a classifier, and options out of range', async () => {
    const encoder = testModel('BertModel', { config: TEST_CONFIG }).model();
    await expect(createPipeline('text-classification', encoder)).rejects.toThrow(
      'BertModel; text-classification needs',
    );
    await expect(classifier('x', { topK: 0 })).rejects.toThrow('topK');
    await expect(classifier('x', { threshold: 2 })).rejects.toThrow('threshold');
  });
});

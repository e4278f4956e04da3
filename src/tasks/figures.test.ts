import { describe, expect, it } from 'vitest';
import { baselinesText, figuresOf } from './figures.js';

describe('figures', () => {
  it('stand beside the baselines of the same metric, by names in words, the loss last', () => {
    const figures = figuresOf({
      loss: 0.5,
      f1: 0.75,
      wordTagF1: 0.25,
      wordTagAccuracy: 0.5,
      accuracy: 0.875,
      majorityAccuracy: 0.5,
      'f1/LOC': 0.5,
      macroF1: undefined,
    });
    expect(figures.map((figure) => [figure.name, figure.value, baselinesText(figure)])).toEqual([
      ['F1', 0.75, "baseline: each word's most frequent tag 0.2500"],
      ['accuracy', 0.875, "baselines: each word's most frequent tag 0.5000, the most frequent label 0.5000"],
      ['loss', 0.5, ''],
    ]);
  });

  it('keep the keys of official scripts', () => {
    expect(figuresOf({ exact_match: 81.5, exactMatch: 0.5, macroF1: 1 }).map(({ name }) => name)).toEqual([
      'exact_match',
      'exact match',
      'macro F1',
    ]);
  });
});

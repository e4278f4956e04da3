import { describe, expect, it } from 'vitest';
import { countingShards } from './testCorpus.js';
import { unigramCrossEntropy, unigramEntropy, unigramProbabilities } from './unigram.js';

describe('unigram statistics', () => {
  it('turns counts into probabilities', () => {
    expect([...unigramProbabilities([1, 3, 0])]).toEqual([0.25, 0.75, 0]);
    expect([...unigramProbabilities([1, 3, 0], 4)]).toEqual([5 / 16, 7 / 16, 4 / 16]);
  });

  it('gives ln N for N equally frequent ids', () => {
    expect(unigramEntropy([5, 0, 5, 5, 5])).toBeCloseTo(Math.log(4), 12);
  });

  it('charges held-out text for the difference to the training text', () => {
    // q = (2/4, 1/4, 1/4) after add-one on counts (1, 0, 0); p = (1/2, 1/2, 0).
    expect(unigramCrossEntropy([4, 4, 0], [1, 0, 0])).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(4), 12);
  });

  it('counts the tokens of a split', () => {
    const counts = countingShards([3, 2]).unigramCounts('train');
    expect([10, 11, 12, 13, 1010, 1011].map((id) => counts[id])).toEqual([1, 1, 1, 0, 1, 1]);
  });
});

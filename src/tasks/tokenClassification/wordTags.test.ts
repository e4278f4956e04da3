import { expect, it } from 'vitest';
import type { TaggedSentence } from './sentences.js';
import { fitWordTags, majorityTagMetrics, parseWordTags, predictWordTags, wordTagMetrics } from './wordTags.js';

const sentences = (...texts: string[]): TaggedSentence[] =>
  texts.map((text, i) => {
    const words = text.split(' ').map((word) => word.split('/'));
    return { words: words.map(([word]) => word), tags: words.map(([, tag]) => tag), place: `a:${i}` };
  });
const TRAIN = sentences('New/B-LOC York/I-LOC is/O big/O', 'the/O York/B-LOC plan/O', 'York/I-LOC __proto__/B-LOC');

it('gives each word its most frequent tag, and others the most frequent of all', () => {
  const baseline = fitWordTags(TRAIN);
  expect(baseline.tags[0]).toBe('O');
  const found = predictWordTags(baseline, sentences('New/O York/O York/O Delhi/O __proto__/O constructor/O'));
  expect(found).toEqual([['B-LOC', 'I-LOC', 'I-LOC', 'O', 'B-LOC', 'O']]);
});

it('is the same after it was kept', () => {
  const baseline = fitWordTags(TRAIN);
  const kept = parseWordTags(JSON.stringify(baseline));
  expect(predictWordTags(kept, TRAIN)).toEqual(predictWordTags(baseline, TRAIN));
  expect(() => parseWordTags('{"format":"pleiad-word-tags","version":2}')).toThrow(
    'word_tags.json is pleiad-word-tags 2, expected pleiad-word-tags 1',
  );
});

it('is measured as a model is: 8 of 9 words, and all spans, since an I- that continues nothing begins one', () => {
  const metrics = wordTagMetrics(fitWordTags(TRAIN), TRAIN, 'prefixed');
  expect(metrics).toEqual({ wordTagF1: 1, wordTagAccuracy: 8 / 9, majorityAccuracy: 4 / 9 });
  expect(majorityTagMetrics(TRAIN)).toEqual({ majorityAccuracy: 4 / 9 });
});

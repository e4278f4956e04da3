import { expect, it } from 'vitest';
import { chosenRate, proofScreenState, SAMPLES, withWord } from './proofState.js';

it('begins with a text that holds slips of the pen', () => {
  expect(proofScreenState({}, 'en')).toEqual({ text: SAMPLES.en, isSample: true, threshold: 0.5 });
  expect(proofScreenState({ text: ' \n' }, 'ko')).toEqual({ text: SAMPLES.ko, isSample: true, threshold: 0.35 });
  expect(proofScreenState({ text: '글' }, 'ko').threshold).toBe(0.5);
});

it('takes whatever an address holds', () => {
  for (const threshold of ['', 'x', '0', '7', '-1', 'NaN']) {
    expect(proofScreenState({ threshold }, 'en').threshold).toBe(0.5);
  }
  expect(proofScreenState({ text: 'red wine', threshold: '0.2' }, 'en')).toEqual({
    text: 'red wine',
    isSample: false,
    threshold: 0.2,
  });
});

it('writes a word in the place of another', () => {
  expect(withWord('a bottle of whine.', { start: 12, end: 17 }, 'wine')).toBe('a bottle of wine.');
});

it('takes a word away with its space', () => {
  expect(withWord('by the the sea', { start: 7, end: 10 }, '')).toBe('by the sea');
});

it('finds the measured rate that is nearest to what the address says', () => {
  const thresholds: [number, number][] = [
    [0.001, 0.99],
    [0.01, 0.9],
    [0.1, 0.4],
  ];
  expect([undefined, '0.01', '0.2', '0.0001', 'x', '-1'].map((rate) => chosenRate(thresholds, rate))).toEqual([
    1, 1, 2, 0, 1, 1,
  ]);
});

import { expect, it } from 'vitest';
import { proofScreenState, SAMPLES, USUAL_THRESHOLD, withWord } from './proofState.js';

it('begins with a text that holds slips of the pen', () => {
  expect(proofScreenState({}, 'en')).toEqual({ text: SAMPLES.en, isSample: true, threshold: USUAL_THRESHOLD });
  expect(proofScreenState({ text: ' \n' }, 'ko').text).toBe(SAMPLES.ko);
});

it('takes whatever an address holds', () => {
  for (const threshold of ['', 'x', '0', '7', '-1', 'NaN']) {
    expect(proofScreenState({ threshold }, 'en').threshold).toBe(USUAL_THRESHOLD);
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

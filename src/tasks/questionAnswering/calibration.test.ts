/** Temperature by numbers that can be worked out, and the sum over spans against all of them one by one. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/philox.js';
import { forEachSpan } from './answerSearch.js';
import { fitTemperature, logSumOf, type ScoredQuestion } from './calibration.js';

const everywhere = () => true;

describe('calibration', () => {
  it('sums over all spans as one by one, at any temperature', () => {
    const random = new RandomStream(2, 'test');
    for (let trial = 0; trial < 50; trial++) {
      const most = 1 + random.integer(6);
      const windows = Array.from({ length: 1 + random.integer(3) }, (_, from) => {
        const length = 1 + random.integer(12);
        const values = () => Array.from({ length }, () => 5 * random.normal());
        const odd = random.integer(2);
        return {
          start: values(),
          end: values(),
          from,
          mayStart: (piece: number) => (piece + odd) % 2 === 0 || piece === 0,
        };
      });
      const nullLogit = random.integer(2) === 0 ? 3 * random.normal() : undefined;
      const inverse = 0.2 + 2 * random.uniform();
      let sum = nullLogit === undefined ? 0 : Math.exp(inverse * nullLogit);
      for (const window of windows) forEachSpan(window, most, (_, __, z) => (sum += Math.exp(inverse * z)));
      const found = logSumOf({ right: [], windows, ...(nullLogit !== undefined && { nullLogit }) }, inverse, most);
      expect(found, `trial ${trial}`).toBeCloseTo(Math.log(sum), 9);
    }
  });

  it('finds the temperature at which two answers have the shares that they have in the data', () => {
    // One piece, or none: logits 4 and 0. Right are the pieces of 3 of 4 questions: σ(4/T) = 3/4, T = 4 / ln 3.
    const each = (right: number): ScoredQuestion => ({
      right: [right],
      windows: [{ start: [4], end: [0], mayStart: everywhere }],
      nullLogit: 0,
    });
    expect(fitTemperature([each(4), each(4), each(4), each(0)], 30)).toBeCloseTo(4 / Math.log(3), 2);
  });

  it('is 1 where there is nothing to fit it on', () => {
    expect(fitTemperature([], 30)).toBe(1);
  });
});

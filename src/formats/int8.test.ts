import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random/philox.js';
import { halfToFloat32 } from './halfPrecision.js';
import { fromInt8, toInt8 } from './int8.js';

const normal = (count: number, seed: number) => {
  const stream = new RandomStream(seed, 'test');
  return Float32Array.from({ length: count }, () => stream.uniform() * 2 - 1);
};

const floats = (halves: Uint16Array) => {
  const scales = new Float32Array(halves.length);
  halfToFloat32(halves, scales);
  return scales;
};

describe('matrices in 8 bits', () => {
  it('are off by at most half a scale, and the largest value of a row by half a thousandth', () => {
    const values = Float32Array.of(0.5, -1.27, 0.004, 0, 20, 30, -254, 1);
    const { data, scales: halves } = toInt8(values, 4);
    expect([...data]).toEqual([50, -127, 0, 0, 10, 15, -127, 1]);
    const scales = floats(halves);
    expect([...scales]).toEqual([0.01000213623046875, 2]); // 0.01 to the nearest half
    const back = new Float32Array(8);
    fromInt8(data, { scales, group: 4 }, back);
    values.forEach((value, i) => expect(Math.abs(back[i] - value)).toBeLessThanOrEqual(scales[i >> 2] / 2 + 1e-3));
  });

  it('have scales for groups of columns, and are read from any element on', () => {
    const values = normal(3 * 12, 1);
    const { data, scales: halves } = toInt8(values, 12, 4);
    const scales = floats(halves);
    expect(scales.length).toBe(9);
    const whole = new Float32Array(36);
    fromInt8(data, { scales, group: 4 }, whole);
    for (const start of [1, 5, 12, 35]) {
      const part = new Float32Array(36 - start);
      fromInt8(data.subarray(start), { scales, group: 4, start }, part);
      expect([...part]).toEqual([...whole.subarray(start)]);
    }
  });

  it('stay what they are when they are made again', () => {
    const first = toInt8(normal(640, 2), 64);
    const values = new Float32Array(640);
    fromInt8(first.data, { scales: floats(first.scales), group: 64 }, values);
    expect([...toInt8(values, 64).data]).toEqual([...first.data]);
  });

  it('of zeros are zeros', () => {
    const { data, scales } = toInt8(new Float32Array(4), 2);
    expect([...data, ...scales]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

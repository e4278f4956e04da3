import { describe, expect, it } from 'vitest';
import { contentHash } from './contentHash.js';

describe('contentHash', () => {
  it('is 32 hexadecimal digits, the same each time', () => {
    expect(contentHash('vocabulary')).toMatch(/^[0-9a-f]{32}$/);
    expect(contentHash('vocabulary')).toBe(contentHash(['vocab', 'ulary'].join('')));
  });

  it('tells 200,000 similar texts apart, in each half alone', () => {
    const texts = Array.from({ length: 200_000 }, (_, i) => `token ${i}`);
    expect(new Set(texts.map((text) => contentHash(text).slice(0, 16))).size).toBe(texts.length);
    expect(new Set(texts.map((text) => contentHash(text).slice(16))).size).toBe(texts.length);
  });

  it('changes about half of its bits with one letter', () => {
    const bits = (a: string, b: string) =>
      [...a].reduce(
        (sum, digit, i) =>
          sum + (Number.parseInt(digit, 16) ^ Number.parseInt(b[i], 16)).toString(2).replaceAll('0', '').length,
        0,
      );
    let changed = 0;
    for (let i = 0; i < 500; i++) changed += bits(contentHash(`[MASK] ${i} a`), contentHash(`[MASK] ${i} b`));
    expect(changed / 500 / 128).toBeGreaterThan(0.45);
    expect(changed / 500 / 128).toBeLessThan(0.55);
  });
});

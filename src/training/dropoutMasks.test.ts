import { describe, expect, it } from 'vitest';
import { keepBytes } from './dropoutMasks.js';

describe('bytes that are kept', () => {
  it('are those that are not below the limit, for every byte, limit and place in a word', () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i >> 2) + 37 * (i & 3));
    for (let limit = 0; limit < 256; limit++) {
      const kept = bytes.slice();
      keepBytes(new Uint32Array(kept.buffer), limit);
      expect([...kept], `limit ${limit}`).toEqual(Array.from(bytes, (byte) => (byte >= limit ? 1 : 0)));
    }
  });
});

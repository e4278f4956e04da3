import { describe, expect, it } from 'vitest';
import { crc32, crc32c, maskCrc } from './crc32.js';

const ascii = (text: string) => new TextEncoder().encode(text);

describe('CRC-32C', () => {
  it('has the check value of the polynomial and those of RFC 3720 B.4', () => {
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('is rotated by 15 bits and shifted by a constant when masked', () => {
    // 0xe3069283: rotated right by 15 it is 0x2507c60d; plus 0xa282ead8.
    expect(maskCrc(0xe3069283)).toBe((0x2507c60d + 0xa282ead8) >>> 0);
  });

  it('goes on from the checksum of an earlier piece', () => {
    for (const at of [0, 1, 8, 13, 20]) {
      const bytes = ascii('the chef cooked the meal');
      expect(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at)))).toBe(crc32c(bytes));
    }
  });
});

describe('CRC-32', () => {
  it('has the check value of the polynomial', () => {
    expect(crc32(ascii('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });
});

import { expect, it } from 'vitest';
import { npyHeader } from './npy.js';

it('is the header that numpy 2 writes for a float32 matrix, letter by letter', () => {
  // numpy.save of numpy.zeros((3, 384), numpy.float32), the first 128 bytes
  const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 384), }";
  const header = npyHeader(3, 384);
  expect(header).toHaveLength(128);
  expect([...header.subarray(0, 10)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  expect(String.fromCharCode(...header.subarray(10))).toBe(`${dictionary.padEnd(117)}\n`);
  expect(npyHeader(1_000_000_000, 4096).length % 64).toBe(0);
});

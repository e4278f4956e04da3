import { expect, test } from 'vitest';
import { processorKind, timesAsFast } from './processor.node.js';

const info = (vendor: string, flags: string) =>
  `processor\t: 0\nvendor_id\t: ${vendor}\nflags\t\t: fpu sse ${flags}\nbugs\t\t:\n`;
const AVX512 = 'avx2 avx512f avx512dq avx512bw avx512vl';

test('a processor is told by its vendor and flags', () => {
  expect(processorKind(info('GenuineIntel', `${AVX512} avx512_bf16 amx_bf16 amx_tile`))).toBe('amx');
  expect(processorKind(info('AuthenticAMD', `${AVX512} avx512_bf16`))).toBe('zen-bf16');
  // Its bf16 products are slower than its float32 ones.
  expect(processorKind(info('GenuineIntel', `${AVX512} avx512_bf16`))).toBe('avx512');
  expect(processorKind(info('GenuineIntel', 'avx2'))).toBe('other');
  expect(processorKind('Features : fp asimd bf16')).toBe('other');
});

test('nothing is claimed of processors on which nobody has measured', () => {
  expect(timesAsFast('other')).toBeUndefined();
});

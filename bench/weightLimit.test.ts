import { expect, test } from 'vitest';
import { bytesRead, weightLimit } from './weightLimit.js';

const SHAPES = new Map<string, readonly number[]>([
  ['bert.embeddings.word_embeddings.weight', [1000, 64]],
  ['bert.embeddings.LayerNorm.weight', [64]],
  ['bert.encoder.layer.0.output.dense.weight', [64, 256]],
  ['bert.encoder.layer.0.output.dense.bias', [64]],
]);

test('a call reads all weights but the tables of embeddings, matrices in the precision of products', () => {
  expect(bytesRead(SHAPES, 'fp32')).toBe(4 * (64 + 64 * 256 + 64));
  expect(bytesRead(SHAPES, 'bf16')).toBe(4 * (64 + 64) + 2 * 64 * 256);
});

test('a buffer of that size is read in a measurable time', async () => {
  const { ms, megabytes, gigabytesPerSecond } = await weightLimit(SHAPES, 'fp32', { engine: 'auto', threads: 1 });
  expect(megabytes).toBeCloseTo(0.066, 3);
  expect(ms).toBeGreaterThan(0);
  expect(gigabytesPerSecond * ms).toBeCloseTo(megabytes, 2);
});

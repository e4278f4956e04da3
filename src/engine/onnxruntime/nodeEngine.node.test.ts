import { expect, test } from 'vitest';
import { createNodeEngine } from './nodeEngine.node.js';

test('a device whose provider does not load is an error with advice', async () => {
  if (process.env.CUDA_PATH ?? process.env.CUDA_HOME) return;
  await expect(createNodeEngine({ device: 'cuda' })).rejects.toThrow(/device "cuda".*device: "cpu"/s);
});

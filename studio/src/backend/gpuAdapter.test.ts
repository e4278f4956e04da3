import { expect, it } from 'vitest';
import { findAdapter } from './gpuAdapter.js';

const gpu = (info: object | null) => ({ requestAdapter: async () => (info === null ? null : { info }) });

it('names a graphics processor as far as the browser does', async () => {
  expect(await findAdapter(gpu({ vendor: 'apple', architecture: 'metal-3', device: '', description: '' }))).toBe(
    'apple metal-3',
  );
  expect(await findAdapter(gpu({ vendor: 'x', description: 'Arc A380' }))).toBe('Arc A380');
  expect(await findAdapter(gpu({}))).toBe('WebGPU');
});

it('takes none that computes on the CPU, unless a test asks', async () => {
  const software = gpu({ vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: true });
  expect(await findAdapter(software)).toBeUndefined();
  expect(await findAdapter(software, true)).toBe('google swiftshader');
  expect(await findAdapter(undefined)).toBeUndefined();
  expect(await findAdapter(gpu(null))).toBeUndefined();
  expect(await findAdapter({ requestAdapter: () => Promise.reject(new Error('blocked')) })).toBeUndefined();
});

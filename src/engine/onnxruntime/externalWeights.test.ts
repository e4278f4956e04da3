import { expect, test } from 'vitest';
import type { StoredValues } from '../../files/storedValues.js';
import type { OnnxModel, OnnxTensor } from '../onnx/model.js';
import { externalWeights } from './externalWeights.js';

const BYTES = 8192;

function modelOf(tensors: Record<string, OnnxTensor>): OnnxModel {
  return { name: 'm', nodes: [], inputs: [], outputs: [], initializers: new Map(Object.entries(tensors)) };
}

function inMemory(buffer: ArrayBufferLike): OnnxTensor {
  return { type: 'float32', shape: [buffer.byteLength / 4], data: new Uint8Array(buffer) };
}

function inFile(file: string, begin: number): OnnxTensor {
  const stored: StoredValues = {
    length: BYTES / 4,
    locate: () => ({ file, begin, bytes: BYTES }),
    read: () => new Float32Array(BYTES / 4).fill(1),
  };
  return { type: 'float32', shape: [BYTES / 4], stored, data: new Uint8Array(stored.read().buffer) };
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test('weights in a file are named by file and offset, and are not in the bytes', () => {
  const { bytes, memory, folder } = externalWeights(modelOf({ a: inFile('/models/x.safetensors', 12345) }));
  expect({ memory, folder }).toEqual({ memory: [], folder: '/models/' });
  expect(bytes.length).toBeLessThan(300);
  for (const text of ['x.safetensors', '12345', String(BYTES)]) expect(textOf(bytes)).toContain(text);
});

test('what lies in another folder, or in memory, is in the bytes beside weights in a file', () => {
  const a = inFile('/models/x.safetensors', 0);
  const { bytes, memory } = externalWeights(
    modelOf({ a, b: inFile('/other/y.safetensors', 0), c: inMemory(new ArrayBuffer(BYTES)) }),
  );
  expect(memory).toEqual([]);
  expect(bytes.length).toBeGreaterThan(2 * BYTES);
  expect(bytes.length).toBeLessThan(2 * BYTES + 600);
  expect(textOf(bytes)).not.toContain('y.safetensors');
});

test('large weights in memory stay there where it is shared, else are copied once; small ones are in the bytes', () => {
  const [shared, own] = [new SharedArrayBuffer(BYTES), new ArrayBuffer(BYTES)];
  new Uint8Array(own).fill(7);
  const { bytes, memory, folder } = externalWeights(
    modelOf({ a: inMemory(shared), b: inMemory(own), small: inMemory(new ArrayBuffer(64)) }),
  );
  expect(folder).toBeUndefined();
  expect(memory.map(({ path }) => path)).toEqual(['memory-0', 'memory-1']);
  expect(memory[0].data.buffer).toBe(shared);
  expect(memory[1].data.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(memory[1].data).toEqual(new Uint8Array(BYTES).fill(7));
  expect(bytes.length).toBeLessThan(600);
});

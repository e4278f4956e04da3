/** Built beside the page by a test: some steps of training on WebGPU or WebAssembly, with what crossed between page and GPU. */

import { textShards } from '../../src/data/textShards.js';
import type { Engine } from '../../src/engine/engine.js';
import { createWebEngine } from '../../src/engine/onnxruntime/webEngine.js';
import { createWebGpuEngine } from '../../src/engine/onnxruntime/webGpuEngine.js';
import { pretrainInMemory } from '../../src/pretraining/pretrainInMemory.js';
import { WordPieceTokenizer } from '../../src/text/tokenizer.js';
import { VocabularyTrainer } from '../../src/text/vocabularyTraining.js';
import { MemoryStore } from '../../src/training/memoryStore.js';

export interface TrainingOnGpu {
  /** Of each step, by name. */
  readonly losses: readonly Readonly<Record<string, number | undefined>>[];
  /** Bytes between page and GPU at the end of each step, from the beginning. */
  readonly crossed: readonly number[];
  readonly parameters: number;
}

declare global {
  interface Window {
    trainSteps(device: 'wasm' | 'webgpu', steps: number): Promise<TrainingOnGpu>;
  }
}

let crossed = 0;

/** Counts at WebGPU itself what is mapped into the page's memory or written from it. */
function countCrossings(): void {
  const { GPUBuffer, GPUQueue } = globalThis as unknown as Record<string, { prototype: Record<string, unknown> }>;
  const watch = (
    prototype: Record<string, unknown>,
    name: string,
    bytesOf: (result: unknown, words: unknown[]) => number,
  ) => {
    const original = prototype[name] as (...words: unknown[]) => unknown;
    prototype[name] = function (this: unknown, ...words: unknown[]) {
      const result = original.apply(this, words);
      crossed += bytesOf(result, words);
      return result;
    };
  };
  watch(GPUBuffer.prototype, 'getMappedRange', (range) => (range as ArrayBuffer).byteLength);
  watch(GPUQueue.prototype, 'writeBuffer', (_, [, , data, from = 0, size]) => {
    const view = data as Float32Array | ArrayBuffer;
    const grain = 'BYTES_PER_ELEMENT' in view ? view.BYTES_PER_ELEMENT : 1;
    return size === undefined ? view.byteLength - grain * (from as number) : grain * (size as number);
  });
}

const WORDS = [
  ['the chef', 'a dog', 'my friend', 'the child'],
  ['cooked', 'ate', 'saw', 'liked'],
  ['the meal', 'a fish', 'the soup', 'some bread'],
];
const sentence = (n: number) => `${WORDS.map((words, i) => words[(n >> (2 * i)) % 4]).join(' ')}.`;

window.trainSteps = async (device, steps) => {
  const texts = Array.from({ length: 48 }, (_, i) => [1, 2, 3, 4].map((j) => sentence(i * 7 + j * 13)).join(' '));
  const vocabulary = new VocabularyTrainer();
  for (const text of texts) vocabulary.add(text);
  const tokenizer = WordPieceTokenizer.fromVocabulary(vocabulary.train({ size: 200 }));
  const shards = textShards(texts, tokenizer, { heldOutFraction: 0.05 });
  const wasmPaths = new URL('runtime/', document.baseURI).href;
  const engine: Engine =
    device === 'webgpu' ? await createWebGpuEngine({ wasmPaths }) : await createWebEngine({ wasmPaths });
  if (device === 'webgpu') countCrossings();
  const losses: Record<string, number | undefined>[] = [];
  const crossings: number[] = [];
  const store = new MemoryStore();
  const rare = { evaluateEvery: 1000, checkpointEvery: 1000 };
  const settings = { size: 'tiny', length: 16, batchSize: 2, steps, logEvery: 1, ...rare } as const;
  for await (const event of pretrainInMemory(settings, { shards, engine, store })) {
    if (event.type !== 'step') continue;
    losses.push({ ...event.losses });
    crossings.push(crossed);
  }
  const parameters = [...(store.best ?? store.latest)!.parameters.values()].reduce(
    (sum, { data }) => sum + data.length,
    0,
  );
  await engine.close();
  return { losses, crossed: crossings, parameters };
};

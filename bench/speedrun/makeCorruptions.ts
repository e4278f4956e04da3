/** Makes corruptions.jsonl: held-out Leipzig sentences, words of which the generator of a model in the box replaced. */
import { writeFileSync } from 'node:fs';
import { MASKED_LANGUAGE_MODELS } from '../../src/pipelines/fillMaskPipeline.js';
import { loadModelFor } from '../../src/pipelines/load.node.js';
import { englishCorpus } from '../box/corpus.js';
import { corruptSentences } from './corruptions.js';

export interface MakeCorruptionsOptions {
  /** The folder with text-en/ and squad/. */
  readonly data: string;
  readonly out: string;
  readonly model: string;
  /** Sentences that are read; those of which no word is replaced are left out. */
  readonly count: number;
  readonly seed: number;
}

/** @returns how many sentences and replaced words the file has */
export async function makeCorruptions({ data, out, model, count, seed }: MakeCorruptionsOptions) {
  await using generator = await loadGenerator(model);
  const all = englishCorpus(data).heldOut.leipzig;
  // From all over: they are in alphabetical order.
  const sentences = Array.from(
    { length: Math.min(count, all.length) },
    (_, i) => all[Math.floor((i * all.length) / count)],
  );
  const corrupted = await corruptSentences(generator, sentences, { seed });
  writeFileSync(out, corrupted.map((sentence) => `${JSON.stringify(sentence)}\n`).join(''));
  const words = corrupted.reduce((sum, { replaced }) => sum + replaced.length, 0);
  return { name: 'corruptions', out, sentences: corrupted.length, words };
}

/** In fp32 on one thread, so that its draws are the same everywhere. */
export function loadGenerator(model: string) {
  return loadModelFor(MASKED_LANGUAGE_MODELS, model, { engine: 'onnxruntime', precision: 'fp32', threads: 1 });
}

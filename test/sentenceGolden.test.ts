/** Sentence vectors of all-MiniLM-L6-v2 as sentence-transformers makes them: test/golden/make_sentence_golden.py. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pipeline } from '../src/index.node.js';

const MODEL = fileURLToPath(new URL('../../shared/models/all-minilm-l6-v2', import.meta.url));
const hasModel = existsSync(MODEL);
if (!hasModel) console.warn('sentence vectors are skipped: ../shared/models is not beside this repository');

const golden = JSON.parse(readFileSync(new URL('golden/sentence-embeddings.json', import.meta.url), 'utf8')) as {
  readonly sentences: readonly string[];
  readonly embeddings: readonly (readonly number[])[];
  readonly similarities: readonly number[];
  readonly poolings: Readonly<Record<'cls' | 'mean' | 'max', readonly (readonly number[])[]>>;
};

describe.skipIf(!hasModel)('all-MiniLM-L6-v2', () => {
  it('gives the vectors of sentence-transformers by mean and length 1', async () => {
    const embed = await pipeline('feature-extraction', {
      model: MODEL,
      pooling: 'mean',
      normalize: true,
      threads: 1,
      maxLength: 256,
    });
    const vectors = (await embed(golden.sentences)) as Float32Array[];
    let largest = 0;
    for (const [i, expected] of golden.embeddings.entries()) {
      for (const [h, value] of expected.entries()) largest = Math.max(largest, Math.abs(value - vectors[i][h]));
    }
    expect(largest).toBeLessThan(2e-6);
    for (const pooling of ['cls', 'mean', 'max'] as const) {
      const found = await embed(golden.sentences, { pooling, normalize: false });
      for (const [i, row] of golden.poolings[pooling].entries()) {
        for (const [h, value] of row.entries()) expect(Math.abs(found[i][h] - value), pooling).toBeLessThan(1e-5);
      }
    }
    await embed.release();
  });

  it('compares one sentence with many as the hub does', async () => {
    const similar = await pipeline('sentence-similarity', { model: MODEL, threads: 1 });
    const [sourceSentence, ...sentences] = golden.sentences;
    const found = await similar({ sourceSentence, sentences });
    for (const [i, expected] of golden.similarities.entries()) expect(found[i]).toBeCloseTo(expected, 5);
    // A happy person is nearer to a very happy person than to a happy dog, and both than to the weather.
    expect(found[1]).toBeGreaterThan(found[0]);
    expect(found[0]).toBeGreaterThan(found[2]);
    await similar.release();
  });
});

import { describe, expect, it } from 'vitest';
import { createPipeline } from './createPipeline.js';
import { cosine } from './pooling.js';
import { testModel } from './testModels.js';

const model = () => testModel('ElectraModel').model();

describe('sentence-similarity', () => {
  it('gives the cosine of the vectors of feature-extraction, of each sentence in its place', async () => {
    const similar = await createPipeline('sentence-similarity', model());
    const embed = await createPipeline('feature-extraction', model());
    const sourceSentence = 'the chef ate';
    const sentences = ['a good meal', 'the chef ate', '', 'a'];
    for (const pooling of ['mean', 'cls', 'max'] as const) {
      const found = await similar({ sourceSentence, sentences }, { pooling });
      const source = await embed(sourceSentence, { pooling, normalize: true });
      const others = await embed(sentences, { pooling, normalize: true });
      for (const [i, other] of others.entries()) {
        expect(found[i]).toBeCloseTo(
          source.reduce((sum, value, h) => sum + value * other[h], 0),
          5,
        );
      }
      expect(found[1]).toBeCloseTo(1, 6);
    }
    expect(await similar({ sourceSentence, sentences })).toEqual(
      await similar({ sourceSentence, sentences }, { pooling: 'mean' }),
    );
  });

  it('reads a sentence once, however often it is compared', async () => {
    const counted = model();
    const rows: number[] = [];
    const run = counted.forEachRow.bind(counted);
    counted.forEachRow = (all, options, read) => {
      rows.push(all.length);
      return run(all, options, read);
    };
    const similar = await createPipeline('sentence-similarity', counted);
    const sentences = ['a', 'the chef', 'a'];
    await similar([
      { sourceSentence: 'a meal', sentences },
      { sourceSentence: 'the chef', sentences },
    ]);
    expect(rows).toEqual([3]);
  });

  it('has no token vectors', async () => {
    const similar = await createPipeline('sentence-similarity', model());
    const input = { sourceSentence: 'a', sentences: ['a'] };
    await expect(similar(input, { pooling: 'none' as never })).rejects.toThrow(
      /pooling is "none"; expected one of cls, mean or max/,
    );
  });
});

it('is the cosine of two vectors, and 0 where one of them has no direction', () => {
  expect(cosine(Float32Array.of(3, 4), Float32Array.of(4, 3))).toBeCloseTo(24 / 25, 12);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(-2, 0))).toBe(-1);
  expect(cosine(Float32Array.of(0, 0), Float32Array.of(1, 2))).toBe(0);
});

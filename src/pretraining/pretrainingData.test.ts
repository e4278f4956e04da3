import { describe, expect, it } from 'vitest';
import { MASKING_NAMES } from '../data/masking/createMasking.js';
import { mergedSpans } from '../data/masking/spans.js';
import { memoryShards, type Shards } from '../data/shards.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { DataError } from '../errors/errors.js';
import { RandomStream } from '../random/philox.js';
import type { DoneEvent, StepEvent } from '../training/events.js';
import { objectiveOf } from './objectiveOf.js';
import { PRETRAINING_OBJECTIVES } from './objectives.js';
import { pretrain } from './pretrain.js';
import { heldOutData, slotsPerRow, trainingData } from './pretrainingData.js';
import { type PretrainingInput, resolvePretrainingSettings } from './settings.js';

const VOCAB_SIZE = 20;
const SPECIAL_IDS = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };

/** Words of one or two pieces; every fifth token is an entity, and begins a phrase of two. */
function shards(hasTags = true): Shards {
  const random = new RandomStream(3, 'test');
  const document = (length: number) => ({
    ids: Int32Array.from({ length }, () => 5 + random.integer(VOCAB_SIZE - 5)),
    wordStarts: Uint8Array.from({ length }, (_, i) => (i % 4 === 3 ? 0 : 1)),
    ...(hasTags && { tags: Uint8Array.from({ length }, (_, i) => [15, 8, 0, 0, 0][i % 5]) }),
  });
  return memoryShards({
    train: [document(60), document(33)],
    heldOut: [document(30)],
    vocabSize: VOCAB_SIZE,
    specialIds: SPECIAL_IDS,
  });
}

describe('whole-word masking of text without spaces', () => {
  it('is refused where no word fits in the budget, as nothing would be learned', () => {
    const word = { ids: Int32Array.from({ length: 60 }, (_, i) => 5 + (i % 15)), wordStarts: new Uint8Array(60) };
    const text = memoryShards({ train: [word], vocabSize: VOCAB_SIZE, specialIds: SPECIAL_IDS });
    const settings = (masking: string[]) => resolvePretrainingSettings({ ...base, maskProb: 0.15, masking });
    expect(() => trainingData(text, settings(['whole-word']))).toThrow(
      /masking whole-word masks nothing of memory: no word of the first 4 batches fits in 0.15 of a row of 16 tokens/,
    );
    expect(() => trainingData(text, settings(['span']))).not.toThrow();
  });
});

describe('the baseline of held-out text', () => {
  const text = (train: number[], heldOut: number[]) =>
    memoryShards({
      train: [{ ids: train, wordStarts: train.map(() => 1) }],
      heldOut: [{ ids: heldOut, wordStarts: heldOut.map(() => 1) }],
      vocabSize: VOCAB_SIZE,
      specialIds: SPECIAL_IDS,
    });
  const figures = (train: number[], heldOut: number[]) =>
    heldOutData(text(train, heldOut), resolvePretrainingSettings(base))!;

  it('is by the frequencies of the training text, each piece counted once more than it occurred', () => {
    const { unigramCrossEntropy, unigramEntropy, unigramAccuracy } = figures([5, 5, 5, 6], [5, 6, 6, 7]);
    // q = (count + 1) / (4 + 20): 4/24 for 5, 2/24 for 6, 1/24 for 7, which training never met.
    const expected = -(Math.log(4 / 24) + 2 * Math.log(2 / 24) + Math.log(1 / 24)) / 4;
    expect(unigramCrossEntropy).toBeCloseTo(expected, 12);
    expect(unigramEntropy).toBeCloseTo(1.5 * Math.log(2), 12);
    // 5 is the most frequent in training, and a quarter of the held-out text.
    expect(unigramAccuracy).toBe(0.25);
  });

  it('does not fall with the held-out text, as its own entropy does', () => {
    const random = new RandomStream(7, 'test');
    const draw = (length: number) => Array.from({ length }, () => 5 + random.integer(VOCAB_SIZE - 5));
    const short = figures(draw(3000), draw(12));
    expect(short.unigramEntropy).toBeLessThan(Math.log(13));
    expect(short.unigramCrossEntropy!).toBeGreaterThan(Math.log(14));
  });

  it('is not there where there is no training text', () => {
    expect(figures([], [5, 6])).not.toHaveProperty('unigramCrossEntropy');
  });
});

const base = {
  data: 'memory',
  out: 'memory',
  size: 'tiny',
  model: {
    hiddenSize: 8,
    numAttentionHeads: 1,
    numHiddenLayers: 1,
    intermediateSize: 8,
    embeddingSize: 8,
    maxPositionEmbeddings: 16,
  },
  generatorSizeFraction: 1,
  length: 16,
  batchSize: 2,
  steps: 2,
  logEvery: 1,
  evaluateBatches: 1,
} satisfies PretrainingInput;

async function train(change: Partial<PretrainingInput>) {
  const { generatorSizeFraction, ...withoutGenerator } = base;
  const hasGenerator = change.objective !== 'mlm' && change.objective !== 'spanbert';
  const input = !hasGenerator ? withoutGenerator : { ...withoutGenerator, generatorSizeFraction };
  const settings = resolvePretrainingSettings({ ...input, ...change });
  const text = shards();
  const events = [];
  for await (const event of pretrain(settings, {
    engine: createInterpreterEngine(),
    objective: objectiveOf(settings, text),
    data: trainingData(text, settings),
    heldOut: heldOutData(text, settings),
  })) {
    events.push(event);
  }
  return events;
}

describe('every masking scheme with every objective', () => {
  it.each(PRETRAINING_OBJECTIVES.flatMap((objective) => MASKING_NAMES.map((masking) => ({ objective, masking }))))(
    'trains: $objective, $masking',
    async ({ objective, masking }) => {
      const events = await train({ objective, masking });
      const steps = events.filter((event): event is StepEvent => event.type === 'step');
      expect(steps).toHaveLength(2);
      for (const { losses } of steps) {
        const values = Object.values(losses).filter((value) => typeof value === 'number');
        expect(values.length).toBeGreaterThan(0);
        for (const value of values) expect(Number.isFinite(value)).toBe(true);
      }
      const done = events.at(-1) as DoneEvent;
      expect(done.type).toBe('done');
      expect(done.metrics).toBeDefined();
    },
  );

  it('trains with several schemes', async () => {
    const events = await train({ masking: 'span,whole-word', objective: 'electra' });
    expect(events.at(-1)?.type).toBe('done');
  });
});

describe('training data', () => {
  const settings = (change: Partial<PretrainingInput>) => resolvePretrainingSettings({ ...base, ...change });

  it('has the same number of slots in every batch, filled up with weight 0', async () => {
    const s = settings({ masking: ['span', 'whole-word', 'random'], maskProb: 0.4 });
    const data = trainingData(shards(), s);
    const sizes = new Set<number>();
    const used = new Set<number>();
    for (let step = 0; step < 12; step++) {
      const { maskedPositions, maskedWeights } = await data.batch(step, 0);
      sizes.add(maskedPositions.length);
      used.add(maskedWeights.reduce((sum, weight) => sum + weight, 0));
    }
    expect([...sizes]).toEqual([2 * slotsPerRow(s)]);
    expect(slotsPerRow(s)).toBe(6); // ceil(0.4 · 14)
    expect(used.size).toBeGreaterThan(1); // rows that are the rest of a document have fewer
  });

  it('masks spans of neighbouring tokens', async () => {
    const numSpans = async (masking: 'span' | 'random') => {
      const data = trainingData(shards(), settings({ masking, maskProb: 0.4 }));
      const { maskedPositions, maskedWeights } = await data.batch(0, 0);
      return mergedSpans(maskedPositions.filter((_, slot) => maskedWeights[slot] === 1)).length / 2;
    };
    expect(await numSpans('span')).toBeLessThan(await numSpans('random'));
  });

  it('shows random tokens of the training text, in training and on held-out text', async () => {
    // Every id from 15 on is absent from this text.
    const document = {
      ids: Array.from({ length: 120 }, (_, i) => 5 + (i % 10)),
      wordStarts: new Uint8Array(120).fill(1),
    };
    const text = memoryShards({
      train: [document],
      heldOut: [document],
      vocabSize: VOCAB_SIZE,
      specialIds: SPECIAL_IDS,
    });
    const shown = async (randomTokens: 'unigram' | 'uniform') => {
      const s = settings({ masking: 'span', maskRandomProb: 1, maskKeepProb: 0, maskProb: 0.5, randomTokens });
      const batches = await Promise.all([0, 1, 2, 3, 4].map((step) => trainingData(text, s).batch(step, 0)));
      return [...batches, await heldOutData(text, s)!.batch(0)].flatMap(({ maskedInputIds }) => [...maskedInputIds]);
    };
    expect(Math.max(...(await shown('unigram')))).toBe(14);
    expect(Math.max(...(await shown('uniform')))).toBeGreaterThan(14);
  });

  it('needs tags for entities and phrases, and says so', () => {
    const make = () => trainingData(shards(false), settings({ masking: 'entity' }));
    expect(make).toThrow(DataError);
    expect(make).toThrow(/memory has no tags; masking entity needs them\. Prepare JSONL/);
    const onlyEntities = memoryShards({
      train: [{ ids: [5, 6, 7], wordStarts: [1, 1, 1], tags: [3, 2, 0] }],
      vocabSize: VOCAB_SIZE,
      specialIds: SPECIAL_IDS,
    });
    expect(() => trainingData(onlyEntities, settings({ masking: 'phrase', batchSize: 1 }))).toThrow(
      /memory has tags, but none of kind phrase; masking phrase needs them/,
    );
  });
});

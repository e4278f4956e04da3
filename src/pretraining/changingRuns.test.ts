/** Runs in which something changes over the steps: interrupted and resumed anywhere, they end with the same bits. */
import { describe, expect, it } from 'vitest';
import { memoryCollectives } from '../collective/memoryCollective.js';
import { textShards } from '../data/textShards.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import type { DoneEvent, TrainingEvent } from '../training/events.js';
import { MemoryStore } from '../training/memoryStore.js';
import { weightsSha256 } from '../training/weightsHash.js';
import { type InMemoryInput, type InMemoryOptions, pretrainInMemory } from './pretrainInMemory.js';
import { trainingData } from './pretrainingData.js';
import { resolvePretrainingSettings } from './settings.js';

const WORDS = ['the', 'chef', 'dog', 'ate', 'saw', 'meal', 'fish', '##es', '.'];
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);
const texts = Array.from(
  { length: 160 },
  (_, i) => `the ${WORDS[1 + (i % 2)]} ${WORDS[3 + ((i >> 1) % 2)]} the ${WORDS[5 + ((i >> 2) % 2)]} . document ${i}`,
);
const shards = textShards(texts, tokenizer, { heldOutFraction: 0.2 });
const SMALL = {
  size: 'tiny',
  model: {
    hiddenSize: 8,
    numAttentionHeads: 1,
    numHiddenLayers: 1,
    intermediateSize: 8,
    embeddingSize: 8,
    maxPositionEmbeddings: 32,
  },
  batchSize: 2,
  steps: 6,
  learningRate: 5e-3,
  warmupFraction: 0.2,
  evaluateBatches: 2,
  evaluateEvery: 2,
  checkpointEvery: 100,
} satisfies InMemoryInput;

async function train(
  change: Partial<InMemoryInput>,
  options: Partial<InMemoryOptions> & { readonly stopAt?: number } = {},
): Promise<TrainingEvent[]> {
  const { stopAt, ...given } = options;
  const stop = new AbortController();
  const events: TrainingEvent[] = [];
  const all = { ...SMALL, logEvery: 1, ...change };
  const running = pretrainInMemory(all, { shards, engine: createInterpreterEngine(), signal: stop.signal, ...given });
  for await (const event of running) {
    events.push(event);
    if (event.type === 'step' && event.step === stopAt) stop.abort();
  }
  return events;
}
const last = (events: TrainingEvent[]) => events.at(-1) as DoneEvent;

const CHANGING: readonly (readonly [string, Partial<InMemoryInput>])[] = [
  ['mask rates', { length: 16, maskProb: 0.5, maskProbEnd: 0.1 }],
  ['a batch that grows', { length: 16, accumulation: 3, accumulationStart: 1 }],
  ['rows that become longer', { lengthStages: '8:0.5,16', masking: ['random'] }],
  ['averaged weights', { length: 16, averageDecay: 0.9 }],
  [
    'all of them, from the first step to the last',
    {
      lengthStages: '8:0.3,16:0.4,24',
      maskProb: 0.4,
      maskProbEnd: 0.2,
      accumulation: 2,
      accumulationStart: 1,
      averageDecay: 0.9,
      adamBeta2: 0.98,
    },
  ],
];

describe.each(CHANGING)('%s', (_name, change) => {
  it('are resumed to the same bits, wherever the run was stopped', async () => {
    const whole = new MemoryStore();
    const { weightsSha256: expected, metrics } = last(await train(change, { store: whole }));
    for (const stopAt of [1, 3, 4]) {
      const store = new MemoryStore();
      expect(last(await train(change, { store, stopAt })).step).toBe(stopAt);
      const resumed = last(await train({ ...change, resume: true } as Partial<InMemoryInput>, { store }));
      expect(resumed.weightsSha256, `stopped at ${stopAt}`).toBe(expected);
      expect(resumed.metrics).toEqual(metrics);
      const [ours, theirs] = [store.latest!.average, whole.latest!.average];
      expect(ours && (await weightsSha256(ours))).toBe(theirs && (await weightsSha256(theirs)));
    }
  });
});

describe('what a step takes', () => {
  it('is masked at the rate of its place in the run, and held-out text at the last', () => {
    const s = resolvePretrainingSettings({ ...SMALL, length: 24, steps: 10, maskProb: 0.5, maskProbEnd: 0.1 });
    const data = trainingData(shards, s);
    const masked = [0, 5, 9].map((step) => {
      const batch = data.batch(step, 0, 10) as { maskedWeights: Float32Array };
      return batch.maskedWeights.length / s.batchSize;
    });
    expect(masked).toEqual([12, 7, 3]); // int((p + 0.005) · 24), p 0.5, 0.3, 0.14
  });

  it('has the rows after those of the step before, on one rank as on two', () => {
    const s = resolvePretrainingSettings({ ...SMALL, length: 8, accumulation: 4, accumulationStart: 2, steps: 10 });
    const ids = (place: { rank: number; size: number }, step: number) => {
      const data = trainingData(shards, s, place);
      const { microBatches } = data.division!(step, 10);
      return Array.from({ length: microBatches }, (_, i) => data.batch(step, i, 10) as { inputIds: Int32Array });
    };
    for (const step of [0, 3, 9]) {
      const alone = ids({ rank: 0, size: 1 }, step).flatMap(({ inputIds }) => [...inputIds]);
      const [first, second] = [0, 1].map((rank) => ids({ rank, size: 2 }, step));
      const both = first.flatMap(({ inputIds }, i) => [...inputIds, ...second[i].inputIds]);
      expect(both, `step ${step}`).toEqual(alone);
    }
  });

  it('costs as much of the time as it has micro-batches', () => {
    const s = resolvePretrainingSettings({ ...SMALL, length: 8, accumulation: 4, accumulationStart: 1 });
    const { cost } = trainingData(shards, s);
    expect([0, 0.6, 1].map((progress) => cost!(progress))).toEqual([0.25, 1, 1]);
  });
});

describe('averaged weights', () => {
  it('are the exponential average of the weights after each step', async () => {
    const run = { length: 16, averageDecay: 0.6 };
    const weightsAt: Map<string, number[]>[] = [];
    for (let steps = 1; steps <= 3; steps++) {
      const store = new MemoryStore();
      // The rates of a run do not depend on where it was stopped.
      await train({ ...run, schedule: 'constant', warmupFraction: 0, steps: 6 }, { store, stopAt: steps });
      weightsAt.push(new Map([...store.latest!.parameters].map(([name, { data }]) => [name, [...data]])));
      if (steps < 3) continue;
      const average = store.latest!.average!;
      const name = 'generator.electra.encoder.layer.0.output.dense.weight';
      const begun = new MemoryStore();
      await train({ ...run, learningRate: 1e-30, steps: 1, warmupFraction: 0, weightDecay: 0 }, { store: begun });
      let expected = [...begun.latest!.parameters.get(name)!.data];
      for (const [t, weights] of weightsAt.entries()) {
        const decay = Math.min(0.6, (2 + t) / (11 + t));
        expected = expected.map((value, i) => decay * value + (1 - decay) * weights.get(name)![i]);
      }
      const largest = [...average.get(name)!.data].reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
      expect(largest).toBeLessThan(1e-7);
    }
  });

  it('are what is evaluated, and do not touch what is trained', async () => {
    const plain = new MemoryStore();
    const averaged = new MemoryStore();
    const [one, other] = [
      last(await train({ length: 16, averageDecay: 0 }, { store: plain })),
      last(await train({ length: 16, averageDecay: 0.99 }, { store: averaged })),
    ];
    expect(other.weightsSha256).toBe(one.weightsSha256);
    expect(other.metrics!.totalLoss).not.toBe(one.metrics!.totalLoss);
    expect(plain.latest!.average).toBeUndefined();
  });

  it('are the same on two ranks as on one, up to rounding', async () => {
    const change = { length: 16, averageDecay: 0.9, accumulation: 2 };
    const alone = new MemoryStore();
    await train(change, { store: alone });
    const shared = new MemoryStore();
    await Promise.all(
      memoryCollectives(2).map((collective, rank) =>
        train(change, { collective, ...(rank === 0 && { store: shared }) }),
      ),
    );
    for (const [name, { data }] of alone.latest!.average!) {
      const other = shared.latest!.average!.get(name)!.data;
      data.forEach((value, i) => expect(other[i]).toBeCloseTo(value, 5));
    }
  });
});

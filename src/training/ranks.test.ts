/** Several ranks that train together, in one process: each has an engine of its own, as processes have. */
import { describe, expect, it } from 'vitest';
import { ALONE, type Collective, PeerError } from '../collective/collective.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import type { Engine, EngineState } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { type PretrainDependencies, pretrain } from '../pretraining/pretrain.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../pretraining/settings.js';
import type { CheckpointStore } from './checkpoint.js';
import type { DoneEvent, StepEvent, TrainingEvent, WarningEvent } from './events.js';
import { stepShare } from './stepShare.js';
import { testData, testHeldOut, testObjective } from './testObjective.js';
import { MemoryStore } from './testStore.js';

/** A step has 8 rows. */
const base = {
  data: 'memory',
  out: 'memory',
  objective: 'mlm',
  size: 'tiny',
  steps: 20,
  batchSize: 4,
  accumulation: 2,
  learningRate: 0.1,
  warmupSteps: 2,
  logEvery: 1,
} satisfies PretrainingInput;

interface RankRun {
  readonly change?: Partial<PretrainingInput>;
  readonly store?: CheckpointStore;
  /** Of one rank. */
  readonly dependencies?: (collective: Collective) => Partial<PretrainDependencies>;
  readonly onEvent?: (event: TrainingEvent, collective: Collective) => void;
}

async function trainRank(
  collective: Collective,
  { change, store, dependencies, onEvent }: RankRun,
): Promise<TrainingEvent[]> {
  const settings = resolvePretrainingSettings({ ...base, ...change });
  const events: TrainingEvent[] = [];
  const all = {
    engine: createInterpreterEngine(),
    objective: testObjective(),
    data: testData(stepShare(settings, collective)),
    heldOut: testHeldOut,
    collective,
    ...(collective.rank === 0 && { store }),
    ...dependencies?.(collective),
  };
  for await (const event of pretrain(settings, all)) {
    events.push(event);
    onEvent?.(event, collective);
  }
  return events;
}

/** The events of each rank. */
function train(size: number, run: RankRun = {}): Promise<TrainingEvent[][]> {
  return Promise.all(collectives(size).map((collective) => trainRank(collective, run)));
}
/** What becomes of each rank where some fail. */
function outcomes(size: number, run: RankRun): Promise<PromiseSettledResult<TrainingEvent[]>[]> {
  return Promise.allSettled(collectives(size).map((collective) => trainRank(collective, run)));
}
const collectives = (size: number) => (size === 1 ? [ALONE] : memoryCollectives(size));

function of<T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) {
  return events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
}
const done = (events: TrainingEvent[]): DoneEvent => of(events, 'done')[0];
const warnings = (events: TrainingEvent[]) => of(events, 'warning').map(({ code }: WarningEvent) => code);
const parametersOf = (store: MemoryStore) => store.snapshots.at(-1)!.parameters;

function largestDifference(a: MemoryStore, b: MemoryStore): number {
  let largest = 0;
  for (const [name, { data }] of parametersOf(a)) {
    const other = parametersOf(b).get(name)!.data;
    data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - other[i]));
    });
  }
  return largest;
}

describe('ranks that train together', () => {
  it.each([2, 4, 8])('%i of them follow one at the same settings, up to rounding', async (size) => {
    const [one, many] = [new MemoryStore(), new MemoryStore()];
    const [alone] = await train(1, { store: one });
    const events = await train(size, { store: many });
    const steps = (of_: TrainingEvent[]): StepEvent[] => of(of_, 'step');
    for (const rank of events) {
      steps(rank).forEach(({ losses, tokensSeen, gradientNorm, learningRate }, step) => {
        const expected = steps(alone)[step];
        expect(losses.mlmLoss).toBeCloseTo(expected.losses.mlmLoss!, 5);
        expect(losses.mlmAccuracy).toBe(expected.losses.mlmAccuracy);
        expect(gradientNorm).toBeCloseTo(expected.gradientNorm, 5);
        expect([tokensSeen, learningRate]).toEqual([expected.tokensSeen, expected.learningRate]);
      });
      expect(steps(rank)).toHaveLength(20);
    }
    expect(largestDifference(one, many)).toBeLessThan(1e-5);
    // The ranks' rows differ in their numbers of masked slots: weighed by ranks, the loss would be another.
    const slots = Array.from({ length: size }, (_, rank) => {
      const share = stepShare({ batchSize: 4, accumulation: 2 }, { rank, size });
      return (testData(share).batch(0, 0) as { maskedIds: Int32Array }).maskedIds.length;
    });
    expect(new Set(slots).size).toBeGreaterThan(1);
  });

  it('have the same weights, bit for bit, and have them again in the next run', async () => {
    const digests = async () => (await train(4)).map((events) => done(events).weightsSha256);
    const first = await digests();
    expect(new Set(first).size).toBe(1);
    expect(await digests()).toEqual(first);
  });

  it('all know where the others are, and rank 0 alone keeps checkpoints', async () => {
    const store = new MemoryStore();
    const [first, second] = await train(2, { store });
    expect(of(first, 'started')[0].ranks).toEqual(['memory', 'memory']);
    expect(done(first).checkpoint).toBe('step 20');
    expect(done(second).checkpoint).toBeUndefined();
    expect(of(second, 'checkpoint')).toEqual([]);
    expect(of(first, 'step')[0].split.exchangeMs).toBeGreaterThanOrEqual(0);
  });

  it('share an evaluation and all get the figures of one, bit for bit', async () => {
    // A rate of next to nothing: the weights stay those of the beginning.
    const change = { learningRate: 1e-30, weightDecay: 0, steps: 2 };
    const [[alone], ranks] = [await train(1, { change }), await train(2, { change })];
    for (const events of ranks) expect(done(events).metrics).toEqual(done(alone).metrics);
    expect(done(alone).metrics!.mlmLoss).toBeGreaterThan(1);
  });

  it('begin with the weights that rank 0 was given', async () => {
    const weights = new Map([['first.table.bias', Float32Array.of(1, 2, 3, 4, 5, 6, 7)]]);
    const store = new MemoryStore();
    await train(2, {
      store,
      change: { steps: 2, learningRate: 1e-30, weightDecay: 0 },
      dependencies: ({ rank }) => (rank === 0 ? { initialWeights: weights } : {}),
    });
    expect([...parametersOf(store).get('first.table.bias')!.data]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('refuse a number of ranks that cannot share the rows of a step', async () => {
    const results = await outcomes(3, {});
    for (const result of results) {
      expect((result as PromiseRejectedResult).reason.message).toContain('8 rows (batchSize 4 × accumulation 2)');
    }
  });
});

describe('stopping', () => {
  it.each([0, 1])('is asked of rank %i and done by all at the same step, with a checkpoint', async (asked) => {
    const store = new MemoryStore();
    const stop = new AbortController();
    const events = await train(2, {
      store,
      dependencies: ({ rank }) => (rank === asked ? { signal: stop.signal } : {}),
      onEvent: (event, { rank }) => {
        if (rank === asked && event.type === 'step' && event.step === 6) stop.abort();
      },
    });
    for (const rank of events) expect(done(rank)).toMatchObject({ interrupted: true, step: 6 });
    expect(store.snapshots.at(-1)!.progress.step).toBe(6);
  });

  it("for lack of time goes by rank 0's clock", async () => {
    const clock = (stepMs: number) => {
      let ms = 0;
      return () => {
        ms += stepMs;
        return ms;
      };
    };
    const events = await train(2, {
      change: { time: '1s', steps: 1000, logEvery: 1000 },
      dependencies: ({ rank }) => ({ now: clock(rank === 0 ? 10 : 1e6), heldOut: undefined }),
    });
    const steps = events.map((rank) => done(rank).step);
    expect(steps[0]).toBeGreaterThan(2);
    expect(steps[0]).toBeLessThan(100);
    expect(steps[1]).toBe(steps[0]);
  });

  it('turns a time budget into the number of steps that rank 0 measured', async () => {
    const tick = () => {
      let ms = 0;
      return () => ms++;
    };
    const [first, second] = await train(2, {
      store: new MemoryStore(),
      change: { time: '3s', steps: undefined },
      dependencies: ({ rank }) => ({ now: rank === 0 ? tick() : () => 0, heldOut: undefined }),
    });
    expect(of(second, 'planned')).toEqual(of(first, 'planned'));
    expect(of(first, 'planned')).toHaveLength(1);
    expect(done(second).step).toBe(done(first).step);
  });
});

describe('going on', () => {
  it.each([
    [2, 1],
    [1, 4],
    [2, 8],
  ])('after an interruption with %i ranks works with %i: the rows come in the same order', async (before, after) => {
    const [whole, parts] = [new MemoryStore(), new MemoryStore()];
    await train(1, { store: whole });
    const stop = new AbortController();
    await train(before, {
      store: parts,
      dependencies: () => ({ signal: stop.signal }),
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 9) stop.abort();
      },
    });
    const resumed = await train(after, { store: parts, change: { resume: true } });
    for (const events of resumed) {
      expect(of(events, 'started')[0]).toMatchObject({ step: 9, resumedFrom: 'step 9' });
      expect(done(events)).toMatchObject({ step: 20, tokensSeen: 20 * 8 * 8 });
    }
    expect(new Set(resumed.map((events) => done(events).weightsSha256)).size).toBe(1);
    expect(largestDifference(whole, parts)).toBeLessThan(1e-5);
  });

  it('with as many ranks ends with the bits of a run that was not interrupted, two phases included', async () => {
    const objective = () => ({ objective: testObjective(2) });
    const uninterrupted = await train(2, { dependencies: objective });
    const store = new MemoryStore();
    const stop = new AbortController();
    await train(2, {
      store,
      dependencies: () => ({ ...objective(), signal: stop.signal }),
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 13) stop.abort();
      },
    });
    const resumed = await train(2, { store, change: { resume: true }, dependencies: objective });
    const digest = done(uninterrupted[0]).weightsSha256;
    expect(resumed.map((events) => done(events).weightsSha256)).toEqual([digest, digest]);
  });

  it('has nothing left to do on any rank when the run is finished', async () => {
    const store = new MemoryStore();
    const [first] = await train(2, { store });
    const again = await train(2, { store, change: { resume: true } });
    for (const events of again) expect(done(events).weightsSha256).toBe(done(first).weightsSha256);
    expect(done(again[0]).metrics).toEqual(done(first).metrics);
  });

  it('ends on all ranks when rank 0 cannot read the checkpoint', async () => {
    const store = new MemoryStore();
    store.newest = () => Promise.reject(new Error('of another corpus'));
    const results = await outcomes(2, { store, change: { resume: true } });
    const [first, second] = results.map((result) => (result as PromiseRejectedResult).reason as Error);
    expect(first.message).toBe('of another corpus');
    expect(second).toBeInstanceOf(PeerError);
    expect(second.message).toContain('rank 0 (memory, process 0) failed: of another corpus');
  });
});

describe('what is not a number on one rank', () => {
  it('has the step skipped on all, and after three steps all go back together', async () => {
    const store = new MemoryStore();
    let bad = true;
    const events = await train(2, {
      store,
      change: { checkpointEvery: 5 },
      dependencies: (collective) => ({
        data: testData(
          stepShare({ batchSize: 4, accumulation: 2 }, collective),
          (step) => collective.rank === 1 && bad && step >= 7 && step < 10,
        ),
      }),
      onEvent: (event, { rank }) => {
        if (rank === 1 && event.type === 'warning' && event.code === 'rolled-back') bad = false;
      },
    });
    for (const rank of events) {
      expect(warnings(rank)).toEqual(['not-finite', 'not-finite', 'not-finite', 'rolled-back']);
      expect(done(rank).step).toBe(20);
      expect(done(rank).weightsSha256).toBe(done(events[0]).weightsSha256);
    }
    expect(of(events[1], 'warning').at(-1)!.message).toContain('from step 10 to step 5');
  });
});

describe('the end of one rank', () => {
  it('ends the run on all, with its name, its reason and the checkpoint to go on from', async () => {
    const store = new MemoryStore();
    const results = await outcomes(3, {
      store,
      change: { batchSize: 6, accumulation: 1, checkpointEvery: 5 },
      dependencies: (collective) => {
        const data = testData(stepShare({ batchSize: 6, accumulation: 1 }, collective));
        return {
          data: {
            batch(step, microBatch) {
              if (collective.rank === 1 && step === 8) throw new Error('shard 3 is damaged');
              return data.batch(step, microBatch);
            },
          },
        };
      },
    });
    const reasons = results.map((result) => (result as PromiseRejectedResult).reason as Error);
    expect(reasons[1].message).toBe('shard 3 is damaged');
    expect(reasons[0]).toBeInstanceOf(PeerError);
    expect(reasons[0].message).toBe(
      // Step 8's rows were being made while step 7 was computed.
      'the run ends at step 7: rank 1 (memory, process 0) failed: shard 3 is damaged. The newest checkpoint is step 5; go on from it with resume: true',
    );
    expect(reasons[2].message).toContain('rank 1 (memory, process 0) failed: shard 3 is damaged');
    const resumed = await train(3, { store, change: { batchSize: 6, accumulation: 1, resume: true } });
    expect(done(resumed[0]).step).toBe(20);
  });

  it('by leaving the run is told to the others', async () => {
    const [first, second] = memoryCollectives(2);
    const staying = trainRank(first, {});
    const leaving = (async () => {
      const settings = resolvePretrainingSettings(base);
      const data = testData(stepShare(settings, second));
      const dependencies = { engine: createInterpreterEngine(), objective: testObjective(), data, collective: second };
      for await (const event of pretrain(settings, dependencies)) if (event.type === 'step') break;
    })();
    await expect(staying).rejects.toThrow('rank 1 (memory, process 0) failed: its run was left before the end');
    await leaving;
  });

  it('comes when its weights are no longer those of the others: nothing is saved then', async () => {
    const store = new MemoryStore();
    const states: EngineState[] = [];
    const results = await outcomes(2, {
      store,
      change: { checkpointEvery: 10 },
      dependencies: ({ rank }) => (rank === 1 ? { engine: withStates(states) } : {}),
      onEvent: (event, { rank }) => {
        if (rank === 1 && event.type === 'step' && event.step === 4)
          void states[0].write('parameters', Float32Array.of(9));
      },
    });
    for (const result of results) {
      const reason = (result as PromiseRejectedResult).reason as PeerError;
      expect(reason.failure).toBe('broken');
      expect(reason.message).toContain(
        'the weights of rank 1 (memory, process 0) are no longer those of rank 0 at step 10',
      );
    }
    expect(store.snapshots).toEqual([]);
  });
});

/** An engine that tells of the states it makes. */
function withStates(states: EngineState[]): Engine {
  const engine = createInterpreterEngine();
  return {
    ...engine,
    async createState(layout) {
      const state = await engine.createState(layout);
      states.push(state);
      return state;
    },
  };
}

describe('ranks that are given more', () => {
  it('go on together, and rank 0 records it', async () => {
    const store = new MemoryStore();
    await train(2, { store });
    const ranks = await train(2, { store, change: { resume: true, moreSteps: 4 } });
    for (const events of ranks) {
      expect(of(events, 'extended')[0]).toMatchObject({ step: 20, totalSteps: 24 });
      expect(done(events)).toMatchObject({ steps: 24, trainedSteps: 4 });
    }
    expect(done(ranks[0]).weightsSha256).toBe(done(ranks[1]).weightsSha256);
    expect(await store.extension()).toMatchObject({ steps: 24, given: { moreSteps: 4 } });
    const alone = new MemoryStore();
    await train(1, { store: alone });
    const [events] = await train(1, { store: alone, change: { resume: true, moreSteps: 4 } });
    expect(done(events).steps).toBe(24);
  });

  it('plan the time that they are given together', async () => {
    const store = new MemoryStore();
    await train(2, { store });
    const ranks = await train(2, { store, change: { resume: true, more: '300ms' } });
    const [first, second] = ranks.map((events) => done(events).steps);
    expect(first).toBeGreaterThan(20);
    expect(second).toBe(first);
  });
});

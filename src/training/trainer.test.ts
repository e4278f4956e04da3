import { describe, expect, it } from 'vitest';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { type PretrainDependencies, pretrain } from '../pretraining/pretrain.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../pretraining/settings.js';
import type { DoneEvent, EvaluationEvent, PlannedEvent, StepEvent, TrainingEvent, WarningEvent } from './events.js';
import { testData, testHeldOut, testObjective } from './testObjective.js';
import { MemoryStore } from './testStore.js';

const base = {
  data: 'memory',
  out: 'memory',
  objective: 'mlm',
  size: 'tiny',
  steps: 20,
  batchSize: 4,
  learningRate: 0.1,
  warmupSteps: 2,
  logEvery: 1,
} satisfies PretrainingInput;

async function train(
  change: Partial<PretrainingInput> = {},
  dependencies: Partial<PretrainDependencies> = {},
  onEvent: (event: TrainingEvent) => void = () => {},
): Promise<TrainingEvent[]> {
  const settings = resolvePretrainingSettings({ ...base, ...change });
  const events: TrainingEvent[] = [];
  const all = {
    engine: createInterpreterEngine(),
    objective: testObjective(),
    data: testData(settings.batchSize),
    heldOut: testHeldOut,
    ...dependencies,
  };
  for await (const event of pretrain(settings, all)) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

function of<T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) {
  return events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
}
const done = (events: TrainingEvent[]): DoneEvent => of(events, 'done')[0];
const warnings = (events: TrainingEvent[]) => of(events, 'warning').map(({ code }: WarningEvent) => code);

describe('pre-training', () => {
  it('learns a task with a known answer', async () => {
    const events = await train({ steps: 60 });
    const steps: StepEvent[] = of(events, 'step');
    expect(steps).toHaveLength(60);
    expect(steps[0].losses.mlmLoss!).toBeCloseTo(Math.log(7), 1);
    const { metrics: heldOut } = done(events);
    expect(heldOut!.mlmAccuracy).toBe(1);
    expect(heldOut!.mlmLoss!).toBeLessThan(0.2);
    expect(heldOut!.mlmPerplexity).toBeCloseTo(Math.exp(heldOut!.mlmLoss!), 10);
  });

  it('evaluates the same text in the same way each time', async () => {
    // A rate of next to nothing: all evaluations see the same weights.
    const events = await train({ learningRate: 1e-30, weightDecay: 0, evaluateEvery: 5 });
    const evaluations: EvaluationEvent[] = of(events, 'evaluation');
    expect(evaluations.map(({ step }) => step)).toEqual([5, 10, 15, 20]);
    for (const { metrics: heldOut } of evaluations) expect(heldOut).toEqual(evaluations[0].metrics);
  });

  it('reports the learning rate of its schedule and tokens by count', async () => {
    const steps: StepEvent[] = of(await train(), 'step');
    expect(steps[0].learningRate).toBeCloseTo(0.05, 12);
    expect(steps[2].learningRate).toBeCloseTo(0.1, 12);
    expect(steps[19].learningRate).toBeCloseTo(0.1 / 18, 12);
    expect(steps[19].tokensSeen).toBe(20 * 4 * 8);
  });

  it('clips all gradients together', async () => {
    // Without momentum or averaging, the first update's length shows the clip: v = (1−β2)·g² cancels it in Adam, so
    // epsilon is made to dominate: p −= lr·m/ε with m = g.
    const settings = {
      steps: 1,
      adamBeta1: 0,
      adamBeta2: 0,
      adamEpsilon: 1e6,
      biasCorrection: 'reference',
      weightDecay: 0,
      warmupSteps: 0,
    } as const;
    const move = async (clipNorm: number) => {
      const store = new MemoryStore();
      const start = new MemoryStore();
      await train({ ...settings, clipNorm, learningRate: 1e-30 }, { store: start });
      const events = await train({ ...settings, clipNorm, learningRate: 1e6 }, { store });
      const [before, after] = [start, store].map(({ snapshots }) => snapshots[0].parameters);
      let square = 0;
      for (const [name, { data }] of after)
        data.forEach((value, i) => (square += (value - before.get(name)!.data[i]) ** 2));
      return { length: Math.sqrt(square), norm: of(events, 'step')[0].gradientNorm };
    };
    const free = await move(0);
    expect(free.length).toBeCloseTo(free.norm, 4);
    const clipped = await move(0.01);
    expect(clipped.norm).toBeCloseTo(free.norm, 6);
    expect(clipped.length).toBeCloseTo(0.01, 5);
  });

  it('accumulates: 2 micro-batches of 4 rows are 1 of 8, up to rounding, though their masked slots differ in number', async () => {
    const run = async (batchSize: number, accumulation: number) => {
      const store = new MemoryStore();
      const events = await train({ batchSize, accumulation }, { store });
      return { losses: of(events, 'step').map(({ losses }) => losses), parameters: store.snapshots.at(-1)!.parameters };
    };
    const whole = await run(8, 1);
    const halves = await run(4, 2);
    whole.losses.forEach(({ mlmLoss }, step) => expect(halves.losses[step].mlmLoss).toBeCloseTo(mlmLoss!, 4));
    let largest = 0;
    for (const [name, { data }] of whole.parameters) {
      data.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - halves.parameters.get(name)!.data[i]))));
    }
    expect(largest).toBeLessThan(1e-4);
    // The rows do differ in their slots, so weighing by batches would give another loss.
    const slots = [0, 1].map((half) => (testData(4).batch(0, half) as { maskedIds: Int32Array }).maskedIds.length);
    expect(slots[0]).not.toBe(slots[1]);
  });

  it.each([1, 4, 10, 13])('ends with the same bits when interrupted after step %i and resumed', async (stopAt) => {
    const uninterrupted = done(await train({ accumulation: 2 }, { objective: testObjective(2) }));
    const store = new MemoryStore();
    const stop = new AbortController();
    const first = await train(
      { accumulation: 2 },
      { objective: testObjective(2), store, signal: stop.signal },
      (event) => {
        if (event.type === 'step' && event.step === stopAt) stop.abort();
      },
    );
    expect(done(first)).toMatchObject({ interrupted: true, step: stopAt });
    expect(done(first).weightsSha256).not.toBe(uninterrupted.weightsSha256);
    const second = await train({ accumulation: 2, resume: true }, { objective: testObjective(2), store });
    expect(of(second, 'started')[0]).toMatchObject({ step: stopAt, resumedFrom: `step ${stopAt}` });
    expect(done(second)).toMatchObject({ interrupted: false, step: 20, weightsSha256: uninterrupted.weightsSha256 });
  });

  it('does not compute differently for being evaluated or saved', async () => {
    const plain = done(await train({ evaluateEvery: 100, checkpointEvery: 100 }));
    const watched = done(await train({ evaluateEvery: 1, checkpointEvery: 1 }, { store: new MemoryStore() }));
    expect(watched.weightsSha256).toBe(plain.weightsSha256);
  });

  it('depends on the seed', async () => {
    expect(done(await train({ seed: 1 })).weightsSha256).not.toBe(done(await train()).weightsSha256);
  });

  it('says so when there is nothing to resume, and starts at the beginning', async () => {
    const events = await train({ resume: true }, { store: new MemoryStore() });
    expect(warnings(events)).toEqual(['nothing-to-resume']);
    expect(done(events).step).toBe(20);
  });

  it('warns when a resumed run is given another length', async () => {
    const store = new MemoryStore();
    await train({ steps: 4 }, { store });
    const events = await train({ steps: 8, resume: true }, { store });
    expect(warnings(events)).toEqual(['steps-changed']);
    expect(done(events).step).toBe(8);
  });

  it('has nothing left to do when a finished run is resumed', async () => {
    const store = new MemoryStore();
    const first = done(await train({}, { store }));
    const again = done(await train({ resume: true }, { store }));
    expect(again.weightsSha256).toBe(first.weightsSha256);
    expect(again.metrics).toEqual(first.metrics);
    expect(store.snapshots.filter(({ progress }) => progress.step === 20)).toHaveLength(1);
    expect(first).toMatchObject({ trainedSteps: 20 });
    expect(first).not.toHaveProperty('nothingTrained');
    expect(again).toMatchObject({ trainedSteps: 0, nothingTrained: { reason: 'steps' } });
  });
});

describe('a run that is given more', () => {
  /** A clock on which every reading is so much later than the last. */
  const clock = (tick = 1) => {
    let ms = 0;
    return () => (ms += tick);
  };

  it('trains so many steps more from where it stands, at the rates of a run of the new length', async () => {
    const store = new MemoryStore();
    await train({}, { store });
    const events = await train({ resume: true, moreSteps: 10 }, { store });
    expect(of(events, 'extended')).toEqual([
      {
        type: 'extended',
        step: 20,
        moreSteps: 10,
        totalSteps: 30,
        stepsBefore: 20,
        learningRate: { last: expect.closeTo(0.1 / 18, 12), next: expect.closeTo((0.1 * 10) / 28, 12) },
      },
    ]);
    expect(of(events, 'step').map(({ learningRate }) => learningRate)[0]).toBeCloseTo((0.1 * 10) / 28, 12);
    expect(of(events, 'step').at(-1)).toMatchObject({ step: 30, learningRate: expect.closeTo(0.1 / 28, 12) });
    expect(done(events)).toMatchObject({ steps: 30, trainedSteps: 10, interrupted: false });
    expect(warnings(events)).toEqual([]);
  });

  it('begins at its beginning where it has no checkpoint yet', async () => {
    const events = await train({ resume: true, moreSteps: 4 }, { store: new MemoryStore() });
    expect(warnings(events)).toEqual(['nothing-to-resume']);
    expect(done(events)).toMatchObject({ steps: 4, trainedSteps: 4 });
  });

  it('can be given more again and again', async () => {
    const store = new MemoryStore();
    await train({ steps: 5 }, { store });
    for (const steps of [8, 11, 14]) {
      expect(done(await train({ steps: 5, resume: true, moreSteps: 3 }, { store })).steps).toBe(steps);
    }
  });

  it.each([1, 2] as const)('ends with the same bits when interrupted and resumed: %i phases', async (phases) => {
    const extended = async (stopAt?: number) => {
      const store = new MemoryStore();
      const objective = testObjective(phases);
      await train({ steps: 10 }, { objective, store });
      const stop = new AbortController();
      const events = await train(
        { resume: true, moreSteps: 14 },
        { objective, store, signal: stop.signal },
        (event) => {
          if (event.type === 'step' && event.step === stopAt) stop.abort();
        },
      );
      return stopAt === undefined ? events : train({ resume: true, steps: 24 }, { objective, store });
    };
    const whole = done(await extended());
    for (const stopAt of [11, 15, 23]) {
      expect(done(await extended(stopAt))).toMatchObject({ steps: 24, weightsSha256: whole.weightsSha256 });
    }
  });

  it('stays in the phase that it is in, whose schedule goes on from where it began', async () => {
    const store = new MemoryStore();
    const objective = testObjective(2);
    const settings = { steps: 10, warmupSteps: 0 };
    await train(settings, { objective, store });
    // Half of 40 steps is 20, and the run stands at 10: it does not go back to the first phase.
    const events = await train({ ...settings, resume: true, moreSteps: 30 }, { objective, store });
    expect(of(events, 'phase')).toEqual([]);
    expect(store.snapshots.at(-1)!.progress).toMatchObject({ step: 40, phase: 1, phaseStart: 5 });
    const rates = of(events, 'step').map(({ learningRate }) => learningRate);
    expect(rates[0]).toBeCloseTo((0.1 * 30) / 35, 12);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
  });

  it('trains so much longer: the steps that fit are measured again', async () => {
    const store = new MemoryStore();
    await train({ steps: undefined, time: '2s' }, { store, now: clock(), heldOut: undefined });
    const { step, elapsedMs } = store.snapshots.at(-1)!.progress;
    const events = await train(
      { steps: undefined, time: '2s', resume: true, more: '4s' },
      { store, now: clock(), heldOut: undefined },
    );
    const [plan] = of(events, 'planned');
    expect(plan.totalSteps - step).toBeCloseTo(4000 / plan.millisecondsPerStep, -2);
    expect(of(events, 'extended')[0]).toMatchObject({ more: '4s', step });
    expect(done(events).steps).toBe(step + done(events).trainedSteps);
    expect(done(events).elapsedMs - elapsedMs).toBeGreaterThan(3500);
    expect(done(events).elapsedMs - elapsedMs).toBeLessThan(4500);
    // While the time is measured the rate is about what it is afterwards, and not that of a run that is over.
    const rates = of(events, 'step').map(({ learningRate }) => learningRate);
    const planned = plan.step - step;
    expect(rates[0]).toBeGreaterThan(0.03);
    expect(Math.abs(rates[planned] - rates[planned - 1])).toBeLessThan(0.03);
  });

  it('keeps steps that go on for longer than the time that it is given, and is ended by the clock', async () => {
    const store = new MemoryStore();
    const stop = new AbortController();
    const dependencies = { store, heldOut: undefined };
    await train({ steps: 100_000 }, { ...dependencies, now: clock(), signal: stop.signal }, ({ step }) => {
      if (step === 50) stop.abort();
    });
    const { step } = store.snapshots.at(-1)!.progress;
    const events = await train({ steps: 100_000, resume: true, more: '1s' }, { ...dependencies, now: clock() });
    expect(of(events, 'extended')[0]).toMatchObject({ step, totalSteps: 100_000 });
    expect(of(events, 'extended')[0].learningRate.next).toBeCloseTo(of(events, 'extended')[0].learningRate.last!, 5);
    const { steps, trainedSteps } = done(events);
    expect(trainedSteps).toBeGreaterThan(20);
    expect(steps).toBeLessThan(1000);
  });

  it('is planned anew when it was killed before the time it was given became steps', async () => {
    const store = new MemoryStore();
    const settings = { steps: undefined, time: '2s', checkpointEvery: 1000 };
    await train(settings, { store, now: clock(), heldOut: undefined });
    const { step } = store.snapshots.at(-1)!.progress;
    const stopped = pretrain(resolvePretrainingSettings({ ...base, ...settings, resume: true, more: '4s' }), {
      engine: createInterpreterEngine(),
      objective: testObjective(),
      data: testData(4),
      store,
      now: clock(),
    });
    for await (const event of stopped) if (event.type === 'step' && event.step > step + 3) break;
    expect(await store.extension()).toMatchObject({ step, given: { more: '4s' } });
    expect(await store.plannedSteps()).toBeUndefined();
    const time = `${(await store.extension())!.timeMs}ms`;
    const events = await train({ ...settings, time, resume: true }, { store, now: clock(), heldOut: undefined });
    expect(of(events, 'planned')).toHaveLength(1);
    expect(done(events).trainedSteps).toBeGreaterThan(100);
  });
});

describe('a run that trains nothing', () => {
  const nothing = async (change: Partial<PretrainingInput>, dependencies: Partial<PretrainDependencies> = {}) => {
    const events = await train(change, dependencies);
    return { codes: warnings(events), ...done(events) };
  };
  const began = async (change: Partial<PretrainingInput> = {}) => {
    const store = new MemoryStore();
    await train({ steps: 6, ...change }, { store });
    return store;
  };

  it('says that its steps are done, and how to give it more', async () => {
    const store = await began();
    expect(await nothing({ steps: 6, resume: true }, { store })).toMatchObject({
      codes: ['nothing-trained'],
      trainedSteps: 0,
      steps: 6,
      nothingTrained: {
        reason: 'steps',
        message: 'No step was trained: all 6 steps of the run are done',
        advice: 'With resume, moreSteps 6 trains 6 steps more from here; more takes a time, such as 1h.',
      },
    });
  });

  it('says that it stands beyond the steps that it was given', async () => {
    const store = await began();
    const { codes, nothingTrained } = await nothing({ steps: 3, resume: true }, { store });
    expect(codes).toEqual(['nothing-trained']);
    expect(nothingTrained!.message).toBe(
      'No step was trained: the run stands at step 6, beyond the 3 that were asked for',
    );
  });

  it('says that its time is used up', async () => {
    let ms = 0;
    const store = await began({ steps: undefined, time: '100ms' });
    const { nothingTrained } = await nothing(
      { steps: undefined, time: '1ms', resume: true },
      { store, now: () => ms++ },
    );
    expect(nothingTrained).toMatchObject({ reason: expect.stringMatching(/steps|time/) });
    const timed = await nothing({ steps: 100_000, time: '1ms', resume: true }, { store, now: () => ms++ });
    expect(timed.nothingTrained).toMatchObject({
      reason: 'time',
      message: expect.stringMatching(/^No step was trained: the run has trained for .* already, and its time is 1 ms/),
      advice: 'With resume, more "1ms" trains 1ms more from here; moreSteps takes a number of steps.',
    });
  });

  it('has used up its time before: with any time left, one step is trained, however long starting takes', async () => {
    let ms = 0;
    const late = { now: () => (ms += 1000) };
    expect(await nothing({ steps: undefined, time: '2ms' }, late)).toMatchObject({ trainedSteps: 1 });
    const store = await began();
    expect(await nothing({ resume: true, more: '2ms' }, { store, ...late })).toMatchObject({ trainedSteps: 1 });
  });

  it('does not say so when it was told to stop', async () => {
    const stop = new AbortController();
    stop.abort();
    const { nothingTrained, trainedSteps } = await nothing({}, { signal: stop.signal });
    expect([trainedSteps, nothingTrained]).toEqual([0, undefined]);
  });

  it('names what was given last', async () => {
    const store = await began();
    await train({ steps: 6, resume: true, moreSteps: 4 }, { store });
    const { nothingTrained } = await nothing({ steps: 10, resume: true }, { store });
    expect(nothingTrained!.advice).toContain('moreSteps 4');
  });
});

describe('two phases', () => {
  it('begin the second with copies, fresh moments and a schedule of its own, and freeze what it does not train', async () => {
    const store = new MemoryStore();
    const events = await train({ checkpointEvery: 1 }, { objective: testObjective(2), store });
    expect(of(events, 'phase')).toEqual([{ type: 'phase', step: 10, name: 'second' }]);
    const at = (step: number, name: string) =>
      store.snapshots.find(({ progress }) => progress.step === step)!.parameters.get(name)!.data;
    expect(at(10, 'second.table.weight')).toEqual(at(1, 'second.table.weight'));
    expect(at(20, 'first.table.weight')).toEqual(at(10, 'first.table.weight'));
    // One step of a first, warming-up rate away from the copy: Adam's first step is at most the rate.
    const moved = at(11, 'second.table.weight').map((value, i) => Math.abs(value - at(10, 'first.table.weight')[i]));
    expect(Math.max(...moved)).toBeLessThan(0.0511);
    expect(Math.max(...moved)).toBeGreaterThan(0.04);
    expect(store.snapshots.find(({ progress }) => progress.step === 11)!.progress.updates).toBe(1);
  });
});

describe('what is not a number', () => {
  it('is skipped once: the step changes nothing', async () => {
    const store = new MemoryStore();
    const events = await train({ checkpointEvery: 1 }, { store, data: testData(4, (step) => step === 6) });
    expect(warnings(events)).toEqual(['not-finite']);
    const snapshots = new Map(store.snapshots.map((snapshot) => [snapshot.progress.step, snapshot]));
    expect(snapshots.get(8)!.progress.updates).toBe(7);
    expect(done(events)).toMatchObject({ step: 20 });
    for (const { data } of store.snapshots.at(-1)!.parameters.values()) expect(data.every(Number.isFinite)).toBe(true);
  });

  it('three times in a row sends the run back to its checkpoint with half the rate', async () => {
    const store = new MemoryStore();
    let bad = true;
    const events = await train(
      { checkpointEvery: 5, warmupSteps: 0, schedule: 'constant' },
      { store, data: testData(4, (step) => bad && step >= 7 && step < 10) },
      (event) => {
        if (event.type === 'warning' && event.code === 'rolled-back') bad = false;
      },
    );
    expect(warnings(events)).toEqual(['not-finite', 'not-finite', 'not-finite', 'rolled-back']);
    const rolledBack = of(events, 'warning').find(({ code }) => code === 'rolled-back')!;
    expect(rolledBack.message).toContain('from step 10 to step 5');
    expect(
      of(events, 'step')
        .map(({ step, learningRate }) => [step, learningRate])
        .slice(5, 9),
    ).toEqual([
      [6, 0.1],
      [7, 0.1],
      [6, 0.05],
      [7, 0.05],
    ]);
    expect(done(events).step).toBe(20);
  });

  it('after two rollbacks ends the run with an error that says what to try', async () => {
    const failing = train({}, { data: testData(4, (step) => step >= 3) });
    await expect(failing).rejects.toThrow(
      /NaN or infinite at step 6 after 2 rollbacks.*lower learningRate \(it is 0.1; try 0.02\)/,
    );
  });
});

describe('weights that overflow', () => {
  it('are never saved', async () => {
    const store = new MemoryStore();
    const exploding = train(
      { learningRate: 1e38, warmupSteps: 0, checkpointEvery: 1, adamEpsilon: 1e-30, weightDecay: 1e6 },
      { store },
    );
    await expect(exploding).rejects.toThrow('weights are NaN or infinite');
    for (const { parameters } of store.snapshots) {
      for (const { data } of parameters.values()) expect(data.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('a time budget', () => {
  /** A clock on which every reading is one millisecond later than the last. */
  const clock = () => {
    let ms = 0;
    return () => ms++;
  };

  it('becomes a number of steps on the first steps, is recorded, and is kept when resumed', async () => {
    const store = new MemoryStore();
    const stop = new AbortController();
    const events = await train(
      { steps: undefined, time: '4s' },
      { store, now: clock(), heldOut: undefined, signal: stop.signal },
      (event) => event.type === 'planned' && stop.abort(),
    );
    const plan: PlannedEvent = of(events, 'planned')[0];
    expect(plan.step).toBe(20);
    expect(await store.plannedSteps()).toBe(plan.totalSteps);
    expect(plan.totalSteps).toBeCloseTo(4000 / plan.millisecondsPerStep, -2);
    const resumed = await train(
      { steps: undefined, time: '4s', resume: true },
      { store, heldOut: undefined, now: clock() },
    );
    expect(of(resumed, 'planned')).toEqual([]);
    expect(of(resumed, 'started')[0].totalSteps).toBe(plan.totalSteps);
  });

  it('beside a number of steps ends the run at whichever comes first', async () => {
    const events = await train({ time: '100ms', steps: 1000 }, { now: clock(), heldOut: undefined });
    expect(done(events).step).toBeLessThan(100);
    expect(done(await train({ time: '1h', steps: 5 })).step).toBe(5);
  });
});

describe('warnings about learning', () => {
  it('name a learning rate that is too high', async () => {
    const events = await train({
      steps: 400,
      learningRate: 3,
      clipNorm: 0,
      adamBeta2: 0.5,
      schedule: 'constant',
      evaluateEvery: 1000,
      warmupSteps: 300,
      logEvery: 100,
    });
    expect(warnings(events)).toContain('learning-rate-too-high');
  });

  it('name a model that is stuck at word frequencies', async () => {
    const events = await train({ learningRate: 1e-9 });
    expect(warnings(events)).toEqual(['generator-stuck']);
  });

  it('are absent from a healthy run', async () => {
    expect(warnings(await train({ steps: 100 }))).toEqual([]);
  });
});

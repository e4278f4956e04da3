import { describe, expect, it } from 'vitest';
import { memoryShards } from '../data/shards.js';
import type { Engine } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { graphFlops } from '../models/flops.js';
import { settingsFromWords } from '../settings/describeSettings.js';
import { engineFlops } from '../training/engineSpeed.js';
import type { TrainingEvent } from '../training/events.js';
import { estimatedSteps, forecast, stepFlops } from './forecast.js';
import { objectiveOf } from './objectiveOf.js';
import { slotsPerRow } from './pretrainingData.js';
import { type PretrainingInput, pretrainingSchema, resolvePretrainingSettings } from './settings.js';
import { withForecast } from './withForecast.js';

const V = 4096;
const run = (given: Partial<PretrainingInput>) => ({
  given: { data: 'shards', out: 'run', ...given },
  settings: resolvePretrainingSettings({ data: 'shards', out: 'run', ...given }),
  vocabSize: V,
});

/** The settings of the command in an advice, as the command line reads them. */
function suggested(advice: string): Partial<PretrainingInput> {
  const [, command] = /`pleiad pretrain ([^`]+)`/.exec(advice)!;
  const words = [...command.matchAll(/--([\w-]+) ('[^']*'|[^\s-]\S*)/g)].map(([, flag, value]) => [
    flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value.replace(/^'|'$/g, ''),
  ]);
  return settingsFromWords(pretrainingSchema, Object.fromEntries(words));
}

describe('the work of a step', () => {
  it.each([
    { objective: 'electra', size: 'tiny', length: 32 },
    { objective: 'electra', size: 'small', length: 128, batchSize: 8 },
    { objective: 'electra-15', size: 'mini', length: 64 },
    { objective: 'mlm', size: 'tiny', length: 64 },
    { objective: 'electra', size: 'tiny', generatorKind: 'uniform', length: 64 },
    { objective: 'all-tokens-mlm', size: 'tiny', length: 32 },
    { objective: 'spanbert', size: 'tiny', length: 64 },
  ] as const)('is that of its matrix products: $objective $size $length', (change) => {
    const { settings } = run({ steps: 10, accumulation: 1, ...change });
    const [ids, wordStarts] = [new Int32Array(600).fill(9), new Uint8Array(600).fill(1)];
    const specialIds = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };
    const shards = memoryShards({ train: [{ ids, wordStarts }], vocabSize: V, specialIds });
    const { batchSize, length } = settings;
    const sizes = new Map([
      ['batch', batchSize],
      ['length', length],
      ['masked', batchSize * slotsPerRow(settings)],
      ['targets', batchSize * slotsPerRow(settings)],
    ]);
    const exact = graphFlops(objectiveOf(settings, shards).phases[0].trainingGraph({ accumulate: false }), sizes);
    expect(stepFlops(settings, V) / exact).toBeGreaterThan(0.85);
    expect(stepFlops(settings, V) / exact).toBeLessThan(1.15);
  });

  it('gives the steps of a time by the speed of the engine', () => {
    const slow = run({ time: '3m', size: 'tiny', length: 32 });
    const speed = 20e9;
    // Half of the speed in products is kept in training.
    const expected = (180 * 0.5 * speed) / stepFlops(slow.settings, V);
    expect(estimatedSteps(slow, speed)).toBe(Math.floor(expected));
    expect(estimatedSteps(run({ time: '1s', size: 'large' }), speed)).toBe(1);
  });
});

describe('what a run can be expected to reach', () => {
  it('is nothing but word frequencies for few steps of long rows; shorter rows are suggested in the same time', () => {
    // Three minutes of rows of 128.
    const told = forecast(run({ time: '3m', size: 'tiny' }), 900, { isEstimate: true });
    expect(told).toMatchObject({ reach: 'frequencies', isEstimate: true });
    expect(told.message).toMatch(
      /^about 900 steps of 32 rows of 128 tokens in 3m, size tiny; less than 1,000 steps left/,
    );
    expect(told.message).toContain('AUC 0.51 to 0.57');
    expect(told.advice).toMatch(/^Size tiny with 32 rows of 32 tokens makes about \d,\d+ steps in 3m\. Try /);
    const better = suggested(told.advice!);
    expect(better).toEqual({ data: 'shards', out: 'run-tiny-32', size: 'tiny', length: 32, time: '3m' });
    expect(resolvePretrainingSettings(better)).toMatchObject({ batchSize: 32, accumulation: 1 });
  });

  it('names the size that fits a short time, and the time that is worth having', () => {
    const { advice, message } = forecast(run({ time: '30s', size: 'small' }), 2, { isEstimate: true });
    expect(message).toMatch(/^about 2 steps of 16 rows of 128 tokens in 30s, size small;/);
    expect(advice).toMatch(
      /^Size tiny with 32 rows of 32 tokens makes about \d+ steps in 30s; 3,000 are worth having, which/,
    );
    const better = suggested(advice!);
    expect(better).toMatchObject({ size: 'tiny', length: 32, time: expect.stringMatching(/^\d+m$/) });
    expect(() => resolvePretrainingSettings(better)).not.toThrow();
  });

  it('keeps the most capable choice that has enough steps', () => {
    const { advice } = forecast(run({ time: '8h', size: 'small' }), 2000, { isEstimate: false });
    expect(suggested(advice!)).toMatchObject({
      size: 'small',
      length: 128,
      batchSize: 8,
      accumulation: 1,
      time: '8h',
    });
  });

  it('is more steps where their number was set', () => {
    const { message, advice } = forecast(run({ steps: 3, size: 'tiny', length: 32, batchSize: 4 }), 3, {
      isEstimate: false,
    });
    expect(message).toMatch(/^3 steps of 4 rows of 32 tokens, size tiny;/);
    expect(suggested(advice!)).toMatchObject({ steps: 3000, batchSize: 4, length: 32, out: 'run-3000' });
  });

  it('is said without advice where enough is trained, or the model is one of a kind', () => {
    const enough = forecast(run({ time: '10m', size: 'tiny', length: 32 }), 9000, { isEstimate: true });
    expect(enough).toMatchObject({ reach: 'learned' });
    expect(enough.message).toContain('AUC 0.70 to 0.76 in English, 0.59 to 0.64 in Korean');
    expect(enough).not.toHaveProperty('advice');
    const own = forecast(run({ steps: 5, size: 'tiny', model: { numHiddenLayers: 2 } }), 5, { isEstimate: false });
    expect(own).not.toHaveProperty('advice');
  });

  it('quotes what a shell would cut in the command', () => {
    const { advice } = forecast(run({ time: '1m', size: 'tiny', data: "my 'text' shards" }), 100, { isEstimate: true });
    expect(advice).toContain(`--data 'my '\\''text'\\'' shards'`);
  });
});

describe('a run with its forecast', () => {
  async function* events(list: object[]): AsyncGenerator<TrainingEvent> {
    yield* list as TrainingEvent[];
  }
  const told = async (given: Partial<PretrainingInput>, list: object[], engine = true) => {
    const all = [];
    const used = engine ? createInterpreterEngine() : undefined;
    for await (const event of withForecast(events(list), run(given), used)) all.push(event);
    return all.filter((event) => event.type === 'forecast');
  };
  const started = { type: 'started', step: 0 };

  it('tells it before the first step, by a look at the engine where the steps are not set', async () => {
    expect(await told({ steps: 5000 }, [started])).toMatchObject([{ step: 0, steps: 5000, reach: 'learned' }]);
    expect(await told({ time: '2s' }, [started])).toMatchObject([{ isEstimate: true, reach: 'frequencies' }]);
    expect(await told({ time: '2s' }, [started], false)).toEqual([]);
  });

  it('tells it again where the measured time says otherwise', async () => {
    const planned = (totalSteps: number) => ({ type: 'planned', step: 20, totalSteps });
    expect(await told({ time: '2s' }, [started, planned(40)])).toHaveLength(1);
    expect(await told({ time: '2s' }, [started, planned(4000)])).toMatchObject([
      { isEstimate: true },
      { step: 20, steps: 4000, isEstimate: false, reach: 'learned' },
    ]);
  });

  it('tells nothing of a run that is resumed', async () => {
    expect(await told({ steps: 10 }, [{ type: 'started', step: 7 }])).toEqual([]);
  });
});

describe('the speed of an engine', () => {
  /** An engine whose every run takes so long, on a clock of its own. */
  const timedEngine = (runMs: number) => {
    let ms = 0;
    let compiled = 0;
    const program = {
      run: async () => {
        ms += runMs;
        return {};
      },
      release: async () => {},
    };
    const compile = async () => {
      compiled++;
      return program;
    };
    const engine = { compile } as unknown as Engine;
    return { engine, now: () => ms, compiled: () => compiled };
  };
  const pair = 2 * 2 * 512 * 128 * 512;

  it('is the work of its products over the time that they took', async () => {
    const { engine, now } = timedEngine(5);
    expect(await engineFlops(engine, now)).toBeCloseTo((8 * pair) / 0.005, 0);
  });

  it('is told by few products where the engine is slow', async () => {
    const { engine, now, compiled } = timedEngine(400);
    expect(await engineFlops(engine, now)).toBeCloseTo(pair / 0.4, 0);
    expect(compiled()).toBe(1);
  });
});

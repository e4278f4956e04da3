/** Several runs of one fine-tuning: their seeds, spread, interruption, and what the folder stands for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_RUN } from '../../test/fineTuningRuns.js';
import { writeReviews, writeTinyEncoder } from '../../test/tinyReviews.js';
import { readTrials } from '../checkpoint/trialsFile.node.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import { innerPlace } from '../pretrained/modelPlaces.node.js';
import type { RunOptions } from '../training/trainToFolder.node.js';
import { checkTask } from './checkTask.node.js';
import type { FineTuningInput } from './settings.js';
import { finetuneTrials, type TrialsEvent } from './trials.node.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'trials-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const base: Partial<FineTuningInput> = {
  ...SMALL_RUN,
  task: 'text-classification',
  from: at('encoder'),
  train: at('train.csv'),
  dev: at('dev.csv'),
  columns: { text: 'Review', label: 'Verdict' },
  epochs: 2,
  checkpointEvery: 13,
};

type Event = ReturnType<typeof finetuneTrials> extends AsyncGenerator<infer E> ? E : never;

async function run(
  change: Partial<FineTuningInput>,
  { trials = 2, onEvent, ...options }: RunOptions & { trials?: number; onEvent?(event: Event): void } = {},
): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of finetuneTrials({ ...base, ...change }, { trials, ...options })) {
    events.push(event);
    onEvent?.(event);
  }
  return events;
}
const ended = (events: Event[]) => events.find((event): event is TrialsEvent => event.type === 'trials');

beforeAll(async () => {
  writeReviews(FOLDER);
  await writeTinyEncoder(at('encoder'));
});

describe('trials', () => {
  let whole: Event[];
  beforeAll(async () => {
    whole = await run({ out: at('whole'), seed: 4 });
  });

  it('train with seeds that follow one another, and their folder stands for the best', () => {
    const { trials, best, spread } = ended(whole)!;
    expect(trials.map(({ seed, folder }) => [seed, folder])).toEqual([
      [4, 'trial-1'],
      [5, 'trial-2'],
    ]);
    const scores = trials.map(({ evaluation }) => evaluation.score);
    expect(spread.mean).toBeCloseTo((scores[0] + scores[1]) / 2, 12);
    expect(spread.median).toBe(spread.mean);
    expect(spread.std).toBeCloseTo(Math.abs(scores[0] - scores[1]) / Math.SQRT2, 12);
    expect(scores[trials.findIndex(({ folder }) => folder === best)]).toBe(Math.max(...scores));
    expect(innerPlace(at('whole'))).toBe(at('whole', best));
    expect(readTrials(at('whole'))).toMatchObject({ trials, best });
  });

  it('that are interrupted go on where they were, and end the same', async () => {
    const controller = new AbortController();
    const stopped = await run(
      { out: at('stopped'), seed: 4 },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'checkpoint' && event.path.includes('trial-2')) controller.abort();
        },
      },
    );
    expect(ended(stopped)).toBeUndefined();
    expect(readTrials(at('stopped'))!.trials).toHaveLength(1);
    const resumed = await run({ out: at('stopped'), seed: 4, resume: true });
    expect(resumed.filter(({ type }) => type === 'trial-started')).toHaveLength(1);
    expect(ended(resumed)!.trials.map(({ evaluation }) => evaluation)).toEqual(
      ended(whole)!.trials.map(({ evaluation }) => evaluation),
    );
    const again = await run({ out: at('stopped'), resume: true });
    expect(again.map(({ type }) => type)).toEqual(['trials']);
  });

  it('that get stuck at one answer are repeated with further seeds, at most as many again', async () => {
    // So small a rate learns nothing; the head's first answer stays.
    const events = await run({ out: at('stuck'), learningRate: 1e-12, steps: 2, epochs: undefined });
    const { trials, spread } = ended(events)!;
    const counted = trials.filter(({ isStuck }) => !isStuck);
    expect(trials.length).toBeGreaterThan(2);
    expect(counted.length === 2 || trials.length === 4).toBe(true);
    for (const { isStuck, evaluation } of trials) expect(isStuck).toBe(evaluation.metrics.matthews === 0);
    expect(Number.isFinite(spread.mean)).toBe(true);
  });

  it('of two ranks agree on what was reached', async () => {
    const both = memoryCollectives(2);
    const results = await Promise.all(both.map((collective) => run({ out: at('ranks'), seed: 4 }, { collective })));
    expect(ended(results[1])).toEqual(ended(results[0]));
    expect(JSON.parse(readFileSync(at('ranks', 'trials.json'), 'utf8')).trials).toHaveLength(2);
  });

  it('are refused over others, and without what they need', async () => {
    await expect(run({ out: at('whole') })).rejects.toThrow('holds 2 trials already');
    await expect(run({ out: undefined, task: undefined }, { trials: 1 })).rejects.toThrow(
      /trials is 1; expected a whole number from 2[\s\S]*task is missing[\s\S]*out is missing/,
    );
  });
});

describe('a check of a task', () => {
  it('says what there is and what it costs, and writes nothing', async () => {
    let clock = 0;
    const found = await checkTask({ ...base, out: undefined }, { now: () => (clock += 100) });
    expect(found.train.rows + found.dev.rows).toBe(500);
    expect(found.examples[0].pieces[0]).toBe('[CLS]');
    expect(found.settings).toMatchObject({ steps: 50, evaluateEvery: 13 });
    // Each look at the clock is 100 ms after the one before: one before each step event, one after each event.
    const { stepMs, evaluations, totalMs, steps } = found.estimate;
    expect(stepMs).toBe(100);
    expect(evaluations).toBe(5);
    expect(totalMs).toBeCloseTo(100 * (steps + (5 * 4) / 3), 6); // four batches of dev rows
    expect(found.numParameters).toBeGreaterThan(1000);
  });

  it('looks at the very model and metric that training would take', async () => {
    const numbers = readFileSync(at('train.csv'), 'utf8')
      .replaceAll(/,good$/gm, ',4.5')
      .replaceAll(/,bad$/gm, ',1.25');
    writeFileSync(at('numbers.csv'), numbers);
    const regression = { train: at('numbers.csv'), dev: undefined, problemType: 'regression' };
    const { settings } = await checkTask({ ...base, ...regression });
    expect(settings.model!.otherFields).toMatchObject({ problem_type: 'regression' });
    expect(settings.metric).toBe('spearman');

    const sentence = 'the\tDET\nfilm\tNOUN\nis\tVERB\n\n';
    writeFileSync(at('speech.conll'), sentence.repeat(20) + sentence.replace('film', 'dog'));
    const speech = { task: 'token-classification', train: at('speech.conll'), dev: undefined, columns: undefined };
    expect((await checkTask({ ...base, ...speech })).settings.metric).toBe('accuracy');
  });

  it('reports all settings that are wrong', async () => {
    await expect(checkTask({ task: 'sentiment', train: 'x.csv' })).rejects.toThrow(/from is missing[\s\S]*is no task/);
  });
});

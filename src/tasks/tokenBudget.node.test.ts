/** Fine-tuning by a budget of tokens, of every task: the steps of an epoch are known before, ranks share them, a resumed run ends with the same bits. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squadFile, tinyQuestions } from '../../test/tinyQuestions.js';
import { writeReviews, writeTinyEncoder } from '../../test/tinyReviews.js';
import { writeTinySentences } from '../../test/tinyTagging.js';
import { UNUSED, writeTinyTasks } from '../../test/tinyTasks.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import type { TrainingEvent } from '../training/events.js';
import type { RunOptions } from '../training/trainToFolder.node.js';
import { checkTask } from './checkTask.node.js';
import { finetune } from './finetune.node.js';
import type { FineTuningInput } from './settings.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'token-budget-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
beforeAll(async () => {
  writeReviews(FOLDER);
  writeTinyTasks(FOLDER);
  writeTinySentences(FOLDER);
  writeFileSync(at('squad.json'), squadFile(tinyQuestions(150, 1, { words: 30 })));
  writeFileSync(at('dev-squad.json'), squadFile(tinyQuestions(30, 2, { words: 30 })));
  await writeTinyEncoder(at('encoder'), 'ElectraModel', UNUSED);
});

const TASKS: Record<string, Partial<FineTuningInput>> = {
  'text-classification': {
    train: at('train.csv'),
    dev: at('dev.csv'),
    columns: { text: 'Review', label: 'Verdict' },
  },
  'token-classification': { train: at('train.conll'), dev: at('dev.conll') },
  'question-answering': { train: at('squad.json'), dev: at('dev-squad.json') },
  'multiple-choice': { train: at('questions.jsonl'), dev: at('dev-questions.jsonl') },
  relation: { train: at('relations.txt'), dev: at('dev-relations.txt') },
};
const settingsOf = (task: string): Partial<FineTuningInput> => ({
  task,
  from: at('encoder'),
  ...TASKS[task],
  learningRate: 5e-3,
  layerRateDecay: 1,
  batchTokens: 512,
  length: 32,
  epochs: 2,
  logEvery: 1,
  engine: 'onnxruntime',
  threads: 1,
});

async function run(given: Partial<FineTuningInput>, options: RunOptions = {}): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of finetune(given, options)) events.push(event);
  return events;
}
const of = <T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) =>
  events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
const doneOf = (events: TrainingEvent[]) => of(events, 'done')[0];

describe('a budget of tokens', () => {
  it.each(Object.keys(TASKS))('serves %s: steps are known before, two epochs see every row twice', async (task) => {
    const settings = settingsOf(task);
    const check = await checkTask(settings);
    const events = await run({ ...settings, out: at(task) });
    const { settings: kept } = JSON.parse(readFileSync(at(task, 'run.json'), 'utf8'));
    expect(kept).toMatchObject({ batchTokens: 512, groupByLength: true, steps: check.estimate.steps });
    expect(doneOf(events)).toMatchObject({ steps: check.estimate.steps, interrupted: false });
    expect(check.padding).toBeLessThan(0.15);
    expect(check.estimate.steps % 2).toBe(0); // two epochs of one number of steps
    expect(kept.evaluateEvery).toBe(Math.ceil(kept.steps / 4));
    const score = of(events, 'evaluation').map((event) => event.score);
    expect(score.at(-1)).toBeGreaterThan(score[0]);
  });

  it('that is interrupted and resumed ends with the same bits', async () => {
    const settings = settingsOf('text-classification');
    const controller = new AbortController();
    for await (const event of finetune({ ...settings, out: at('stopped') }, { signal: controller.signal })) {
      if (event.type === 'step' && event.step === 14) controller.abort();
    }
    const rest = await run({ out: at('stopped'), resume: true });
    expect(rest[0]).toMatchObject({ type: 'started', step: 14 });
    const whole = of(await run({ ...settings, out: at('again') }), 'done')[0];
    expect(doneOf(rest)).toMatchObject({ steps: whole.steps, weightsSha256: whole.weightsSha256 });
    await expect(run({ out: at('stopped'), resume: true, batchTokens: 256 })).rejects.toThrow(
      'batchTokens was 512 when the run began and is 256 now',
    );
  });

  it.each([1, 2, 3])(
    'of %d micro-batches a step is the same for one rank and two: the losses agree',
    async (accumulation) => {
      const settings = { ...settingsOf('text-classification'), epochs: undefined, steps: 12, accumulation };
      const alone = await run({ ...settings, out: at(`alone-${accumulation}`) });
      const [first, second] = await Promise.all(
        memoryCollectives(2).map((collective) => run({ ...settings, out: at(`two-${accumulation}`) }, { collective })),
      );
      expect(doneOf(first).weightsSha256).toBe(doneOf(second).weightsSha256);
      const losses = (events: TrainingEvent[]) => of(events, 'step').map((event) => event.losses.loss!);
      expect(losses(first)).toHaveLength(12);
      for (const [i, loss] of losses(first).entries()) expect(loss).toBeCloseTo(losses(alone)[i], 3);
    },
  );

  it('is refused beside a number of rows, with rows of any length, and where the longest row does not fit', async () => {
    const settings = { ...settingsOf('text-classification'), out: at('no') };
    await expect(run({ ...settings, batchSize: 8 })).rejects.toThrow(
      'batchSize and batchTokens are both set; give one',
    );
    await expect(run({ ...settings, groupByLength: false })).rejects.toThrow(
      'batchTokens is 512 and groupByLength is false; rows of a budget of tokens are always of similar length, so leave one out',
    );
    await expect(run({ ...settings, batchTokens: 8 })).rejects.toThrow(/batchTokens is 8; expected at least \d+/);
  });
});

describe('rows of similar length', () => {
  const settings = { ...settingsOf('text-classification'), batchTokens: undefined, batchSize: 16 };

  it('pad less than rows of any length, and are the default', async () => {
    const [usual, grouped, any] = await Promise.all(
      [undefined, true, false].map(async (groupByLength) => checkTask({ ...settings, groupByLength })),
    );
    expect(usual.padding).toBe(grouped.padding);
    expect(usual.padding).toBeLessThan(0.1);
    expect(any.padding).toBeGreaterThan(usual.padding! + 0.1);
  });

  it('are not those of a run that was begun before this was a setting: it goes on with its own', async () => {
    const before = { ...settings, groupByLength: false, epochs: undefined, steps: 12 };
    const whole = await run({ ...before, out: at('whole-before') });
    const controller = new AbortController();
    for await (const event of finetune({ ...before, out: at('before') }, { signal: controller.signal })) {
      if (event.type === 'step' && event.step === 6) controller.abort();
    }
    // As run.json was then.
    const file = JSON.parse(readFileSync(at('before', 'run.json'), 'utf8'));
    delete file.settings.groupByLength;
    delete file.given.groupByLength;
    writeFileSync(at('before', 'run.json'), JSON.stringify(file));
    const rest = await run({ out: at('before'), resume: true });
    expect(doneOf(rest).weightsSha256).toBe(doneOf(whole).weightsSha256);
  });
});

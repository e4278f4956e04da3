/** Fine-tuning for several labels, numbers, multiple choice and relations, in this process; early end and class weights. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BAD, GOOD, writeReviews, writeTinyEncoder } from '../../test/tinyReviews.js';
import { UNUSED, writeTinyTasks } from '../../test/tinyTasks.js';
import { checkpointOf } from '../checkpoint/runFile.node.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import { pipeline } from '../pipelines/pipeline.node.js';
import type { TrainingEvent } from '../training/events.js';
import type { RunOptions } from '../training/trainToFolder.node.js';
import { evaluateTask } from './evaluateTask.node.js';
import { finetune } from './finetune.node.js';
import type { FineTuningInput } from './settings.js';
import { taskNamed } from './tasks.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'problems-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
beforeAll(async () => {
  writeReviews(FOLDER);
  writeTinyTasks(FOLDER);
  await writeTinyEncoder(at('encoder'), 'ElectraModel', UNUSED);
});

const spanOf = (text: string, word: string) => ({ start: text.indexOf(word), end: text.indexOf(word) + word.length });
const engine = { engine: 'onnxruntime', threads: 1 } as const;

async function run(change: Partial<FineTuningInput>, options: RunOptions = {}): Promise<TrainingEvent[]> {
  const settings = { from: at('encoder'), learningRate: 5e-3, batchSize: 16, length: 32, epochs: 4, ...engine };
  const events: TrainingEvent[] = [];
  for await (const event of finetune({ ...settings, ...change }, options)) events.push(event);
  return events;
}
const of = <T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) =>
  events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
const lastMetrics = (events: TrainingEvent[]) => of(events, 'evaluation').at(-1)!.metrics;
const configOf = (out: string) =>
  JSON.parse(readFileSync(join(checkpointOf(out, 'best'), 'model', 'config.json'), 'utf8'));

/** What an evaluation of the last checkpoint gives, beside what its training gave. */
async function expectSameMetrics(task: string, out: string, data: string, events: TrainingEvent[]): Promise<void> {
  const folder = join(checkpointOf(out, 'latest'), 'model');
  const again = await evaluateTask(taskNamed(task), folder, { data, ...engine });
  const { loss, ...metrics } = lastMetrics(events);
  for (const [name, value] of Object.entries(metrics)) expect(again.metrics[name], name).toBeCloseTo(value!, 5);
  expect(again.metrics.loss).toBeCloseTo(loss!, 5);
  expect(again.rows).toBe(100);
}

describe('several labels a text', () => {
  const out = at('topics');
  let events: TrainingEvent[];
  beforeAll(async () => {
    const data = { train: at('topics.csv'), dev: at('dev-topics.csv') };
    events = await run({
      task: 'text-classification',
      problemType: 'multi_label_classification',
      ...data,
      epochs: 8,
      out,
    });
  });

  it('are learned, beside the most frequent labels and a bag of words', () => {
    const { microF1, macroF1, allRight, bagOfWordsMicroF1 } = lastMetrics(events);
    expect(Math.min(microF1!, macroF1!)).toBeGreaterThan(0.97);
    expect(allRight).toBeGreaterThan(0.93);
    expect(bagOfWordsMicroF1).toBe(1);
    expect(lastMetrics(events).majorityMicroF1).toBeLessThan(0.8);
    expect(of(events, 'evaluation').every(({ score, metrics }) => score === metrics.microF1)).toBe(true);
  });

  it('are kept in config.json as transformers keeps them', () => {
    expect(configOf(out)).toMatchObject({
      problem_type: 'multi_label_classification',
      id2label: { 0: 'dull', 1: 'lovely', 2: 'town' },
    });
  });

  it('are given by the pipeline, as many as a text has', async () => {
    await using classify = await pipeline('text-classification', { model: out, ...engine });
    const labels = async (text: string) => (await classify(text, { threshold: 0.5 })).map(({ label }) => label).sort();
    expect(await labels('the lovely film of a town')).toEqual(['lovely', 'town']);
    expect(await labels('the film of a story')).toEqual([]);
  });

  it('have the same metrics when they are evaluated', async () => {
    await expectSameMetrics('text-classification', out, at('dev-topics.csv'), events);
  });
});

describe('numbers', () => {
  const out = at('ratings');
  let events: TrainingEvent[];
  beforeAll(async () => {
    const data = { train: at('ratings.tsv'), dev: at('dev-ratings.tsv') };
    events = await run({ task: 'text-classification', problemType: 'regression', ...data, epochs: 8, out });
  });

  it('are learned, and judged by their order', () => {
    const { spearman, pearson, loss, bagOfWordsSpearman } = lastMetrics(events);
    expect(spearman).toBeGreaterThan(0.95);
    expect(pearson).toBeGreaterThan(0.98);
    expect(loss).toBeLessThan(0.1);
    expect(bagOfWordsSpearman).toBeGreaterThan(0.9);
    expect(configOf(out)).toMatchObject({ problem_type: 'regression', id2label: { 0: 'score' } });
  });

  it('are given by the pipeline as they are, also below 0', async () => {
    await using classify = await pipeline('text-classification', { model: out, ...engine });
    const [high, low] = await classify(['the lovely film', 'the tedious film']);
    expect(high).toMatchObject({ label: 'score' });
    expect(high.score).toBeCloseTo(2.5, 0);
    expect(low.score).toBeCloseTo(-1.5, 0);
    expect(await classify('the tedious film', { threshold: 0 })).toEqual([low]);
  });

  it('have the same metrics when they are evaluated', async () => {
    await expectSameMetrics('text-classification', out, at('dev-ratings.tsv'), events);
  });

  it('are asked about when nobody said that they are numbers', async () => {
    const data = { train: at('ratings.tsv'), dev: at('dev-ratings.tsv') };
    await expect(run({ task: 'text-classification', ...data, out: at('never') })).rejects.toThrow(
      'problemType: "regression" to predict a number',
    );
  });

  it('start from a model of numbers with its head, and from one of labels with a new one', async () => {
    const data = { task: 'text-classification', train: at('ratings.tsv'), dev: at('dev-ratings.tsv'), epochs: 0.1 };
    const from = join(checkpointOf(out, 'best'), 'model');
    const kept = await run({ ...data, problemType: 'regression', from, out: at('ratings-again') });
    expect(of(kept, 'evaluation')[0].metrics.spearman).toBeGreaterThan(0.95);
    const topics = { ...data, train: at('topics.csv'), dev: at('dev-topics.csv') };
    const anew = await run({ ...topics, problemType: 'multi_label_classification', from, out: at('topics-again') });
    expect(of(anew, 'loaded')[0].start.random).toContain('classifier.out_proj.weight');
    expect(configOf(at('topics-again')).problem_type).toBe('multi_label_classification');
  });
});

describe('multiple choice', () => {
  const out = at('choices');
  const data = { task: 'multiple-choice', train: at('questions.jsonl'), dev: at('dev-questions.jsonl'), batchSize: 8 };
  let events: TrainingEvent[];
  beforeAll(async () => {
    events = await run({ ...data, out });
  });

  it('is learned from questions of three and four choices, beside what costs nothing', () => {
    const { accuracy, chanceAccuracy, overlapAccuracy } = lastMetrics(events);
    expect(accuracy).toBeGreaterThan(0.97);
    expect(chanceAccuracy).toBeGreaterThan(0.25);
    expect(chanceAccuracy).toBeLessThan(0.34);
    expect(overlapAccuracy).toBeLessThan(0.6);
  });

  it('starts from a model of multiple choice with its head, and has no labels', async () => {
    const from = join(checkpointOf(out, 'best'), 'model');
    const kept = await run({ ...data, from, epochs: 0.1, out: at('choices-again') });
    expect(of(kept, 'evaluation')[0].metrics.accuracy).toBeGreaterThan(0.97);
    await expect(run({ ...data, labels: ['a', 'b'], out: at('never') })).rejects.toThrow(
      'labels is a,b, and multiple-choice',
    );
  });

  it('is answered by the pipeline', async () => {
    await using choose = await pipeline('multiple-choice', { model: out, ...engine });
    const choices = ['a dull story', 'a witty story', 'a clumsy story'];
    expect(await choose({ question: 'the film', choices })).toMatchObject({ choice: 'a witty story', index: 1 });
    const all = await choose({ question: 'the film', choices }, { topK: 3 });
    expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    await expect(choose({ question: 'the film', choices: ['a'] })).rejects.toThrow(
      'multiple-choice: input cannot be used',
    );
    await expect(choose({ choices } as never)).rejects.toThrow('multiple-choice: input cannot be used');
  });

  it('has the same metrics when it is evaluated, and of two ranks learns from the same rows', async () => {
    await expectSameMetrics('multiple-choice', out, at('dev-questions.jsonl'), events);
    const short = { ...data, steps: 6, epochs: undefined, logEvery: 1 };
    const alone = await run({ ...short, out: at('choices-alone') });
    const [first] = await Promise.all(
      memoryCollectives(2).map((collective) =>
        run({ ...short, batchSize: 4, accumulation: 2, out: at('choices-ranks') }, { collective }),
      ),
    );
    const losses = (of_: TrainingEvent[]) => of(of_, 'step').map(({ losses: { loss } }) => loss!);
    expect(losses(first)).toHaveLength(6);
    for (const [step, loss] of losses(first).entries())
      expect(loss, `step ${step}`).toBeCloseTo(losses(alone)[step], 3);
  });
});

describe('relations', () => {
  const out = at('relations');
  let events: TrainingEvent[];
  beforeAll(async () => {
    const data = { train: at('relations.txt'), dev: at('dev-relations.txt') };
    const learning = { epochs: 15, learningRate: 3e-3, hiddenDropout: 0, attentionDropout: 0 };
    events = await run({ task: 'relation', ...data, ...learning, out });
  });

  it('are learned from the marks alone, which a bag of words cannot see', () => {
    const { macroF1, accuracy, bagOfWordsAccuracy } = lastMetrics(events);
    expect(accuracy).toBeGreaterThan(0.85);
    expect(macroF1).toBe(accuracy); // of one relation in two directions
    expect(bagOfWordsAccuracy).toBeLessThan(0.7);
  });

  it('keep in the model folder which pieces mark what', () => {
    const relationMarkers = { head: UNUSED.slice(0, 2), tail: UNUSED.slice(2) };
    expect(configOf(out)).toMatchObject({ pleiad: { objective: 'relation', relationMarkers } });
  });

  it('are given by the pipeline, by spans or marks', async () => {
    await using relation = await pipeline('relation', { model: out, ...engine });
    const sentences = [...GOOD, ...BAD].flatMap((one) =>
      (GOOD.includes(one) ? BAD : GOOD).map((other) => ({ one, other, text: `the ${one} film ${other}` })),
    );
    const asked = sentences.map(({ text, one, other }) => ({
      text,
      head: spanOf(text, one),
      tail: spanOf(text, other),
    }));
    const swapped = asked.map(({ text, head, tail }) => ({ text, head: tail, tail: head }));
    const [found, foundSwapped] = [await relation(asked), await relation(swapped)];
    const isRight = sentences.flatMap(({ one }, i) => {
      const [first, second] = GOOD.includes(one) ? ['e1', 'e2'] : ['e2', 'e1'];
      return [found[i].label === `Praise(${first},${second})`, foundSwapped[i].label === `Praise(${second},${first})`];
    });
    expect(isRight.filter(Boolean).length).toBeGreaterThan(0.8 * isRight.length);
    const marked = 'the <e1>lovely</e1> film <e2>dull</e2>';
    expect(await relation(marked)).toEqual(await relation(asked[0]));
    const { text, head: lovely } = asked[0];
    await expect(relation({ text, head: lovely, tail: { start: 30, end: 40 } })).rejects.toThrow(
      'the input has a tail from 30 to 40 that lies outside of the text',
    );
  });

  it('have the same metrics when they are evaluated', async () => {
    await expectSameMetrics('relation', out, at('dev-relations.txt'), events);
  });

  it('that are learned in two sittings end with the same bits', async () => {
    const settings = { task: 'relation', train: at('relations.txt'), dev: at('dev-relations.txt'), epochs: undefined };
    const whole = of(await run({ ...settings, steps: 8, out: at('sitting') }), 'done')[0];
    const controller = new AbortController();
    const started = { from: at('encoder'), learningRate: 5e-3, batchSize: 16, length: 32, ...engine, ...settings };
    const stopped = finetune({ ...started, steps: 8, logEvery: 1, out: at('sittings') }, { signal: controller.signal });
    for await (const event of stopped) if (event.type === 'step' && event.step === 3) controller.abort();
    const rest = of(await run({ out: at('sittings'), resume: true, epochs: undefined }), 'done')[0];
    expect(rest).toMatchObject({ steps: 8, trainedSteps: 5, weightsSha256: whole.weightsSha256 });
    expect(configOf(at('sittings')).pleiad.relationMarkers).toEqual({
      head: UNUSED.slice(0, 2),
      tail: UNUSED.slice(2),
    });
  });

  it('are no labels of texts', async () => {
    await expect(pipeline('text-classification', { model: out, ...engine })).rejects.toThrow(
      'expected the pipeline relation',
    );
  });
});

describe('settings of a run', () => {
  const reviews = {
    task: 'text-classification',
    train: at('train.csv'),
    dev: at('dev.csv'),
    columns: { text: 'Review', label: 'Verdict' },
  };

  it('patience ends it when evaluations become no better, and the same when it is interrupted', async () => {
    const settings = { ...reviews, patience: 2, evaluateEvery: 10, checkpointEvery: 10 };
    const events = await run({ ...settings, out: at('early') });
    const evaluations = of(events, 'evaluation');
    const best = evaluations.findIndex(({ score }) => score === Math.max(...evaluations.map((one) => one.score)));
    expect(evaluations).toHaveLength(best + 3);
    const [done] = of(events, 'done');
    expect(done.steps).toBe(10 * (best + 2));
    expect(done.steps).toBeLessThan(100);
    expect(of(events, 'warning').map(({ code }) => code)).toContain('stopped-early');

    const controller = new AbortController();
    for await (const event of finetune(
      {
        from: at('encoder'),
        learningRate: 5e-3,
        batchSize: 16,
        length: 32,
        epochs: 4,
        ...engine,
        ...settings,
        out: at('early-again'),
      },
      { signal: controller.signal },
    )) {
      if (event.type === 'evaluation' && event.step === done.steps - 10) controller.abort();
    }
    const resumed = of(
      await run({ out: at('early-again'), resume: true, from: undefined, epochs: undefined }),
      'done',
    )[0];
    expect(resumed).toMatchObject({ steps: done.steps, weightsSha256: done.weightsSha256 });

    const nothing = of(await run({ out: at('early'), resume: true, epochs: undefined }), 'done')[0];
    expect(nothing).toMatchObject({ trainedSteps: 0, nothingTrained: { reason: 'patience' } });
    const more = of(await run({ out: at('early'), resume: true, epochs: undefined, moreSteps: 5 }), 'done')[0];
    expect(more).toMatchObject({ trainedSteps: 5, steps: done.steps + 5 });
  });

  it('balanced class weights find a rare label that is else never predicted', async () => {
    const lines = readFileSync(at('train.csv'), 'utf8').trim().split('\n');
    const good = lines.filter((line) => line.endsWith(',good'));
    const bad = lines.filter((line) => line.endsWith(',bad')).slice(0, 12);
    writeFileSync(at('rare.csv'), `${[lines[0], ...good, ...bad].join('\n')}\n`);
    // Batches of any length: those of similar length happen to find the label without weights.
    const noDropout = { hiddenDropout: 0, attentionDropout: 0 };
    const settings = { ...reviews, train: at('rare.csv'), epochs: 10, groupByLength: false, ...noDropout };
    const plain = await run({ ...settings, out: at('plain') });
    const balanced = await run({ ...settings, classWeights: 'balanced', out: at('balanced') });
    expect(lastMetrics(plain).macroF1).toBeLessThan(0.5);
    expect(lastMetrics(balanced).macroF1).toBeGreaterThan(0.7);
  });
});

/** Fine-tuning to a run folder, in this process: one rank and two, resumed, from ELECTRA and BERT. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { doneOf, fineTuningRuns, eventsOf as of, SMALL_RUN } from '../../test/fineTuningRuns.js';
import { writeReviews, writeTinyEncoder } from '../../test/tinyReviews.js';
import { loadModelFolder } from '../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../checkpoint/runFile.node.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import { createPipeline } from '../pipelines/createPipeline.js';
import { fromPretrained } from '../pretrained/pretrained.node.js';
import type { EvaluationEvent, TrainingEvent, WarningEvent } from '../training/events.js';
import { evaluateModel, evaluatePredictions, evaluateTask } from './evaluateTask.node.js';
import { finetune } from './finetune.node.js';
import { reportPage } from './report/html/page.js';
import type { FineTuningInput } from './settings.js';
import { taskNamed } from './tasks.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'finetune-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const base: Partial<FineTuningInput> = {
  ...SMALL_RUN,
  task: 'text-classification',
  from: at('encoder'),
  train: at('train.csv'),
  dev: at('dev.csv'),
  columns: { text: 'Review', label: 'Verdict' },
  epochs: 4,
  logEvery: 1,
};
const run = fineTuningRuns(base);

let whole: TrainingEvent[];
beforeAll(async () => {
  writeReviews(FOLDER);
  await writeTinyEncoder(at('encoder'));
  whole = await run({ out: at('whole') });
});

describe('fine-tuning for text classification', () => {
  it('learns what the labels depend on, in four epochs', () => {
    expect(doneOf(whole)).toMatchObject({ steps: 100, interrupted: false }); // 4 × 400 / 16
    expect(of(whole, 'evaluation').at(-1)!.metrics).toMatchObject({ accuracy: 1, f1: 1, macroF1: 1, matthews: 1 });
  });

  it('measures the most frequent label and a bag of words on the same rows', () => {
    const dev = readFileSync(at('dev.csv'), 'utf8').trim().split('\n').slice(1);
    const train = readFileSync(at('train.csv'), 'utf8').trim().split('\n').slice(1);
    const share = (rows: string[], label: string) =>
      rows.filter((row) => row.endsWith(`,${label}`)).length / rows.length;
    const majority = share(train, 'good') >= 0.5 ? 'good' : 'bad';
    const metrics = of(whole, 'evaluation')[0].metrics;
    expect(metrics.majorityAccuracy).toBeCloseTo(share(dev, majority), 12);
    expect(metrics.bagOfWordsAccuracy).toBe(1);
  });

  it('evaluates every half epoch, and keeps the best checkpoint by accuracy', () => {
    const evaluations: EvaluationEvent[] = of(whole, 'evaluation');
    expect(evaluations.map(({ step }) => step)).toEqual([0, 13, 26, 39, 52, 65, 78, 91, 100]);
    const best = evaluations.reduce((a, b) => (b.score > a.score ? b : a));
    expect(checkpointOf(at('whole'), 'best')).toContain(`step-${String(best.step).padStart(8, '0')}`);
    expect(evaluations.every(({ score, metrics }) => score === metrics.accuracy)).toBe(true);
  });

  it('writes a model folder that knows its labels and keeps the bag of words', async () => {
    const folder = join(checkpointOf(at('whole'), 'best'), 'model');
    const model = loadModelFolder(folder);
    expect(model).toMatchObject({ architecture: 'ElectraForSequenceClassification', labels: ['bad', 'good'] });
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    expect(config).toMatchObject({ id2label: { 0: 'bad', 1: 'good' }, label2id: { bad: 0, good: 1 } });
    expect(config).toMatchObject({
      hidden_dropout_prob: 0.1,
      pleiad: { objective: 'text-classification', length: 32 },
    });
    const kept = JSON.parse(readFileSync(join(folder, 'bag_of_words.json'), 'utf8'));
    expect(kept).toMatchObject({ format: 'pleiad-bag-of-words', labels: ['bad', 'good'] });
    expect(kept.rows[0] + kept.rows[1]).toBe(400);
  });

  it('writes a card with the figures of its checkpoint, and the task file', () => {
    for (const which of ['best', 'latest'] as const) {
      const checkpoint = checkpointOf(at('whole'), which);
      const { accuracy } = JSON.parse(readFileSync(join(checkpoint, 'trainer.json'), 'utf8')).evaluation.metrics;
      const card = readFileSync(join(checkpoint, 'model', 'README.md'), 'utf8');
      expect(card).toContain(`| **accuracy** | ${accuracy.toFixed(4)} | baselines: the most frequent label 0.`);
      expect(card).toContain('| training | train.csv | 400 |');
      expect(card).not.toContain(FOLDER);
      const file = readFileSync(join(checkpoint, 'model', 'task.yaml'), 'utf8');
      expect(file).not.toContain(FOLDER);
      expect(parse(file)).toMatchObject({ task: 'text-classification', data: { train: 'train.csv' }, epochs: 4 });
    }
  });

  it('gives a model that classifies', async () => {
    const model = await fromPretrained(at('whole'), { engine: 'onnxruntime', threads: 1 });
    const classifier = await createPipeline('text-classification', model);
    const found = await classifier(['the dog is witty', 'a tedious story of two friends']);
    expect(found).toMatchObject([{ label: 'good' }, { label: 'bad' }]);
    await classifier.release();
  });

  it('gives the metrics of its training again when it is evaluated', async () => {
    const folder = join(checkpointOf(at('whole'), 'latest'), 'model');
    const options = {
      data: at('dev.csv'),
      columns: base.columns as Record<string, string>,
      engine: 'onnxruntime',
    } as const;
    const again = await evaluateTask(taskNamed('classification'), folder, options);
    const { loss, ...metrics } = of(whole, 'evaluation').at(-1)!.metrics;
    expect(again).toMatchObject({ task: 'text-classification', rows: 100, metrics });
    expect(again.metrics.loss).toBeCloseTo(loss!, 5);
  });

  it('is evaluated by the name of its run alone; a place that says no task needs one', async () => {
    const options = {
      data: at('dev.csv'),
      columns: base.columns as Record<string, string>,
      engine: 'onnxruntime',
    } as const;
    const report = await evaluateModel(at('whole'), options);
    expect(report).toMatchObject({ task: 'text-classification', rows: 100, metrics: { accuracy: 1 } });
    expect(report.metrics.bagOfWordsAccuracy).toBe(1);
    expect(reportPage(report)).toContain('Nothing was answered wrongly.');
    await expect(evaluateModel(at('encoder'), options)).rejects.toThrow(
      'does not say what it was fine-tuned for; expected task, one of text-classification',
    );
    const files = { data: at('dev.csv'), predictions: at('dev.csv') };
    await expect(evaluatePredictions('text-classification', files)).rejects.toThrow(
      'task is text-classification, which takes no file of predictions; expected token-classification',
    );
  });

  it('that is interrupted and resumed ends with the same bits', async () => {
    const controller = new AbortController();
    const first: TrainingEvent[] = [];
    for await (const event of finetune({ ...base, out: at('stopped') }, { signal: controller.signal })) {
      first.push(event);
      if (event.type === 'step' && event.step === 31) controller.abort();
    }
    expect(doneOf(first).interrupted).toBe(true);
    // All that it was begun with is in the run; the model that it began with is not looked for.
    const rest = await run({ from: undefined, out: at('stopped'), resume: true });
    expect(rest[0]).toMatchObject({ type: 'started', step: 31 });
    expect(doneOf(rest).weightsSha256).toBe(doneOf(whole).weightsSha256);
  });

  it('of two ranks learns from the same rows as one: the losses agree to rounding', async () => {
    const ranks = await Promise.all(
      memoryCollectives(2).map((collective) => run({ out: at('ranks') }, { collective })),
    );
    const [first, second] = ranks.map(doneOf);
    expect(first.weightsSha256).toBe(second.weightsSha256);
    const losses = (events: TrainingEvent[]) => of(events, 'step').map(({ losses: { loss } }) => loss!);
    const [alone, shared] = [losses(whole), losses(ranks[0])];
    expect(shared).toHaveLength(100);
    for (const [step, loss] of shared.slice(0, 20).entries()) expect(loss, `step ${step}`).toBeCloseTo(alone[step], 3);
    expect(of(ranks[0], 'evaluation').at(-1)!.metrics.accuracy).toBe(1);
  });

  it('refuses to resume with other settings or other data, and names them', async () => {
    await expect(run({ out: at('whole'), resume: true, learningRate: 1e-4 })).rejects.toThrow(
      'learningRate was 0.005 when the run began and is 0.0001 now',
    );
    const other = at('other.csv');
    writeFileSync(other, readFileSync(at('train.csv'), 'utf8').replace('lovely', 'dull'));
    await expect(run({ out: at('whole'), resume: true, train: other })).rejects.toThrow('data is');
  });

  it('starts from a BERT, with its pooler, at one rate for all layers', async () => {
    await writeTinyEncoder(at('bert'), 'BertModel');
    const events = await run({ from: at('bert'), out: at('from-bert'), epochs: 5, learningRate: 2e-3 });
    expect(of(events, 'evaluation').at(-1)!.metrics.accuracy).toBeGreaterThan(0.95);
    const { settings } = JSON.parse(readFileSync(at('from-bert', 'run.json'), 'utf8'));
    expect(settings).toMatchObject({ layerRateDecay: 1, model: { architecture: 'BertForSequenceClassification' } });
  });

  it('starts from a model that was fine-tuned: its head stays for the very labels, and is new for others', async () => {
    const renamed = at('renamed.csv');
    writeFileSync(renamed, readFileSync(at('dev.csv'), 'utf8').replaceAll(',bad', ',a').replaceAll(',good', ',b'));
    cpSync(join(checkpointOf(at('whole'), 'best'), 'model'), at('tuned'), { recursive: true });
    const short = { from: at('tuned'), dev: undefined, epochs: 1 };
    const kept = await run({ ...short, train: at('dev.csv'), out: at('kept') });
    expect(of(kept, 'evaluation')[0].metrics.accuracy).toBe(1);
    const anew = await run({ ...short, train: renamed, out: at('anew') });
    const [loaded] = of(anew, 'loaded');
    expect(loaded.start.random).toEqual([
      'classifier.dense.weight',
      'classifier.dense.bias',
      'classifier.out_proj.weight',
      'classifier.out_proj.bias',
    ]);
    const warnings: WarningEvent[] = of(anew, 'warning');
    expect(warnings.map(({ code }) => code)).toContain('dev-held-out');
  });
});

/** Fine-tuning for question answering to a run folder, in this process: one rank and two, resumed, with and without answers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doneOf, fineTuningRuns, eventsOf as of, SMALL_RUN } from '../../../test/fineTuningRuns.js';
import { squadFile, tinyQuestions, writeQuestions } from '../../../test/tinyQuestions.js';
import { writeTinyEncoder } from '../../../test/tinyReviews.js';
import { loadModelFolder } from '../../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../../checkpoint/runFile.node.js';
import { memoryCollectives } from '../../collective/memoryCollective.js';
import { createPipeline } from '../../pipelines/createPipeline.js';
import { fromPretrained } from '../../pretrained/pretrained.node.js';
import type { TrainingEvent } from '../../training/events.js';
import { evaluateTask, scoreModel } from '../evaluateTask.node.js';
import { finetune } from '../finetune.node.js';
import type { FineTuningInput } from '../settings.js';
import { taskNamed } from '../tasks.js';
import { SQUAD_SCORER } from './scorers.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'finetune-qa-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const base: Partial<FineTuningInput> = {
  ...SMALL_RUN,
  task: 'question-answering',
  from: at('encoder'),
  train: at('train.json'),
  dev: at('dev.json'),
  layerRateDecay: 1,
  epochs: 4,
  logEvery: 1,
};
const run = fineTuningRuns(base);

const fileOf = (out: string, name: string) =>
  JSON.parse(readFileSync(join(checkpointOf(at(out), 'latest'), 'model', name), 'utf8'));

let whole: TrainingEvent[];
beforeAll(async () => {
  writeQuestions(FOLDER);
  await writeTinyEncoder(at('encoder'));
  whole = await run({ out: at('whole') });
});

describe('fine-tuning for question answering', () => {
  it('learns where answers begin and end, and beats a sliding window', () => {
    expect(doneOf(whole)).toMatchObject({ steps: 100, interrupted: false }); // 4 × 400 / 16
    const { metrics } = of(whole, 'evaluation').at(-1)!;
    expect(metrics.f1).toBeGreaterThan(0.97);
    expect(metrics.exactMatch).toBeGreaterThan(0.95);
    expect(metrics.slidingWindowF1).toBeGreaterThan(0);
    expect(metrics.slidingWindowF1).toBeLessThan(metrics.f1! - 0.1);
    expect(of(whole, 'evaluation')[0].metrics.f1).toBeLessThan(0.5);
  });

  it('writes a model folder that says how it is to be asked', () => {
    const model = loadModelFolder(join(checkpointOf(at('whole'), 'best'), 'model'));
    expect(model).toMatchObject({ architecture: 'ElectraForQuestionAnswering' });
    expect(model.labels).toBeUndefined();
    const file = fileOf('whole', 'question_answering.json');
    expect(file).toMatchObject({
      nullThreshold: 0,
      maxLength: 32,
      stride: 7,
      maxAnswerLength: 30,
      alignToWords: true,
    });
    expect(file.temperature).toBeGreaterThan(0.05);
    expect(file.temperature).not.toBe(1);
    expect(fileOf('whole', 'sliding_window.json')).toMatchObject({ format: 'pleiad-sliding-window' });
  });

  it('keeps what was fitted out of events and of trainer.json', () => {
    expect(of(whole, 'evaluation').every((event) => !('files' in event))).toBe(true);
    const trainer = JSON.parse(readFileSync(join(checkpointOf(at('whole'), 'latest'), 'trainer.json'), 'utf8'));
    expect(Object.keys(trainer.evaluation)).toEqual(['metrics', 'score', 'better']);
    expect(Object.keys(trainer.files)).toContain('model/question_answering.json');
  });

  it('gives a model that answers', async () => {
    const model = await fromPretrained(at('whole'), { engine: 'onnxruntime', threads: 1 });
    const ask = await createPipeline('question-answering', model);
    const context = 'the film is a moving story of two friends and their dog';
    const found = await ask({ question: 'a film', context });
    expect(found).toMatchObject({ answer: 'moving', start: 14, end: 20 });
    await ask.release();
  });

  it('gives the metrics of its training again when it is evaluated', async () => {
    const folder = join(checkpointOf(at('whole'), 'latest'), 'model');
    const again = await evaluateTask(taskNamed('qa'), folder, { data: at('dev.json'), engine: 'onnxruntime' });
    const { loss: _, ...metrics } = of(whole, 'evaluation').at(-1)!.metrics;
    expect(again).toMatchObject({ rows: 100, metrics });
  });

  it('that is interrupted and resumed ends with the same bits', async () => {
    const controller = new AbortController();
    for await (const event of finetune({ ...base, out: at('stopped') }, { signal: controller.signal })) {
      if (event.type === 'step' && event.step === 31) controller.abort();
    }
    const rest = await run({ from: undefined, out: at('stopped'), resume: true });
    expect(rest[0]).toMatchObject({ type: 'started', step: 31 });
    expect(doneOf(rest).weightsSha256).toBe(doneOf(whole).weightsSha256);
    expect(fileOf('stopped', 'question_answering.json')).toEqual(fileOf('whole', 'question_answering.json'));
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
    expect(of(ranks[0], 'evaluation').at(-1)!.metrics.f1).toBeGreaterThan(0.97);
  });

  it('learns that there may be no answer, and fits how sure it must be', async () => {
    writeFileSync(at('train2.json'), squadFile(tinyQuestions(500, 3, { impossible: 0.4 })));
    writeFileSync(at('dev2.json'), squadFile(tinyQuestions(100, 4, { impossible: 0.4 })));
    const events = await run({ train: at('train2.json'), dev: at('dev2.json'), out: at('squad2') });
    const { metrics } = of(events, 'evaluation').at(-1)!;
    expect(metrics.f1).toBeGreaterThan(0.95);
    expect(metrics.noAnswerF1).toBeGreaterThan(0.9);
    expect(metrics.hasAnswerF1).toBeGreaterThan(0.9);
    expect(metrics.answersNothingF1).toBeCloseTo(0.4, 1);
    const { nullThreshold } = fileOf('squad2', 'question_answering.json');
    expect(nullThreshold).not.toBe(0);
    // The fitted margin is the best threshold of the official script.
    const folder = join(checkpointOf(at('squad2'), 'latest'), 'model');
    const { scores } = await scoreModel(SQUAD_SCORER, folder, { data: at('dev2.json'), engine: 'onnxruntime' });
    expect(scores.f1).toBeCloseTo(100 * metrics.f1!, 9);
    expect(scores.HasAns_f1).toBeCloseTo(100 * metrics.hasAnswerF1!, 9);
    expect(scores).toMatchObject({ best_f1: scores.f1, best_f1_thresh: nullThreshold, total: 100 });
    const notice = of(events, 'warning').find(({ code }) => code === ('no-answer-share' as string));
    expect(notice?.message).toMatch(/^\d+ of 500 \(\d+\.\d %\) training questions have no answer/);
  });

  it('reads long contexts in windows, whose number makes an epoch, and says so', async () => {
    const questions = tinyQuestions(40, 5, { words: 60 });
    writeFileSync(at('long.json'), squadFile(questions));
    const events = await run({ train: at('long.json'), docStride: 8, steps: undefined, epochs: 1, out: at('long') });
    // Room for 32 − 3 − 2 = 27 pieces, 19 of them new: 60 to 62 words are 3 windows.
    expect(doneOf(events).steps).toBe(Math.ceil((40 * 3) / 16));
    const codes = of(events, 'warning').map(({ code }) => code as string);
    expect(codes).toContain('contexts-cut');
    expect(codes).not.toContain('no-answer-share');
  });

  it('says where the dev data cannot tell how sure of "no answer" the model must be', async () => {
    const codes = async (train: string, dev: string, out: string) => {
      const events = await run({ train: at(train), dev: at(dev), steps: 1, epochs: undefined, out: at(out) });
      return of(events, 'warning').map(({ code }) => code as string);
    };
    writeFileSync(at('none.json'), squadFile(tinyQuestions(20, 6, { impossible: 1 })));
    expect(await codes('train2.json', 'dev.json', 'one-kind')).toContain('dev-one-kind');
    expect(await codes('train2.json', 'none.json', 'other-kind')).toContain('dev-one-kind');
    expect(await codes('train.json', 'dev2.json', 'unseen')).toContain('no-answer-unseen');
  });

  it('starts from a model that was fine-tuned, with its head', async () => {
    const folder = join(checkpointOf(at('whole'), 'best'), 'model');
    const events = await run({ from: folder, epochs: 1, out: at('further') });
    expect(of(events, 'evaluation')[0].metrics.f1).toBeGreaterThan(0.97);
  });

  it('takes several files, and holds out questions by their context where there are no dev data', async () => {
    const events = await run({ train: [at('train.json'), at('dev.json')], dev: undefined, epochs: 1, out: at('both') });
    expect(doneOf(events).steps).toBe(Math.ceil(450 / 16)); // a tenth of 500 is held out
    expect(of(events, 'warning').map(({ code }) => code as string)).toContain('dev-held-out');
  });

  it('refuses settings of another task, and an overlap that leaves no step', async () => {
    await expect(run({ task: 'text-classification', docStride: 8, out: at('no') })).rejects.toThrow(
      'docStride is of question-answering, and task is text-classification; leave it out',
    );
    await expect(run({ docStride: 27, out: at('no') })).rejects.toThrow('docStride is 27; expected less than 27');
    await expect(run({ columns: { text: 'x' }, out: at('no') })).rejects.toThrow(
      'columns.text is not a setting of question-answering; question-answering has question, context, answer, answerStart, id',
    );
  });
});

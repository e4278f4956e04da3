/** Fine-tuning with ELECTRA's own head to a run folder, in this process: learned, saved, loaded, resumed, asked, shared by two ranks. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squadFile, tinyQuestions } from '../../../test/tinyQuestions.js';
import { writeTinyEncoder } from '../../../test/tinyReviews.js';
import { loadModelFolder } from '../../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../../checkpoint/runFile.node.js';
import { memoryCollectives } from '../../collective/memoryCollective.js';
import { createPipeline } from '../../pipelines/createPipeline.js';
import { exportModel } from '../../pretrained/exportModel.node.js';
import { fromPretrained } from '../../pretrained/pretrained.node.js';
import type { TrainingEvent } from '../../training/events.js';
import type { RunOptions } from '../../training/trainToFolder.node.js';
import { evaluateTask } from '../evaluateTask.node.js';
import { finetune } from '../finetune.node.js';
import type { FineTuningInput } from '../settings.js';
import { taskNamed } from '../tasks.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'finetune-joint-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const base: Partial<FineTuningInput> = {
  task: 'question-answering',
  qaHead: 'joint',
  from: at('encoder'),
  train: at('train.json'),
  dev: at('dev.json'),
  learningRate: 5e-3,
  layerRateDecay: 1,
  batchSize: 16,
  length: 32,
  epochs: 4,
  logEvery: 1,
  engine: 'onnxruntime',
  threads: 1,
};

async function run(change: Partial<FineTuningInput>, options: RunOptions = {}): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of finetune({ ...base, ...change }, options)) events.push(event);
  return events;
}
const of = <T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) =>
  events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
const doneOf = (events: TrainingEvent[]) => of(events, 'done')[0];
const folderOf = (out: string) => join(checkpointOf(at(out), 'latest'), 'model');
const jsonOf = (out: string, name: string) => JSON.parse(readFileSync(join(folderOf(out), name), 'utf8'));

let whole: TrainingEvent[];
beforeAll(async () => {
  writeFileSync(at('train.json'), squadFile(tinyQuestions(400, 1, { impossible: 0.3 })));
  writeFileSync(at('dev.json'), squadFile(tinyQuestions(100, 2, { impossible: 0.3 })));
  await writeTinyEncoder(at('encoder'));
  whole = await run({ out: at('whole') });
});

describe("fine-tuning with ELECTRA's own head", () => {
  it('learns where answers are, and that there is none', () => {
    const { metrics } = of(whole, 'evaluation').at(-1)!;
    expect(metrics.f1).toBeGreaterThan(0.97);
    expect(metrics.hasAnswerF1).toBeGreaterThan(0.97);
    expect(metrics.noAnswerF1).toBeGreaterThan(0.97);
    expect(metrics.loss).toBeLessThan(0.3);
    expect(of(whole, 'evaluation')[0].metrics.loss).toBeGreaterThan(2);
    expect(of(whole, 'step').at(-1)!.losses.noAnswerAccuracy).toBeGreaterThan(0.9);
  });

  it('writes a model folder whose config.json says which head it has', async () => {
    expect(jsonOf('whole', 'config.json')).toMatchObject({
      architectures: ['ElectraForQuestionAnswering'],
      pleiad: { questionAnsweringHead: 'joint' },
    });
    const { questionAnsweringHead, architecture } = loadModelFolder(folderOf('whole'));
    expect({ questionAnsweringHead, architecture }).toEqual({
      questionAnsweringHead: 'joint',
      architecture: 'ElectraForQuestionAnswering',
    });
    const model = await fromPretrained(at('whole'), { engine: 'onnxruntime', threads: 1 });
    const names = [...model.tensors.keys()].filter((name) => name.startsWith('qa_'));
    expect(names).toContain('qa_hidden.weight');
    expect(names).not.toContain('qa_outputs.weight');
    expect(model.report?.initialized).toEqual([]);
    await model.release();
  });

  it('gives the metrics of its training again when it is evaluated', async () => {
    const options = { data: at('dev.json'), engine: 'onnxruntime' } as const;
    const again = await evaluateTask(taskNamed('qa'), folderOf('whole'), options);
    const { loss: _, ...metrics } = of(whole, 'evaluation').at(-1)!.metrics;
    expect(again.rows).toBe(100);
    expect(Object.keys(metrics).length).toBeGreaterThan(4);
    // The margin for "no answer" is the very score of one question: in rows of another padding that may round to its other side.
    for (const [name, value] of Object.entries(metrics))
      expect(Math.abs(again.metrics[name]! - value!), name).toBeLessThan(0.02);
  });

  it('gives a model that answers, or says that there is no answer', async () => {
    const model = await fromPretrained(at('whole'), { engine: 'onnxruntime', threads: 1 });
    const ask = await createPipeline('question-answering', model);
    const context = 'the film is a moving story of two friends and their dog';
    const found = await ask({ question: 'a film', context });
    expect(found).toMatchObject({ answer: 'moving', start: 14, end: 20 });
    // The right one among many windows of a long text.
    const around = Array.from({ length: 60 }, () => 'the film is a story of two friends and their dog').join(' ');
    const long = await ask({ question: 'a film', context: `${around} moving ${around}` });
    expect(long).toMatchObject({ answer: 'moving', start: around.length + 1 });
    const options = { handleImpossibleAnswer: true, nullThreshold: 0 };
    const none = await ask({ question: 'a film', context: around }, options);
    expect(none).toMatchObject({ answer: '', start: 0, end: 0 });
    expect(none.nullScore).toBeGreaterThan(0.5);
    expect(none.score).toBe(none.nullScore);
    const answered = await ask({ question: 'a film', context }, options);
    expect(answered.nullScore! + answered.score).toBeLessThanOrEqual(1);
    await expect(ask({ question: 'a film', context }, { scoring: 'hf' })).rejects.toThrow(
      /has the joint one, which transformers does not know; leave it out/,
    );
    await ask.release();
  });

  it('that is interrupted and resumed ends with the same bits', async () => {
    const controller = new AbortController();
    for await (const event of finetune({ ...base, out: at('stopped') }, { signal: controller.signal })) {
      if (event.type === 'step' && event.step === 31) controller.abort();
    }
    const rest = await run({ from: undefined, out: at('stopped'), resume: true });
    expect(rest[0]).toMatchObject({ type: 'started', step: 31 });
    expect(doneOf(rest).weightsSha256).toBe(doneOf(whole).weightsSha256);
    const file = 'question_answering.json';
    expect(jsonOf('stopped', file)).toEqual(jsonOf('whole', file));
    await expect(run({ from: undefined, out: at('stopped'), resume: true, qaHead: 'standard' })).rejects.toThrow(
      /qaHead/,
    );
  });

  it('of two ranks learns from the same rows as one: losses and metrics agree to rounding', async () => {
    const change = { epochs: 1, hiddenDropout: 0, attentionDropout: 0 };
    const alone = await run({ ...change, out: at('alone') });
    const collectives = memoryCollectives(2);
    const [first] = await Promise.all(
      collectives.map((collective) => run({ ...change, out: at('ranks') }, { collective })),
    );
    const losses = (events: TrainingEvent[]) => of(events, 'step').map((event) => event.losses.loss!);
    for (const [i, loss] of losses(first).entries()) expect(loss).toBeCloseTo(losses(alone)[i], 3);
    const [ours, theirs] = [first, alone].map((events) => of(events, 'evaluation').at(-1)!.metrics);
    expect(ours.f1).toBeCloseTo(theirs.f1!, 1);
    expect(ours.loss).toBeCloseTo(theirs.loss!, 2);
  });

  it('begins from a model of the other head with a new one, and from its own with that', async () => {
    const short = { epochs: 0.1, evaluateEvery: 100 };
    const other = await run({ ...short, from: at('whole'), qaHead: undefined, out: at('standard') });
    expect(of(other, 'loaded')[0].lines.join('\n')).toMatch(/qa_outputs/);
    expect(jsonOf('standard', 'config.json').pleiad?.questionAnsweringHead).toBeUndefined();
    const own = await run({ ...short, from: at('whole'), out: at('further') });
    expect(of(own, 'evaluation')[0].metrics.f1).toBeGreaterThan(0.97);
    const back = await run({ ...short, from: at('standard'), out: at('back') });
    expect(of(back, 'evaluation')[0].metrics.f1).toBeLessThan(0.6);
  });

  it('exports to ONNX a model that finds the same answers', async () => {
    await exportModel(at('whole'), at('onnx'));
    const [weights, file] = await Promise.all(
      [at('whole'), at('onnx')].map((place) => fromPretrained(place, { engine: 'onnxruntime', threads: 1 })),
    );
    const [ours, theirs] = await Promise.all(
      [weights, file].map(async (model) => {
        const ask = await createPipeline('question-answering', model);
        const context = 'the film is a moving story of two friends and their dog';
        const found = await ask({ question: 'a film', context }, { topK: 3, handleImpossibleAnswer: true });
        await ask.release();
        return found;
      }),
    );
    expect(theirs.map(({ answer }) => answer)).toEqual(ours.map(({ answer }) => answer));
    for (const [i, { score }] of theirs.entries()) expect(score).toBeCloseTo(ours[i].score, 4);
    await expect(exportModel(at('whole'), at('quantized'), { quantize: true })).rejects.toThrow(
      /quantize is given, .* joint head/,
    );
  });
});

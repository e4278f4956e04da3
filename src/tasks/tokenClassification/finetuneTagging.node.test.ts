/** Fine-tuning a tagger to a run folder, in this process: resumed, by two ranks, by parts of speech, in bf16. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doneOf, fineTuningRuns, eventsOf as of, SMALL_RUN } from '../../../test/fineTuningRuns.js';
import { writeTinyEncoder } from '../../../test/tinyReviews.js';
import { conllText, type TinySentence, tinySentences, writeTinySentences } from '../../../test/tinyTagging.js';
import { loadModelFolder } from '../../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../../checkpoint/runFile.node.js';
import { memoryCollectives } from '../../collective/memoryCollective.js';
import type { TrainingEvent } from '../../training/events.js';
import { evaluateTask } from '../evaluateTask.node.js';
import { finetune } from '../finetune.node.js';
import type { FineTuningInput } from '../settings.js';
import { taskNamed } from '../tasks.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'tagging-'));
const at = (...names: string[]) => join(FOLDER, ...names);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const base: Partial<FineTuningInput> = {
  ...SMALL_RUN,
  task: 'ner',
  from: at('encoder'),
  train: at('train.conll'),
  dev: at('dev.conll'),
  length: 48,
  epochs: 2,
  logEvery: 1,
};
const run = fineTuningRuns(base);

const warningsOf = (events: TrainingEvent[]) =>
  Object.fromEntries(of(events, 'warning').map(({ code, message }) => [code as string, message]));
const lossesOf = (events: TrainingEvent[]) => of(events, 'step').map(({ losses: { loss } }) => loss!);

let whole: TrainingEvent[];
beforeAll(async () => {
  writeTinySentences(FOLDER);
  await writeTinyEncoder(at('encoder'));
  whole = await run({ out: at('whole') });
});

describe('fine-tuning for token classification', () => {
  it('learns, and says nothing that need not be said', () => {
    const losses = lossesOf(whole);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]);
    expect(doneOf(whole)).toMatchObject({ steps: 50, interrupted: false }); // 2 × 400 / 16
    expect(warningsOf(whole)).toEqual({});
  });

  it('writes a model folder that knows its labels and keeps the most frequent tags of words', () => {
    const folder = join(checkpointOf(at('whole'), 'best'), 'model');
    expect(loadModelFolder(folder)).toMatchObject({
      pleiad: { taggedUnits: 'words', wordRules: { shapes: [], words: [], apart: [] } },
      architecture: 'ElectraForTokenClassification',
      labels: ['O', 'B-PLACE', 'I-PLACE'],
    });
    expect(JSON.parse(readFileSync(join(folder, 'word_tags.json'), 'utf8'))).toMatchObject({
      tags: ['O', 'B-PLACE', 'I-PLACE'],
    });
  });

  it('gives the metrics of its training again when it is evaluated', async () => {
    const folder = join(checkpointOf(at('whole'), 'latest'), 'model');
    const again = await evaluateTask(taskNamed('ner'), folder, { data: at('dev.conll'), engine: 'onnxruntime' });
    const { loss, ...metrics } = of(whole, 'evaluation').at(-1)!.metrics;
    expect(again).toMatchObject({ task: 'token-classification', rows: 100, metrics });
    expect(again.metrics.loss).toBeCloseTo(loss!, 5);
  });

  it('that is interrupted and resumed ends with the same bits', async () => {
    const controller = new AbortController();
    for await (const event of finetune({ ...base, out: at('stopped') }, { signal: controller.signal })) {
      if (event.type === 'step' && event.step === 17) controller.abort();
    }
    const rest = await run({ from: undefined, out: at('stopped'), resume: true });
    expect(rest[0]).toMatchObject({ type: 'started', step: 17 });
    expect(doneOf(rest).weightsSha256).toBe(doneOf(whole).weightsSha256);
  });

  it('of two ranks learns from the same words as one, and measures the same', async () => {
    const ranks = await Promise.all(
      memoryCollectives(2).map((collective) => run({ out: at('ranks') }, { collective })),
    );
    const [first, second] = ranks.map(doneOf);
    expect(first.weightsSha256).toBe(second.weightsSha256);
    const alone = lossesOf(whole);
    for (const [step, loss] of lossesOf(ranks[0]).slice(0, 10).entries()) expect(loss).toBeCloseTo(alone[step], 4);
    const [before] = of(ranks[0], 'evaluation');
    const [ofOne] = of(whole, 'evaluation');
    expect(before.metrics.f1).toBe(ofOne.metrics.f1);
    expect(before.metrics.loss).toBeCloseTo(ofOne.metrics.loss!, 5);
  });

  it('judges tags that form no spans by accuracy, and refuses to judge them by F1', async () => {
    const plain = (sentences: TinySentence[]) =>
      conllText(sentences.map(({ words, tags }) => ({ words, tags: tags.map((tag) => (tag === 'O' ? 'X' : 'N')) })));
    writeFileSync(at('pos.conll'), plain(tinySentences(60, 4)));
    const events = await run({ train: at('pos.conll'), dev: undefined, out: at('pos'), epochs: 1 });
    const [{ metrics, score }] = of(events, 'evaluation');
    expect(score).toBe(metrics.accuracy);
    expect(metrics.f1).toBeUndefined();
    expect(warningsOf(events)['dev-held-out']).toContain('6 of the training sentences are held out');
    await expect(run({ train: at('pos.conll'), out: at('never'), metric: 'f1' })).rejects.toThrow(
      'metric is f1, which is of spans, and the tags have no B- and I-; expected accuracy',
    );
  });

  it('tells of tags that only the dev data have, of long sentences, and of a scheme that is not BIO', async () => {
    const dev = tinySentences(5, 6);
    dev[0].tags[0] = 'B-PLCE';
    writeFileSync(at('odd.conll'), conllText(dev));
    const io = tinySentences(40, 5).map(({ words, tags }) => ({
      words,
      tags: tags.map((tag) => tag.replace('B-', 'I-')),
    }));
    writeFileSync(at('io.conll'), conllText(io));
    const events = await run({
      train: at('io.conll'),
      dev: at('odd.conll'),
      out: at('odd'),
      steps: 1,
      epochs: undefined,
      length: 10,
    });
    const warnings = warningsOf(events);
    expect(warnings['tag-scheme']).toBe('The tags are IO: neighbouring spans of one type are one');
    expect(warnings['unknown-tags']).toMatch(
      /have tags that no training sentence has: B-PLCE, B-PLACE; the first is .*odd\.conll:1, word 1 \("\w+"\)$/,
    );
    expect(warnings['texts-cut']).toMatch(
      /^\d+ of 40 training sentences are longer than 10 tokens and lose their last words, \d+ in all$/,
    );
  });

  it('learns from files of characters, and evaluates them character by character', async () => {
    const characters = (sentences: TinySentence[]) =>
      conllText(
        sentences.map(({ words, tags }) => {
          const all = words.flatMap((word, i) => {
            const after = [...word].slice(1).map(() => tags[i].replace('B-', 'I-'));
            return [...word].map((own, at) => [own, [tags[i], ...after][at]]).concat([[' ', 'O']]);
          });
          return { words: all.map(([own]) => own), tags: all.map(([, own]) => own) };
        }),
      );
    writeFileSync(at('characters.tsv'), characters(tinySentences(60, 7)));
    const events = await run({ train: at('characters.tsv'), dev: undefined, out: at('characters'), epochs: 1 });
    const folder = join(checkpointOf(at('characters'), 'latest'), 'model');
    expect(loadModelFolder(folder)).toMatchObject({ pleiad: { taggedUnits: 'characters' } });
    expect(warningsOf(events)['texts-cut']).toBeUndefined();
    const again = await evaluateTask(taskNamed('ner'), folder, { data: at('characters.tsv'), engine: 'onnxruntime' });
    expect(again.metrics.words).toBeGreaterThan(60 * 20);
    expect(again.metrics.accuracy).toBeGreaterThan(0.5);
  });

  it('learns with oneDNN in bf16 as with ONNX Runtime in fp32, near enough', async () => {
    const events = await run({ out: at('bf16'), engine: 'onednn', precision: 'bf16' });
    const [last, other] = [lossesOf(events), lossesOf(whole)].map((losses) => losses.slice(0, 10));
    for (const [step, loss] of last.entries()) expect(Math.abs(loss - other[step])).toBeLessThan(0.05);
  });
});

/**
 * What an encoder has learned, judged by fine-tuning: published weights beside the same network from random weights, on the
 * same rows with the same settings, for several tasks, numbers of labels and seeds. Results go to one file, a run a line; a run
 * that stands there is not made again, and one that was interrupted goes on.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { familyOf } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { readRunFile } from '../src/checkpoint/runFile.node.js';
import { architectureFor, modelForUse } from '../src/models/heads.js';
import { initializeParameter } from '../src/nn/initialize.js';
import { type FineTuningRunFile, finetune, readTaskData } from '../src/tasks/finetune.node.js';
import { loadEncoder } from '../src/tasks/loadEncoder.node.js';
import { type FineTuningInput, resolveFineTuningSettings, usualEpochs } from '../src/tasks/settings.js';
import { taskNamed } from '../src/tasks/tasks.js';
import type { DoneEvent } from '../src/training/events.js';
import { writeNextSentenceTask } from './nextSentence.js';
import { say } from './report.js';
import { learningCurves, type TransferRun, type TransferRunKey, taskPicture, transferTable } from './transferTable.js';
import { NEXT_SENTENCE, TRANSFER_TASKS, type TransferTask } from './transferTasks.js';

export interface TransferOptions {
  /** The encoder: a model folder or a name on the hub. */
  readonly from: string;
  /** Folder of the data sets. */
  readonly data: string;
  /** Folder for runs and for what is made of the data; nothing in it is needed afterwards. */
  readonly out: string;
  /** File of results, JSON Lines. */
  readonly results: string;
  readonly tasks: readonly string[];
  /** Numbers of training rows; 0 for all. */
  readonly rows: readonly number[];
  readonly seeds: readonly number[];
  readonly starts: readonly TransferRunKey['start'][];
  readonly learningRates: readonly number[];
  readonly engine?: FineTuningInput['engine'];
  readonly precision?: FineTuningInput['precision'];
  readonly threads?: number;
  /** Tokens of the longest rows: for an encoder that has seen none longer. Default: as the task has them. */
  readonly longest?: number;
  /** What each layer's learning rate is of the one above, above 0, at most 1. Default: as `pleiad finetune` has it. */
  readonly layerRateDecay?: number;
  /** Folder to draw in. */
  readonly pictures?: string;
  readonly signal?: AbortSignal;
}

export interface TransferResult {
  readonly name: 'transfer';
  readonly runs: readonly TransferRun[];
  /** Runs that are still to do; not 0 only after an interruption. */
  readonly missing: number;
  readonly table: string;
}

/** A run is judged by what it ends with: a best checkpoint would be chosen on the very rows that judge. */
const AT_THE_END = 1e9;
const CHECKPOINT_EVERY = 200;

/** Makes every run that is not done yet. */
export async function runTransfer(options: TransferOptions): Promise<TransferResult> {
  const keys = runKeys(options);
  const runs = readRuns(options.results);
  const done = new Set(runs.map(nameOf));
  for (const key of keys) {
    if (options.signal?.aborted) break;
    if (done.has(nameOf(key))) continue;
    const run = await transferOnce(key, options);
    if (!run) continue;
    appendFileSync(options.results, `${JSON.stringify(run)}\n`);
    runs.push(run);
    done.add(nameOf(run));
  }
  const missing = keys.filter((key) => !done.has(nameOf(key))).length;
  const shown = runs.filter(({ from }) => from === basename(options.from));
  if (options.pictures !== undefined) {
    const pictured = (name: string) => join(options.pictures!, name);
    writeFileSync(pictured('transfer-tasks.svg'), taskPicture(shown, options.rows[0]));
    const curves = learningCurves(shown);
    if (curves !== undefined) writeFileSync(pictured('transfer-curves.svg'), curves);
  }
  return { name: 'transfer', runs: shown, missing, table: transferTable(shown) };
}

export function readRuns(path: string): TransferRun[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TransferRun);
}

/** Seed by seed, so that an early end leaves a whole comparison. */
function runKeys({ from: place, tasks, rows, seeds, starts, learningRates }: TransferOptions): TransferRunKey[] {
  const from = basename(place);
  return seeds.flatMap((seed) =>
    tasks.flatMap((task) =>
      rows.flatMap((count) =>
        learningRates.flatMap((learningRate) =>
          starts.map((start) => ({ from, task, rows: count, learningRate, start, seed })),
        ),
      ),
    ),
  );
}

function nameOf({ from, task, rows, learningRate, start, seed }: TransferRunKey): string {
  return `${from}-${task}-${rows === 0 ? 'all' : rows}-${start}-rate${learningRate}-seed${seed}`.replaceAll(' ', '-');
}

/** What one run needs of the options. */
export type TransferRunOptions = Pick<
  TransferOptions,
  'from' | 'data' | 'out' | 'signal' | 'engine' | 'precision' | 'threads' | 'longest' | 'layerRateDecay'
>;

/**
 * Fine-tunes an encoder, or the same network from random weights, and judges it.
 * @returns undefined when it was interrupted; it goes on when it is asked for again
 */
export async function transferOnce(key: TransferRunKey, options: TransferRunOptions): Promise<TransferRun | undefined> {
  const { data, out, signal, engine, precision, threads, layerRateDecay } = options;
  const task = TRANSFER_TASKS.find(({ name }) => name === key.task)!;
  const folder = join(out, 'runs', nameOf(key));
  mkdirSync(folder, { recursive: true });
  const files = task.name === NEXT_SENTENCE.name ? nextSentenceFiles(task, options) : filesOf(task, data, out);
  const input: Partial<FineTuningInput> = {
    ...task.settings,
    ...files,
    from: key.start === 'random' ? await randomEncoder(options, key.seed) : options.from,
    out: folder,
    ...(key.rows > 0 && { maxTrainRows: key.rows }),
    learningRate: key.learningRate,
    seed: key.seed,
    epochs: epochsOf(task, key.rows),
    ...lengthOf(task, options),
    ...(layerRateDecay !== undefined && { layerRateDecay }),
    evaluateEvery: AT_THE_END,
    checkpointEvery: CHECKPOINT_EVERY,
    keepCheckpoints: 1,
    resume: readRunFile<FineTuningRunFile>(folder) !== undefined,
    ...(engine && { engine }),
    ...(precision && { precision }),
    ...(threads !== undefined && { threads }),
  };
  const done = await train(input, signal);
  if (!done || done.interrupted) return undefined;
  const { elapsedMs, metrics = {} } = done;
  rmSync(folder, { recursive: true });
  const { numRows } = await readTaskData(resolveFineTuningSettings(input));
  const run = { ...key, trainRows: numRows, steps: done.steps, elapsedMs, metrics };
  say(`${nameOf(key)}: ${task.metric} ${metrics[task.metric]?.toFixed(4)}, ${(elapsedMs / 1000).toFixed(0)} s`);
  return run;
}

/** The task's epochs, but no fewer steps than its least: a few rows are learned from more often. */
function epochsOf({ leastSteps, settings }: TransferTask, rows: number): number | undefined {
  if (rows === 0) return undefined;
  const { task, batchSize } = resolveFineTuningSettings({ ...settings, from: '-', train: '-', out: '-' });
  return Math.max(usualEpochs(taskNamed(task)), (leastSteps * batchSize) / rows);
}

function lengthOf({ settings }: TransferTask, { longest }: TransferRunOptions): Pick<FineTuningInput, 'length'> {
  if (longest === undefined) return {};
  const { length } = resolveFineTuningSettings({ ...settings, from: '-', train: '-', out: '-' });
  return { length: Math.min(length, longest) };
}

async function train(input: Partial<FineTuningInput>, signal?: AbortSignal): Promise<DoneEvent | undefined> {
  let done: DoneEvent | undefined;
  for await (const event of finetune(input, { signal })) {
    if (event.type === 'done') done = event;
  }
  return done;
}

function filesOf({ train, dev, devLines, name }: TransferTask, data: string, out: string) {
  const paths = (names: readonly string[]) => names.map((file) => join(data, file));
  if (devLines === undefined) return { train: paths(train), dev: paths(dev) };
  const bytes = readFileSync(join(data, dev[0]));
  const text = (dev[0].endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const path = join(out, `${name}-dev.txt`);
  writeFileSync(path, `${text.split('\n').slice(0, devLines).join('\n')}\n`);
  return { train: paths(train), dev: [path] };
}

function nextSentenceFiles({ train, dev }: TransferTask, { data, out }: TransferRunOptions) {
  const folder = join(out, 'next-sentence');
  if (!existsSync(join(folder, dev[0]))) {
    writeNextSentenceTask(join(data, NEXT_SENTENCE.books), folder, { perBook: 100, devBooks: 6, seed: 1 });
  }
  return { train: train.map((file) => join(folder, file)), dev: dev.map((file) => join(folder, file)) };
}

/** A model folder with the sizes and the tokenizer of `from`, and weights as a new network starts with. */
async function randomEncoder({ from, out }: TransferRunOptions, seed: number): Promise<string> {
  const folder = join(out, `random-${basename(from)}-${seed}`);
  if (existsSync(join(folder, 'config.json'))) return folder;
  const start = await loadEncoder({ from, head: 'tokenClassification', labels: ['0', '1'] });
  const { description, tokenizer } = start.models[0];
  const family = familyOf(description.architecture);
  const architecture = architectureFor(family, 'encoder');
  const { config } = description;
  const { parameters } = modelForUse({ architecture, config });
  const { initializerRange } = config;
  const tensors = new Map(
    parameters.map((spec) => [
      spec.name,
      { shape: spec.shape, data: initializeParameter(spec, { seed, initializerRange }) },
    ]),
  );
  mkdirSync(folder, { recursive: true });
  await saveModelFolder(folder, { architecture, config, tensors, tokenizer });
  return folder;
}

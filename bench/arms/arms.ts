/**
 * Objectives at equal time: each arm is pre-trained for the same minutes by the short recipe, on the same text with the same
 * vocabulary, then judged by full fine-tuning (transfer.ts), beside the same network from random weights and what costs nothing. Every
 * training and every score is a line of a file; what stands there is not made again, and what was interrupted goes on.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointOf, hasCheckpoint } from '../../src/checkpoint/runFile.node.js';
import { openShards } from '../../src/data/shards.node.js';
import type { EngineName, PrecisionName } from '../../src/engine/engineNames.js';
import { pretrainToFolder } from '../../src/pretraining/loadStart.node.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../../src/pretraining/settings.js';
import type { DoneEvent } from '../../src/training/events.js';
import { prepareEnglishText } from '../englishText.js';
import { say } from '../report.js';
import { ResultLines } from '../resultLines.js';
import { writeStartingModels } from '../speedrun/startingModels.js';
import { transferOnce } from '../transfer.js';
import type { TransferRun } from '../transferTable.js';
import {
  ARM_LAYER_RATE_DECAY,
  ARM_LEARNING_RATE,
  ARM_LENGTH,
  ARM_ROWS,
  ARMS,
  type ArmName,
  type ArmTask,
} from './armSettings.js';
import { type ArmKey, type ArmLine, type ArmScore, type ArmTraining, armsPicture, armsTable } from './armsTable.js';

export interface ArmsOptions {
  /** Folder of the data sets. */
  readonly data: string;
  /** Corpus, shards and runs. */
  readonly out: string;
  /** Of pre-training, an arm. */
  readonly minutes: number;
  readonly arms: readonly ArmName[];
  /** Of pre-training. */
  readonly seeds: readonly number[];
  /** Of fine-tuning, each with every encoder. */
  readonly fineTuningSeeds: readonly number[];
  readonly tasks: readonly ArmTask[];
  readonly threads: number;
  readonly engine?: EngineName;
  readonly precision?: PrecisionName;
  /** File of results, JSON Lines. Default results.jsonl in `out`. */
  readonly results?: string;
  /** Folder to draw in. */
  readonly pictures?: string;
  readonly signal?: AbortSignal;
}

export interface ArmsResult {
  readonly name: 'arms';
  readonly lines: readonly ArmLine[];
  /** Trainings and scores that are still to be made; not 0 only after an interruption. */
  readonly missing: number;
  readonly table: string;
}

export async function runArms(options: ArmsOptions): Promise<ArmsResult> {
  const file = new LineFile(options.results ?? join(options.out, 'results.jsonl'));
  const keys = [...trainingKeys(options), ...scoreKeys(options)];
  if (keys.some((key) => !file.has(key))) await makeMissing(file, options);
  const lines = file.lines.filter((line) => keys.some((key) => nameOf(key) === nameOf(line)));
  if (options.pictures !== undefined) writeFileSync(join(options.pictures, 'arms.svg'), armsPicture(lines));
  return { name: 'arms', lines, missing: keys.length - lines.length, table: armsTable(lines) };
}

/** Each arm is judged as soon as it is trained, so that an early end leaves whole ones. */
async function makeMissing(file: LineFile, options: ArmsOptions): Promise<void> {
  const { shards } = prepareEnglishText(options);
  const scores = scoreKeys(options);
  const judgeAll = async (keys: readonly ScoreKey[], encoder: string) => {
    for (const key of keys) {
      if (!file.has(key) && !options.signal?.aborted) file.add(await judge(key, encoder, options));
    }
  };
  for (const training of trainingKeys(options)) {
    if (!file.has(training)) file.add(await trainArm(training, shards, options));
    if (options.signal?.aborted) return;
    const own = scores.filter(({ arm, seed }) => arm === training.arm && seed === training.seed);
    await judgeAll(own, encoderOf(training, options));
  }
  const untrained = scores.filter(({ arm }) => arm === 'none');
  if (untrained.length > 0) await judgeAll(untrained, await untrainedEncoder(shards, options));
}

// What there is to do, and what was done.

type TrainingKey = Pick<ArmTraining, 'kind' | keyof ArmKey>;
type ScoreKey = Pick<ArmScore, 'kind' | 'arm' | 'budget' | 'seed' | 'task' | 'fineTuningSeed'>;

export function trainingKeys({ arms, seeds, minutes }: Pick<ArmsOptions, 'arms' | 'seeds' | 'minutes'>): TrainingKey[] {
  return seeds.flatMap((seed) => arms.map((arm) => ({ kind: 'training', arm, budget: minutes, seed }) as const));
}

/** Random weights are judged once a seed of fine-tuning: they are drawn anew with it. */
export function scoreKeys({
  arms,
  seeds,
  minutes,
  tasks,
  fineTuningSeeds,
}: Pick<ArmsOptions, 'arms' | 'seeds' | 'minutes' | 'tasks' | 'fineTuningSeeds'>): ScoreKey[] {
  const encoders = [
    ...seeds.flatMap((seed) => arms.map((arm) => ({ arm, budget: minutes, seed }))),
    { arm: 'none', budget: 0, seed: 0 } as const,
  ];
  return encoders.flatMap((encoder) =>
    fineTuningSeeds.flatMap((fineTuningSeed) =>
      tasks.map((task) => ({ kind: 'score', ...encoder, task, fineTuningSeed }) as const),
    ),
  );
}

function nameOf(key: TrainingKey | ScoreKey): string {
  const { kind, arm, budget, seed } = key;
  const training = `${arm}-${budget}min-seed${seed}`;
  return key.kind === 'score' ? `${kind}-${training}-${key.task}-${key.fineTuningSeed}` : `${kind}-${training}`;
}

export class LineFile {
  readonly #file: ResultLines<ArmLine>;

  constructor(path: string) {
    this.#file = new ResultLines(path);
  }

  get lines(): readonly ArmLine[] {
    return this.#file.lines;
  }

  has(key: TrainingKey | ScoreKey): boolean {
    return this.lines.some((line) => nameOf(line) === nameOf(key));
  }

  /** Nothing where a run was interrupted. */
  add(line: ArmLine | undefined): void {
    if (line) this.#file.add(line);
  }
}

// Pre-training.

function folderOf({ arm, budget, seed }: ArmKey, { out }: ArmsOptions): string {
  return join(out, 'arms', `${arm}-${budget}min-seed${seed}`);
}

const runOf = (key: ArmKey, options: ArmsOptions) => join(folderOf(key, options), 'run');

/** @returns undefined when it was interrupted */
async function trainArm(key: TrainingKey, shards: string, options: ArmsOptions): Promise<ArmTraining | undefined> {
  const { settings, generatorShare = 0 } = ARMS[key.arm];
  const { budget } = key;
  const folder = folderOf(key, options);
  const common = commonInput(key, shards, options);
  let generator: { done: DoneEvent; from: string } | undefined;
  if (generatorShare > 0) {
    const out = join(folder, 'generator');
    const done = await train({ ...common, ...ARMS.mlm.settings, time: timeOf(generatorShare * budget), out }, options);
    if (!done) return undefined;
    generator = { done, from: checkpointOf(out, 'latest') };
  }
  const from = generator && { from: generator.from };
  const time = timeOf((1 - generatorShare) * budget);
  const done = await train({ ...common, ...settings, ...from, time, out: join(folder, 'run') }, options);
  if (!done) return undefined;
  const before = generator?.done;
  say(`${key.arm}, seed ${key.seed}: ${done.steps} steps, ${JSON.stringify(done.metrics)}`);
  return {
    ...key,
    minutes: (done.elapsedMs + (before?.elapsedMs ?? 0)) / 60_000,
    ...(before && { generatorMinutes: before.elapsedMs / 60_000 }),
    steps: done.steps + (before?.steps ?? 0),
    tokens: done.tokensSeen + (before?.tokensSeen ?? 0),
    metrics: done.metrics ?? {},
  };
}

function commonInput({ seed }: ArmKey, shards: string, { threads, engine, precision }: ArmsOptions) {
  return {
    data: shards,
    recipe: 'short',
    size: 'mini',
    seed,
    threads,
    ...(engine && { engine }),
    ...(precision && { precision }),
    resume: true,
    // The whole time is for training; one evaluation at the end says how far it came.
    evaluateEvery: 1e9,
    checkpointEvery: 100,
    keepCheckpoints: 1,
  } satisfies Partial<PretrainingInput>;
}

const timeOf = (minutes: number) => `${Math.max(1, Math.round(60 * minutes))}s`;

/** @returns undefined when it was interrupted */
async function train(
  input: Partial<PretrainingInput> & { readonly out: string },
  { signal }: ArmsOptions,
): Promise<DoneEvent | undefined> {
  if (signal?.aborted) return undefined;
  say(`${input.out}: ${hasCheckpoint(input.out) ? 'goes on' : 'begins'}`);
  let done: DoneEvent | undefined;
  for await (const event of pretrainToFolder(input, { signal })) {
    if (event.type === 'warning' && event.code !== 'nothing-to-resume') say(`${event.message}. ${event.advice}`);
    if (event.type === 'done') done = event;
  }
  return done?.interrupted ? undefined : done;
}

// Judging.

const ENCODERS = ['discriminator', 'model', 'generator'];

/** The main encoder of an arm that was trained: the discriminator where there is one. */
function encoderOf(key: ArmKey, options: ArmsOptions): string {
  const checkpoint = checkpointOf(runOf(key, options), 'latest');
  const name = ENCODERS.find((folder) => existsSync(join(checkpoint, folder, 'config.json')));
  return join(checkpoint, name!);
}

/** A model folder with the sizes and the vocabulary of the arms. */
async function untrainedEncoder(shardsFolder: string, options: ArmsOptions): Promise<string> {
  const out = join(options.out, 'untrained');
  const shards = await openShards(shardsFolder);
  try {
    const input = commonInput({ arm: 'electra', budget: 0, seed: 0 }, shardsFolder, options);
    const { discriminator } = await writeStartingModels(
      resolvePretrainingSettings({ ...input, resume: false, steps: 1, out }),
      shards,
      out,
    );
    return discriminator;
  } finally {
    shards.close();
  }
}

/** @returns undefined when it was interrupted */
async function judge(key: ScoreKey, from: string, options: ArmsOptions): Promise<ArmScore | undefined> {
  const { data, threads, engine, precision, signal } = options;
  const { arm, task, fineTuningSeed: seed } = key;
  const start = arm === 'none' ? 'random' : 'pretrained';
  const encoder = `${arm}-${key.budget}min-seed${key.seed}`;
  const run: TransferRun | undefined = await transferOnce(
    { from: encoder, task, rows: ARM_ROWS, learningRate: ARM_LEARNING_RATE, start, seed },
    {
      from,
      data,
      out: join(options.out, 'finetuning'),
      threads,
      engine,
      precision,
      signal,
      longest: ARM_LENGTH,
      layerRateDecay: ARM_LAYER_RATE_DECAY,
    },
  );
  if (!run) return undefined;
  const { steps, elapsedMs, metrics } = run;
  return { ...key, steps, elapsedMs, metrics };
}

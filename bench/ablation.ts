/**
 * The paper's central claim at our scale: encoders pre-trained by several objectives with the same compute, judged by a
 * linear probe (probe.ts). Compute is counted in floating-point operations of the training graphs (src/models/flops.ts):
 * an objective whose step is dearer gets fewer steps.
 *
 * Runs can be ended at any time: a finished (objective, rate, seed) is a file in results/ and is not repeated, and an
 * unfinished one goes on from its run folder.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '../src/checkpoint/durableFileNode.js';
import { loadModelFolder } from '../src/checkpoint/modelFolderNode.js';
import { openShards, type ShardFolder } from '../src/data/shardsNode.js';
import type { Engine } from '../src/engine/engine.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.js';
import { DataError, SettingsError } from '../src/errors.js';
import type { EncoderConfig } from '../src/models/config.js';
import { graphFlops } from '../src/models/flops.js';
import { loadTokenizer } from '../src/text/tokenizerNode.js';
import type { DoneEvent } from '../src/training/events.js';
import { initializeParameter } from '../src/training/initialize.js';
import { objectiveOf } from '../src/training/objectiveOf.js';
import { pretrainToFolder } from '../src/training/pretrainNode.js';
import { checkpointOf } from '../src/training/runFolderNode.js';
import { modelConfigs, type PretrainingInput, resolvePretrainingSettings } from '../src/training/settings.js';
import { type AblationObjective, DEFAULT_LEARNING_RATE } from './ablationSettings.js';
import {
  type AblationPlan,
  type AblationRun,
  ablationTable,
  type Baselines,
  describeScores,
  type RunKey,
} from './ablationTable.js';
import { readSentenceTasks, type SentenceTask } from './glueTasks.js';
import { type ProbeScores, probeBagOfPieces, probeEncoder, scoreMajority } from './probe.js';
import { median, say } from './report.js';
import { stepGraph, TrainingSteps } from './trainingStep.js';

export interface AblationOptions extends Omit<AblationPlan, 'flops'> {
  readonly out: string;
  /** Folder with SST-2/ and CoLA/. */
  readonly glue: string;
  readonly objectives: readonly AblationObjective[];
  readonly seeds: readonly number[];
  /** The budget of a run; or `minutes`, what an electra run computes in that time, `jobs` of them at once. */
  readonly flops?: number;
  readonly minutes?: number;
  readonly learningRates: ReadonlyMap<string, number>;
  /** Each objective at each of these rates with the first seed alone, to choose rates by held-out loss. */
  readonly sweep?: readonly number[];
  /** Runs at a time, and threads of each. */
  readonly jobs: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

export interface AblationResult {
  readonly name: 'ablation';
  readonly plan: AblationPlan;
  readonly runs: readonly AblationRun[];
  readonly baselines: Baselines;
  /** Runs that are still to do; not 0 only after an interruption. */
  readonly missing: number;
  readonly table: string;
}

/**
 * λ of each objective. Where the main encoder predicts words its loss is as large as the generator's, so both count
 * alike; the paper's 50 balances a binary loss (§3.1).
 */
const DISC_WEIGHTS: Readonly<Record<AblationObjective, number>> = {
  electra: 50,
  'electra-15': 50,
  'replace-mlm': 1,
  'all-tokens-mlm': 1,
  mlm: 1,
};

/** Runs everything that is not done yet and writes table.md. */
export async function runAblation(options: AblationOptions): Promise<AblationResult> {
  const shards = await openShards(options.data);
  try {
    const tasks = readSentenceTasks(options.glue);
    mkdirSync(join(options.out, 'results'), { recursive: true });
    const plan = await settlePlan(options, shards);
    const keys = runKeys(options);
    await inParallel(keys, options.jobs, options.signal, (key) => runOnce(key, plan, options, shards, tasks));
    const runs = keys.map((key) => readResult(options.out, key)).filter((run) => run !== undefined);
    const baselines = options.signal?.aborted ? [] : await readOrMeasureBaselines(options, plan, shards, tasks);
    const table = ablationTable(plan, runs, baselines);
    await writeFileDurably(join(options.out, 'table.md'), [table]);
    return { name: 'ablation', plan, runs, baselines, missing: keys.length - runs.length, table };
  } finally {
    shards.close();
  }
}

function runKeys({ objectives, seeds, sweep, learningRates }: AblationOptions): RunKey[] {
  if (sweep)
    return objectives.flatMap((objective) =>
      sweep.map((learningRate) => ({ objective, learningRate, seed: seeds[0] })),
    );
  const rate = (objective: string) => learningRates.get(objective) ?? DEFAULT_LEARNING_RATE;
  // Seed by seed, so that an early end leaves a whole comparison.
  return seeds.flatMap((seed) => objectives.map((objective) => ({ objective, learningRate: rate(objective), seed })));
}

function runName({ objective, learningRate, seed }: RunKey): string {
  return `${objective}-rate${learningRate}-seed${seed}`;
}

// The budget.

/** The plan of an earlier session, or a new one. @throws SettingsError when this session asks for another */
async function settlePlan(options: AblationOptions, shards: ShardFolder): Promise<AblationPlan> {
  const { data, size, length, batch, out } = options;
  const path = join(out, 'ablation.json');
  if (existsSync(path)) {
    const plan = JSON.parse(readFileSync(path, 'utf8')) as AblationPlan;
    const now = { size, length, batch, flops: options.flops ?? plan.flops };
    const changed = (Object.keys(now) as (keyof typeof now)[]).filter((key) => now[key] !== plan[key]);
    if (changed.length) {
      throw new SettingsError(
        changed.map((key) => `${key} is ${now[key]}, ${path} has ${plan[key]}; use another --out`),
      );
    }
    return plan;
  }
  const plan = { data, size, length, batch, flops: options.flops ?? (await measuredBudget(options, shards)) };
  await writeFileDurably(path, [`${JSON.stringify(plan, null, 2)}\n`]);
  return plan;
}

const TIMED_STEPS = 12;

/** What an electra run computes in its share of the minutes given, from the median of a few steps. */
async function measuredBudget(
  { size, length, batch, minutes, threads, jobs }: AblationOptions,
  shards: ShardFolder,
): Promise<number> {
  if (minutes === undefined)
    throw new SettingsError(['neither flops nor minutes is set; give one, for instance --minutes 2']);
  const engine = await createNodeEngine({ threads: threads * jobs });
  try {
    const steps = await TrainingSteps.create(engine, { size, objective: 'electra', batch, length }, shards);
    const { graph, sizes } = steps.graph();
    const ms: number[] = [];
    for (let i = 0; i < TIMED_STEPS; i++) ms.push((await steps.run()).totalMs);
    await steps.release();
    const numSteps = Math.max(1, Math.round((minutes * 60_000) / median(ms.slice(2))));
    return (numSteps * graphFlops(graph, sizes)) / jobs;
  } finally {
    await engine.close();
  }
}

// One run.

async function runOnce(
  key: RunKey,
  plan: AblationPlan,
  options: AblationOptions,
  shards: ShardFolder,
  tasks: readonly SentenceTask[],
): Promise<void> {
  if (readResult(options.out, key)) return;
  const folder = join(options.out, 'runs', runName(key));
  const { input, flopsPerStep } = settingsOf(key, plan, options, shards, folder);
  say(`${runName(key)}: ${input.steps} steps`);
  const done = await train(input, options.signal);
  if (!done || done.interrupted) return;
  const half = key.objective === 'mlm' ? 'generator' : 'discriminator';
  const engine = await createNodeEngine({ threads: options.threads });
  try {
    const scores = await probeFolder(engine, join(checkpointOf(folder, 'latest'), half), plan.length, tasks);
    const { steps, tokensSeen, elapsedMs, heldOut } = done;
    const run: AblationRun = { ...key, steps, flops: steps * flopsPerStep, tokensSeen, elapsedMs, heldOut, scores };
    await writeFileDurably(resultPath(options.out, key), [`${JSON.stringify(run, null, 2)}\n`]);
    say(`${runName(key)}: ${describeScores(scores)}`);
  } finally {
    await engine.close();
  }
}

function settingsOf(
  { objective, learningRate, seed }: RunKey,
  plan: AblationPlan,
  { threads }: AblationOptions,
  shards: ShardFolder,
  out: string,
): { input: Partial<PretrainingInput>; flopsPerStep: number } {
  const common: PretrainingInput = {
    data: plan.data,
    out,
    resume: true,
    seed,
    objective,
    size: plan.size,
    length: plan.length,
    batchSize: plan.batch,
    accumulation: 1,
    learningRate,
    discWeight: DISC_WEIGHTS[objective],
    threads,
    steps: 1,
  };
  const settings = resolvePretrainingSettings(common);
  const { graph, sizes } = stepGraph(objectiveOf(settings, shards), settings);
  const flopsPerStep = graphFlops(graph, sizes);
  const steps = Math.max(1, Math.round(plan.flops / flopsPerStep));
  const fifth = Math.max(1, Math.ceil(steps / 5));
  const input = {
    ...common,
    steps,
    evaluateEvery: fifth,
    evaluateBatches: 8,
    checkpointEvery: fifth,
    keepCheckpoints: 1,
    logEvery: 25,
  };
  return { input, flopsPerStep };
}

async function train(input: Partial<PretrainingInput>, signal?: AbortSignal): Promise<DoneEvent | undefined> {
  let done: DoneEvent | undefined;
  for await (const event of pretrainToFolder(input, { signal })) {
    if (event.type === 'warning' && event.code !== 'nothing-to-resume')
      say(`${input.out}: ${event.message}. ${event.advice}`);
    if (event.type === 'done') done = event;
  }
  return done;
}

async function probeFolder(
  engine: Engine,
  folder: string,
  maxLength: number,
  tasks: readonly SentenceTask[],
): Promise<ProbeScores> {
  const { config, tensors, tokenizer } = loadModelFolder(folder);
  if (!tokenizer) throw new DataError(`${folder} has no tokenizer`, { subject: folder });
  const weights = new Map([...tensors].map(([name, { data }]) => [name, data]));
  return probeEncoder(engine, { tokenizer, config, weights, maxLength }, tasks);
}

function resultPath(out: string, key: RunKey): string {
  return join(out, 'results', `${runName(key)}.json`);
}

function readResult(out: string, key: RunKey): AblationRun | undefined {
  const path = resultPath(out, key);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as AblationRun) : undefined;
}

/** Works on items in order, `jobs` at a time; starts none after the signal or a failure. */
async function inParallel<T>(
  items: readonly T[],
  jobs: number,
  signal: AbortSignal | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    while (waiting.length > 0 && !signal?.aborted) await work(waiting.shift()!);
  };
  const failed = (error: unknown) => {
    waiting.length = 0;
    throw error;
  };
  await Promise.all(Array.from({ length: jobs }, () => worker().catch(failed)));
}

// Baselines.

async function readOrMeasureBaselines(
  { out, seeds, threads }: AblationOptions,
  plan: AblationPlan,
  shards: ShardFolder,
  tasks: readonly SentenceTask[],
): Promise<Baselines> {
  const path = join(out, 'results', `baselines-${seeds.join('-')}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Baselines;
  const engine = await createNodeEngine({ threads });
  try {
    const tokenizer = loadTokenizer(shards.tokenizerFolder);
    const random: ProbeScores[] = [];
    for (const seed of seeds) {
      const { config, weights } = untrainedEncoder(plan, shards, seed);
      random.push(await probeEncoder(engine, { tokenizer, config, weights, maxLength: plan.length }, tasks));
    }
    const baselines = [
      { name: 'encoder with random weights', scores: random },
      { name: 'bag of word pieces', scores: [probeBagOfPieces(tokenizer, tasks)] },
      { name: 'most frequent class', scores: [scoreMajority(tasks)] },
    ];
    await writeFileDurably(path, [`${JSON.stringify(baselines, null, 2)}\n`]);
    return baselines;
  } finally {
    await engine.close();
  }
}

const MAIN_ENCODER = 'discriminator.';

/** What an `electra` run of this seed starts from, with the default `initialization`. */
function untrainedEncoder(
  { data, size, length }: AblationPlan,
  shards: ShardFolder,
  seed: number,
): { config: EncoderConfig; weights: Map<string, Float32Array> } {
  const settings = resolvePretrainingSettings({ data, out: '-', steps: 1, objective: 'electra', size, length, seed });
  const objective = objectiveOf(settings, shards);
  const { discriminator: config } = modelConfigs(settings, {
    vocabSize: shards.vocabSize,
    padTokenId: shards.specialIds.padId,
  });
  const weights = new Map<string, Float32Array>();
  for (const spec of objective.parameters.filter(({ name }) => name.startsWith(MAIN_ENCODER))) {
    const { initializerRange } = config;
    weights.set(spec.name.slice(MAIN_ENCODER.length), initializeParameter(spec, { seed, initializerRange }));
  }
  return { config, weights };
}

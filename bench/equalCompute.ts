/**
 * Runs of equal compute that are to be compared: a budget in floating-point operations (src/models/flops.ts), the steps
 * that each kind of run gets for it, and results that are files, so that a comparison can be ended at any time and gone on
 * with: a finished run is not repeated, and an unfinished one goes on from its run folder.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shards } from '../src/data/shards.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.node.js';
import { SettingsError } from '../src/errors/errors.js';
import { writeFileDurably } from '../src/files/durableFile.node.js';
import type { SizeName } from '../src/models/config.js';
import { graphFlops } from '../src/models/flops.js';
import { objectiveOf } from '../src/pretraining/objectiveOf.js';
import { pretrainToFolder } from '../src/pretraining/pretrain.node.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../src/pretraining/settings.js';
import type { DoneEvent } from '../src/training/events.js';
import { median, say } from './report.js';
import { type StepShape, stepGraph, TrainingSteps } from './trainingStep.js';

/** What the runs of one table have in common; kept in ablation.json. */
export interface ComputePlan {
  readonly data: string;
  readonly size: SizeName;
  readonly length: number;
  readonly batch: number;
  /** Of each run. */
  readonly flops: number;
}

export interface PlanOptions extends Omit<ComputePlan, 'flops'> {
  readonly out: string;
  /** The budget of a run; or `minutes`, what a run computes in that time, `jobs` of them at once. */
  readonly flops?: number;
  readonly minutes?: number;
  /** Runs at a time, and threads of each. */
  readonly jobs: number;
  readonly threads: number;
}

/**
 * The plan of an earlier session, or a new one.
 * @param timed  the kind of run whose speed turns minutes into a budget
 * @throws SettingsError when this session asks for another plan, or for none
 */
export async function settlePlan(
  options: PlanOptions,
  shards: Shards,
  timed: Pick<StepShape, 'objective' | 'settings'>,
): Promise<ComputePlan> {
  const { data, size, length, batch, out } = options;
  const path = join(out, 'ablation.json');
  if (existsSync(path)) {
    const plan = JSON.parse(readFileSync(path, 'utf8')) as ComputePlan;
    const now = { size, length, batch, flops: options.flops ?? plan.flops };
    const changed = (Object.keys(now) as (keyof typeof now)[]).filter((key) => now[key] !== plan[key]);
    if (changed.length) {
      throw new SettingsError(
        changed.map((key) => `${key} is ${now[key]}, ${path} has ${plan[key]}; use another --out`),
      );
    }
    return plan;
  }
  const flops = options.flops ?? (await measuredBudget(options, shards, { size, batch, length, ...timed }));
  const plan = { data, size, length, batch, flops };
  await writeFileDurably(path, [`${JSON.stringify(plan, null, 2)}\n`]);
  return plan;
}

const TIMED_STEPS = 12;

/** What a run computes in its share of the minutes given, from the median of a few steps. */
async function measuredBudget(
  { minutes, threads, jobs }: PlanOptions,
  shards: Shards,
  shape: StepShape,
): Promise<number> {
  if (minutes === undefined)
    throw new SettingsError(['neither flops nor minutes is set; give one, for instance --minutes 2']);
  const engine = await createNodeEngine({ threads: threads * jobs });
  try {
    const steps = await TrainingSteps.create(engine, shape, { shards });
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

/** What a run reached, and what it took. */
export interface RunCost {
  readonly steps: number;
  readonly flops: number;
  readonly tokensSeen: number;
  readonly elapsedMs: number;
}

/**
 * Trains for as many steps as the plan's budget allows a run of these settings.
 * @returns undefined when the run was interrupted; it goes on when it is asked for again
 */
export async function trainForBudget(
  own: Partial<PretrainingInput>,
  plan: ComputePlan,
  { shards, folder, threads, signal }: { shards: Shards; folder: string; threads: number; signal?: AbortSignal },
): Promise<{ cost: RunCost; done: DoneEvent } | undefined> {
  const common: PretrainingInput = {
    data: plan.data,
    out: folder,
    resume: true,
    // One thing is varied at a time: nothing that changes over a run.
    recipe: 'none',
    size: plan.size,
    length: plan.length,
    batchSize: plan.batch,
    accumulation: 1,
    threads,
    steps: 1,
    ...own,
  };
  const settings = resolvePretrainingSettings(common);
  const { graph, sizes } = stepGraph(objectiveOf(settings, shards), settings);
  const flopsPerStep = graphFlops(graph, sizes);
  const steps = Math.max(1, Math.round(plan.flops / flopsPerStep));
  const fifth = Math.max(1, Math.ceil(steps / 5));
  say(`${folder}: ${steps} steps`);
  const done = await train(
    {
      ...common,
      steps,
      evaluateEvery: fifth,
      evaluateBatches: 8,
      checkpointEvery: fifth,
      keepCheckpoints: 1,
      logEvery: 25,
    },
    signal,
  );
  if (!done || done.interrupted) return undefined;
  const { tokensSeen, elapsedMs } = done;
  return { cost: { steps: done.steps, flops: done.steps * flopsPerStep, tokensSeen, elapsedMs }, done };
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

/** Results as files of a folder, by the name of their run. */
export class ResultFiles<R> {
  readonly #folder: string;

  constructor(out: string) {
    this.#folder = join(out, 'results');
    mkdirSync(this.#folder, { recursive: true });
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  read(name: string): R | undefined {
    const path = this.#path(name);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as R) : undefined;
  }

  async write(name: string, result: R): Promise<void> {
    await writeFileDurably(this.#path(name), [`${JSON.stringify(result, null, 2)}\n`]);
  }
}

/** Works on items in order, `jobs` at a time; starts none after the signal or a failure. */
export async function inParallel<T>(
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

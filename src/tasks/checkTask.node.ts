/** A look at a fine-tuning run before it is made: data, model and cost, from ten steps. */
import { createEngine as chooseEngine } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import type { EngineWish } from '../engine/engineNames.js';
import type { FetchOptions } from '../pretrained/pretrained.node.js';
import { defined } from '../training/defined.js';
import type { TokenBatch } from '../training/objective.js';
import { train } from '../training/trainer.js';
import { knownOfRun, loadTaskModel, prepareOptions, readTaskData } from './finetune.node.js';
import { type DataInspection, inspectData } from './inspection.js';
import { type FineTuningInput, type FineTuningSettings, resolveFineTuningSettings } from './settings.js';
import type { PreparedTask, TaskNotice } from './task.js';

export interface CheckTaskOptions {
  readonly hub?: FetchOptions;
  /** By default what the settings choose. */
  readonly createEngine?: (wish: EngineWish) => Promise<Engine>;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** What a run will cost, by ten of its steps with random weights. */
export interface RunEstimate {
  readonly steps: number;
  readonly stepMs: number;
  readonly evaluations: number;
  /** Of the whole run, evaluations included. */
  readonly totalMs: number;
  /** The most memory that this process has had, which holds engine, weights and data as the run will. */
  readonly peakMemoryBytes: number;
}

export interface TaskCheck extends DataInspection {
  readonly settings: FineTuningSettings;
  readonly numParameters: number;
  readonly engine: string;
  /** What part of the tokens that are computed is padding, 0 to below 1, where the task says so. */
  readonly padding?: number;
  readonly notices: readonly TaskNotice[];
  readonly estimate: RunEstimate;
}

const MEASURED_STEPS = 10;
/** The first steps meet shapes that are new to the engine. */
const WARM_UP_STEPS = 3;
/** A forward pass is a third of a step. */
const EVALUATION_SHARE = 1 / 3;

/**
 * Reads the data and the model of a fine-tuning run and measures ten steps; writes nothing.
 * @throws what `finetune` throws before its first step
 */
export async function checkTask(
  given: Partial<FineTuningInput>,
  { hub, createEngine = chooseEngine, now = () => performance.now() }: CheckTaskOptions = {},
): Promise<TaskCheck> {
  const input = { ...defined(given), out: given.out ?? 'unwritten', resume: false };
  const read = resolveFineTuningSettings(input);
  const data = await readTaskData(read);
  const start = await loadTaskModel(read, data, hub);
  const { description: model, tokenizer: own } = start.models[0];
  const tokenizer = own!; // a model without one is refused
  const settings = resolveFineTuningSettings(input, knownOfRun(read, data, { model, tokenizer }));
  const options = prepareOptions(settings, { tokenizer, place: { rank: 0, size: 1 } });
  const prepared = data.prepare(options);
  const engine = await createEngine(settings);
  try {
    const estimate = await estimateRun(settings, prepared, { engine, now });
    return {
      settings,
      ...inspectData(data.examples, options),
      numParameters: prepared.objective.parameters.reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      ),
      engine: engine.description,
      padding: prepared.data.padding?.(),
      notices: prepared.notices,
      estimate,
    };
  } finally {
    await engine.close();
  }
}

async function estimateRun(
  settings: FineTuningSettings,
  { objective, data, evaluation }: Pick<PreparedTask<TokenBatch>, 'objective' | 'data' | 'evaluation'>,
  { engine, now }: { readonly engine: Engine; readonly now: () => number },
): Promise<RunEstimate> {
  const steps = settings.steps!;
  const short = { ...settings, steps: Math.min(steps, MEASURED_STEPS), logEvery: 1, checkpointEvery: MEASURED_STEPS };
  const { initializerRange } = settings.model!.config;
  const times: number[] = [];
  let last = now();
  for await (const event of train(short, { engine, objective, data, initialization: { initializerRange } })) {
    if (event.type === 'step') times.push(now() - last);
    last = now();
  }
  const measured = times.length > WARM_UP_STEPS ? times.slice(WARM_UP_STEPS) : times;
  const stepMs = measured.reduce((sum, ms) => sum + ms, 0) / measured.length;
  // One at the start, one at the end.
  const evaluations = 1 + Math.ceil(steps / settings.evaluateEvery!);
  return {
    steps,
    stepMs,
    evaluations,
    totalMs: stepMs * (steps + evaluations * evaluation.numBatches * EVALUATION_SHARE),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/**
 * The paper's central claim at our scale: encoders pre-trained by several objectives with the same compute, judged by a
 * linear probe (probe.ts). Compute is counted in floating-point operations of the training graphs (src/models/flops.ts):
 * an objective whose step is dearer gets fewer steps (equalCompute.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { checkpointOf } from '../src/checkpoint/runFile.node.js';
import { openShards, type ShardFolder } from '../src/data/shards.node.js';
import type { Engine } from '../src/engine/engine.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.node.js';
import { DataError } from '../src/errors/errors.js';
import { writeFileDurably } from '../src/files/durableFile.node.js';
import type { EncoderConfig } from '../src/models/config.js';
import { initializeParameter } from '../src/nn/initialize.js';
import { modelConfigs } from '../src/pretraining/modelConfigs.js';
import { objectiveOf } from '../src/pretraining/objectiveOf.js';
import { resolvePretrainingSettings } from '../src/pretraining/settings.js';
import { loadTokenizer } from '../src/text/tokenizer.node.js';
import { type AblationObjective, DEFAULT_LEARNING_RATE } from './ablationSettings.js';
import {
  type AblationPlan,
  type AblationRun,
  ablationTable,
  type Baselines,
  describeScores,
  type RunKey,
} from './ablationTable.js';
import { inParallel, type PlanOptions, ResultFiles, settlePlan, trainForBudget } from './equalCompute.js';
import { readSentenceTasks, type SentenceTask } from './glueTasks.js';
import { type ProbeScores, probeBagOfPieces, probeEncoder, scoreMajority } from './probe.js';
import { say } from './report.js';

export interface AblationOptions extends PlanOptions {
  /** Folder with SST-2/ and CoLA/. */
  readonly glue: string;
  readonly objectives: readonly AblationObjective[];
  readonly seeds: readonly number[];
  readonly learningRates: ReadonlyMap<string, number>;
  /** Each objective at each of these rates with the first seed alone, to choose rates by held-out loss. */
  readonly sweep?: readonly number[];
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
    const results = new ResultFiles<AblationRun>(options.out);
    const plan = await settlePlan(options, shards, { objective: 'electra' });
    const keys = runKeys(options);
    await inParallel(keys, options.jobs, options.signal, (key) =>
      runOnce(key, { plan, options, shards, tasks, results }),
    );
    const runs = keys.map((key) => results.read(runName(key))).filter((run) => run !== undefined);
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

interface RunContext {
  readonly plan: AblationPlan;
  readonly options: AblationOptions;
  readonly shards: ShardFolder;
  readonly tasks: readonly SentenceTask[];
  readonly results: ResultFiles<AblationRun>;
}

async function runOnce(key: RunKey, { plan, options, shards, tasks, results }: RunContext): Promise<void> {
  const name = runName(key);
  if (results.read(name)) return;
  const { objective, learningRate, seed } = key;
  const { threads, signal } = options;
  const folder = join(options.out, 'runs', name);
  const own = { objective, learningRate, seed, discWeight: DISC_WEIGHTS[objective] };
  const trained = await trainForBudget(own, plan, { shards, folder, threads, signal });
  if (!trained) return;
  const half = objective === 'mlm' ? 'generator' : 'discriminator';
  const engine = await createNodeEngine({ threads });
  try {
    const scores = await probeFolder(engine, join(checkpointOf(folder, 'latest'), half), plan.length, tasks);
    const { metrics: heldOut } = trained.done;
    await results.write(name, { ...key, ...trained.cost, heldOut, scores });
    say(`${name}: ${describeScores(scores)}`);
  } finally {
    await engine.close();
  }
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
  const settings = resolvePretrainingSettings({
    ...{ recipe: 'none', data, out: '-', steps: 1 },
    ...{ objective: 'electra', size, length, seed },
  });
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

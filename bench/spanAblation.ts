/**
 * SpanBERT's two ideas at our scale, apart and together (arXiv 1907.10529 §6): random, whole-word and span masking, each
 * with and without the span boundary objective, with the same compute, judged by held-out span infilling (spanInfilling.ts).
 * A step with the boundary head is dearer and so gets fewer steps. It can be ended at any time and gone on with
 * (equalCompute.ts).
 */
import { join } from 'node:path';
import { loadModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { checkpointOf } from '../src/checkpoint/runFile.node.js';
import { openShards, type ShardFolder } from '../src/data/shards.node.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.node.js';
import { DataError } from '../src/errors/errors.js';
import { writeFileDurably } from '../src/files/durableFile.node.js';
import { Model } from '../src/pretrained/model.js';
import type { PretrainingInput } from '../src/pretraining/settings.js';
import {
  type ComputePlan,
  inParallel,
  type PlanOptions,
  ResultFiles,
  settlePlan,
  trainForBudget,
} from './equalCompute.js';
import { say } from './report.js';
import {
  SPAN_ABLATION_MASKINGS,
  type SpanAblationMasking,
  type SpanRun,
  type SpanRunKey,
  spanAblationTable,
} from './spanAblationTable.js';
import { type HeldOutSpan, heldOutSpans, type LengthScores, scoreInfilling, scoreUnigram } from './spanInfilling.js';

export interface SpanAblationOptions extends PlanOptions {
  readonly maskings?: readonly SpanAblationMasking[];
  readonly seeds: readonly number[];
  readonly learningRate: number;
  /** Held-out spans of each number of words. */
  readonly spans: number;
  readonly signal?: AbortSignal;
}

export interface SpanAblationResult {
  readonly name: 'span-ablation';
  readonly plan: ComputePlan;
  readonly runs: readonly SpanRun[];
  readonly unigram: readonly LengthScores[];
  /** Runs that are still to do; not 0 only after an interruption. */
  readonly missing: number;
  readonly table: string;
}

/** Runs everything that is not done yet and writes table.md. */
export async function runSpanAblation(options: SpanAblationOptions): Promise<SpanAblationResult> {
  const shards = await openShards(options.data);
  try {
    const spans = heldOutSpans(shards, { length: options.length, count: options.spans });
    const results = new ResultFiles<SpanRun>(options.out);
    const plan = await settlePlan(options, shards, { objective: 'spanbert' });
    const keys = runKeys(options);
    await inParallel(keys, options.jobs, options.signal, (key) =>
      runOnce(key, { plan, options, shards, spans, results }),
    );
    const runs = keys.map((key) => results.read(runName(key))).filter((run) => run !== undefined);
    const unigram = scoreUnigram(spans, shards.unigramCounts('train'));
    const table = spanAblationTable(plan, runs, unigram);
    await writeFileDurably(join(options.out, 'table.md'), [table]);
    return { name: 'span-ablation', plan, runs, unigram, missing: keys.length - runs.length, table };
  } finally {
    shards.close();
  }
}

/** Seed by seed, so that an early end leaves a whole comparison. */
function runKeys({ maskings = SPAN_ABLATION_MASKINGS, seeds, learningRate }: SpanAblationOptions): SpanRunKey[] {
  return seeds.flatMap((seed) =>
    maskings.flatMap((masking) => [false, true].map((sbo) => ({ masking, sbo, learningRate, seed }))),
  );
}

function runName({ masking, sbo, learningRate, seed }: SpanRunKey): string {
  return `${masking}-${sbo ? 'sbo' : 'mlm'}-rate${learningRate}-seed${seed}`;
}

/** What differs between runs; all else, the budget of masked tokens and what replaces them included, is the same. */
function settingsOf({ masking, sbo, learningRate, seed }: SpanRunKey): Partial<PretrainingInput> {
  return {
    objective: 'spanbert',
    masking,
    maskBudget: 'spanbert',
    randomTokens: 'unigram',
    sbo,
    learningRate,
    seed,
  };
}

interface RunContext {
  readonly plan: ComputePlan;
  readonly options: SpanAblationOptions;
  readonly shards: ShardFolder;
  readonly spans: readonly HeldOutSpan[];
  readonly results: ResultFiles<SpanRun>;
}

async function runOnce(key: SpanRunKey, { plan, options, shards, spans, results }: RunContext): Promise<void> {
  const name = runName(key);
  if (results.read(name)) return;
  const { threads, signal } = options;
  const folder = join(options.out, 'runs', name);
  const trained = await trainForBudget(settingsOf(key), plan, { shards, folder, threads, signal });
  if (!trained) return;
  const infilling = await scoreFolder(join(checkpointOf(folder, 'latest'), 'model'), spans, threads);
  await results.write(name, { ...key, ...trained.cost, heldOut: trained.done.metrics, infilling });
  say(`${name}: ${describe(infilling)}`);
}

async function scoreFolder(folder: string, spans: readonly HeldOutSpan[], threads: number): Promise<LengthScores[]> {
  const { tensors, tokenizer, ...description } = loadModelFolder(folder);
  if (!tokenizer) throw new DataError(`${folder} has no tokenizer`, { subject: folder });
  const engine = await createNodeEngine({ threads });
  try {
    const model = new Model({ description, tensors, tokenizer, engine, source: folder });
    return await scoreInfilling(model, spans);
  } finally {
    await engine.close();
  }
}

function describe(scores: readonly LengthScores[]): string {
  const sum = (of: (one: LengthScores) => number | undefined) =>
    scores.reduce((total, one) => total + (of(one) ?? 0), 0);
  const pieces = sum((one) => one.pieces);
  const sbo = sum((one) => one.lossSum.sbo) / pieces;
  const mlm = (sum((one) => one.lossSum.mlm) / pieces).toFixed(3);
  return `${mlm} nats a piece by masked LM${sbo > 0 ? `, ${sbo.toFixed(3)} by boundaries` : ''}`;
}

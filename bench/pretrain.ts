/**
 * Speed of a pre-training step: real steps on random tokens through the engine, beside the engine's own matrix-product
 * ceiling on the shapes of this step, and beside PyTorch where it is asked for. All take turns in one run, so that what
 * else the machine does meets them alike; medians of the turns are reported.
 */
import type { Engine } from '../src/engine/engine.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.js';
import { flopsPerToken, graphFlops, type MatrixProduct, matrixProducts, productFlops } from '../src/models/flops.js';
import { createProductCeiling } from './productCeiling.js';
import { machineDescription, median, peakMemoryMiB, type Ratio, ratioOf, rounded, say } from './report.js';
import { type Precision, TorchPeer } from './torchPeer.js';
import { type StepShape, TrainingSteps } from './trainingStep.js';

export interface PretrainBenchOptions extends StepShape {
  readonly threads: number;
  /** Timed steps. */
  readonly steps: number;
  readonly against?: 'torch';
  readonly python?: string;
  /** Also measure the peer under torch.compile. */
  readonly compile?: boolean;
  readonly precision?: Precision;
}

export interface PretrainBenchResult extends StepShape {
  readonly name: 'pretrain';
  readonly machine: string;
  readonly engine: string;
  readonly threads: number;
  readonly steps: number;
  readonly parameters: number;
  readonly unit: 'tokens/s';
  readonly value: number;
  /** Medians. `dataMs` passes while the engine works and is part of no step. */
  readonly msPerStep: { total: number; engine: number; optimizer: number; data: number };
  /** (total − engine) / total: optimizer and bookkeeping. */
  readonly outsideEngineShare: number;
  readonly flopsPerToken: number;
  /** Of the whole step, and of the engine's forward and backward alone, in GFLOP/s. */
  readonly gflops: { step: number; engine: number };
  readonly ceilingGflops: number;
  /** gflops.engine / ceilingGflops */
  readonly ceilingRatio: number;
  /** Share of the engine's time by op kind, 0 to 1, the largest first. */
  readonly opShares: Record<string, number>;
  readonly against?: Ratio;
  /** Every opponent that was measured; `against` is the first of them. */
  readonly opponents?: readonly (Ratio & { msPerStep: number; peakMemoryMiB: number })[];
  readonly peakMemoryMiB: number;
}

const WARMUP_STEPS = 3;
const PROFILED_STEPS = 5;
/** Steps of one turn. */
const STEPS_A_TURN = 2;
/** Products that make up less than this share of the work are left out of the ceiling: they would only cost time. */
const LEAST_SHARE = 0.002;

interface Measurements {
  readonly totalMs: number[];
  readonly engineMs: number[];
  readonly optimizerMs: number[];
  readonly dataMs: number[];
  /** GFLOP/s of each turn. */
  readonly ceilings: number[];
  readonly peerMs: number[][];
}

/** @throws PleiadError when the peer is asked for and cannot run */
export async function benchPretrain(options: PretrainBenchOptions): Promise<PretrainBenchResult> {
  const peers = await startPeers(options);
  const engine = await createNodeEngine({ threads: options.threads });
  try {
    return await measure(engine, peers, options);
  } finally {
    for (const peer of peers) peer.stop();
    await engine.close();
  }
}

async function startPeers(options: PretrainBenchOptions): Promise<TorchPeer[]> {
  const { against, compile = false, precision = 'fp32' } = options;
  if (against === undefined) return [];
  const peers: TorchPeer[] = [];
  for (const compiled of compile ? [false, true] : [false]) {
    say(`starting torch, ${compiled ? 'compiled (this takes a while)' : 'eager'} …`);
    peers.push(await TorchPeer.start({ ...options, precision, compile: compiled }));
  }
  return peers;
}

async function measure(
  engine: Engine,
  peers: readonly TorchPeer[],
  options: PretrainBenchOptions,
): Promise<PretrainBenchResult> {
  const steps = await TrainingSteps.create(engine, options);
  const { graph, sizes } = steps.graph();
  for (let i = 0; i < WARMUP_STEPS; i++) await steps.run();
  // Before the ceiling is compiled and profiles are taken: training alone.
  const stepMemory = peakMemoryMiB();
  const products = worthwhile(matrixProducts(graph, sizes));
  const ceiling = await createProductCeiling(engine, products);
  const measured = await takeTurns(steps, ceiling.measure, peers, options.steps);
  await ceiling.release();
  const opMs = await steps.profile(PROFILED_STEPS);
  await steps.release();
  return summary(measured, {
    options,
    engine,
    parameters: steps.numParameters,
    flops: graphFlops(graph, sizes),
    flopsPerToken: flopsPerToken(graph, sizes),
    opShares: shares(opMs),
    opponents: peers.map((peer, i) => ({
      ...ratioOf(peer.name, measured.totalMs, measured.peerMs[i]),
      msPerStep: rounded(median(measured.peerMs[i])),
      peakMemoryMiB: peer.peakMemoryMiB,
    })),
    stepMemory,
  });
}

function worthwhile(products: readonly MatrixProduct[]): MatrixProduct[] {
  const total = products.reduce((sum, product) => sum + productFlops(product), 0);
  return products.filter((product) => productFlops(product) >= LEAST_SHARE * total);
}

async function takeTurns(
  steps: TrainingSteps,
  measureCeiling: () => Promise<number>,
  peers: readonly TorchPeer[],
  numSteps: number,
): Promise<Measurements> {
  const measured: Measurements = {
    totalMs: [],
    engineMs: [],
    optimizerMs: [],
    dataMs: [],
    ceilings: [],
    peerMs: peers.map(() => []),
  };
  while (measured.totalMs.length < numSteps) {
    for (let i = 0; i < STEPS_A_TURN; i++) {
      const { totalMs, engineMs, optimizerMs, dataMs } = await steps.run();
      measured.totalMs.push(totalMs);
      measured.engineMs.push(engineMs);
      measured.optimizerMs.push(optimizerMs);
      measured.dataMs.push(dataMs);
    }
    measured.ceilings.push(await measureCeiling());
    for (const [i, peer] of peers.entries()) measured.peerMs[i].push(...(await peer.run(STEPS_A_TURN)));
  }
  return measured;
}

/** The largest first; what is less than a thousandth goes together under "other". */
function shares(msByOp: Record<string, number>): Record<string, number> {
  const total = Object.values(msByOp).reduce((sum, ms) => sum + ms, 0);
  const named: Record<string, number> = {};
  let other = 0;
  for (const [op, ms] of Object.entries(msByOp).sort(([, a], [, b]) => b - a)) {
    if (ms / total >= 0.001) named[op] = rounded(ms / total);
    else other += ms / total;
  }
  return { ...named, other: rounded(other) };
}

function summary(
  { totalMs, engineMs, optimizerMs, dataMs, ceilings }: Measurements,
  known: {
    options: PretrainBenchOptions;
    engine: Engine;
    parameters: number;
    flops: number;
    flopsPerToken: number;
    opShares: Record<string, number>;
    opponents: NonNullable<PretrainBenchResult['opponents']>;
    stepMemory: number;
  },
): PretrainBenchResult {
  const { size, objective, batch, length, threads } = known.options;
  const total = median(totalMs);
  const engine = median(engineMs);
  const gflops = { step: known.flops / total / 1e6, engine: known.flops / engine / 1e6 };
  const ceiling = median(ceilings);
  return {
    name: 'pretrain',
    machine: machineDescription(),
    engine: known.engine.description,
    threads,
    size,
    objective,
    batch,
    length,
    steps: totalMs.length,
    parameters: known.parameters,
    unit: 'tokens/s',
    value: rounded((1000 * batch * length) / total),
    msPerStep: {
      total: rounded(total),
      engine: rounded(engine),
      optimizer: rounded(median(optimizerMs)),
      data: rounded(median(dataMs)),
    },
    outsideEngineShare: rounded((total - engine) / total),
    flopsPerToken: Math.round(known.flopsPerToken),
    gflops: { step: rounded(gflops.step), engine: rounded(gflops.engine) },
    ceilingGflops: rounded(ceiling),
    ceilingRatio: rounded(gflops.engine / ceiling),
    opShares: known.opShares,
    ...(known.opponents.length > 0 && { against: ratioPart(known.opponents[0]), opponents: known.opponents }),
    peakMemoryMiB: known.stepMemory,
  };
}

function ratioPart({ name, ratio, ratioMin, ratioMax, runs }: Ratio): Ratio {
  return { name, ratio, ratioMin, ratioMax, runs };
}

/** The result as lines for people. */
export function describePretrain(result: PretrainBenchResult): string[] {
  const { msPerStep: ms, gflops, opShares, opponents = [] } = result;
  const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
  const ops = Object.entries(opShares)
    .slice(0, 8)
    .map(([op, share]) => `${op} ${percent(share)}`);
  return [
    `${result.objective} ${result.size}, batch ${result.batch}×${result.length}, ${(result.parameters / 1e6).toFixed(1)} M parameters; ${result.engine}`,
    `${result.value} tokens/s: ${ms.total} ms a step = engine ${ms.engine} + optimizer ${ms.optimizer} (data ${ms.data}, made meanwhile); outside the engine ${percent(result.outsideEngineShare)}`,
    `${(result.flopsPerToken / 1e6).toFixed(1)} MFLOP a token; ${gflops.step} GFLOP/s over the step, ${gflops.engine} in the engine`,
    `the engine's own matrix products on these shapes: ${result.ceilingGflops} GFLOP/s; the step reaches ${percent(result.ceilingRatio)} of that`,
    `time by op: ${ops.join(', ')}`,
    `peak memory ${result.peakMemoryMiB} MiB`,
    ...opponents.map(
      (o) =>
        `${o.ratio}× ${o.name} (${o.ratioMin} to ${o.ratioMax}, ${o.runs} steps; ${o.msPerStep} ms a step, ${o.peakMemoryMiB} MiB)`,
    ),
  ];
}

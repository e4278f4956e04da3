/**
 * Speed of a pre-training step: real steps on random tokens through the engine, beside the engine's own matrix-product
 * ceiling on the shapes of this step, and beside PyTorch or other engines where they are asked for. All take turns in one run, so that what
 * else the machine does meets them alike; medians of the turns are reported.
 */

import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { Engine } from '../src/engine/engine.js';
import type { EngineName, PrecisionName } from '../src/engine/engineNames.js';
import { SettingsError } from '../src/errors/errors.js';
import { flopsPerToken, graphFlops, type MatrixProduct, matrixProducts, productFlops } from '../src/models/flops.js';
import { CpuMeter } from './cpuMeter.js';
import { type Peer, type PeerWish, startPeers, WARMUP_STEPS } from './pretrainPeers.js';
import { createProductCeiling } from './productCeiling.js';
import { machineDescription, median, peakMemoryMiB, type Ratio, ratioOf, rounded, say } from './report.js';
import { type StepShape, TrainingSteps, VOCAB_SIZE } from './trainingStep.js';

export interface PretrainBenchOptions extends StepShape {
  readonly threads: number;
  /** Turns, in which we, the ceiling and each peer are measured one after the other. */
  readonly turns: number;
  /** Timed steps of each side in a turn. */
  readonly steps: number;
  /** What computes our steps. */
  readonly engine?: EngineName;
  readonly precision?: PrecisionName;
  readonly against?: readonly PeerWish[];
  readonly python?: string;
  /** Also measure torch under torch.compile. */
  readonly compile?: boolean;
}

export interface PretrainBenchResult extends StepShape {
  readonly name: 'pretrain';
  readonly machine: string;
  readonly engine: string;
  readonly threads: number;
  readonly turns: number;
  /** Timed steps in all. */
  readonly steps: number;
  readonly parameters: number;
  readonly unit: 'tokens/s';
  readonly value: number;
  /** Medians. `data` passes while the engine works and is part of no step; `bookkeeping` is what the others leave. */
  readonly msPerStep: { total: number; engine: number; optimizer: number; data: number; bookkeeping: number };
  /**
   * (total − engine + data) / total, median: optimizer, bookkeeping and data. Data counts in full although it is made
   * meanwhile, since it takes a core from the engine.
   */
  readonly outsideEngineShare: number;
  readonly flopsPerToken: number;
  /** Of the whole step, and of the engine's forward and backward call alone, in GFLOP/s. */
  readonly gflops: { step: number; engine: number };
  readonly ceilingGflops: number;
  /** The engine call's GFLOP/s over the ceiling's, of each turn: median, smallest and largest. */
  readonly ceilingRatio: number;
  readonly ceilingRatioMin: number;
  readonly ceilingRatioMax: number;
  /** Share of the engine's time by op kind, 0 to 1, the largest first. */
  readonly opShares: Record<string, number>;
  readonly against?: Ratio;
  /** Every opponent that was measured; `against` is the first of them. */
  readonly opponents?: readonly Opponent[];
  /**
   * Of spanbert: this step's time over that of the same step without the span boundary head; and the same of processor
   * time, which other work on the machine disturbs less.
   */
  readonly sboCost?: Ratio & { readonly msPerStepWithout: number; readonly processor: Ratio };
  /** Largest resident size while only training was loaded. */
  readonly peakMemoryMiB: number;
}

export interface Opponent extends Ratio {
  readonly msPerStep: number;
  /** Undefined for another engine, which shares our process. */
  readonly peakMemoryMiB?: number;
  /**
   * Cores that a side kept busy while the other was measured (Linux only): near 0, or the waiting side disturbed the
   * other's measurement.
   */
  readonly coresWhileWaiting?: { readonly ours: number; readonly theirs: number };
}

const PROFILED_STEPS = 5;
/** Products that make up less than this share of the work are left out of the ceiling: they would only cost time. */
const LEAST_SHARE = 0.002;

type TimedStep = Awaited<ReturnType<TrainingSteps['run']>>;

/** What was measured one after the other. */
interface Turn {
  readonly steps: readonly TimedStep[];
  /** GFLOP/s. */
  readonly ceiling: number;
  readonly peers: readonly PeerTurn[];
  /** Of spanbert, without its span boundary head. */
  readonly without: readonly TimedStep[];
}

/** @throws PleiadError when a peer is asked for and cannot run */
export async function benchPretrain(options: PretrainBenchOptions): Promise<PretrainBenchResult> {
  const { engine: name, precision, threads, against = [], objective, vocabulary = VOCAB_SIZE } = options;
  if (against.some(({ system }) => system === 'torch')) {
    const problem = '--against torch is given and';
    if (objective === 'spanbert')
      throw new SettingsError([`${problem} the objective is spanbert; that peer has no such step`]);
    if (vocabulary !== VOCAB_SIZE)
      throw new SettingsError([`${problem} --vocabulary is ${vocabulary}; that peer has one of ${VOCAB_SIZE}`]);
  }
  const engine = await createEngine({ engine: name, precision, threads });
  try {
    return await measure(engine, options);
  } finally {
    await engine.close();
  }
}

async function measure(engine: Engine, options: PretrainBenchOptions): Promise<PretrainBenchResult> {
  const steps = await TrainingSteps.create(engine, options);
  const { graph, sizes } = steps.graph();
  for (let i = 0; i < WARMUP_STEPS; i++) await steps.run();
  // Before the ceiling is compiled and profiles are taken: training alone.
  const stepMemory = peakMemoryMiB();
  const products = worthwhile(matrixProducts(graph, sizes));
  const ceiling = await createProductCeiling(engine, products);
  const peers = await startPeers(options.against ?? [], options);
  const without = options.objective === 'spanbert' ? await stepsWithoutSbo(engine, options) : undefined;
  const turns: Turn[] = [];
  try {
    for (let turn = 0; turn < options.turns; turn++) {
      turns.push(await takeTurn(steps, { measureCeiling: ceiling.measure, peers, without }, options.steps));
      say(`turn ${turn + 1} of ${options.turns}: ${describeTurn(turns[turn], peers)}`);
    }
  } finally {
    for (const peer of peers) await peer.stop();
  }
  await ceiling.release();
  await without?.release();
  const opMs = await steps.profile(PROFILED_STEPS);
  await steps.release();
  return summary(turns, {
    options,
    engine,
    parameters: steps.numParameters,
    flops: graphFlops(graph, sizes),
    flopsPerToken: flopsPerToken(graph, sizes),
    opShares: shares(opMs),
    opponents: peers.map((peer, i) => opponentOf(peer, i, turns)),
    stepMemory,
  });
}

async function stepsWithoutSbo(engine: Engine, shape: StepShape): Promise<TrainingSteps> {
  const steps = await TrainingSteps.create(engine, { ...shape, settings: { sbo: false } });
  for (let i = 0; i < WARMUP_STEPS; i++) await steps.run();
  return steps;
}

function worthwhile(products: readonly MatrixProduct[]): MatrixProduct[] {
  const total = products.reduce((sum, product) => sum + productFlops(product), 0);
  return products.filter((product) => productFlops(product) >= LEAST_SHARE * total);
}

interface Beside {
  readonly measureCeiling: () => Promise<number>;
  readonly peers: readonly Peer[];
  readonly without?: TrainingSteps;
}

async function takeTurn(
  steps: TrainingSteps,
  { measureCeiling, peers, without }: Beside,
  numSteps: number,
): Promise<Turn> {
  const meters = peers.map(({ pid }) => (pid === undefined ? undefined : new CpuMeter(pid)));
  const timed = await timeSteps(steps, numSteps);
  const theirCores = meters.map((meter) => meter?.coresBusy());
  const timedWithout = without ? await timeSteps(without, numSteps) : [];
  const ceiling = await measureCeiling();
  const measured: PeerTurn[] = [];
  for (const [i, peer] of peers.entries()) measured.push(await takePeerTurn(peer, numSteps, theirCores[i]));
  return { steps: timed, ceiling, peers: measured, without: timedWithout };
}

async function timeSteps(steps: TrainingSteps, numSteps: number): Promise<TimedStep[]> {
  const timed: TimedStep[] = [];
  for (let i = 0; i < numSteps; i++) timed.push(await steps.run());
  return timed;
}

interface PeerTurn {
  readonly ms: readonly number[];
  readonly ourCores?: number;
  readonly theirCores?: number;
}

async function takePeerTurn(peer: Peer, numSteps: number, theirCores?: number): Promise<PeerTurn> {
  const meter = new CpuMeter(process.pid);
  const ms = await peer.run(numSteps);
  // A peer in our own process is no other side that could wait.
  return peer.pid === undefined ? { ms } : { ms, ourCores: meter.coresBusy(), theirCores };
}

function totalOf({ steps }: Turn): number {
  return median(steps.map(({ totalMs }) => totalMs));
}

/** Turns with the head over turns without it. */
function sboCostOf(turns: readonly Turn[]): PretrainBenchResult['sboCost'] {
  const name = 'the step without sbo';
  const medians = (of: 'steps' | 'without', ms: 'totalMs' | 'processorMs') =>
    turns.map((turn) => median(turn[of].map((step) => step[ms])));
  const without = medians('without', 'totalMs');
  return {
    ...ratioOf(name, without, medians('steps', 'totalMs')),
    msPerStepWithout: rounded(median(without)),
    processor: ratioOf(name, medians('without', 'processorMs'), medians('steps', 'processorMs')),
  };
}

function describeTurn(turn: Turn, peers: readonly Peer[]): string {
  const theirs = turn.peers.map(({ ms }, i) => `${peers[i].name} ${rounded(median(ms))} ms`);
  return [`${rounded(totalOf(turn))} ms a step`, `ceiling ${rounded(turn.ceiling)} GFLOP/s`, ...theirs].join(', ');
}

/** A turn is a run: its median step against theirs, which met the same disturbances. */
function opponentOf(peer: Peer, index: number, turns: readonly Turn[]): Opponent {
  const theirs = turns.map(({ peers }) => peers[index]);
  const ours = theirs.map(({ ourCores }) => ourCores).filter((cores) => cores !== undefined);
  const waiting = theirs.map(({ theirCores }) => theirCores).filter((cores) => cores !== undefined);
  return {
    ...ratioOf(
      peer.name,
      turns.map(totalOf),
      theirs.map(({ ms }) => median(ms)),
    ),
    msPerStep: rounded(median(theirs.flatMap(({ ms }) => ms))),
    ...(peer.peakMemoryMiB !== undefined && { peakMemoryMiB: peer.peakMemoryMiB }),
    ...(ours.length > 0 && { coresWhileWaiting: { ours: rounded(median(ours)), theirs: rounded(median(waiting)) } }),
  };
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
  turns: readonly Turn[],
  known: {
    options: PretrainBenchOptions;
    engine: Engine;
    parameters: number;
    flops: number;
    flopsPerToken: number;
    opShares: Record<string, number>;
    opponents: readonly Opponent[];
    stepMemory: number;
  },
): PretrainBenchResult {
  const { size, objective, batch, length, vocabulary = VOCAB_SIZE, threads } = known.options;
  const steps = turns.flatMap((turn) => turn.steps);
  const medianOf = (value: (step: TimedStep) => number, of = steps) => median(of.map(value));
  const total = medianOf(({ totalMs }) => totalMs);
  const engineMs = ({ engineMs: ms }: TimedStep) => ms;
  const gflops = (ms: number) => known.flops / ms / 1e6;
  const ceilingRatios = turns.map((turn) => gflops(medianOf(engineMs, [...turn.steps])) / turn.ceiling);
  return {
    name: 'pretrain',
    machine: machineDescription(),
    engine: known.engine.description,
    threads,
    size,
    objective,
    batch,
    length,
    vocabulary,
    turns: turns.length,
    steps: steps.length,
    parameters: known.parameters,
    unit: 'tokens/s',
    value: rounded((1000 * batch * length) / total),
    msPerStep: {
      total: rounded(total),
      engine: rounded(medianOf(engineMs)),
      optimizer: rounded(medianOf(({ optimizerMs }) => optimizerMs)),
      data: rounded(medianOf(({ dataMs }) => dataMs)),
      bookkeeping: rounded(medianOf((step) => step.totalMs - step.engineMs - step.optimizerMs)),
    },
    outsideEngineShare: rounded(medianOf((step) => (step.totalMs - step.engineMs + step.dataMs) / step.totalMs)),
    flopsPerToken: Math.round(known.flopsPerToken),
    gflops: { step: rounded(gflops(total)), engine: rounded(gflops(medianOf(engineMs))) },
    ceilingGflops: rounded(median(turns.map(({ ceiling }) => ceiling))),
    ceilingRatio: rounded(median(ceilingRatios)),
    ceilingRatioMin: rounded(Math.min(...ceilingRatios)),
    ceilingRatioMax: rounded(Math.max(...ceilingRatios)),
    opShares: known.opShares,
    ...(known.opponents.length > 0 && { against: ratioPart(known.opponents[0]), opponents: known.opponents }),
    ...(turns[0].without.length > 0 && { sboCost: sboCostOf(turns) }),
    peakMemoryMiB: known.stepMemory,
  };
}

function ratioPart({ name, ratio, ratioMin, ratioMax, runs }: Ratio): Ratio {
  return { name, ratio, ratioMin, ratioMax, runs };
}

/** The result as lines for people. */
export function describePretrain(result: PretrainBenchResult): string[] {
  const { msPerStep: ms, gflops, opShares, opponents = [], sboCost: cost } = result;
  const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
  const ops = Object.entries(opShares)
    .slice(0, 8)
    .map(([op, share]) => `${op} ${percent(share)}`);
  return [
    `${result.objective} ${result.size}, batch ${result.batch}×${result.length}, vocabulary of ${result.vocabulary}, ${(result.parameters / 1e6).toFixed(1)} M parameters; ${result.engine}`,
    `${result.value} tokens/s: ${ms.total} ms a step = engine ${ms.engine} + optimizer ${ms.optimizer} + bookkeeping ${ms.bookkeeping} (data ${ms.data}, made meanwhile)`,
    `optimizer, data and bookkeeping: ${percent(result.outsideEngineShare)} of a step`,
    `${(result.flopsPerToken / 1e6).toFixed(1)} MFLOP a token; ${gflops.step} GFLOP/s over the step, ${gflops.engine} in the engine`,
    `the engine's own matrix products on these shapes: ${result.ceilingGflops} GFLOP/s; the engine's part of a step reaches ${percent(result.ceilingRatio)} of that (${percent(result.ceilingRatioMin)} to ${percent(result.ceilingRatioMax)})`,
    `time by op: ${ops.join(', ')}`,
    `peak memory ${result.peakMemoryMiB} MiB`,
    ...(cost
      ? [
          `${cost.ratio}× the step without the span boundary head (${cost.ratioMin} to ${cost.ratioMax}, ${cost.runs} turns; ${cost.msPerStepWithout} ms without)`,
          `${cost.processor.ratio}× its processor time (${cost.processor.ratioMin} to ${cost.processor.ratioMax})`,
        ]
      : []),
    ...opponents.map(
      (o) =>
        `${o.ratio}× ${o.name} (${o.ratioMin} to ${o.ratioMax}, ${o.runs} turns; ${o.msPerStep} ms a step${memoryOf(o)}${waiting(o)})`,
    ),
  ];
}

function memoryOf({ peakMemoryMiB: memory }: Opponent): string {
  return memory === undefined ? '' : `, ${memory} MiB`;
}

function waiting({ coresWhileWaiting: cores }: Opponent): string {
  return cores ? `; cores busy while waiting: ours ${cores.ours}, theirs ${cores.theirs}` : '';
}

/**
 * Two ranks of one thread each against one rank of two threads, at the same global batch, alternated; and the cost model
 * (costModel.ts), fitted to what one rank takes alone and what exchanges take, against what was measured.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EngineName, PrecisionName } from '../src/engine/engineNames.js';
import { PleiadError } from '../src/errors/errors.js';
import type { SizeName } from '../src/models/config.js';
import { fitLine, fitNetwork, type Network, type RankCosts, stepCosts } from './costModel.js';
import { LoadMeter } from './machineLoad.js';
import { quietTurns } from './quietTurns.js';
import { machineDescription, median, type Ratio, ratioOf, rounded, say } from './report.js';
import type { Description, ExchangeTimes, StepTimes, Work } from './scalingWork.js';

export interface ScalingOptions {
  readonly size: SizeName;
  /** Rows of a step, of all ranks together. */
  readonly batch: number;
  readonly length: number;
  readonly ranks: number;
  readonly engine: EngineName;
  readonly precision: PrecisionName;
  /** Threads of the one rank, and of all ranks together. */
  readonly threads: number;
  /** Turns that count: those in which other processes kept the machine less busy than `mostLoad`. */
  readonly turns: number;
  readonly steps: number;
  /** In cores. */
  readonly mostLoad: number;
  /** No turn begins after so many minutes. */
  readonly minutes: number;
  readonly mpirun: string;
  /** Flags of mpirun, space between. */
  readonly mpirunFlags: string;
}

export interface ScalingResult {
  readonly name: 'scaling';
  readonly machine: string;
  readonly engine: string;
  readonly threads: number;
  readonly ranks: number;
  readonly size: SizeName;
  readonly batch: number;
  readonly length: number;
  readonly unit: 'tokens/s';
  /** Of the ranks together. */
  readonly value: number;
  /** The ranks' tokens/s over those of one rank with as many threads. */
  readonly against: Ratio;
  /** Turns taken in all; those with too much else on the machine do not count. */
  readonly turnsTaken: number;
  /** Cores that other processes kept busy in the turns that count, median and largest. */
  readonly othersCores: { readonly median: number; readonly most: number };
  /** Medians, milliseconds a step. */
  readonly oneRank: StepTimes;
  readonly together: StepTimes;
  readonly prediction: {
    readonly totalMs: number;
    readonly computeMs: number;
    readonly updateMs: number;
    readonly exchangeMs: number;
    /** Predicted over measured: median, smallest and largest of the turns. */
    readonly overMeasured: Omit<Ratio, 'name'>;
  };
  /** Of a rank. */
  readonly costs: RankCosts;
  /** Of the whole machine as one rank with all threads. */
  readonly machineCosts: RankCosts;
  /** Between two ranks of this machine. */
  readonly network: Network;
}

const WARMUP_STEPS = 3;
const EXCHANGE_REPEATS = 9;
const BUCKET = 1 << 20;

interface RowTimes {
  readonly rows: number;
  readonly times: StepTimes;
}

interface Turn {
  readonly oneRank: StepTimes;
  readonly together: StepTimes;
  /** By rows: as many as a rank has of a step, and half of them. */
  readonly apart: readonly RowTimes[];
  /** Of the one rank with all threads: the rows of a step, and an eighth of them. */
  readonly whole: readonly RowTimes[];
  readonly exchange: ExchangeTimes;
  /** Of the one rank: what it does without others. */
  readonly wholeExchange: ExchangeTimes;
  readonly othersCores: number;
}

/** @throws PleiadError when mpirun cannot start the ranks */
export async function benchScaling(options: ScalingOptions): Promise<ScalingResult> {
  const { batch, ranks, threads, mpirun, mpirunFlags } = options;
  if (batch % (2 * ranks) !== 0) {
    throw new PleiadError(`${batch} rows cannot be halved on each of ${ranks} ranks`, { subject: '--batch' });
  }
  const one = new RankGroup('one rank', process.execPath, words(options, threads));
  const flags = mpirunFlags.split(' ').filter((flag) => flag !== '');
  const many = new RankGroup(`${ranks} ranks under ${mpirun}`, mpirun, [
    ...flags,
    ...['-np', String(ranks), process.execPath],
    ...words(options, threads / ranks),
  ]);
  try {
    return await measure(one, many, options);
  } finally {
    one.stop();
    many.stop();
  }
}

function words({ size, batch, length, engine, precision }: ScalingOptions, threads: number): string[] {
  const script = fileURLToPath(new URL('./scalingRank.js', import.meta.url));
  const settings = { size, batch, length, threads, engine, precision };
  return [script, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

async function measure(one: RankGroup, many: RankGroup, options: ScalingOptions): Promise<ScalingResult> {
  const [first, description] = [
    await one.ask<Description>({ kind: 'describe' }),
    await many.ask<Description>({ kind: 'describe' }),
  ];
  if (description.members.length !== options.ranks) {
    throw new PleiadError(`${many.name}: ${description.members.length} ranks have come together`);
  }
  say(`${first.engine}; ${description.members.length} ranks: ${description.engine}`);
  const pids = [process.pid, ...first.pids, ...description.pids];
  for (const group of [one, many]) await group.ask({ kind: 'together', steps: WARMUP_STEPS });
  let at = 0;
  const { counted, taken } = await quietTurns({ ...options, pids }, async () => {
    const turn = await takeTurn(one, many, {
      ...options,
      rows: description.rows,
      gradients: description.gradients,
      pids,
    });
    say(`turn ${++at}: ${describeTurn(turn)}`);
    return turn;
  });
  return summary(counted, taken, description, options);
}

async function takeTurn(
  one: RankGroup,
  many: RankGroup,
  {
    batch,
    steps,
    rows,
    gradients,
    pids,
  }: ScalingOptions & { rows: number; gradients: number; pids: readonly number[] },
): Promise<Turn> {
  const load = new LoadMeter(pids);
  const oneRank = await one.ask<StepTimes>({ kind: 'together', steps });
  const together = await many.ask<StepTimes>({ kind: 'together', steps });
  const apart = await timeRows(many, [rows, rows / 2], steps);
  const whole = await timeRows(one, [batch, Math.max(1, batch / 8)], steps);
  const exchange = await many.ask<ExchangeTimes>({
    kind: 'exchange',
    lengths: exchangeLengths(gradients),
    repeats: EXCHANGE_REPEATS,
  });
  const wholeExchange = await one.ask<ExchangeTimes>({ kind: 'exchange', lengths: [], repeats: EXCHANGE_REPEATS });
  return { oneRank, together, apart, whole, exchange, wholeExchange, othersCores: load.othersCores() ?? 0 };
}

async function timeRows(group: RankGroup, counts: readonly number[], steps: number): Promise<RowTimes[]> {
  const timed: RowTimes[] = [];
  for (const rows of counts) timed.push({ rows, times: await group.ask<StepTimes>({ kind: 'apart', rows, steps }) });
  return timed;
}

/** Parts of a bucket and a few buckets, but not all: that is for the model to predict. */
function exchangeLengths(gradients: number): number[] {
  return [1 << 10, 1 << 16, 1 << 18, BUCKET / 2, BUCKET, 4 * BUCKET].filter((length) => length < gradients / 2);
}

function describeTurn({ oneRank, together, othersCores }: Turn): string {
  const { totalMs, engineMs, exchangeMs, optimizerMs } = together;
  const split = `engine ${rounded(engineMs)}, exchange ${rounded(exchangeMs)}, optimizer ${rounded(optimizerMs)}`;
  const ratio = oneRank.totalMs / totalMs;
  return `one rank ${rounded(oneRank.totalMs)} ms, together ${rounded(totalMs)} ms (${split}), ratio ${rounded(ratio)}; others ${rounded(othersCores)} cores`;
}

/** The model's costs: nothing of it was measured on steps that ranks did together. */
function costsOf(timed: readonly RowTimes[], { normMs, copyMs }: ExchangeTimes, gradients: number): RankCosts {
  return {
    compute: fitLine(timed.map(({ rows, times }) => [rows, times.totalMs - times.optimizerMs])),
    updateMs: median(timed.map(({ times }) => times.optimizerMs)) - normMs,
    normMs,
    gradientBytes: 4 * gradients,
    copyMs,
  };
}

function networkOf({ ms, copyMs }: ExchangeTimes, gradients: number): Network {
  const measured = exchangeLengths(gradients).map((length, i) => ({ bytes: 4 * length, ms: ms[i] }));
  return fitNetwork(measured, copyMs / (4 * gradients));
}

function summary(
  turns: readonly Turn[],
  turnsTaken: number,
  description: Description,
  options: ScalingOptions,
): ScalingResult {
  const { size, batch, length, ranks, threads } = options;
  const { rows, gradients, engine } = description;
  const predict = ({ apart, exchange }: Pick<Turn, 'apart' | 'exchange'>) =>
    stepCosts(costsOf(apart, exchange, gradients), {
      ranks,
      rowsOfStep: batch,
      mostRows: rows,
      network: networkOf(exchange, gradients),
    });
  const together = medianTimes(turns.map((turn) => turn.together));
  const oneRank = medianTimes(turns.map((turn) => turn.oneRank));
  const typical = medianTurn(turns);
  const { name: _, ...overMeasured } = ratioOf(
    '',
    turns.map((turn) => turn.together.totalMs),
    turns.map((turn) => predict(turn).totalMs),
  );
  const loads = turns.map(({ othersCores }) => othersCores);
  return {
    name: 'scaling',
    machine: machineDescription(),
    engine,
    threads,
    ranks,
    size,
    batch,
    length,
    unit: 'tokens/s',
    value: rounded((1000 * batch * length) / together.totalMs),
    against: ratioOf(
      `one rank with ${threads} threads`,
      turns.map((turn) => turn.together.totalMs),
      turns.map((turn) => turn.oneRank.totalMs),
    ),
    turnsTaken,
    othersCores: { median: rounded(median(loads)), most: rounded(Math.max(...loads)) },
    oneRank,
    together,
    prediction: { ...predict(typical), overMeasured },
    costs: costsOf(typical.apart, typical.exchange, gradients),
    machineCosts: costsOf(typical.whole, typical.wholeExchange, gradients),
    network: networkOf(typical.exchange, gradients),
  };
}

function medianTimes(times: readonly StepTimes[]): StepTimes {
  const of = (name: keyof StepTimes) => rounded(median(times.map((each) => each[name])));
  return {
    totalMs: of('totalMs'),
    engineMs: of('engineMs'),
    exchangeMs: of('exchangeMs'),
    optimizerMs: of('optimizerMs'),
    restMs: of('restMs'),
  };
}

/** Every time is the median of its turns. */
function medianTurn(turns: readonly Turn[]): Omit<Turn, 'oneRank' | 'together' | 'othersCores'> {
  const rows = (name: 'apart' | 'whole') =>
    turns[0][name].map((first, i) => ({
      rows: first.rows,
      times: medianTimes(turns.map((turn) => turn[name][i].times)),
    }));
  const exchange = (name: 'exchange' | 'wholeExchange'): ExchangeTimes => {
    const of = (key: 'copyMs' | 'normMs' | 'meetingMs') => median(turns.map((turn) => turn[name][key]));
    return {
      ms: turns[0][name].ms.map((_, i) => median(turns.map((turn) => turn[name].ms[i]))),
      copyMs: of('copyMs'),
      normMs: of('normMs'),
      meetingMs: of('meetingMs'),
    };
  };
  return {
    apart: rows('apart'),
    whole: rows('whole'),
    exchange: exchange('exchange'),
    wholeExchange: exchange('wholeExchange'),
  };
}

export function describeScaling(result: ScalingResult): string[] {
  const { against, prediction, oneRank, together, network, costs } = result;
  const ratio = ({ ratio, ratioMin, ratioMax, runs }: Omit<Ratio, 'name'>) =>
    `${ratio} (${ratioMin}–${ratioMax}, ${runs} turns)`;
  return [
    `${result.size}, ${result.batch}×${result.length} a step, ${result.engine}; ${result.machine}`,
    `${result.ranks} ranks: ${result.value} tokens/s, ${together.totalMs} ms a step: engine ${together.engineMs}, exchange ${together.exchangeMs}, optimizer ${together.optimizerMs}`,
    `${against.name}: ${oneRank.totalMs} ms a step: engine ${oneRank.engineMs}, optimizer ${oneRank.optimizerMs}`,
    `speed against ${against.name}: ${ratio(against)}`,
    `the model predicts ${rounded(prediction.totalMs)} ms: compute ${rounded(prediction.computeMs)}, update ${rounded(prediction.updateMs)}, exchange ${rounded(prediction.exchangeMs)}; predicted over measured ${ratio(prediction.overMeasured)}`,
    `compute ${rounded(costs.compute.start)} + ${rounded(costs.compute.slope)} ms a row, copies ${rounded(costs.copyMs)} ms, norm ${rounded(costs.normMs)} ms, update ${rounded(costs.updateMs)} ms for ${rounded(costs.gradientBytes / 1e6)} MB of gradients`,
    `between ranks here: ${rounded(network.bytesPerMs / 1e6)} GB/s, latency ${rounded(1000 * network.latencyMs)} µs`,
    `turns: ${against.runs} of ${result.turnsTaken}; other processes kept ${result.othersCores.median} cores busy (at most ${result.othersCores.most})`,
  ];
}

/** Ranks that were started together, asked by lines on standard input. */
class RankGroup {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(
    readonly name: string,
    command: string,
    commandWords: readonly string[],
  ) {
    const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
    this.#child = spawn(command, commandWords, { env });
    this.#child.on('error', ({ message }) => (this.#errors = message));
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#child.stdin.on('error', () => {}); // ranks that ended are reported by the line that does not come
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask<T>(work: Work): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(work)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) {
      throw new PleiadError(`${this.name}: ended without an answer: ${this.#errors.trim() || 'no message'}`, {
        subject: this.name,
        advice:
          'Several ranks need an MPI launcher and its library (for instance `apt install openmpi-bin`), see --mpirun',
      });
    }
    return JSON.parse(value) as T;
  }

  stop(): void {
    this.#child.stdin.end(`${JSON.stringify({ kind: 'quit' } satisfies Work)}\n`);
  }
}

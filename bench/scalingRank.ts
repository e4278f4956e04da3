/**
 * One rank of the scaling benchmark, or all of one: it does what the lines on rank 0's standard input ask for, and rank 0
 * answers each with a line of JSON.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fromFirst, sumOverRanks } from '../src/collective/agreement.js';
import { ALONE } from '../src/collective/collective.js';
import { connectRanks } from '../src/collective/mpi/connect.node.js';
import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { EngineName, PrecisionName } from '../src/engine/engineNames.js';
import { SIZES, type SizeName } from '../src/models/config.js';
import { ArenaExchange } from '../src/training/arenaExchange.js';
import { median } from '../src/training/median.js';
import { normGraph, UPDATE_CHUNK } from '../src/training/optimizer.js';
import { stepShare } from '../src/training/stepShare.js';
import type { Description, ExchangeTimes, StepTimes, Work } from './scalingWork.js';
import { TrainingSteps } from './trainingStep.js';

const PATIENCE_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'small' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '128' },
    threads: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
  },
});
if (!Object.hasOwn(SIZES, values.size)) throw new Error(`--size ${values.size}`);

const collective = await connectRanks({ timeoutMs: PATIENCE_MS });
const engine = await createEngine({
  threads: Number(values.threads),
  engine: values.engine as EngineName,
  precision: values.precision as PrecisionName,
});
const shape = { size: values.size as SizeName, objective: 'electra', length: Number(values.length) } as const;
const batch = Number(values.batch);
/** Steps that all ranks do together. */
const joint = await TrainingSteps.create(engine, { ...shape, batch }, { collective });
const { rows } = stepShare({ batchSize: batch, accumulation: 1 }, collective);
/** This rank alone, by rows of a step. */
const alone = new Map<number, TrainingSteps>();

async function stepsAlone(of: number): Promise<TrainingSteps> {
  const steps = alone.get(of) ?? (await TrainingSteps.create(engine, { ...shape, batch: of }));
  if (!alone.has(of)) await steps.run(); // warms up
  alone.set(of, steps);
  return steps;
}

async function timeSteps(steps: TrainingSteps, count: number): Promise<StepTimes> {
  const timed: Awaited<ReturnType<TrainingSteps['run']>>[] = [];
  await collective.barrier();
  for (let i = 0; i < count; i++) timed.push(await steps.run());
  const [total, ...parts] = (['totalMs', 'engineMs', 'exchangeMs', 'optimizerMs'] as const).map((name) =>
    median(timed.map((step) => step[name])),
  );
  // The slowest rank sets the pace of all; of the parts, the mean.
  const totals = new Array(collective.size).fill(0);
  totals[collective.rank] = total;
  const totalMs = Math.max(...(await sumOverRanks(collective, totals)));
  const means = (await sumOverRanks(collective, parts)).map((sum) => sum / collective.size);
  const [engineMs, exchangeMs, optimizerMs] = means;
  return { totalMs, engineMs, exchangeMs, optimizerMs, restMs: totalMs - means.reduce((sum, ms) => sum + ms, 0) };
}

/** Median of some runs after the first, which all ranks begin together. */
async function medianMs(repeats: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    await collective.barrier();
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return median(times.slice(1));
}

async function timeExchange(lengths: readonly number[], repeats: number): Promise<ExchangeTimes> {
  const { layout, engineState } = joint.state;
  const all = [{ start: 0, end: layout.length }];
  const exchange = new ArenaExchange(collective, engineState);
  const ms: number[] = [];
  for (const end of lengths) ms.push(await medianMs(repeats, () => exchange.sum('gradients', [{ start: 0, end }])));
  // As if there were another rank that is always done.
  const copies = new ArenaExchange({ ...ALONE, size: 2 }, engineState);
  const norm = await engine.compile(normGraph(), { label: 'gradient norm', state: engineState });
  const normRanges = all.map((range) => ({ ...range, feeds: {} }));
  const times = {
    ms,
    copyMs: await medianMs(repeats, () => copies.sum('gradients', all)),
    normMs: await medianMs(repeats, () => norm.runOverArenas(normRanges, UPDATE_CHUNK)),
    meetingMs: await medianMs(10 * repeats, () => sumOverRanks(collective, [1, 2, 3])),
  };
  await norm.release();
  return times;
}

async function describe(): Promise<Description> {
  const pids = new Array(collective.size).fill(0);
  pids[collective.rank] = process.pid;
  const gradients = joint.state.layout.length;
  return {
    rows,
    gradients,
    engine: engine.description,
    members: collective.members,
    pids: await sumOverRanks(collective, pids),
  };
}

async function carryOut(work: Work): Promise<object> {
  switch (work.kind) {
    case 'describe':
      return describe();
    case 'together':
      return timeSteps(joint, work.steps);
    case 'apart':
      return timeSteps(await stepsAlone(work.rows), work.steps);
    case 'exchange':
      return timeExchange(work.lengths, work.repeats);
    case 'quit':
      return {};
  }
}

const lines = collective.rank === 0 ? createInterface({ input: process.stdin })[Symbol.asyncIterator]() : undefined;
for (let ended = false; !ended; ) {
  const next = await lines?.next();
  const asked: Work = next && !next.done ? JSON.parse(next.value) : { kind: 'quit' };
  const work = await fromFirst(collective, asked);
  const answer = await carryOut(work);
  if (collective.rank === 0) process.stdout.write(`${JSON.stringify(answer)}\n`);
  ended = work.kind === 'quit';
}
await collective.close();
await engine.close();
process.exit();

/**
 * One rank of the scaling benchmark, or all of one: it does what the lines on rank 0's standard input ask for, and rank 0
 * answers each with a line of JSON.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fromFirst, sumOverRanks } from '../src/collective/agreement.js';
import type { Collective } from '../src/collective/collective.js';
import { connectRanks } from '../src/collective/node/connect.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.js';
import { median } from '../src/median.js';
import { SIZES, type SizeName } from '../src/models/config.js';
import { ArenaExchange } from '../src/training/arenaExchange.js';
import { stepShare } from '../src/training/stepShare.js';
import type { StepTimes, Work } from './scalingWork.js';
import { TrainingSteps } from './trainingStep.js';

const PATIENCE_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'small' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '128' },
    threads: { type: 'string', default: '1' },
  },
});
if (!Object.hasOwn(SIZES, values.size)) throw new Error(`--size ${values.size}`);

const collective = await connectRanks({ timeoutMs: PATIENCE_MS });
const engine = await createNodeEngine({ threads: Number(values.threads) });
const shape = { size: values.size as SizeName, objective: 'electra', length: Number(values.length) } as const;
const batch = Number(values.batch);
/** Steps that all ranks do together. */
const joint = await TrainingSteps.create(engine, { ...shape, batch }, { collective });
/** This rank's rows alone, as if there were no others. */
const { rows } = stepShare({ batchSize: batch, accumulation: 1 }, collective);
const own = collective.size === 1 ? joint : await TrainingSteps.create(engine, { ...shape, batch: rows });

async function timeSteps(steps: TrainingSteps, count: number): Promise<StepTimes> {
  const timed: Awaited<ReturnType<TrainingSteps['run']>>[] = [];
  await collective.barrier();
  for (let i = 0; i < count; i++) timed.push(await steps.run());
  const medians = (['totalMs', 'engineMs', 'exchangeMs', 'optimizerMs'] as const).map((name) =>
    median(timed.map((step) => step[name])),
  );
  // The slowest rank sets the pace of all; of each part, their mean.
  const ofRanks = await sumOverRanks(
    collective,
    Array.from({ length: collective.size }, (_, rank) => (rank === collective.rank ? medians[0] : 0)),
  );
  const [, engineMs, exchangeMs, optimizerMs] = (await sumOverRanks(collective, medians)).map(
    (sum) => sum / collective.size,
  );
  return { totalMs: Math.max(...ofRanks), engineMs, exchangeMs, optimizerMs };
}

/** Milliseconds to add up so many gradients, median. */
async function timeExchange(lengths: readonly number[], repeats: number): Promise<number[]> {
  const exchange = new ArenaExchange(collective, joint.state.engineState);
  const medians: number[] = [];
  for (const end of lengths) {
    const times: number[] = [];
    for (let i = 0; i <= repeats; i++) {
      await collective.barrier();
      const startedAt = performance.now();
      await exchange.sum('gradients', [{ start: 0, end }]);
      times.push(performance.now() - startedAt);
    }
    medians.push(median(times.slice(1)));
  }
  return medians;
}

/** Milliseconds until ranks that are in step have agreed on a few numbers, median. */
async function timeMeeting(ranks: Collective, repeats: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const startedAt = performance.now();
    await sumOverRanks(ranks, [1, 2, 3]);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function carryOut(work: Work): Promise<unknown> {
  switch (work.kind) {
    case 'describe':
      return { rows, gradients: joint.state.layout.length, engine: engine.description, members: collective.members };
    case 'together':
      return timeSteps(joint, work.steps);
    case 'apart':
      return timeSteps(own, work.steps);
    case 'exchange':
      return { ms: await timeExchange(work.lengths, work.repeats), meetingMs: await timeMeeting(collective, 100) };
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

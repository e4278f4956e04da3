/** Three seconds that say which engine is faster here, and whether both find the same: sentences and steps of training on each. */
import { memoryShards } from '../../../src/data/shards.js';
import type { Engine, Tensors } from '../../../src/engine/engine.js';
import { encoderConfig } from '../../../src/models/config.js';
import { modelForUse } from '../../../src/models/heads.js';
import { initializeParameter } from '../../../src/nn/initialize.js';
import { pretrainInMemory } from '../../../src/pretraining/pretrainInMemory.js';
import { RandomStream } from '../../../src/random/philox.js';
import { MemoryStore } from '../../../src/training/memoryStore.js';
import type { EngineMeasurement, EngineTimes } from './engineMeasurement.js';
import { TAB_TRAINING_SETTINGS, TAB_VOCABULARY } from './tabTrainingSettings.js';

/** Of each engine; together three seconds, and what compiling takes. */
const BUDGET_MS = { sentence: 500, step: 1000 };
/** Runs that are timed even where one takes longer than that. */
const LEAST_RUNS = 1;
/** A sentence as the screens run them. */
const SENTENCE_LENGTH = 32;
const SENTENCE_VOCABULARY = 1000;
/** Steps whose losses are compared: later ones differ by what rounding made of the weights. */
const COMPARED_STEPS = 2;
/** Relative to the value. In float32 both are equal to 1e-5; a graphics processor that is wrong is far off. */
const TOLERANCE = 1e-3;

interface Trial {
  readonly times: EngineTimes;
  /** Values of the sentence, losses of the first steps. */
  readonly found: readonly number[];
}

/**
 * @param budget  how long each engine does each
 * @throws whatever `wasm` throws; a graphics processor that fails is a result
 */
export async function compareEngines(wasm: Engine, webgpu: Engine, budget = BUDGET_MS): Promise<EngineMeasurement> {
  const cpu = await trial(wasm, budget);
  const gpu = await trial(webgpu, budget).catch(() => undefined);
  if (!gpu) return { wasm: cpu.times, agrees: false };
  return { wasm: cpu.times, webgpu: gpu.times, agrees: areClose(cpu.found, gpu.found) };
}

async function trial(engine: Engine, budget: EngineTimes): Promise<Trial> {
  const sentence = await timeSentences(engine, budget.sentence);
  const step = await timeSteps(engine, budget.step);
  return { times: { sentence: sentence.ms, step: step.ms }, found: [...sentence.found, ...step.found] };
}

interface Timed {
  readonly ms: number;
  readonly found: readonly number[];
}

async function timeSentences(engine: Engine, budgetMs: number): Promise<Timed> {
  const config = encoderConfig('mini', SENTENCE_VOCABULARY);
  const { graph, parameters } = modelForUse({ architecture: 'ElectraForPreTraining', config, head: {} });
  const { initializerRange } = config;
  const weights = new Map(
    parameters.map((parameter) => [parameter.name, initializeParameter(parameter, { seed: 0, initializerRange })]),
  );
  const program = await engine.compile(graph, { label: 'comparison', weights });
  try {
    const feeds = sentenceFeeds();
    // The first run makes kernels.
    const found = Object.values(await program.run(feeds)).flatMap(({ data }) => Array.from(data, Number));
    const times: number[] = [];
    for (const end = performance.now() + budgetMs; performance.now() < end || times.length < LEAST_RUNS; ) {
      const start = performance.now();
      await program.run(feeds);
      times.push(performance.now() - start);
    }
    return { ms: median(times), found };
  } finally {
    await program.release();
  }
}

async function timeSteps(engine: Engine, budgetMs: number): Promise<Timed> {
  const ending = new AbortController();
  const times: number[] = [];
  const found: number[] = [];
  const never = 1_000_000;
  const settings = {
    ...TAB_TRAINING_SETTINGS,
    steps: never,
    logEvery: 1,
    evaluateEvery: never,
    checkpointEvery: never,
  };
  const options = { shards: randomShards(), engine, store: new MemoryStore(), signal: ending.signal };
  let last: number | undefined;
  let end = Number.POSITIVE_INFINITY;
  for await (const event of pretrainInMemory(settings, options)) {
    if (event.type !== 'step') continue;
    const now = performance.now();
    if (event.step <= COMPARED_STEPS) found.push(...lossesOf(event.losses));
    // The first step makes kernels.
    if (last === undefined) end = now + budgetMs;
    else times.push(now - last);
    last = now;
    if (now >= end && times.length >= LEAST_RUNS) ending.abort();
  }
  return { ms: median(times), found };
}

/** Without accuracies: at first all doubts are about a half, and rounding decides on which side of it. */
const lossesOf = (metrics: Readonly<Record<string, number | undefined>>) =>
  Object.entries(metrics).flatMap(([name, value]) => (name.endsWith('Loss') && value !== undefined ? [value] : []));

/** Words drawn alike: a step takes as long whatever the text says. */
function randomShards() {
  const random = new RandomStream(0, 'evaluation', 0);
  const specialIds = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };
  const document = () => ({
    ids: Int32Array.from({ length: 400 }, () => 5 + Math.floor(random.uniform() * (TAB_VOCABULARY - 5))),
    wordStarts: new Uint8Array(400).fill(1),
  });
  return memoryShards({ train: Array.from({ length: 40 }, document), vocabSize: TAB_VOCABULARY, specialIds });
}

function sentenceFeeds(): Tensors {
  const row = (value: (i: number) => number) => ({
    dtype: 'int32' as const,
    shape: [1, SENTENCE_LENGTH],
    data: Int32Array.from({ length: SENTENCE_LENGTH }, (_, i) => value(i)),
  });
  return {
    inputIds: row((i) => 5 + i),
    tokenTypeIds: row(() => 0),
    attentionMask: row(() => 1),
    positionIds: { ...row((i) => i), shape: [SENTENCE_LENGTH] },
  };
}

const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1];

function areClose(a: readonly number[], b: readonly number[]): boolean {
  return (
    a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) <= TOLERANCE * Math.max(1, Math.abs(value)))
  );
}

/**
 * Fine-tuning beside PyTorch + transformers: the same start (head included), the same batches, the same learning rates. Without
 * dropout losses and gradients are compared, with dropout the accuracy; always the time of a step, in turns.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { readTable } from '../src/data/tables/readTable.node.js';
import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { Engine, Precision } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/engineNames.js';
import { SafetensorsFile } from '../src/formats/safetensors.node.js';
import { initializeParameter } from '../src/nn/initialize.js';
import { loadEncoder } from '../src/tasks/loadEncoder.node.js';
import { type FineTuningSettings, resolveFineTuningSettings } from '../src/tasks/settings.js';
import type { PreparedTask } from '../src/tasks/task.js';
import { taskNamed } from '../src/tasks/tasks.js';
import { batchOfRows, type ClassificationBatch, encodeRows } from '../src/tasks/textClassification/batches.js';
import { labelledTexts } from '../src/tasks/textClassification/examples.js';
import { learningRateAt, warmupStepsOf } from '../src/training/schedule.js';
import { train } from '../src/training/trainer.js';
import { TrainerState } from '../src/training/trainerState.js';
import { scheduleOf } from '../src/training/trainingSettings.js';
import { LoadMeter } from './machineLoad.js';
import { PythonPeer } from './pythonPeer.js';
import { machineDescription, median, rounded } from './report.js';

export interface FinetuneOptions {
  readonly from: string;
  readonly train: string;
  readonly dev: string;
  readonly steps: number;
  readonly batch: number;
  readonly length: number;
  readonly dropout: number;
  readonly seed: number;
  readonly threads: number;
  readonly engine: EngineName;
  readonly precision: Precision;
  readonly learningRate?: number;
  /** Steps of each side in a turn. */
  readonly turn: number;
  readonly python?: string;
  /** Whether the peer runs too. */
  readonly peer: boolean;
}

export async function benchFinetune(options: FinetuneOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'pleiad-finetune-'));
  const engine = await createEngine(options);
  try {
    const { settings, prepared, start, dev } = await prepare(options);
    const { objective } = prepared;
    const weights = new Map(
      objective.parameters.map((parameter) => {
        const range = settings.model!.config.initializerRange;
        const given = start.get(parameter.name)?.data;
        return [
          parameter.name,
          given ?? initializeParameter(parameter, { seed: options.seed, initializerRange: range }),
        ];
      }),
    );
    await writeFolder(folder, { settings, prepared, weights, dev });
    const peer = options.peer ? await startPeer(folder, options) : undefined;
    const load = new LoadMeter([process.pid, ...(peer ? [peer.pid] : [])]);
    const gradients =
      peer && options.dropout === 0
        ? await compareGradients(engine, prepared, weights, { folder, peer, settings })
        : undefined;
    const events = train(settings, { engine, ...prepared, initialization: { weights } });
    const ours = { ms: [] as number[], losses: [] as number[] };
    const theirs = { ms: [] as number[], losses: [] as number[] };
    let metrics: Record<string, number | undefined> = {};
    let last = performance.now();
    for await (const event of events) {
      if (event.type === 'done') metrics = event.metrics ?? {};
      if (event.type === 'started') last = performance.now();
      if (event.type !== 'step') continue;
      ours.ms.push(performance.now() - last);
      ours.losses.push(event.losses.loss!);
      if (peer && event.step % options.turn === 0) {
        const { ms, losses } = await peer.ask<typeof theirs>(`run ${options.turn}`);
        theirs.ms.push(...ms);
        theirs.losses.push(...losses);
      }
      last = performance.now();
    }
    const othersCores = load.othersCores();
    const theirAccuracy = await peer?.ask<{ accuracy: number }>('evaluate');
    peer?.stop();
    return {
      ...options,
      machine: machineDescription(),
      engine: engine.description,
      othersCores: othersCores === undefined ? undefined : rounded(othersCores),
      learningRate: settings.learningRate,
      medianMs: rounded(median(ours.ms.slice(options.turn))),
      accuracy: metrics.accuracy,
      baselines: { majority: metrics.majorityAccuracy, bagOfWords: metrics.bagOfWordsAccuracy },
      ...(peer && {
        peerMedianMs: rounded(median(theirs.ms.slice(options.turn))),
        ratio: rounded(median(turnRatios(ours.ms, theirs.ms, options.turn))),
        ratios: turnRatios(ours.ms, theirs.ms, options.turn).map(rounded),
        peerAccuracy: theirAccuracy?.accuracy,
      }),
      ...(peer && options.dropout === 0 && { losses: differences(ours.losses, theirs.losses), gradients }),
    };
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startPeer(folder: string, { python, threads, dropout, seed }: FinetuneOptions): Promise<PythonPeer> {
  const numbers = Object.entries({ threads, dropout, seed }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return PythonPeer.start({ python, script: 'classification_steps.py', words: [folder, ...numbers] });
}

export type FinetuneResult = Awaited<ReturnType<typeof benchFinetune>>;

/** Their time over ours in each turn but the first, which warms up. */
function turnRatios(ours: readonly number[], theirs: readonly number[], turn: number): number[] {
  const sum = (ms: readonly number[], at: number) => ms.slice(at, at + turn).reduce((a, b) => a + b, 0);
  const turns = Math.floor(theirs.length / turn);
  return Array.from({ length: turns - 1 }, (_, i) => sum(theirs, (i + 1) * turn) / sum(ours, (i + 1) * turn));
}

/** Of two series of losses: the largest relative difference and its step, from 1. */
function differences(ours: readonly number[], theirs: readonly number[]) {
  const relative = theirs.map((loss, i) => Math.abs(ours[i] - loss) / Math.abs(loss));
  const largest = Math.max(...relative);
  return {
    steps: relative.length,
    largest: rounded(largest),
    atStep: relative.indexOf(largest) + 1,
    first: ours[0],
    last: ours.at(-1),
  };
}

async function prepare(options: FinetuneOptions) {
  const task = taskNamed('text-classification');
  const [rows, devRows] = [await readTable(options.train), await readTable(options.dev)];
  const data = task.read(rows, devRows, { columns: {} });
  const start = await loadEncoder({ from: options.from, head: task.head, labels: data.labels });
  const { description, tensors, tokenizer } = start.models[0];
  const input = {
    task: task.name,
    from: options.from,
    train: options.train,
    dev: options.dev,
    out: '-',
    steps: options.steps,
    batchSize: options.batch,
    length: options.length,
    seed: options.seed,
    hiddenDropout: options.dropout,
    attentionDropout: options.dropout,
    evaluateEvery: options.steps,
    logEvery: 1,
    ...(options.learningRate !== undefined && { learningRate: options.learningRate }),
  };
  const settings = resolveFineTuningSettings(input, { numRows: data.numRows, model: description });
  const prepared = data.prepare({
    model: settings.model!,
    tokenizer: tokenizer!,
    length: options.length,
    layerRateDecay: settings.layerRateDecay,
    order: { ...settings, place: { rank: 0, size: 1 } },
    metric: settings.metric,
    ...(options.dropout > 0 && { baselines: 'new' }),
  }) as unknown as PreparedTask<ClassificationBatch>;
  const encoded = encodeRows(labelledTexts(devRows, {}), data.labels, {
    tokenizer: tokenizer!,
    length: options.length,
  });
  return { settings, prepared, start: tensors, dev: encoded.rows, tokenizer };
}

interface Written {
  readonly settings: FineTuningSettings;
  readonly prepared: PreparedTask<ClassificationBatch>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dev: Parameters<typeof batchOfRows>[0];
}

async function writeFolder(folder: string, { settings, prepared, weights, dev }: Written): Promise<void> {
  const { objective, data } = prepared;
  const shapes = new Map(objective.parameters.map(({ name, shape }) => [name, shape]));
  const tensors = new Map([...weights].map(([name, values]) => [name, { shape: shapes.get(name)!, data: values }]));
  mkdirSync(join(folder, 'start'), { recursive: true });
  await saveModelFolder(join(folder, 'start'), { ...settings.model!, tensors });
  const { weightDecay, adamBeta1, adamBeta2, adamEpsilon, clipNorm } = settings;
  const rateScales = Object.fromEntries(
    objective.parameters.map(({ name }) => [name, objective.groupOf?.(name).rateScale ?? 1]),
  );
  const shared = { weightDecay, adamBeta1, adamBeta2, adamEpsilon, clipNorm, rateScales };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(shared));
  const steps = settings.steps!;
  const schedule = scheduleOf(settings, steps, warmupStepsOf(steps, settings));
  const lines: string[] = [];
  for (let step = 0; step < steps; step++) {
    lines.push(batchLine(await data.batch(step, 0), { rate: learningRateAt(step, schedule) }));
  }
  writeFileSync(join(folder, 'train.jsonl'), lines.join(''));
  const ROWS = 32;
  const starts = Array.from({ length: Math.ceil(dev.length / ROWS) }, (_, i) => i * ROWS);
  const padId = settings.model!.config.padTokenId;
  const devLines = starts.map((at) => batchLine(batchOfRows(dev.slice(at, at + ROWS), padId), {}));
  writeFileSync(join(folder, 'dev.jsonl'), devLines.join(''));
}

function batchLine(
  { batchSize, length, inputIds, tokenTypeIds, attentionMask, targets }: ClassificationBatch,
  more: object,
) {
  const rows = (values: Int32Array) =>
    Array.from({ length: batchSize }, (_, row) => [...values.subarray(row * length, (row + 1) * length)]);
  const batch = { ids: rows(inputIds), types: rows(tokenTypeIds), mask: rows(attentionMask), labels: [...targets] };
  return `${JSON.stringify({ ...batch, ...more })}\n`;
}

/** ‖ours − theirs‖ / ‖theirs‖ of one step's gradients: all together, and the worst tensor. */
async function compareGradients(
  engine: Engine,
  { objective, data }: PreparedTask<ClassificationBatch>,
  weights: ReadonlyMap<string, Float32Array>,
  {
    folder,
    peer,
    settings,
  }: { readonly folder: string; readonly peer: PythonPeer; readonly settings: FineTuningSettings },
) {
  const state = await TrainerState.create(engine, objective.parameters, objective.groupOf);
  await state.initialize({ seed: 0, initializerRange: 0.02, weights });
  const [phase] = objective.phases;
  const graph = phase.trainingGraph({ accumulate: false });
  const program = await engine.compile(graph, { label: 'gradients', state: state.engineState });
  const batch = await data.batch(0, 0);
  await program.run(phase.feeds(batch, { seed: settings.seed, step: 0, firstRow: 0 }, phase.counts(batch)));
  const ours = await state.read('gradients');
  await program.release();
  await state.release();
  const path = join(folder, 'gradients.safetensors');
  await peer.ask(`gradients ${path}`);
  const file = SafetensorsFile.open(path);
  try {
    let [squares, total] = [0, 0];
    let worst = { name: '', relative: 0 };
    for (const name of file.names) {
      const theirs = file.tensor(name).data as Float32Array;
      const own = ours.get(name)!.data;
      let [difference, norm] = [0, 0];
      for (let i = 0; i < theirs.length; i++) {
        difference += (own[i] - theirs[i]) ** 2;
        norm += theirs[i] ** 2;
      }
      squares += difference;
      total += norm;
      // The gradient of keys' biases is 0 but for rounding: softmax does not see what is added to all scores alike.
      const isZero = /\.key\.bias$/.test(name);
      const relative = Math.sqrt(difference / norm);
      if (!isZero && relative > worst.relative) worst = { name, relative: rounded(relative) };
    }
    return { tensors: file.names.length, relative: rounded(Math.sqrt(squares / total)), worst };
  } finally {
    file.close();
  }
}

/** The child process of PyTorch. */
export function describeFinetune(result: FinetuneResult): string[] {
  const { medianMs, accuracy, baselines } = result;
  const lines = [
    `${result.machine}; ${result.engine}; other processes kept ${result.othersCores ?? '?'} cores busy`,
    `${result.steps} steps of ${result.batch} rows, dropout ${result.dropout}, seed ${result.seed}: ${medianMs} ms a step, dev accuracy ${accuracy}`,
  ];
  if (baselines.bagOfWords !== undefined) {
    lines.push(`majority class ${baselines.majority}, bag of words ${baselines.bagOfWords}`);
  }
  if (result.ratio !== undefined) {
    lines.push(
      `torch + transformers: ${result.peerMedianMs} ms a step, dev accuracy ${result.peerAccuracy}; ratio ${result.ratio}`,
    );
  }
  if (result.losses)
    lines.push(`losses: largest relative difference ${result.losses.largest} at step ${result.losses.atStep}`);
  if (result.gradients) {
    const { relative, worst } = result.gradients;
    lines.push(`gradients: ${relative} relative, worst tensor ${worst.name} ${worst.relative}`);
  }
  return lines;
}

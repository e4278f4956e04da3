/**
 * Fine-tuning beside PyTorch + transformers: the same start (head included), the same batches, the same learning rates. Without
 * dropout losses and gradients are compared, with dropout the accuracy of a classifier; always the time of a step, in turns,
 * and how much of it is spent on padding and outside the engine.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { readTables } from '../src/data/tables/readTable.node.js';
import type { Table } from '../src/data/tables/table.js';
import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { Engine, Precision } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/engineNames.js';
import { SafetensorsFile } from '../src/formats/safetensors.node.js';
import { initializeParameter } from '../src/nn/initialize.js';
import { loadEncoder } from '../src/tasks/loadEncoder.node.js';
import type { QuestionBatch } from '../src/tasks/questionAnswering/objective.js';
import { type FineTuningSettings, resolveFineTuningSettings } from '../src/tasks/settings.js';
import type { PreparedTask } from '../src/tasks/task.js';
import { taskNamed } from '../src/tasks/tasks.js';
import { batchOfRows, type ClassificationBatch, encodeRows } from '../src/tasks/textClassification/batches.js';
import { labelledTexts } from '../src/tasks/textClassification/examples.js';
import type { WordPieceTokenizer } from '../src/text/tokenizer.js';
import { learningRateAt, warmupStepsOf } from '../src/training/schedule.js';
import { train } from '../src/training/trainer.js';
import { TrainerState } from '../src/training/trainerState.js';
import { scheduleOf } from '../src/training/trainingSettings.js';
import type { FinetuneTask } from './finetuneTasks.js';
import { LoadMeter } from './machineLoad.js';
import { PythonPeer } from './pythonPeer.js';
import { turnsThatCount } from './quietTurns.js';
import { machineDescription, median, rounded } from './report.js';

export interface FinetuneOptions {
  readonly task: FinetuneTask;
  readonly from: string;
  readonly train: readonly string[];
  readonly dev: readonly string[];
  readonly steps: number;
  readonly batch: number;
  /** Longest row in tokens. Default: as the task has it, of texts 128. */
  readonly length?: number;
  readonly dropout: number;
  readonly seed: number;
  readonly threads: number;
  readonly engine: EngineName;
  readonly precision: Precision;
  readonly learningRate?: number;
  /** Steps of each side in a turn. */
  readonly turn: number;
  readonly python?: string;
  /** Turns in which other processes kept more cores busy do not count. */
  readonly mostLoad: number;
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
    const padding = await writeFolder(folder, { task: options.task, settings, prepared, weights, dev });
    const peer = options.peer ? await startPeer(folder, options) : undefined;
    const pids = [process.pid, ...(peer ? [peer.pid] : [])];
    const load = new LoadMeter(pids);
    let loadOfTurn = new LoadMeter(pids);
    const loads: number[] = [];
    const gradients =
      peer && options.dropout === 0
        ? await compareGradients(engine, prepared, weights, { folder, peer, settings })
        : undefined;
    const events = train(settings, { engine, ...prepared, initialization: { weights } });
    const ours = { ms: [] as number[], losses: [] as number[], outside: [] as number[] };
    const theirs = { ms: [] as number[], losses: [] as number[] };
    let metrics: Record<string, number | undefined> = {};
    let last = performance.now();
    for await (const event of events) {
      if (event.type === 'done') metrics = event.metrics ?? {};
      if (event.type === 'started') last = performance.now();
      if (event.type !== 'step') continue;
      const ms = performance.now() - last;
      ours.ms.push(ms);
      ours.losses.push(event.losses.totalLoss);
      ours.outside.push(1 - event.split.engineMs / ms);
      if (peer && event.step % options.turn === 0) {
        const { ms, losses } = await peer.ask<typeof theirs>(`run ${options.turn}`);
        theirs.ms.push(...ms);
        theirs.losses.push(...losses);
        loads.push(loadOfTurn.othersCores() ?? 0);
        loadOfTurn = new LoadMeter(pids);
      }
      last = performance.now();
    }
    const othersCores = load.othersCores();
    const theirAccuracy = dev && (await peer?.ask<{ accuracy: number }>('evaluate'));
    peer?.stop();
    return {
      ...options,
      length: settings.length,
      machine: machineDescription(),
      engine: engine.description,
      othersCores: othersCores === undefined ? undefined : rounded(othersCores),
      learningRate: settings.learningRate,
      medianMs: rounded(median(ours.ms.slice(options.turn))),
      outsideEngine: rounded(median(ours.outside.slice(options.turn))),
      padding: rounded(padding),
      metric: settings.metric,
      result: metrics[settings.metric],
      baselines: { majority: metrics.majorityAccuracy, bagOfWords: metrics.bagOfWordsAccuracy },
      ...(peer && {
        peerMedianMs: rounded(median(theirs.ms.slice(options.turn))),
        ...ratiosOf(turnRatios(ours.ms, theirs.ms, options.turn), loads.slice(1), options.mostLoad),
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
  return PythonPeer.start({ python, script: 'finetuning_steps.py', words: [folder, ...numbers] });
}

export type FinetuneResult = Awaited<ReturnType<typeof benchFinetune>>;

/** Their time over ours in each turn but the first, which warms up. */
function turnRatios(ours: readonly number[], theirs: readonly number[], turn: number): number[] {
  const sum = (ms: readonly number[], at: number) => ms.slice(at, at + turn).reduce((a, b) => a + b, 0);
  const turns = Math.floor(theirs.length / turn);
  return Array.from({ length: turns - 1 }, (_, i) => sum(theirs, (i + 1) * turn) / sum(ours, (i + 1) * turn));
}

/** The ratio of the turns in which other processes left the machine alone, and of all. */
function ratiosOf(ratios: readonly number[], loads: readonly number[], mostLoad: number) {
  const all = ratios.map((value, turn) => ({ value, load: loads[turn] }));
  const { counted, quiet, othersCores } = turnsThatCount(all, mostLoad);
  return {
    ratio: rounded(median(counted)),
    ratios: counted.map(rounded),
    quietTurns: quiet,
    othersCoresInTurns: othersCores,
    ratioOfAllTurns: rounded(median(ratios)),
    turns: all.map(({ value, load }) => ({ ratio: rounded(value), othersCores: rounded(load) })),
  };
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

/** A batch of one of the tasks that the peer has too. */
type PeerBatch = ClassificationBatch | QuestionBatch;

/** Rows of the peer's evaluation, batch by batch; undefined where it has none. */
type DevBatches = readonly PeerBatch[] | undefined;

async function prepare(options: FinetuneOptions) {
  const task = taskNamed(options.task);
  const tableOptions = { formats: task.formats };
  const rows = await readTables(options.train, tableOptions);
  const devRows = await readTables(options.dev, tableOptions);
  const data = task.read(rows, devRows, { columns: {} });
  const start = await loadEncoder({ from: options.from, head: task.head, labels: data.labels });
  const { description, tensors, tokenizer } = start.models[0];
  const length = options.length ?? task.defaults?.length ?? USUAL_LENGTH;
  const input = {
    task: task.name,
    from: options.from,
    train: options.train,
    dev: options.dev,
    out: '-',
    steps: options.steps,
    batchSize: options.batch,
    length,
    seed: options.seed,
    hiddenDropout: options.dropout,
    attentionDropout: options.dropout,
    evaluateEvery: options.steps,
    logEvery: 1,
    ...(options.learningRate !== undefined && { learningRate: options.learningRate }),
  };
  const settings = resolveFineTuningSettings(input, { numRows: data.numRows, model: description });
  const isClassification = options.task === 'text-classification';
  const prepared = data.prepare({
    model: settings.model!,
    tokenizer: tokenizer!,
    length,
    layerRateDecay: settings.layerRateDecay,
    order: { ...settings, place: { rank: 0, size: 1 } },
    metric: settings.metric,
    ...(options.dropout > 0 && isClassification && { baselines: 'new' }),
  }) as unknown as PreparedTask<PeerBatch>;
  const dev = isClassification ? classifiedBatches(devRows, data.labels, { tokenizer: tokenizer!, length }) : undefined;
  return { settings, prepared, start: tensors, dev };
}

/** Tokens of a row of texts. */
const USUAL_LENGTH = 128;
/** Rows of a batch of the peer's evaluation. */
const DEV_ROWS = 32;

function classifiedBatches(
  table: Table,
  labels: readonly string[],
  { tokenizer, length }: { readonly tokenizer: WordPieceTokenizer; readonly length: number },
): PeerBatch[] {
  const { rows } = encodeRows(labelledTexts(table, {}), labels, { tokenizer, length });
  const starts = Array.from({ length: Math.ceil(rows.length / DEV_ROWS) }, (_, i) => i * DEV_ROWS);
  return starts.map((at) => batchOfRows(rows.slice(at, at + DEV_ROWS), tokenizer.padId));
}

interface Written {
  readonly task: FinetuneTask;
  readonly settings: FineTuningSettings;
  readonly prepared: PreparedTask<PeerBatch>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dev: DevBatches;
}

/** Writes what the peer reads. @returns the share of padding among the tokens of all steps */
async function writeFolder(folder: string, { task, settings, prepared, weights, dev }: Written): Promise<number> {
  const { objective, data } = prepared;
  const shapes = new Map(objective.parameters.map(({ name, shape }) => [name, shape]));
  const tensors = new Map([...weights].map(([name, values]) => [name, { shape: shapes.get(name)!, data: values }]));
  mkdirSync(join(folder, 'start'), { recursive: true });
  await saveModelFolder(join(folder, 'start'), { ...settings.model!, tensors });
  const { weightDecay, adamBeta1, adamBeta2, adamEpsilon, clipNorm } = settings;
  const rateScales = Object.fromEntries(
    objective.parameters.map(({ name }) => [name, objective.groupOf?.(name).rateScale ?? 1]),
  );
  const shared = { task, weightDecay, adamBeta1, adamBeta2, adamEpsilon, clipNorm, rateScales };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(shared));
  const steps = settings.steps!;
  const schedule = scheduleOf(settings, steps, warmupStepsOf(steps, settings));
  const lines: string[] = [];
  let [positions, tokens] = [0, 0];
  for (let step = 0; step < steps; step++) {
    const batch = await data.batch(step, 0);
    positions += batch.attentionMask.length;
    tokens += batch.attentionMask.reduce((sum, each) => sum + each, 0);
    lines.push(batchLine(batch, { rate: learningRateAt(step, schedule) }));
  }
  writeFileSync(join(folder, 'train.jsonl'), lines.join(''));
  if (dev) writeFileSync(join(folder, 'dev.jsonl'), dev.map((batch) => batchLine(batch, {})).join(''));
  return 1 - tokens / positions;
}

function batchLine(batch: PeerBatch, more: object) {
  const { batchSize, length, inputIds, tokenTypeIds, attentionMask } = batch;
  const rows = (values: Int32Array) =>
    Array.from({ length: batchSize }, (_, row) => [...values.subarray(row * length, (row + 1) * length)]);
  const line = { ids: rows(inputIds), types: rows(tokenTypeIds), mask: rows(attentionMask), targets: targetsOf(batch) };
  return `${JSON.stringify({ ...line, ...more })}\n`;
}

/** What the peer's loss reads, by the names that transformers has for it. */
function targetsOf(batch: PeerBatch): Readonly<Record<string, readonly number[]>> {
  if ('startPositions' in batch) {
    return { start_positions: [...batch.startPositions], end_positions: [...batch.endPositions] };
  }
  return { labels: [...batch.targets] };
}

/** ‖ours − theirs‖ / ‖theirs‖ of one step's gradients: all together, and the worst tensor. */
async function compareGradients(
  engine: Engine,
  { objective, data }: PreparedTask<PeerBatch>,
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
      // These gradients are 0 but for rounding: softmax does not see what is added to all scores, or all positions, alike.
      const isZero = /\.key\.bias$|^qa_outputs\.bias$/.test(name);
      const relative = Math.sqrt(difference / norm);
      if (!isZero && relative > worst.relative) worst = { name, relative: rounded(relative) };
    }
    return { tensors: file.names.length, relative: rounded(Math.sqrt(squares / total)), worst };
  } finally {
    file.close();
  }
}

export function describeFinetune(result: FinetuneResult): string[] {
  const { medianMs, metric, baselines } = result;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const lines = [
    `${result.machine}; ${result.engine}; other processes kept ${result.othersCores ?? '?'} cores busy`,
    `${result.task}, ${result.steps} steps of ${result.batch} rows of up to ${result.length} tokens, dropout ${result.dropout}, seed ${result.seed}: ${medianMs} ms a step, ${percent(result.outsideEngine)} of it outside the engine, ${percent(result.padding)} of the tokens padding; dev ${metric} ${result.result}`,
  ];
  if (baselines.bagOfWords !== undefined) {
    lines.push(`majority class ${baselines.majority}, bag of words ${baselines.bagOfWords}`);
  }
  if (result.ratios) {
    const accuracy = result.peerAccuracy === undefined ? '' : `dev accuracy ${result.peerAccuracy}; `;
    const [least, most] = [Math.min(...result.ratios), Math.max(...result.ratios)];
    lines.push(
      `torch + transformers: ${result.peerMedianMs} ms a step, ${accuracy}ratio ${result.ratio} (${least} to ${most} over ${result.ratios.length} turns, in which other processes kept ${result.othersCoresInTurns?.median} cores busy; ${result.ratioOfAllTurns} over all ${result.turns?.length})`,
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

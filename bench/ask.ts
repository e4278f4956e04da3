/**
 * Questions answered beside transformers.js and transformers + torch: the same weights, the same questions and threads, in
 * turns. One short question at a time, questions with their contexts one by one, many in one call, and long texts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Precision } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/engineNames.js';
import { PleiadError } from '../src/errors/errors.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { convertModel } from '../src/pretrained/convert.node.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';
import {
  describeLong,
  type LongMeasurement,
  type LongRefusal,
  letters,
  longPairs,
  measureLong,
  type Pair,
} from './askLong.js';
import { PythonPeer } from './pythonPeer.js';
import { type QuietOptions, quietTurns } from './quietTurns.js';
import { machineDescription, median, rounded } from './report.js';
import { type WeightLimit, weightLimit } from './weightLimit.js';

export interface AskOptions {
  /** A model with a question answering head. */
  readonly model: string;
  /** Questions in SQuAD's format. */
  readonly data: string;
  readonly questions: number;
  readonly turns: number;
  readonly threads: number;
  readonly against: readonly ('transformers.js' | 'torch')[];
  readonly python?: string;
  /** Turns in which other processes kept more cores busy do not count. */
  readonly mostLoad: number;
  /** Of each kind of calls: no turn begins later. */
  readonly minutes: number;
  /** Words of long texts; none to leave them out. */
  readonly words: readonly number[];
}

/** Something that answers questions. */
interface Side {
  readonly name: string;
  /** Of a process of its own. */
  readonly pid?: number;
  answer(pairs: readonly Pair[], batch: number): Promise<{ ms: number; answers: string[] }>;
  close(): Promise<void>;
}

interface Workload {
  readonly name: string;
  readonly pairs: readonly Pair[];
  /** Questions of a call. */
  readonly batch: number;
}

export interface AskMeasurement {
  readonly workload: string;
  readonly questions: number;
  readonly side: string;
  /** Turns that count, and all that were taken. */
  readonly turns: number;
  readonly turnsTaken: number;
  /** Cores that other processes kept busy meanwhile, median. */
  readonly othersCores: number;
  /** Milliseconds a question, median of the turns. */
  readonly ms: number;
  /** How often as fast each other side is: its time over this side's, median, least and most of the turns. */
  readonly against: Readonly<Record<string, { ratio: number; least: number; most: number }>>;
  /** Share of the answers that are those of the first side, by their letters and digits. */
  readonly sameAnswers: number;
}

const SHORT = 'short, one at a time';
/** Longest context in characters that fits the model's row with its question, so that all sides read the same. */
const LONGEST_CONTEXT = 900;

export async function benchAsk(options: AskOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'pleiad-ask-'));
  const sides: Side[] = [];
  try {
    const { threads, against } = options;
    const [saved, exported] = [join(folder, 'saved'), join(folder, 'exported')];
    // Of a run, too, a folder that transformers loads.
    const { model } = await convertModel(options.model, saved);
    await exportModel(saved, exported, { quantize: true });
    const own: Side[] = [];
    for (const precision of ['fp32', 'bf16'] as const) {
      own.push(await ours(`pleiad ${precision}`, saved, { engine: 'auto', precision, threads }));
    }
    sides.push(...own);
    const long = await measureLongTexts(own, options);
    sides.push(await ours('pleiad int8', join(exported, 'onnx', 'model_quantized.onnx'), { threads }));
    if (against.includes('transformers.js')) {
      const theirs = await transformersJs(exported, 'fp32', threads);
      sides.push(theirs, await transformersJs(exported, 'q8', threads));
      long.push(...(await measureLongTexts([theirs], { ...options, words: options.words.filter(isBeyondTheirs) })));
    }
    if (against.includes('torch')) sides.push(await torch(options, saved));
    const pids = [process.pid, ...sides.flatMap(({ pid }) => pid ?? [])];
    const measurements: AskMeasurement[] = [];
    for (const workload of workloads(options))
      measurements.push(...(await measure(workload, sides, { ...options, pids })));
    const shapes = new Map([...model.tensors].map(([name, { shape }]) => [name, shape]));
    const limits: WeightLimit[] = [];
    for (const precision of ['fp32', 'bf16'] as const) {
      limits.push(await weightLimit(shapes, precision, { engine: 'auto', threads }));
    }
    return {
      name: 'ask',
      machine: machineDescription(),
      threads,
      cores: cpus().length,
      measurements,
      limits,
      long,
    };
  } finally {
    for (const side of sides) await side.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Words of texts that do not fit the 512 positions of the models that transformers.js answers with: one is enough to see it. */
const isBeyondTheirs = (words: number) => words === 5000;

/** Questions to each long text, beside the one that warms up. */
const LONG_QUESTIONS = 5;

/** Each side alone, since a process has one peak of memory. */
async function measureLongTexts(
  sides: readonly Side[],
  { data, words, mostLoad, minutes }: Pick<AskOptions, 'data' | 'words' | 'mostLoad' | 'minutes'>,
): Promise<(LongMeasurement | LongRefusal)[]> {
  const pairs = pairsOf(data);
  const quiet = { mostLoad, minutes, pids: [process.pid] };
  const measured: (LongMeasurement | LongRefusal)[] = [];
  for (const side of sides) {
    for (const count of words) {
      measured.push(await measureLong(side, longPairs(pairs, count, LONG_QUESTIONS + 1), count, quiet));
    }
  }
  return measured;
}

export type AskResult = Awaited<ReturnType<typeof benchAsk>>;

function workloads({ data, questions }: AskOptions): Workload[] {
  const pairs = pairsOf(data).filter(([, context]) => context.length <= LONGEST_CONTEXT);
  if (pairs.length < questions) {
    throw new PleiadError(
      `${data} has ${pairs.length} questions with contexts of up to ${LONGEST_CONTEXT} characters`,
      {
        subject: data,
        expected: `at least ${questions}`,
        advice: 'Ask for fewer by --questions',
      },
    );
  }
  const step = pairs.length / questions;
  const chosen = Array.from({ length: questions }, (_, i) => pairs[Math.floor(i * step)]);
  // A question and the sentence that it is about: what a person types.
  const short = chosen
    .slice(0, Math.min(50, questions))
    .map(([question, context]): Pair => [question, context.slice(0, context.indexOf(' ', 60))]);
  return [
    { name: SHORT, pairs: short, batch: 1 },
    { name: 'contexts, one at a time', pairs: chosen, batch: 1 },
    { name: 'contexts, eight at a time', pairs: chosen, batch: 8 },
    { name: 'all in one call', pairs: chosen, batch: questions },
  ];
}

interface SquadFile {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly question: string }[];
    }[];
  }[];
}

function pairsOf(path: string): Pair[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const { data } = JSON.parse(text) as SquadFile;
  return data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) => qas.map(({ question }): Pair => [question, context])),
  );
}

async function measure(
  { name, pairs, batch }: Workload,
  sides: readonly Side[],
  quiet: QuietOptions,
): Promise<AskMeasurement[]> {
  const answers = new Map<Side, string[]>();
  let at = 0;
  const take = async () => {
    const times = new Map<Side, number>();
    // Another side begins each turn: whoever comes first finds an idle machine, with cold caches.
    const first = at++ % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) {
      const { ms, answers: given } = await side.answer(pairs, batch);
      times.set(side, ms / pairs.length);
      answers.set(side, given);
    }
    return times;
  };
  await take(); // warms up
  const { counted, taken, othersCores } = await quietTurns(quiet, take);
  const timesOf = (side: Side) => counted.map((turn) => turn.get(side)!);
  const first = answers.get(sides[0])!.map(letters);
  return sides.map((side) => {
    const own = timesOf(side);
    const against = sides
      .filter((other) => other !== side)
      .map((other) => {
        const ratios = timesOf(other).map((ms, turn) => ms / own[turn]);
        const numbers = { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
        return [other.name, mapped(numbers, rounded)] as const;
      });
    const same = answers.get(side)!.filter((answer, i) => letters(answer) === first[i]).length;
    return {
      workload: name,
      questions: pairs.length,
      side: side.name,
      turns: counted.length,
      turnsTaken: taken,
      othersCores: othersCores.median,
      ms: rounded(median(own)),
      against: Object.fromEntries(against),
      sameAnswers: rounded(same / pairs.length),
    };
  });
}

function mapped<K extends string>(values: Record<K, number>, map: (value: number) => number): Record<K, number> {
  return Object.fromEntries(Object.entries<number>(values).map(([name, value]) => [name, map(value)])) as Record<
    K,
    number
  >;
}

async function timed(work: () => Promise<string[]>): Promise<{ ms: number; answers: string[] }> {
  const begun = performance.now();
  const answers = await work();
  return { ms: performance.now() - begun, answers };
}

/** Questions in calls of `batch`. */
async function inBatches(
  pairs: readonly Pair[],
  batch: number,
  answer: (pairs: readonly Pair[]) => Promise<string[]>,
): Promise<string[]> {
  const answers: string[] = [];
  for (let at = 0; at < pairs.length; at += batch) answers.push(...(await answer(pairs.slice(at, at + batch))));
  return answers;
}

interface OurOptions {
  readonly engine?: EngineName;
  readonly precision?: Precision;
  readonly threads: number;
}

async function ours(name: string, model: string, options: OurOptions): Promise<Side> {
  const ask = await pipeline('question-answering', { model, ...options });
  const answer = async (pairs: readonly Pair[]) => {
    const results = await ask(pairs.map(([question, context]) => ({ question, context })));
    return results.map((result) => result.answer);
  };
  return {
    name,
    answer: (pairs, batch) => timed(() => inBatches(pairs, batch, answer)),
    close: () => ask.release(),
  };
}

/** Calls of more rows than this would only be filled up with more padding. */
const MOST_ROWS = 16;

async function transformersJs(folder: string, dtype: 'fp32' | 'q8', threads: number): Promise<Side> {
  const { env, pipeline: theirs } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const ask = await theirs('question-answering', basename(folder), {
    dtype,
    session_options: { intraOpNumThreads: threads },
  });
  const answer = async (pairs: readonly Pair[]) => {
    const [questions, contexts] = [pairs.map(([question]) => question), pairs.map(([, context]) => context)];
    // biome-ignore lint/suspicious/noExplicitAny: its types know no lists of questions, its code does
    const results = await (ask as any)(questions, contexts);
    return (results as { answer: string }[]).map((result) => result.answer);
  };
  return {
    name: `transformers.js ${dtype}`,
    answer: (pairs, batch) => timed(() => inBatches(pairs, Math.min(batch, MOST_ROWS), answer)),
    close: async () => void (await ask.dispose()),
  };
}

async function torch({ python, threads }: AskOptions, model: string): Promise<Side> {
  const words = [model, '--threads', String(threads), '--serve'];
  const peer = await PythonPeer.start({ python, script: 'question_answers.py', words });
  return {
    name: 'torch fp32',
    pid: peer.pid,
    answer: (pairs, batch) => peer.ask(JSON.stringify({ pairs, batch: Math.min(batch, MOST_ROWS) })),
    close: async () => peer.stop(),
  };
}

export function describeAsk({ machine, threads, measurements, limits, long }: AskResult): string[] {
  const lines = [`${machine}; ${threads} threads`];
  const workloads = [...new Set(measurements.map(({ workload }) => workload))];
  for (const workload of workloads) {
    const own = measurements.filter((each) => each.workload === workload);
    const [{ questions, turns, turnsTaken, othersCores }] = own;
    lines.push(
      `${workload} (${questions}), ${turns} of ${turnsTaken} turns, in which other processes kept ${othersCores} cores busy:`,
    );
    for (const { side, ms, against, sameAnswers } of own) {
      const ratios = Object.entries(against)
        .filter(([name]) => !name.startsWith('pleiad'))
        .map(([name, { ratio, least, most }]) => `${ratio} × ${name} (${least} to ${most})`);
      const same = `${(100 * sameAnswers).toFixed(0)} % the same answers`;
      const beside = side.startsWith('pleiad') && ratios.length > 0 ? `: ${ratios.join(', ')}` : '';
      lines.push(`  ${side}: ${ms} ms a question, ${same}${beside}`);
    }
    if (workload !== SHORT) continue;
    for (const { precision, megabytes, gigabytesPerSecond, ms } of limits) {
      const reading = `reads ${megabytes} MB of weights at ${gigabytesPerSecond} GB/s`;
      lines.push(`  memory-read limit: a call in ${precision} ${reading}, ${ms} ms at least`);
    }
  }
  return [...lines, ...describeLong(long)];
}

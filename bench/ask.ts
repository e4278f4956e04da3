/**
 * Questions answered beside transformers.js and transformers + torch: the same weights, the same questions and threads, in
 * turns. One short question at a time, questions with their contexts one by one, and many in one call.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Precision } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/engineNames.js';
import { PleiadError } from '../src/errors/errors.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';
import { LoadMeter } from './machineLoad.js';
import { PythonPeer } from './pythonPeer.js';
import { machineDescription, median, rounded } from './report.js';

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
}

type Pair = readonly [question: string, context: string];

/** Something that answers questions. */
interface Side {
  readonly name: string;
  /** Which of ours the ratio is taken to: the peers of 32 bits are compared with ours of 32 bits. */
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
  /** Milliseconds a question, median of the turns. */
  readonly ms: number;
  /** How often as fast each other side is: its time over this side's, median, least and most of the turns. */
  readonly against: Readonly<Record<string, { ratio: number; least: number; most: number }>>;
  /** Share of the answers that are those of the first side, by their letters and digits. */
  readonly sameAnswers: number;
}

/** Longest context in characters that fits the model's row with its question, so that all sides read the same. */
const LONGEST_CONTEXT = 900;

export async function benchAsk(options: AskOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'pleiad-ask-'));
  const sides: Side[] = [];
  try {
    const exported = join(folder, 'exported');
    await exportModel(options.model, exported, { quantize: true });
    const { threads } = options;
    sides.push(
      await ours('pleiad fp32', options.model, { engine: 'auto', precision: 'fp32', threads }),
      await ours('pleiad bf16', options.model, { engine: 'auto', precision: 'bf16', threads }),
      await ours('pleiad int8', join(exported, 'onnx', 'model_quantized.onnx'), { threads }),
    );
    if (options.against.includes('transformers.js')) {
      sides.push(await transformersJs(exported, 'fp32', threads), await transformersJs(exported, 'q8', threads));
    }
    if (options.against.includes('torch')) sides.push(await torch(options));
    const load = new LoadMeter([process.pid]);
    const measurements: AskMeasurement[] = [];
    for (const workload of workloads(options)) measurements.push(...(await measure(workload, sides, options.turns)));
    return {
      name: 'ask',
      machine: machineDescription(),
      threads,
      cores: cpus().length,
      othersCores: load.othersCores(),
      measurements,
    };
  } finally {
    for (const side of sides) await side.close();
    rmSync(folder, { recursive: true, force: true });
  }
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
    { name: 'short, one at a time', pairs: short, batch: 1 },
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
  turns: number,
): Promise<AskMeasurement[]> {
  const times = new Map<Side, number[]>(sides.map((side) => [side, []]));
  const answers = new Map<Side, string[]>();
  // The first turn warms up.
  for (let turn = 0; turn <= turns; turn++) {
    for (const side of sides) {
      const { ms, answers: given } = await side.answer(pairs, batch);
      if (turn > 0) times.get(side)!.push(ms / pairs.length);
      answers.set(side, given);
    }
  }
  const first = answers.get(sides[0])!.map(letters);
  return sides.map((side) => {
    const own = times.get(side)!;
    const against = sides
      .filter((other) => other !== side)
      .map((other) => {
        const ratios = times.get(other)!.map((ms, turn) => ms / own[turn]);
        const numbers = { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
        return [other.name, mapped(numbers, rounded)] as const;
      });
    const same = answers.get(side)!.filter((answer, i) => letters(answer) === first[i]).length;
    return {
      workload: name,
      questions: pairs.length,
      side: side.name,
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

/** transformers.js decodes tokens, so that case and spaces are lost. */
const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

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

async function torch({ model, python, threads }: AskOptions): Promise<Side> {
  const words = [model, '--threads', String(threads), '--serve'];
  const peer = await PythonPeer.start({ python, script: 'question_answers.py', words });
  return {
    name: 'torch fp32',
    answer: (pairs, batch) => peer.ask(JSON.stringify({ pairs, batch: Math.min(batch, MOST_ROWS) })),
    close: async () => peer.stop(),
  };
}

export function describeAsk({ machine, threads, othersCores, measurements }: AskResult): string[] {
  const lines = [`${machine}; ${threads} threads; other processes kept ${othersCores ?? '?'} cores busy`];
  for (const { workload, questions, side, ms, against, sameAnswers } of measurements) {
    const ratios = Object.entries(against)
      .filter(([name]) => !name.startsWith('pleiad'))
      .map(([name, { ratio, least, most }]) => `${ratio} × ${name} (${least} to ${most})`);
    const same = `${(100 * sameAnswers).toFixed(0)} % the same answers`;
    const beside = side.startsWith('pleiad') && ratios.length > 0 ? `: ${ratios.join(', ')}` : '';
    lines.push(`${workload} (${questions}), ${side}: ${ms} ms a question, ${same}${beside}`);
  }
  return lines;
}

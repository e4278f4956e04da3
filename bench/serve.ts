/**
 * A model behind a port, asked for vectors by clients of this machine: batches against one text at a time, latency for more and
 * more clients beside a plain loop over transformers.js, and overload with requests that are cancelled, too large or malformed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineName, PrecisionName } from '../src/engine/engineNames.js';
import { PleiadError } from '../src/errors/errors.js';
import { workerUrl } from '../src/files/workerUrl.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';
import { ask, type Load, loadOf } from './httpLoad.js';
import { LoadMeter } from './machineLoad.js';
import { machineDescription, median, ratioOf, rounded, say } from './report.js';
import { randomTexts, textsOfFile, type Workload, workloadOf } from './serveTexts.js';

export interface ServeBenchOptions {
  /** An encoder. */
  readonly model: string;
  /** A file of short texts, asked beside random words: lines, or questions in SQuAD's form. */
  readonly texts?: string;
  /** Of each measurement. */
  readonly seconds: number;
  /** Batched and one at a time, in turns. */
  readonly turns: number;
  readonly threads: number;
  readonly engine: EngineName;
  readonly precision: PrecisionName;
  /** Seconds of overload. */
  readonly overload: number;
  /** Requests of each kind of trouble. */
  readonly troubles: number;
  readonly peer: boolean;
}

type Side = 'batched' | 'unbatched';

const CLIENTS = [1, 8, 32, 128];
/** Texts of a call to the engine alone, as many as clients; and calls of each kind. */
const [ALONE_BATCH, ALONE_CALLS] = [32, 2];
/** Seconds of a first turn that does not count, five times the others' at most: the compiler of V8 is busy for about as long. */
const WARM_UP = 5;
/** How far memory may move after the first third of an overload. */
const FLAT = 0.05;

export async function benchServe(options: ServeBenchOptions) {
  const { model, seconds, turns, threads, engine, precision } = options;
  const { workloads, alone } = await engineAlone(options);
  const bodiesOf = ({ texts }: Workload) => texts.map((inputs) => JSON.stringify({ inputs }));
  const servers: Server[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'pleiad-serve-'));
  try {
    const start = async (...flags: string[]) => {
      const computing = ['--threads', `${threads}`, '--engine', engine, '--precision', precision];
      const server = await Server.start([MAIN, 'serve', `model=${model}`, ...computing, ...flags]);
      servers.push(server);
      return server;
    };
    const batched = await start();
    const unbatched = await start('--max-batch-size', '1');
    const sides: [name: string, server: Server][] = [['pleiad', batched]];
    if (options.peer) {
      const exported = join(folder, 'exported');
      await exportModel(model, exported, {});
      const peer = await Server.start([PEER, exported, `${threads}`]);
      servers.push(peer);
      sides.push(['transformers.js, a plain loop', peer]);
    }
    const meter = new LoadMeter([process.pid, ...servers.map(({ pid }) => pid)]);
    const rates = workloads.map(() => ({ batched: [] as number[], unbatched: [] as number[] }));
    for (let turn = -1; turn < turns; turn++) {
      for (const [i, workload] of workloads.entries()) {
        for (const [name, server] of Object.entries({ batched, unbatched }) as [Side, Server][]) {
          const bodies = bodiesOf(workload);
          const isWarmUp = turn < 0;
          const load = await loadOf(server.url, {
            clients: 32,
            seconds: isWarmUp ? Math.min(WARM_UP, 5 * seconds) : seconds,
            bodies,
          });
          requireAll(load, name);
          if (isWarmUp) continue;
          rates[i][name].push(load.perSecond);
          say(`${workload.name}, ${name}, 32 clients: ${load.perSecond.toFixed(0)} requests/s`);
        }
      }
    }
    const othersCores = meter.othersCores();
    await unbatched.stop();
    const latencies: { side: string; clients: number; load: Load }[] = [];
    for (const clients of CLIENTS) {
      for (const [side, server] of sides) {
        const load = await loadOf(server.url, { clients, seconds, bodies: bodiesOf(workloads[0]) });
        requireAll(load, side);
        latencies.push({ side, clients, load });
        say(`${side}, ${clients} clients: p50 ${load.p50.toFixed(1)} ms, p99 ${load.p99.toFixed(1)} ms`);
      }
    }
    for (const server of servers) await server.stop();
    const overload = options.overload > 0 ? await overloaded(options, await start('--max-queue', '16')) : undefined;
    return {
      name: 'serve' as const,
      machine: machineDescription(),
      threads,
      engine,
      precision,
      othersCores,
      unit: 'requests/s',
      value: rounded(median(rates[0].batched)),
      workloads: workloads.map(({ name, pieces }, i) => ({
        name,
        pieces,
        batched: rounded(median(rates[i].batched)),
        unbatched: rounded(median(rates[i].unbatched)),
        // Rates, so the other way round than times.
        batchedToUnbatched: ratioOf('one text at a time', rates[i].unbatched, rates[i].batched),
        alone: alone[i],
      })),
      latencies: latencies.map(({ side, clients, load }) => ({
        side,
        clients,
        perSecond: rounded(load.perSecond),
        p50: rounded(load.p50),
        p99: rounded(load.p99),
      })),
      overload,
    };
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export type ServeBenchResult = Awaited<ReturnType<typeof benchServe>>;

const MAIN = fileURLToPath(workerUrl('../src/cli/main.js', import.meta.url));
const PEER = fileURLToPath(new URL('./servePeer.js', import.meta.url));

/**
 * What batches gain without a server, its messages and its clients: the pipeline called with one text at a time, and with as
 * many as there would be clients. The server's gain can be more only by what a request costs beside its text.
 */
async function engineAlone({ model, texts, turns, threads, engine, precision }: ServeBenchOptions) {
  const loading = { model, threads, engine, precision, batchSize: ALONE_BATCH };
  const single = await pipeline('feature-extraction', loading);
  const many = await pipeline('feature-extraction', { ...loading, skipPadding: true });
  const { tokenizer } = single;
  const workloads = [workloadOf('random words', randomTexts(), tokenizer)];
  if (texts !== undefined) workloads.push(workloadOf(basename(texts), textsOfFile(texts), tokenizer));
  const alone = [];
  for (const workload of workloads) {
    const chosen = workload.texts.slice(0, ALONE_CALLS * ALONE_BATCH);
    const msPerText = async (embed: typeof single, size: number) => {
      const begin = performance.now();
      for (let from = 0; from < chosen.length; from += size) {
        await embed(chosen.slice(from, from + size), { pooling: 'mean', normalize: true });
      }
      return (performance.now() - begin) / chosen.length;
    };
    const times = { one: [] as number[], batched: [] as number[] };
    for (let turn = -1; turn < turns; turn++) {
      const [one, batched] = [await msPerText(single, 1), await msPerText(many, ALONE_BATCH)];
      if (turn < 0) continue;
      times.one.push(one);
      times.batched.push(batched);
    }
    alone.push({
      oneMs: rounded(median(times.one)),
      batchedMs: rounded(median(times.batched)),
      batchedToOne: ratioOf('one text at a time', times.batched, times.one),
    });
  }
  await single.release();
  await many.release();
  return { workloads, alone };
}

function requireAll({ failed, requests }: Load, side: string): void {
  if (failed === 0 && requests > 0) return;
  throw new PleiadError(`${side}: ${failed} of ${requests} requests failed`, { subject: side });
}

/** A server in a process of its own, which says its address. */
class Server {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    this.#ended = new Promise((resolve) => {
      if (child.exitCode !== null) resolve(child.exitCode);
      child.once('exit', resolve);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  static async start(words: readonly string[]): Promise<Server> {
    const own = words.includes('serve') ? ['--port', '0', '--quiet', '--reload', '0'] : [];
    const child = spawn(process.execPath, [...words, ...own], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (part) => {
        said += part;
        // Of ours the model, too.
        const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
        if (found && (own.length === 0 || said.includes(': loaded in'))) resolve(found);
      });
      child.once('exit', (code) => reject(new PleiadError(`${words[0]} ended with code ${code}`)));
    });
    return new Server(child, url);
  }

  /** Resident memory, MiB; undefined where there is no /proc. */
  memoryMiB(): number | undefined {
    try {
      const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
      return kB === undefined ? undefined : Number(kB) / 1024;
    } catch {
      return undefined;
    }
  }

  /** SIGTERM, and waits. */
  stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    return this.#ended;
  }
}

/** Clients enough to keep the queue full; what each is answered is held against what the text is answered alone. */
async function overloaded({ model, overload, troubles, threads }: ServeBenchOptions, server: Server) {
  const inputs = randomTexts(64);
  const embed = await pipeline('feature-extraction', { model, threads });
  const expected = await embed(inputs, { pooling: 'mean', normalize: true });
  await embed.release();
  const agent = new Agent({ keepAlive: true });
  const counts = {
    answered: 0,
    refused: 0,
    lost: 0,
    wrong: 0,
    cancelled: 0,
    oversized: 0,
    malformed: 0,
    afterSigterm: 0,
  };
  const memory: number[] = [];
  const begin = performance.now();
  let isStopping = false;
  let isOver = false;

  const check = (text: string, i: number): boolean => {
    const [vector] = JSON.parse(text) as number[][];
    return vector.length === expected[i].length && vector.every((value, k) => Math.abs(value - expected[i][k]) < 1e-5);
  };
  const client = async (first: number) => {
    for (let i = first; !isOver; i = (i + 7) % inputs.length) {
      const { status, text } = await ask(server.url, { agent, body: JSON.stringify({ inputs: inputs[i] }) });
      if (status === 200) {
        counts.answered++;
        if (!check(text, i)) counts.wrong++;
        if (isStopping) counts.afterSigterm++;
        continue;
      }
      if (isStopping) return;
      if (status === 429) {
        counts.refused++;
        // As it was asked to, only sooner.
        await new Promise((resolve) => setTimeout(resolve, 20));
      } else counts.lost++;
    }
  };
  const trouble = async () => {
    for (let i = 0; i < troubles; i++) {
      const controller = new AbortController();
      const gone = ask(server.url, { agent, body: JSON.stringify({ inputs: inputs[0] }), signal: controller.signal });
      setTimeout(() => controller.abort(), i % 12);
      await gone;
      counts.cancelled++;
      const large = await ask(server.url, { agent, body: JSON.stringify({ inputs: 'x'.repeat(2_100_000) }) });
      if (large.status === 413 || large.status === 0) counts.oversized++;
      const malformed = await ask(server.url, { agent, body: '{"inputs": [' });
      if (malformed.status === 400) counts.malformed++;
      await new Promise((resolve) => setTimeout(resolve, (overload * 1000) / (2 * troubles)));
    }
  };
  const watch = setInterval(() => {
    const now = server.memoryMiB();
    if (now !== undefined) memory.push(now);
  }, 1000);
  const clients = Array.from({ length: 64 }, (_, i) => client(i));
  const troubled = trouble();
  await new Promise((resolve) => setTimeout(resolve, overload * 1000));
  await troubled;
  const seconds = (performance.now() - begin) / 1000;
  clearInterval(watch);
  isStopping = true;
  const code = await server.stop();
  isOver = true;
  await Promise.all(clients);
  agent.destroy();
  // The first third warms up.
  const settled = memory.slice(Math.floor(memory.length / 3));
  const middle = median(settled);
  return {
    ...counts,
    seconds: rounded(seconds),
    exitCode: code,
    memoryMiB: rounded(middle),
    memoryLeast: rounded(Math.min(...settled) / middle),
    memoryMost: rounded(Math.max(...settled) / middle),
    /** A leak climbs from tenth to tenth, a peak passes: medians of the tenths of all of the time. */
    memoryByTenth: tenthsOf(memory).map((values) => rounded(median(values))),
    /** Of the looks after warm-up, those within the bounds. */
    flatShare: rounded(settled.filter((value) => Math.abs(value / middle - 1) <= FLAT).length / settled.length),
    isFlat: settled.every((value) => Math.abs(value / middle - 1) <= FLAT),
  };
}

/** Ten parts in order; fewer where there are fewer values. */
function tenthsOf(values: readonly number[]): number[][] {
  const size = Math.max(1, Math.ceil(values.length / 10));
  const parts: number[][] = [];
  for (let from = 0; from < values.length; from += size) parts.push(values.slice(from, from + size));
  return parts;
}

export function describeServe(result: ServeBenchResult): string[] {
  const lines = [
    `${result.machine}; ${result.threads} threads; other processes kept ${result.othersCores?.toFixed(2) ?? '?'} cores busy`,
    ...result.workloads.flatMap(describeWorkload),
    ...result.latencies.map(
      ({ side, clients, p50, p99, perSecond }) =>
        `${clients} clients, ${side}: p50 ${p50} ms, p99 ${p99} ms, ${perSecond} requests/s`,
    ),
  ];
  const { overload } = result;
  if (overload) {
    lines.push(
      `overload, ${overload.seconds} s: ${overload.answered} answered, ${overload.refused} refused with 429, ${overload.lost} lost, ${overload.wrong} wrong; ${overload.cancelled} cancelled, ${overload.oversized} oversized, ${overload.malformed} malformed`,
      `memory ${overload.memoryMiB} MiB, ${overload.memoryLeast} to ${overload.memoryMost} of it after warm-up, ${overload.flatShare * 100} % of the looks within 5 %; by tenths of the time ${overload.memoryByTenth.join(', ')}; after SIGTERM ${overload.afterSigterm} more were answered, exit code ${overload.exitCode}`,
    );
  }
  return lines;
}

function describeWorkload({
  name,
  pieces,
  batched,
  unbatched,
  batchedToUnbatched,
  alone,
}: ServeBenchResult['workloads'][number]) {
  const spread = ({ ratio, ratioMin, ratioMax, runs }: typeof batchedToUnbatched) =>
    `${ratio} times as many (${ratioMin} to ${ratioMax}, ${runs} turns)`;
  return [
    `${name}: ${pieces.least} to ${pieces.most} pieces, mean ${pieces.mean}, median ${pieces.median}; ${pieces.leftOut} longer texts left out`,
    `  32 clients: ${batched} requests/s, one text at a time ${unbatched}; ${spread(batchedToUnbatched)}`,
    `  the pipeline alone: ${alone.batchedMs} ms a text in batches of ${ALONE_BATCH}, one at a time ${alone.oneMs}; ${spread(alone.batchedToOne)}`,
  ];
}

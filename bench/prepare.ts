/**
 * Speed of `prepare` with one worker and with two, alternated in one run, and what the machine itself gives to a second
 * thread: two cores that share a memory bus, or that others use as well, are not twice one.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { prepareCorpus } from '../src/data/prepare/prepareCorpus.node.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';
import { saveTokenizer } from '../src/text/tokenizer.node.js';
import { VocabularyTrainer } from '../src/text/vocabularyTraining.js';
import { machineDescription, median, peakMemoryMiB, type Ratio, ratioOf, rounded, say } from './report.js';

export interface PrepareBenchOptions {
  /** Folder of text to prepare. Default: ../shared/data/text-en if it is there, else the text in examples/. */
  input?: string;
  /** MB of text (10^6 bytes); the input is repeated up to that. Default 320: in less, threads have hardly warmed up. */
  megabytes?: number;
  /** Pairs of runs. Default 5. */
  runs?: number;
  /** Nothing for people on standard error. */
  json?: boolean;
}

export interface PrepareBenchResult {
  name: 'prepare';
  machine: string;
  threads: number;
  unit: 'MB/s';
  /** With two workers, median. */
  value: number;
  /** Two workers against one: how many times as fast. */
  against: Ratio;
  peakMemoryMiB: number;
  megabytesPerSecond: { oneWorker: number; twoWorkers: number };
  /** Two threads against one at arithmetic that shares nothing, measured between the runs: what 2 workers could gain. */
  machineScaling: { ratio: number; ratioMin: number; ratioMax: number; runs: number };
}

/** Measures on a copy in a temporary folder, which is removed. */
export async function benchPrepare(options: PrepareBenchOptions = {}): Promise<PrepareBenchResult> {
  const { megabytes = 320, runs = 5, json = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'bench-prepare-'));
  const tell = json ? () => {} : say;
  try {
    const text = repeatTo(readText(options.input ?? defaultInput()), megabytes * 1e6);
    const input = join(folder, 'text.txt');
    writeFileSync(input, text);
    await saveTokenizer(trainTokenizer(text.subarray(0, 2_000_000).toString()), join(folder, 'tokenizer'));
    const times = { one: [] as number[], two: [] as number[] };
    const spins = { one: [] as number[], two: [] as number[] };
    await prepareOnce(folder, input, 2);
    for (let run = 0; run < runs; run++) {
      times.one.push(await prepareOnce(folder, input, 1));
      times.two.push(await prepareOnce(folder, input, 2));
      spins.one.push(await spin(1));
      spins.two.push((await spin(2)) / 2);
      const [one, two] = [times.one[run], times.two[run]].map((ms) => text.length / 1000 / ms);
      tell(`run ${run + 1}: 1 worker ${one.toFixed(1)} MB/s, 2 workers ${two.toFixed(1)} MB/s`);
    }
    const speed = (ms: number[]) => rounded(text.length / 1000 / median(ms));
    const { name: _, ...machineScaling } = ratioOf('', spins.two, spins.one);
    return {
      name: 'prepare',
      machine: machineDescription(),
      threads: 2,
      unit: 'MB/s',
      value: speed(times.two),
      against: ratioOf('prepare with 1 worker', times.two, times.one),
      peakMemoryMiB: peakMemoryMiB(),
      megabytesPerSecond: { oneWorker: speed(times.one), twoWorkers: speed(times.two) },
      machineScaling,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns elapsed ms */
async function prepareOnce(folder: string, input: string, workers: number): Promise<number> {
  const out = join(folder, 'out');
  rmSync(out, { recursive: true, force: true });
  const { elapsedMs } = await prepareCorpus({ inputs: [input], tokenizerDir: join(folder, 'tokenizer'), out, workers });
  return elapsedMs;
}

/** Times the same arithmetic in each of `threads` threads at once; ms until the last is done. */
async function spin(threads: number): Promise<number> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    parentPort.once('message', () => {
      let x = 1;
      for (let i = 0; i < 5e8; i++) x = Math.imul(x ^ i, 0x01000193);
      parentPort.postMessage(x);
    });
    parentPort.postMessage('ready');`;
  const workers = Array.from({ length: threads }, () => new Worker(code, { eval: true }));
  const next = (worker: Worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(next));
  const startedAt = performance.now();
  const done = Promise.all(workers.map(next));
  for (const worker of workers) worker.postMessage('go');
  await done;
  const elapsedMs = performance.now() - startedAt;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return elapsedMs;
}

function trainTokenizer(text: string): WordPieceTokenizer {
  const trainer = new VocabularyTrainer();
  trainer.add(text);
  return WordPieceTokenizer.fromVocabulary(trainer.train({ size: 8192 }));
}

/** The first of the usual folders that exists, seen from the package's root. */
function defaultInput(): string {
  const candidates = ['../shared/data/text-en', 'examples'];
  const found = candidates.find((path) => existsSync(path));
  if (found) return found;
  throw new Error(`No text to measure with: run from the package's folder, or name a folder (input)`);
}

/** All .txt and .txt.gz files of a folder and those below it. */
function readText(path: string): Buffer {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  const parts = names
    .filter((name) => /\.txt(\.gz)?$/.test(name))
    .map((name) => {
      const bytes = readFileSync(join(path, name));
      return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    });
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n\n')]));
}

function repeatTo(text: Buffer, bytes: number): Buffer {
  if (text.length === 0) throw new Error('No text to measure with: the folder has no .txt or .txt.gz file');
  const copies = Math.ceil(bytes / text.length);
  const all = Buffer.concat(Array.from({ length: copies }, () => text));
  // Up to a line end, so that no character is torn.
  return all.subarray(0, all.lastIndexOf(0x0a, bytes) + 1);
}

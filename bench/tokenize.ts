/**
 * Tokenizer speed on one thread, English and Korean: ids alone (what `prepare` does) and everything with offsets (what
 * pipelines do), each against the native tokenizers package doing the same work, alternated in one run.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Tokenizer } from 'tokenizers';
import { RandomStream } from '../src/random/philox.js';
import { PUBLISHED_NORMALIZATION } from '../src/text/normalization.js';
import { PieceBuffer, WordPieceTokenizer } from '../src/text/tokenizer.js';
import { VocabularyTrainer } from '../src/text/vocabularyTraining.js';
import { median } from '../src/training/median.js';
import { machineDescription } from './report.js';

const NUM_RUNS = 5;
const DEFAULT_MEGABYTES = 2;
/** Lines the peer gets at once; its results are objects that would otherwise pile up. */
const BATCH_LINES = 1000;

/** How often we are as fast as the peer: median, smallest and largest ratio of the runs. */
export interface Ratio {
  name: string;
  ratio: number;
  ratioMin: number;
  ratioMax: number;
  runs: number;
}

/** One language and one path. */
export interface TokenizeMeasurement {
  language: string;
  /** 'ids' or 'offsets' */
  path: string;
  /** MB of UTF-8 text a second, median of the runs. */
  megabytesPerSecond: number;
  tokensPerSecond: number;
  against?: Ratio;
}

/** The benchmark's result; `value` and `against` are those of English ids. */
export interface TokenizeResult {
  name: string;
  machine: string;
  threads: number;
  unit: string;
  value: number;
  against?: Ratio;
  peakMemoryMiB: number;
  measurements: TokenizeMeasurement[];
}

interface Task {
  language: string;
  lines: string[];
  megabytes: number;
  newTokenizer: () => WordPieceTokenizer;
}

/**
 * Runs the benchmark. The text is that of ../shared/data if it is there, else of examples/, else generated.
 * @param options.megabytes  MB of text per language, default 2
 * @param options.json       no lines for people on stderr
 */
export async function benchTokenize(options: { json?: boolean; megabytes?: number } = {}): Promise<TokenizeResult> {
  const say = options.json ? () => {} : (line: string) => process.stderr.write(`${line}\n`);
  const newPeer = await loadPeer();
  if (!newPeer) say('the tokenizers package is not installed: no comparison');
  const measurements: TokenizeMeasurement[] = [];
  for (const task of tasks(options.megabytes ?? DEFAULT_MEGABYTES)) {
    for (const measurement of await measure(task, newPeer)) {
      measurements.push(measurement);
      say(sentence(measurement));
    }
  }
  const [first] = measurements;
  return {
    name: 'tokenize',
    machine: machineDescription(),
    threads: 1,
    unit: 'MB/s',
    value: first.megabytesPerSecond,
    against: first.against,
    peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    measurements,
  };
}

type PeerMaker = (tokenizer: WordPieceTokenizer) => Tokenizer;

async function loadPeer(): Promise<PeerMaker | undefined> {
  // One thread each; read by the native library when it starts its pool.
  process.env.RAYON_NUM_THREADS = '1';
  process.env.TOKENIZERS_PARALLELISM = 'false';
  try {
    const { Tokenizer } = await import('tokenizers');
    return (tokenizer) => Tokenizer.fromString(JSON.stringify(tokenizer.toTokenizerJson()));
  } catch {
    return undefined;
  }
}

async function measure(task: Task, newPeer: PeerMaker | undefined): Promise<TokenizeMeasurement[]> {
  const { lines } = task;
  const peer = newPeer?.(task.newTokenizer());
  const times = { ids: [] as number[], offsets: [] as number[], peerIds: [] as number[], peerOffsets: [] as number[] };
  let numTokens = 0;
  for (let run = 0; run < NUM_RUNS; run++) {
    // A new tokenizer each time: its table of known words starts empty, as at the start of a corpus.
    const fast = task.newTokenizer();
    times.ids.push(await elapsedMs(() => idsOfLines(fast, lines)));
    if (peer) times.peerIds.push(await elapsedMs(() => peerLines(peer, lines, false)));
    const full = task.newTokenizer();
    times.offsets.push(
      await elapsedMs(() => {
        numTokens = offsetsOfLines(full, lines);
      }),
    );
    if (peer) {
      let numPeerTokens = 0;
      const ms = await elapsedMs(async () => {
        numPeerTokens = await peerLines(peer, lines, true);
      });
      times.peerOffsets.push(ms);
      if (numPeerTokens !== numTokens) throw new Error(`we count ${numTokens} tokens, the peer ${numPeerTokens}`);
    }
  }
  return [
    measurement(task, 'ids', numTokens, times.ids, times.peerIds),
    measurement(task, 'offsets', numTokens, times.offsets, times.peerOffsets),
  ];
}

function idsOfLines(tokenizer: WordPieceTokenizer, lines: string[]): void {
  const buffer = new PieceBuffer();
  for (const line of lines) tokenizer.appendIds(line, buffer);
}

function offsetsOfLines(tokenizer: WordPieceTokenizer, lines: string[]): number {
  let numTokens = 0;
  for (const line of lines) numTokens += tokenizer.encode(line, { addSpecialTokens: false }).length;
  return numTokens;
}

async function peerLines(peer: Tokenizer, lines: string[], withOffsets: boolean): Promise<number> {
  let numTokens = 0;
  for (let from = 0; from < lines.length; from += BATCH_LINES) {
    const encodings = await peer.encodeBatch(lines.slice(from, from + BATCH_LINES), { addSpecialTokens: false });
    for (const encoding of encodings) {
      numTokens += encoding.getIds().length;
      if (withOffsets) encoding.getOffsets();
    }
  }
  return numTokens;
}

async function elapsedMs(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function measurement(
  task: Task,
  path: string,
  numTokens: number,
  ours: number[],
  theirs: number[],
): TokenizeMeasurement {
  const seconds = median(ours) / 1000;
  const ratios = theirs.map((ms, run) => ms / ours[run]);
  return {
    language: task.language,
    path,
    megabytesPerSecond: round(task.megabytes / seconds),
    tokensPerSecond: Math.round(numTokens / seconds),
    against:
      ratios.length === 0
        ? undefined
        : {
            name: path === 'ids' ? 'tokenizers: encodeBatch, getIds' : 'tokenizers: encodeBatch, getIds, getOffsets',
            ratio: round(median(ratios)),
            ratioMin: round(Math.min(...ratios)),
            ratioMax: round(Math.max(...ratios)),
            runs: ratios.length,
          },
  };
}

function sentence({ language, path, megabytesPerSecond, tokensPerSecond, against }: TokenizeMeasurement): string {
  const speed = `${language}, ${path}: ${megabytesPerSecond} MB/s, ${(tokensPerSecond / 1e6).toFixed(2)} M tokens/s`;
  return against
    ? `${speed}; ${against.ratio}× ${against.name} (${against.ratioMin} to ${against.ratioMax}, ${against.runs} runs)`
    : speed;
}

const round = (value: number): number => Math.round(value * 100) / 100;

// Texts and vocabularies.

/** From source this file lies one folder below the package, compiled two. */
function packageUrl(): URL {
  const source = new URL('../', import.meta.url);
  return existsSync(new URL('package.json', source)) ? source : new URL('../../', import.meta.url);
}

function tasks(megabytes: number): Task[] {
  const data = new URL('../shared/data/', packageUrl());
  const english =
    readText(new URL('text-en/books/', data), megabytes) ?? readText(new URL('examples/', packageUrl()), megabytes);
  const korean = readText(new URL('text-ko/', data), megabytes);
  const uncased = { ...PUBLISHED_NORMALIZATION };
  return [
    task(
      'English',
      english ?? generatedText(megabytes, 0x61, 26),
      new URL('vocab/bert-base-uncased/vocab.txt', data),
      uncased,
    ),
    task('Korean', korean ?? generatedText(megabytes, 0xac00, 2000), new URL('vocab/koelectra/vocab.txt', data), {
      ...uncased,
      lowercase: false,
    }),
  ];
}

function task(language: string, text: string, vocabularyUrl: URL, settings: typeof PUBLISHED_NORMALIZATION): Task {
  const tokens = existsSync(vocabularyUrl)
    ? WordPieceTokenizer.fromVocabText(readFileSync(vocabularyUrl, 'utf8'), settings).tokens
    : trainedVocabulary(text, settings);
  const lines = text.split('\n').filter((line) => line !== '');
  return {
    language,
    lines,
    megabytes: lines.reduce((bytes, line) => bytes + Buffer.byteLength(line), 0) / 1e6,
    newTokenizer: () => WordPieceTokenizer.fromVocabulary(tokens, settings),
  };
}

function trainedVocabulary(text: string, settings: typeof PUBLISHED_NORMALIZATION): string[] {
  const trainer = new VocabularyTrainer(settings);
  trainer.add(text);
  return trainer.train({ size: 8192, alphabetLimit: 3000 });
}

/** The first `megabytes` of the folder's text files; undefined when it has none. */
function readText(folder: URL, megabytes: number): string | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).filter((name) => /\.txt(\.gz)?$/.test(name));
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const name of names.sort()) {
    if (bytes >= megabytes * 1e6) break;
    const file = readFileSync(new URL(name, folder));
    parts.push(name.endsWith('.gz') ? gunzipSync(file) : file);
    bytes += parts[parts.length - 1].length;
  }
  if (parts.length === 0) return undefined;
  return Buffer.concat(parts)
    .subarray(0, megabytes * 1e6)
    .toString('utf8');
}

/** Lines of made-up words over an alphabet, the n-th word as frequent as 1/n, as in natural text. */
function generatedText(megabytes: number, firstLetter: number, alphabetSize: number): string {
  const random = new RandomStream(1, 'test', 0, 0);
  const words = Array.from({ length: 20_000 }, () =>
    String.fromCharCode(
      ...Array.from({ length: 2 + random.integer(7) }, () => firstLetter + random.integer(alphabetSize)),
    ),
  );
  const lines: string[] = [];
  for (let bytes = 0; bytes < megabytes * 1e6; bytes += Buffer.byteLength(lines[lines.length - 1]) + 1) {
    lines.push(
      `${Array.from({ length: 12 }, () => words[Math.floor(words.length ** random.uniform()) - 1]).join(' ')}.`,
    );
  }
  return lines.join('\n');
}

/**
 * A proofreader on planted errors: one in each held-out sentence, of four kinds (../shared/probes/plant-errors.mjs), beside the
 * discriminator alone and frequencies of words and pairs of words. Each marks words from the doubt on that marks a given part of the words of the
 * same sentences without errors.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModelFor } from '../../src/pipelines/load.node.js';
import { proofreadPipeline } from '../../src/pipelines/proofread/pipeline.js';
import { type JudgedWord, type Proofreader, proofread } from '../../src/pipelines/proofread/proofread.js';
import { isDoubled } from '../../src/pipelines/proofread/words.js';
import { rankAuc } from './rankAuc.js';

export const ERROR_KINDS = ['swap', 'letters', 'missing', 'doubled'] as const;
type Kind = (typeof ERROR_KINDS)[number];
const RATES = [0.01, 0.02, 0.05];

interface Planted {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** How doubtful each word of a text is. */
type Judge = (texts: readonly string[]) => Promise<readonly (readonly JudgedPlace[])[]>;
interface JudgedPlace {
  readonly start: number;
  readonly end: number;
  readonly doubt: number;
}

export interface ProofreadingOptions {
  readonly model: string;
  /** Sentences without errors, a line each. */
  readonly heldOut: string;
  /** Text that the frequencies are counted in: what the model was trained on. */
  readonly train: string;
  /** Text that the model's own calibration is made on, where it has none. */
  readonly own?: string;
  readonly probe: string;
  readonly threads?: number;
  /** Sentences, at most. */
  readonly limit?: number;
}

export interface ProofreadingRow {
  readonly judge: string;
  readonly kind: Kind;
  readonly places: number;
  /** AUC of the planted words among all words of their sentences. */
  readonly auc: number;
  /** Found at each rate of false alarms. */
  readonly found: readonly { readonly rate: number; readonly recall: number }[];
}

export async function benchProofreading(options: ProofreadingOptions) {
  const { model, heldOut, train, own, probe, threads, limit = Number.POSITIVE_INFINITY } = options;
  const reader = await loadReader(model, threads);
  try {
    const calibration =
      reader.calibration ?? (own === undefined ? undefined : await reader.calibrate([readFileSync(own, 'utf8')]));
    const right = linesOf(heldOut)
      .filter((line) => inBounds(line))
      .slice(0, limit);
    const judges: Record<string, Judge> = {
      pair: withRule(async (texts) => reader.doubts(texts, { calibration })),
      'discriminator alone': async (texts) =>
        (await reader.doubts(texts)).map((words) => words.map((word: JudgedWord) => ({ ...word, doubt: word.logit }))),
      frequencies: frequencyJudge(readFileSync(train, 'utf8')),
    };
    const rows: ProofreadingRow[] = [];
    const planted = ERROR_KINDS.map((kind) => ({ kind, cases: plant(probe, right, kind) }));
    for (const [judge, run] of Object.entries(judges)) {
      const clean = (await run(right)).flat().map(({ doubt }) => doubt);
      clean.sort((a, b) => b - a);
      for (const { kind, cases } of planted)
        rows.push({ judge, kind, ...measure(await run(cases.map(({ text }) => text)), cases, clean) });
    }
    return { name: 'proofread', model, sentences: right.length, calibration, rows };
  } finally {
    await reader.release();
  }
}

export async function loadReader(model: string, threads?: number): Promise<Proofreader> {
  const loading = threads === undefined ? {} : { threads };
  const discriminator = await loadModelFor(proofreadPipeline.wants, model, loading);
  return proofread(discriminator, await loadModelFor(proofreadPipeline.partner!, model, loading));
}

function measure(judged: readonly (readonly JudgedPlace[])[], cases: readonly Planted[], clean: readonly number[]) {
  const ofPlace = cases.map(({ start, end }, i) => {
    const there = judged[i].filter((word) => word.start < end && word.end > start);
    return Math.max(Number.NEGATIVE_INFINITY, ...there.map(({ doubt }) => doubt));
  });
  const others = judged.flatMap((words, i) =>
    words.filter((word) => word.end <= cases[i].start || word.start >= cases[i].end).map(({ doubt }) => doubt),
  );
  const found = RATES.map((rate) => ({ rate, recall: recallAt(rate, ofPlace, clean) }));
  return { places: cases.length, auc: rankAuc(ofPlace, others), found };
}

/** Of places as doubtful as the threshold, as many count as false alarms at it are allowed: all or none would be unfair to ties. */
function recallAt(rate: number, ofPlace: readonly number[], clean: readonly number[]): number {
  const allowed = rate * clean.length;
  const threshold = clean[Math.ceil(allowed) - 1];
  const count = (values: readonly number[], test: (value: number) => boolean) => values.filter(test).length;
  const [above, at] = [count(clean, (value) => value > threshold), count(clean, (value) => value === threshold)];
  const part = (allowed - above) / at;
  const found = count(ofPlace, (value) => value > threshold) + part * count(ofPlace, (value) => value === threshold);
  return found / ofPlace.length;
}

/** A word that stands twice is doubted before all others. */
function withRule(judge: Judge): Judge {
  return async (texts) =>
    (await judge(texts)).map((words, i) =>
      words.map((word, j) => {
        const [here, before] = [words[j], words[j - 1]] as unknown as Parameters<typeof isDoubled>[1][];
        return isDoubled(texts[i], here, before) ? { ...word, doubt: 2 } : word;
      }),
    );
}

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;

/** −log of the frequencies of a word after its left and before its right neighbour, each backed off to the word's own. */
function frequencyJudge(text: string): Judge {
  const words = [...text.matchAll(WORD)].map(([word]) => word.toLowerCase());
  const counts = new Map<string, number>();
  const pairs = new Map<string, number>();
  words.forEach((word, i) => {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    if (i > 0) pairs.set(`${words[i - 1]} ${word}`, (pairs.get(`${words[i - 1]} ${word}`) ?? 0) + 1);
  });
  const one = (word: string) => ((counts.get(word) ?? 0) + 0.5) / (words.length + 0.5 * counts.size);
  const pair = (left: string, right: string) =>
    0.7 * ((pairs.get(`${left} ${right}`) ?? 0) / Math.max(1, counts.get(left) ?? 0)) + 0.3 * one(right);
  return async (texts) =>
    texts.map((each) => {
      const found = [...each.matchAll(WORD)].map(({ 0: word, index }) => ({
        word: word.toLowerCase(),
        index,
        length: word.length,
      }));
      return found.map(({ word, index, length }, i) => {
        const left = i > 0 ? pair(found[i - 1].word, word) : one(word);
        const right = i < found.length - 1 ? pair(word, found[i + 1].word) / one(found[i + 1].word) : 1;
        return { start: index, end: index + length, doubt: -Math.log(left) - Math.log(right) };
      });
    });
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\d+\t/, '').trim())
    .filter((line) => line !== '');

/** The sentences that the probe uses. */
const inBounds = (line: string) => line.split(' ').length >= 10 && line.split(' ').length <= 60;

function plant(probe: string, lines: readonly string[], kind: Kind): Planted[] {
  const folder = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    writeFileSync(join(folder, 'lines.txt'), `${lines.join('\n')}\n`);
    const output = execFileSync(process.execPath, [probe, join(folder, 'lines.txt'), kind], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    return output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function describeProofreading({
  model,
  sentences,
  rows,
}: Awaited<ReturnType<typeof benchProofreading>>): string[] {
  const percent = (value: number) => value.toFixed(2);
  return [
    `${model}, ${sentences} held-out sentences; found at ${RATES.map((rate) => `${100 * rate}`).join(', ')} false alarms in 100 words`,
    '| judge | error | places | AUC | 1 % | 2 % | 5 % |',
    '|---|---|---:|---:|---:|---:|---:|',
    ...rows.map(
      ({ judge, kind, places, auc, found }) =>
        `| ${judge} | ${kind} | ${places} | ${auc.toFixed(3)} | ${found.map(({ recall }) => percent(recall)).join(' | ')} |`,
    ),
  ];
}

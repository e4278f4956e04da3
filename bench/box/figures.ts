/** What a model in the box is measured by: an ELECTRA pair, and a model for questions. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTable } from '../../src/data/tables/readTable.node.js';
import { textShards } from '../../src/data/textShards.js';
import { isCandidate } from '../../src/pipelines/candidates.js';
import { MASKED_LANGUAGE_MODELS } from '../../src/pipelines/fillMaskPipeline.js';
import { loadModelFor } from '../../src/pipelines/load.node.js';
import { distributions, MASKED_LM_OUTPUTS } from '../../src/pipelines/maskedLanguageModel.js';
import { pipeline } from '../../src/pipelines/pipeline.node.js';
import { proofreadPipeline } from '../../src/pipelines/proofread/pipeline.js';
import { proofread } from '../../src/pipelines/proofread/proofread.js';
import type { Model } from '../../src/pretrained/model.js';
import { requireTokenizer } from '../../src/pretrained/requireTokenizer.js';
import { RandomStream } from '../../src/random/philox.js';
import { evaluateModel } from '../../src/tasks/evaluateTask.node.js';
import { heldOutSpans, type LengthScores, scoreInfilling } from '../spanInfilling.js';
import { benchProofreading } from './proofreading.js';
import { rankAuc } from './rankAuc.js';

export interface PairFigures {
  /** On held-out articles, of Korean on held-out petitions; rows of 128 tokens of which 15 % are asked for, 85 % of these masked. */
  readonly heldOut: {
    readonly tokens: number;
    readonly auc: number;
    readonly generatorAccuracy: number;
    readonly replaced: number;
  };
  /** Of an English pair. */
  readonly sentences?: { readonly right: number; readonly of: number; readonly wrong: readonly string[] };
  /** By each of PROMPTS. */
  readonly zeroShotSst2?: readonly { readonly prompt: string; readonly accuracy: number; readonly rows: number }[];
  readonly proofread?: Awaited<ReturnType<typeof benchProofreading>>['rows'];
}

export interface FigureOptions {
  readonly model: string;
  readonly data: string;
  /** The folder of the corpus, with train/ and held-out/. */
  readonly corpus: string;
  readonly probe: string;
  readonly threads?: number;
  readonly limit?: number;
}

const ROW = 128;
const MASKED = 0.15;
/** Of the masked places, those that show their own token, as in training and in `pleiad evaluate`. */
const KEPT = 0.15;

export async function pairFigures(options: FigureOptions): Promise<PairFigures> {
  const { model, data, corpus, threads, limit } = options;
  const loading = threads === undefined ? {} : { threads };
  const discriminator = await loadModelFor(proofreadPipeline.wants, model, loading);
  const generator = await loadModelFor(proofreadPipeline.partner!, model, loading);
  const english = join(corpus, 'held-out/enwiki.txt');
  const isEnglish = existsSync(english);
  const text = isEnglish ? english : join(corpus, 'held-out/petitions.txt');
  const heldOut = await againstOwnGenerator(discriminator, generator, readFileSync(text, 'utf8'));
  const sentences = isEnglish ? await judgedSentences(discriminator, generator) : undefined;
  await discriminator.release();
  await generator.release();
  if (!sentences) return { heldOut };
  const own = join(corpus, 'train/leipzig.txt');
  const [heldOutLines, train] = [join(corpus, 'held-out/leipzig.txt'), join(corpus, 'train/squad.txt')];
  const { rows } = await benchProofreading({ ...options, heldOut: heldOutLines, train, own, limit });
  const sst2 = join(data, 'glue/SST-2/dev.tsv');
  const zeroShotSst2 = existsSync(sst2) ? await zeroShot(model, sst2, loading) : undefined;
  return { heldOut, sentences, proofread: rows, ...(zeroShotSst2 && { zeroShotSst2 }) };
}

/** As in pre-training: masked, filled by draws of the generator, doubted. Draws that are the original count as original. */
async function againstOwnGenerator(discriminator: Model, generator: Model, text: string) {
  const tokenizer = requireTokenizer(discriminator);
  const size = Math.min(ROW, discriminator.maxLength) - 2;
  const rows = text.split(/\n+/).flatMap((paragraph) => {
    const { ids } = tokenizer.encode(paragraph, { addSpecialTokens: false });
    const parts = Array.from({ length: Math.floor(ids.length / size) || (ids.length > 16 ? 1 : 0) }, (_, i) =>
      ids.subarray(i * size, (i + 1) * size),
    );
    return parts.map((part) => Int32Array.from([tokenizer.clsId, ...part, tokenizer.sepId]));
  });
  const random = new RandomStream(0, 'evaluation');
  const masked = rows.map((ids) => {
    const places = [...ids.keys()].filter((i) => !tokenizer.specialIds.has(ids[i]) && random.uniform() < MASKED);
    const positions = places.length > 0 ? places : [1];
    const copy = ids.slice();
    for (const position of positions) if (random.uniform() >= KEPT) copy[position] = tokenizer.maskId;
    return { ids: copy, positions };
  });
  const corrupted = rows.map((ids) => ids.slice());
  let right = 0;
  let slots = 0;
  await generator.forEachRow(masked, MASKED_LM_OUTPUTS, (row, { logits }) => {
    const draws = new RandomStream(1, 'proposals', row);
    distributions(logits, masked[row].positions.length).forEach((distribution, i) => {
      const position = masked[row].positions[i];
      let best = 0;
      for (let id = 1; id < distribution.length; id++) if (distribution[id] > distribution[best]) best = id;
      if (best === rows[row][position]) right++;
      slots++;
      let left = draws.uniform();
      let drawn = best;
      for (let id = 0; id < distribution.length; id++) {
        left -= Math.exp(distribution[id]);
        if (left < 0) {
          if (isCandidate(tokenizer, id)) drawn = id;
          break;
        }
      }
      corrupted[row][position] = drawn;
    });
  });
  const [replaced, original]: [number[], number[]] = [[], []];
  await discriminator.forEachRow(
    corrupted.map((ids) => ({ ids })),
    { outputs: ['logits'] },
    (row, { logits }) => {
      for (let i = 1; i < rows[row].length - 1; i++) {
        (corrupted[row][i] === rows[row][i] ? original : replaced).push(logits[i]);
      }
    },
  );
  const tokens = replaced.length + original.length;
  return {
    tokens,
    auc: rankAuc(replaced, original),
    generatorAccuracy: right / slots,
    replaced: replaced.length / tokens,
  };
}

interface Sentence {
  readonly original: string;
  readonly changed: string;
  readonly word: string;
}

async function judgedSentences(discriminator: Model, generator: Model) {
  const paths = ['./sentences.json', '../../../bench/box/sentences.json'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const { sentences } = JSON.parse(readFileSync(paths.find((path) => existsSync(path)) ?? paths[0], 'utf8')) as {
    sentences: Sentence[];
  };
  const { doubts } = await proofread(discriminator, generator);
  const changed = await doubts(sentences.map((each) => each.changed));
  const wrong = sentences.filter(({ word }, i) => {
    const most = changed[i].reduce((a, b) => (b.logit > a.logit ? b : a));
    return most.text !== word;
  });
  return { right: sentences.length - wrong.length, of: sentences.length, wrong: wrong.map((each) => each.changed) };
}

/**
 * Ways to ask for a sentiment without examples: as `classify --zero-shot` does by default, and the best of eight templates
 * with one to six words a label on 500 rows of SST-2's training part, by `pleiad-en`.
 */
const PROMPTS = [
  { template: '{text} It was {label}.', positive: ['great'], negative: ['terrible'] },
  { template: 'This movie is {label}: {text}', positive: ['great', 'good'], negative: ['terrible', 'bad'] },
];

async function zeroShot(model: string, file: string, loading: object) {
  const { rows } = await readTable(file);
  const texts = rows.map(({ values }) => String(values.sentence));
  await using classify = await pipeline('zero-shot-classification', { ...loading, model, calibrate: true });
  const found = [];
  for (const { template, positive, negative } of PROMPTS) {
    const answers = await classify(texts, { template, labels: { '1': positive, '0': negative } });
    const right = answers.filter(({ labels }, i) => labels[0] === String(rows[i].values.label)).length;
    const prompt = template.replace('{label}', [positive, negative].map((words) => words.join(', ')).join(' / '));
    found.push({ prompt, accuracy: right / texts.length, rows: texts.length });
  }
  return found;
}

/** On held-out articles: whole words masked, 1 to 10 in a row, their pieces predicted by each head. */
export interface SpanFigures {
  readonly spans: number;
  /** Nats a piece. */
  readonly mlmLoss: number;
  readonly sboLoss: number;
  /** Part of the spans of one word of which every piece is the most probable one, by both heads together. */
  readonly oneWord: number;
}

const SPANS_OF_A_LENGTH = 100;

export async function spanFigures({ model, corpus, threads }: FigureOptions): Promise<SpanFigures> {
  await using predictor = await loadModelFor(MASKED_LANGUAGE_MODELS, model, threads === undefined ? {} : { threads });
  const documents = readFileSync(join(corpus, 'held-out/enwiki.txt'), 'utf8').split(/\n\s*\n/);
  // Something must be left to train on, which nothing reads.
  const shards = textShards(documents, requireTokenizer(predictor), { heldOutFraction: 0.9 });
  const length = Math.min(ROW, predictor.maxLength);
  const scores = await scoreInfilling(predictor, heldOutSpans(shards, { length, count: SPANS_OF_A_LENGTH }));
  const total = (of: (each: LengthScores) => number) => scores.reduce((sum, each) => sum + of(each), 0);
  const pieces = total((each) => each.pieces);
  const [one] = scores;
  return {
    spans: total((each) => each.spans),
    mlmLoss: total(({ lossSum }) => lossSum.mlm) / pieces,
    sboLoss: total(({ lossSum }) => lossSum.sbo ?? Number.NaN) / pieces,
    oneWord: (one.exact.both ?? one.exact.mlm) / one.spans,
  };
}

export interface QuestionFigures {
  readonly xquad: { readonly f1: number; readonly exactMatch: number; readonly rows: number };
  readonly book: { readonly answer: string; readonly score: number };
}

/** @param data  the folder with squad/ */
export async function questionFigures({
  model,
  data,
}: Pick<FigureOptions, 'model' | 'data'>): Promise<QuestionFigures> {
  const { metrics, rows } = await evaluateModel(model, { data: join(data, 'squad/xquad-en-dev.json') });
  const { f1, exactMatch } = metrics as Record<string, number>;
  await using ask = await pipeline('question-answering', { model });
  const { answer, score } = await ask({ question: BOOK.question, context: BOOK.context });
  return { xquad: { f1, exactMatch, rows }, book: { answer, score } };
}

const BOOK = {
  question: 'What is machine learning?',
  context:
    'Machine learning is a subset of artificial intelligence. It is widely for creating a variety of applications such as email filtering and computer vision',
};

/**
 * Rebuilds models in the box from a settings file of models/settings/: corpus, vocabulary, shards, training, packing. What is there
 * already is gone on from: a step whose result is complete is not made again, a training resumes.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { hasCheckpoint } from '../../src/checkpoint/runFile.node.js';
import { SettingsError } from '../../src/errors/errors.js';
import { convertModel, convertPair } from '../../src/pretrained/convert.node.js';
import { say } from '../report.js';
import { CORPORA, type CorpusName, writeCorpus } from './corpus.js';

const given = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const schema = z.strictObject({
  corpus: z.enum(Object.keys(CORPORA) as [CorpusName, ...CorpusName[]]).optional(),
  /** What the Studio's time slider stands on: models of one name are one run at several steps. */
  series: z.string().optional(),
  /** Settings of `pleiad vocab`. */
  vocabulary: z.strictObject({ size: z.number().int() }).optional(),
  /** Instead: a tokenizer, from the folder of the data. */
  tokenizer: z.string().optional(),
  /** Instead: a model that the training goes on from, with fewer word pieces; settings of `pleiad prune`. */
  prune: z
    .strictObject({
      from: z.string(),
      half: z.enum(['discriminator', 'generator']),
      task: z.string(),
      size: z.number().int(),
      length: z.number().int(),
    })
    .optional(),
  pretrain: given.optional(),
  /** Afterwards: settings by which the generator of the pair goes on as a masked LM of its own, with its embeddings as they are. */
  generator: given.optional(),
  /** Each goes on from the one before it, or from its own `from`. */
  finetune: z.array(given).optional(),
  /** Longest row of the packed models; positions beyond it have learned nothing. */
  length: z.number().int().optional(),
  /** Name → step of its checkpoint; 0 is the run before its first step. */
  models: z.record(z.string(), z.union([z.number().int().min(0), z.literal('best')])),
});
export type BoxSettings = z.infer<typeof schema>;

export interface BuildOptions {
  /** A file of models/settings/, without its ending. */
  readonly name: string;
  /** The folder with text-en/, squad/ and so on. */
  readonly data: string;
  /** Where corpus, shards and runs are made. */
  readonly work: string;
  /** Where the models are written: the folder of the package. */
  readonly out: string;
  /** A run that was made by these settings already. */
  readonly run?: string;
}

/** The folder of the package, from source or compiled. */
export const PACKAGE = [...ancestors(dirname(fileURLToPath(import.meta.url)))]
  .map((folder) => join(folder, 'models'))
  .find((folder) => existsSync(join(folder, 'settings')))!;

function* ancestors(folder: string): Generator<string> {
  yield folder;
  if (dirname(folder) !== folder) yield* ancestors(dirname(folder));
}

export function readSettings(name: string): BoxSettings {
  const path = join(PACKAGE, 'settings', `${name}.yaml`);
  if (existsSync(path)) return schema.parse(parse(readFileSync(path, 'utf8')));
  const names = readdirSync(join(PACKAGE, 'settings')).map((file) => file.replace(/\.yaml$/, ''));
  throw new SettingsError([`there are no settings ${name}; expected ${names.join(', ')}`]);
}

export interface BuiltModel {
  readonly name: string;
  readonly folder: string;
  readonly bytes: number;
  /** SHA-256 over the names and contents of its files. */
  readonly sha256: string;
}

/** @throws SettingsError for an unknown name; CheckpointError when a checkpoint that is to be packed is not there */
export async function buildBox({ name, data, work, out, run: done }: BuildOptions): Promise<BuiltModel[]> {
  const settings = readSettings(name);
  const run = done ?? (await train(settings, { data: resolve(data), work: resolve(work), name }));
  const built: BuiltModel[] = [];
  for (const [model, step] of Object.entries(settings.models)) {
    const folder = join(out, model);
    rmSync(folder, { recursive: true, force: true });
    const checkpoint = step === 0 ? await beforeFirstStep(settings, run) : placeOf(run, step);
    const source = settings.generator
      ? await withGenerator(settings.generator, checkpoint, join(resolve(work), name))
      : checkpoint;
    await (isPairOf(settings)
      ? convertPair(source, folder, { dtype: 'int8', length: settings.length })
      : convertModel(source, folder, { dtype: 'int8' }));
    writeFileSync(join(folder, 'studio.json'), `${JSON.stringify(aboutModel(settings, source, step))}\n`);
    built.push({ name: model, folder, ...sizeOf(folder) });
    say(`${model}: ${folder}`);
  }
  return built;
}

/** SpanBERT and BERT are one model, ELECTRA is two. */
const isPairOf = ({ pretrain: settings }: BoxSettings) => settings !== undefined && settings.objective === undefined;

/**
 * The pair with its generator trained further. That begins with what would be packed, so that a model in the box can go on as well; the
 * discriminator and the embeddings of both stay as they are.
 */
async function withGenerator(
  settings: Readonly<Record<string, unknown>>,
  source: string,
  work: string,
): Promise<string> {
  const [start, together] = [join(work, 'generator-start'), join(work, 'together')];
  if (!existsSync(start)) await convertPair(source, start, { dtype: 'int8' });
  const own = { ...settings, objective: 'mlm', from: join(start, 'generator'), freezeEmbeddings: true };
  const run = trained('pretrain', join(work, 'generator-run'), { ...own, data: join(work, 'shards') });
  rmSync(together, { recursive: true, force: true });
  await convertModel(start, join(together, 'discriminator'), { dtype: 'f32', half: 'discriminator' });
  await convertModel(run, join(together, 'generator'), { dtype: 'f32', half: 'generator' });
  return together;
}

/** What the Studio shows of a model beside its weights. */
function aboutModel({ corpus = 'english', series }: BoxSettings, source: string, step: number | 'best') {
  const trainer = join(source, 'trainer.json');
  const seen = existsSync(trainer) ? JSON.parse(readFileSync(trainer, 'utf8')).progress?.tokensSeen : undefined;
  const tokensSeen = step === 0 ? 0 : seen;
  return { language: LANGUAGES[corpus], ...(series !== undefined && { series, tokensSeen }) };
}

const LANGUAGES: Readonly<Record<CorpusName, string>> = { english: 'en', korean: 'ko' };

const placeOf = (run: string, step: number | 'best') =>
  step === 'best' ? run : join(run, 'checkpoints', `step-${String(step).padStart(8, '0')}`);

async function train(settings: BoxSettings, at: { data: string; work: string; name: string }): Promise<string> {
  return settings.pretrain ? pretrain(settings, settings.pretrain, at) : finetuneAll(settings, at);
}

function pretrain(
  { corpus: language = 'english', vocabulary, tokenizer: published, prune }: BoxSettings,
  settings: Readonly<Record<string, unknown>>,
  { data, work, name }: { data: string; work: string; name: string },
): string {
  const corpus = join(work, language);
  const start = prune && pruned(prune, join(work, name, 'start'), textsOf(corpus, { data, language }));
  const { shards } = prepareText({
    data,
    language,
    corpus,
    out: join(work, name),
    vocabularySize: vocabulary?.size,
    tokenizer: start ?? (published && resolve(data, published)),
  });
  const place = start ?? (typeof settings.from === 'string' ? resolve(data, settings.from) : undefined);
  const from = place === undefined ? {} : { from: place };
  return trained('pretrain', join(work, name, 'run'), { ...settings, ...from, data: shards });
}

export interface TextPlan {
  /** The folder with text-en/, squad/ and so on. */
  readonly data: string;
  readonly language: CorpusName;
  /** Where the corpus is written. */
  readonly corpus: string;
  /** Where vocabulary and shards are written. */
  readonly out: string;
  /** Pieces of a vocabulary that is made of the text; or `tokenizer`. */
  readonly vocabularySize?: number;
  /** The folder of a tokenizer that is there already. */
  readonly tokenizer?: string;
}

/** Writes corpus, vocabulary and shards, each where it is not there yet. @returns the folder of the shards */
export function prepareText({ data, language, corpus, out, vocabularySize, tokenizer }: TextPlan): { shards: string } {
  const texts = textsOf(corpus, { data, language });
  const [vocabulary, shards] = [join(out, 'vocabulary'), join(out, 'shards')];
  mkdirSync(out, { recursive: true });
  if (vocabularySize !== undefined && !existsSync(vocabulary)) {
    pleiad('vocab', texts, '--size', `${vocabularySize}`, '--out', vocabulary);
  }
  if (!existsSync(join(shards, 'manifest.json')))
    pleiad('prepare', texts, '--tokenizer', tokenizer ?? vocabulary, '--out', shards);
  return { shards };
}

/** The folder of the texts to train on, which are written where they are not there yet. */
function textsOf(corpus: string, { data, language }: Pick<TextPlan, 'data' | 'language'>): string {
  if (!existsSync(join(corpus, 'held-out'))) writeCorpus(CORPORA[language](data), corpus);
  return join(corpus, 'train');
}

/** A model with fewer word pieces, as a folder; made where it is not there yet. */
function pruned({ from, ...options }: NonNullable<BoxSettings['prune']>, folder: string, texts: string): string {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  if (!existsSync(folder)) pleiad('prune', from, folder, texts, ...flags);
  return folder;
}

function finetuneAll(
  { finetune = [] }: BoxSettings,
  { data, work, name }: { data: string; work: string; name: string },
) {
  const paths = (value: unknown) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((path) => resolve(data, path))
          .join(',')
      : undefined;
  return finetune.reduce((before, settings, index) => {
    const from = paths(settings.from) ?? before;
    const dev = paths(settings.dev);
    mkdirSync(join(work, name), { recursive: true });
    const all = { ...settings, from, train: paths(settings.train), ...(dev && { dev }) };
    return trained('finetune', join(work, name, `run-${index + 1}`), all);
  }, '');
}

/** A run that is complete; a run that was ended early is resumed. */
function trained(command: 'pretrain' | 'finetune', run: string, settings: object): string {
  const config = `${run}.json`;
  writeFileSync(config, `${JSON.stringify({ ...settings, out: run }, null, 2)}\n`);
  if (existsSync(join(run, 'run.json')) && hasCheckpoint(run)) pleiad(command, '--out', run, '--resume');
  else pleiad(command, '--config', config);
  return run;
}

/** The starting weights of a run: one step whose rate is too small for a float32 weight to change. */
async function beforeFirstStep({ pretrain: settings }: BoxSettings, run: string): Promise<string> {
  const out = `${run}-0`;
  if (existsSync(join(out, 'run.json'))) return out;
  const { given: asked } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  const config = `${out}.json`;
  const small = { ...settings, data: resolve(dirname(resolve(run)), asked.data), out, steps: 1, learningRate: 1e-12 };
  writeFileSync(config, JSON.stringify({ ...small, averageDecay: undefined, checkpointEvery: 1, evaluateEvery: 1 }));
  pleiad('pretrain', '--config', config);
  return out;
}

function pleiad(...words: string[]): void {
  say(`pleiad ${words.join(' ')}`);
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const { status } = spawnSync(process.execPath, [main, ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new SettingsError([`pleiad ${words[0]} ended with ${status}; see what it said above`]);
}

/** Of a folder, its card left out: that has figures of the machine in it. */
export function sizeOf(folder: string): { bytes: number; sha256: string } {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => statSync(join(folder, name)).isFile() && name !== 'README.md');
  const hash = createHash('sha256');
  let bytes = 0;
  for (const name of names) {
    const content = readFileSync(join(folder, name));
    hash.update(`${name}\n${content.length}\n`).update(content);
    bytes += content.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

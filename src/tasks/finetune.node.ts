/** Fine-tuning to a run folder, of any task: what the trainer needs to know of it as a recipe. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { checkpointOf, hasCheckpoint, readRunFile } from '../checkpoint/runFile.node.js';
import { fromFirst, together } from '../collective/agreement.js';
import type { Collective } from '../collective/collective.js';
import { readTables } from '../data/tables/readTable.node.js';
import { CheckpointError } from '../errors/errors.js';
import type { FetchOptions } from '../pretrained/pretrained.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizer } from '../text/tokenizer.node.js';
import { tokenizerFromFiles } from '../text/tokenizerFolder.js';
import { defined } from '../training/defined.js';
import type { TrainingEvent } from '../training/events.js';
import type { TokenBatch } from '../training/objective.js';
import type { TrainingRunFile } from '../training/runFolder.node.js';
import type { Start } from '../training/start.js';
import type { Place } from '../training/stepShare.js';
import {
  type PreparedRun,
  type RunOptions,
  type RunRecipe,
  type SettledRun,
  trainToFolder,
} from '../training/trainToFolder.node.js';
import { CARD_FILE, modelCard } from './card/modelCard.js';
import { dataOfCard, type RunOfCard } from './card/runOfCard.js';
import { TASK_FILE, taskFileText } from './card/taskFile.js';
import { loadEncoder } from './loadEncoder.node.js';
import {
  changedFineTuning,
  type FineTuningInput,
  type FineTuningSettings,
  type KnownOfRun,
  resolveFineTuningSettings,
} from './settings.js';
import type { PreparedTask, PrepareOptions, TaskData } from './task.js';
import { taskNamed } from './tasks.js';
import { batchSizes } from './tokenBatches.js';
import { finelyPadded } from './tokenRows.js';

export interface FineTuneOptions extends RunOptions {
  /** How the model that `from` names is fetched. */
  readonly hub?: FetchOptions;
}

export type FineTuningRunFile = TrainingRunFile<Partial<FineTuningInput>, FineTuningSettings>;

/**
 * Fine-tunes the encoder that `given.from` names on the rows of `given.train`, evaluates it on `given.dev`, and writes
 * checkpoints and logs to `given.out`. With `resume`, settings that are not given are those that the run began with.
 *
 *     for await (const event of finetune({
 *       task: 'text-classification',
 *       from: 'google/electra-small-discriminator',
 *       train: 'train.csv',
 *       dev: 'dev.csv',
 *       out: 'runs/reviews',
 *     })) if (event.type === 'evaluation') console.log(event.metrics);
 *
 * @throws SettingsError with every problem of the settings; DataError naming file and line of what cannot be learned from;
 *         and what `trainToFolder` throws
 */
export function finetune(
  given: Partial<FineTuningInput>,
  { hub, ...options }: FineTuneOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const data = remembered(readTaskData);
  let input = given;
  const recipe: RunRecipe<FineTuningSettings, TokenBatch> = {
    async settle(start) {
      const settled = await settle(given, data, start);
      input = settled.input;
      return settled;
    },
    async loadStart(settings, begun) {
      // A run that was stopped before its first checkpoint begins again with the very model of the first time.
      const revision = begun?.start?.models[0].hub?.commit ?? settings.revision;
      return loadTaskModel({ ...settings, revision }, await data(settings), hub);
    },
    prepare: (settings, context) => prepare(settings, { given: input, data }, context),
    newParts: () => ({ newHead: true, newGenerator: false }),
  };
  return trainToFolder(recipe, options);
}

type ReadData = (settings: FineTuningSettings) => Promise<TaskData<TokenBatch>>;

/** The rows of `train` and `dev`, as the task reads them. */
export async function readTaskData(settings: FineTuningSettings): Promise<TaskData<TokenBatch>> {
  const { task, train, dev, columns, labels, problemType, maxTrainRows, seed } = settings;
  const { formats, read } = taskNamed(task);
  const options = { wanted: Object.values(columns), formats };
  const tables = [await readTables(train, options), dev && (await readTables(dev, options))] as const;
  const limit = maxTrainRows === undefined ? undefined : { rows: maxTrainRows, seed };
  return read(...tables, { columns, ...defined({ labels, problemType, limit }), own: { ...settings } });
}

/** The model that `from` names, with the head and the labels that the data need. */
export function loadTaskModel(
  { from, revision, tokenizer, task }: FineTuningSettings,
  { labels, configFields, questionAnsweringHead }: TaskData<TokenBatch>,
  hub?: FetchOptions,
): Promise<Start> {
  const { head } = taskNamed(task);
  return loadEncoder({ from, revision, tokenizer, head, labels, configFields, questionAnsweringHead }, hub);
}

/** What data and model say of a run. Without a tokenizer the number of rows is that of the texts. */
export function knownOfRun(
  settings: FineTuningSettings,
  data: TaskData<TokenBatch>,
  { model, tokenizer }: { readonly model?: ModelDescription; readonly tokenizer?: WordPieceTokenizer },
): KnownOfRun {
  const known = { numRows: data.numRows, defaultMetric: data.defaultMetric, model };
  if (!model || !tokenizer) return known;
  const { lengths, rowsOfExample } = data.encodedRows(tokenizer, rowLengthOf(settings, model));
  const { batchTokens } = settings;
  const batches = batchTokens && batchSizes(lengths.map(finelyPadded), { batchTokens, rowsOfExample }).length;
  return { ...known, numRows: lengths.length, ...(batches !== undefined && { batchesOfEpoch: batches }) };
}

/** Settings that were resolved with a model, as a task takes them. */
export function prepareOptions(
  settings: FineTuningSettings,
  { place, ...others }: Pick<PrepareOptions, 'tokenizer' | 'baselines'> & { readonly place: Place },
): PrepareOptions {
  const { model, layerRateDecay, metric, classWeights } = settings;
  const { seed, batchSize, batchTokens, accumulation, groupByLength } = settings;
  if (!model) throw new Error('settings were not resolved with a model');
  const length = rowLengthOf(settings, model);
  return {
    model,
    length,
    layerRateDecay,
    order: { seed, batchSize, ...defined({ batchTokens }), accumulation, groupByLength, place },
    metric,
    ...(classWeights === 'balanced' && { classWeights }),
    ...others,
  };
}

/** Files are read once, though settings are resolved several times. */
function remembered(read: ReadData): ReadData {
  let found: ReturnType<ReadData> | undefined;
  return (settings) => {
    found ??= read(settings);
    return found;
  };
}

/** Settings as given, over those that a resumed run began with; and what data and model decide. */
async function settle(
  given: Partial<FineTuningInput>,
  data: ReadData,
  start?: Start,
): Promise<SettledRun<FineTuningSettings> & { readonly input: Partial<FineTuningInput> }> {
  const before = given.resume && given.out ? readRun(given.out) : undefined;
  const { moreSteps, ...input } = { ...begunWith(before), ...defined(given) };
  const first = resolveFineTuningSettings({ ...input, moreSteps });
  const read = await data(first);
  const model = start?.models[0].description ?? before?.settings.model;
  const isKept = before !== undefined && hasCheckpoint(first.out);
  const tokenizer = start?.models[0].tokenizer ?? (isKept ? tokenizerOfRun(first.out) : undefined);
  const settings = resolveFineTuningSettings({ ...input, moreSteps }, knownOfRun(first, read, { model, tokenizer }));
  if (before) refuseChanges(before, settings);
  return { settings, input, ...(before && { begun: { engine: before.engine, start: before.start } }) };
}

/** Tokens of a row: as set, at most what the model takes. */
function rowLengthOf({ length }: FineTuningSettings, { config }: ModelDescription): number {
  return Math.min(length, config.maxPositionEmbeddings);
}

/** A run that was given more steps goes by their number from then on, not by its epochs. */
function begunWith(run: FineTuningRunFile | undefined): Partial<FineTuningInput> {
  if (!run) return {};
  const { epochs, ...others } = run.given;
  return {
    ...others,
    ...(others.steps === undefined && epochs !== undefined && { epochs }),
    ...(!run.settings.groupByLength && { groupByLength: false }),
  };
}

/** Tasks whose rows were of similar length in runs that were begun before that was a setting. */
const GROUPED_BEFORE: readonly string[] = ['question-answering', 'token-classification'];

function readRun(out: string): FineTuningRunFile | undefined {
  const run = readRunFile<FineTuningRunFile>(out);
  if (!run) return undefined;
  const { groupByLength = GROUPED_BEFORE.includes(run.settings.task) } = run.settings;
  return { ...run, settings: { ...run.settings, groupByLength } };
}

function refuseChanges({ settings: before }: FineTuningRunFile, now: FineTuningSettings): void {
  // Without a model defaults by it are not known, and before its first checkpoint a run loads it again.
  if (!now.model) return;
  const changes = changedFineTuning(now.epochs === undefined ? { ...before, epochs: undefined } : before, now);
  if (changes.length === 0) return;
  throw new CheckpointError(`${now.out} cannot be resumed with other settings: ${changes.join('; ')}`, {
    subject: now.out,
    found: changes,
    advice: 'Leave these settings out, or start a new run in another folder',
  });
}

async function prepare(
  settings: FineTuningSettings,
  { given, data }: { readonly given: Partial<FineTuningInput>; readonly data: ReadData },
  { start, collective }: { readonly start?: Start; readonly collective: Collective },
): Promise<PreparedRun<TokenBatch>> {
  const { out, train } = settings;
  const own = () => (collective.rank === 0 ? (start?.models[0].tokenizer ?? tokenizerOfRun(out)) : undefined);
  const tokenizer = await tokenizerOfFirst(collective, await together(collective, own));
  const read = await data(settings);
  const options = prepareOptions(settings, {
    tokenizer,
    place: { rank: collective.rank, size: collective.size },
    ...(collective.rank === 0 && { baselines: baselinesOf(settings) }),
  });
  const prepared = read.prepare(options);
  const begun = collective.rank === 0 && settings.resume ? readRunFile<FineTuningRunFile>(out)?.start : undefined;
  const hub = start?.models[0].hub ?? begun?.models[0].hub;
  const { objective, evaluation } = withCard(prepared, { settings, given, data: dataOfCard(read), hub });
  return {
    ...prepared,
    command: 'finetune',
    evaluation,
    // What a run is of, its checkpoints say by this name.
    objective: { ...objective, name: settings.task },
    tokenizer,
    identity: { vocabSize: tokenizer.vocabSize, tokenizerHash: tokenizer.hash(), data: read.hash },
    initialization: { initializerRange: options.model.config.initializerRange },
    source: train.join(', '),
    vocabSize: tokenizer.vocabSize,
  };
}

/** A model folder with its card and its task file; the card of a checkpoint that is evaluated has its figures. */
function withCard(
  { objective, evaluation }: PreparedTask<TokenBatch>,
  described: Omit<RunOfCard, 'model'>,
): Pick<PreparedTask<TokenBatch>, 'objective' | 'evaluation'> {
  const runOf = (model: ModelDescription): RunOfCard => ({ ...described, model });
  const [main] = objective.models;
  return {
    objective: {
      ...objective,
      models: objective.models.map((model) => ({
        ...model,
        files: { ...model.files, [CARD_FILE]: modelCard(runOf(model)), [TASK_FILE]: taskFileText(runOf(model)) },
      })),
    },
    evaluation: {
      numBatches: evaluation.numBatches,
      async evaluate(program, phase, collective) {
        const result = await evaluation.evaluate(program, phase, collective);
        return { ...result, files: { ...result.files, [CARD_FILE]: modelCard(runOf(main), result.metrics) } };
      },
      ...(evaluation.complete && { complete: (result) => evaluation.complete!(result) }),
    },
  };
}

/** A run that has a checkpoint has kept them. */
function baselinesOf({ out, task, resume }: FineTuningSettings): PrepareOptions['baselines'] {
  const { baselinesFile } = taskNamed(task);
  if (!resume || baselinesFile === undefined || !hasCheckpoint(out)) return 'new';
  const path = join(checkpointOf(out, 'latest'), 'model', baselinesFile);
  return existsSync(path) ? { kept: readFileSync(path, 'utf8') } : 'new';
}

const tokenizerOfRun = (out: string) => loadTokenizer(join(checkpointOf(out, 'latest'), 'model'));

/** Rank 0 alone sees the model that the run begins with. */
async function tokenizerOfFirst(
  collective: Collective,
  own: WordPieceTokenizer | undefined,
): Promise<WordPieceTokenizer> {
  const files = own && { tokenizerJson: own.toTokenizerJson(), tokenizerConfig: own.toTokenizerConfig() };
  const sent = await fromFirst(collective, files);
  return own ?? tokenizerFromFiles(sent!, 'the tokenizer of rank 0');
}

/**
 * Training to a run folder, of whatever is learned: settings agreed on by all ranks, the weights that a run begins with,
 * engine, run folder and logs. What is particular to an objective is its recipe.
 */
import { hasCheckpoint } from '../checkpoint/runFile.node.js';
import type { RunIdentity } from '../checkpoint/trainerFile.node.js';
import { fromFirst, gatherTexts, together } from '../collective/agreement.js';
import { ALONE, type Collective, describeMember } from '../collective/collective.js';
import type { Engine } from '../engine/engine.js';
import { engineIdentity } from '../engine/engineIdentity.js';
import type { EngineWish } from '../engine/engineNames.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { refuseFolderInUse } from '../files/folderLock.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { LoadedEvent, TrainingEvent, WarningEvent } from './events.js';
import type { Objective, TokenBatch } from './objective.js';
import { type FolderSettings, RunFolder, type TrainingRunFile } from './runFolder.node.js';
import { logged, RunLog } from './runLog.node.js';
import {
  checkVocabularies,
  describeStart,
  type JoinedStart,
  joinStart,
  type NewParts,
  releaseWeights,
  type Start,
  startNotices,
  startRecord,
} from './start.js';
import { stepShare } from './stepShare.js';
import { type TrainerDependencies, train } from './trainer.js';
import { type EngineNotice, startEngineOfRanks, withNotices } from './trainingEngine.node.js';
import type { TrainingSettings } from './trainingSettings.js';

/** Settings of a training that is kept in a folder. */
export interface RunSettings extends TrainingSettings, FolderSettings, Omit<EngineWish, 'threads'> {
  readonly out: string;
  readonly threads?: number;
  /** Where the weights come from that the run begins with. */
  readonly from?: string;
  /** Where those of its generator come from. */
  readonly generatorFrom?: string;
}

export interface RunOptions {
  /** Ends the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** By default what the settings choose. */
  readonly createEngine?: (wish: EngineWish) => Promise<Engine>;
  /**
   * The ranks that train together, see `connectRanks`; by default there is one. All call this with the same settings and
   * see the same data; rank 0 alone reads and writes the run folder. Whoever made it closes it.
   */
  readonly collective?: Collective;
  /** The clock, in milliseconds, that a run's time is counted by; whoever stops it between two events does not count that time. */
  readonly now?: () => number;
}

/** Something to say once the run has started. */
export type RunNotice = EngineNotice;

/** What a run was begun with, where it is resumed. */
export type Begun = Pick<TrainingRunFile, 'engine' | 'start'>;

export interface SettledRun<S extends RunSettings> {
  readonly settings: S;
  /** As given, over what a resumed run was given when it began. */
  readonly input: object;
  /** Something about the settings that deserves a warning. */
  readonly notice?: RunNotice;
  readonly begun?: Begun;
  /** Rows of the word table of the models that the run begins with. */
  readonly tableRows?: number;
}

/** What is trained, with its data open. */
export interface PreparedRun<B extends TokenBatch>
  extends Pick<TrainerDependencies<B>, 'data' | 'evaluation' | 'checks' | 'initialization' | 'command'> {
  readonly objective: Objective<B>;
  readonly tokenizer: WordPieceTokenizer;
  /** What must be the same on all ranks, and when the run is resumed. */
  readonly identity: RunIdentity;
  /** What there is to say of the data. */
  readonly notices?: readonly RunNotice[];
  /** Of the data, for messages. */
  readonly source: string;
  /** Pieces of the vocabulary that the data were made with. */
  readonly vocabSize: number;
  /** Closes the data. */
  close?(): void;
}

export interface RunRecipe<S extends RunSettings, B extends TokenBatch> {
  /**
   * Settings as given, over those that a resumed run began with, and those of the models that it begins with.
   * @throws SettingsError, CheckpointError
   */
  settle(start?: Start): SettledRun<S> | Promise<SettledRun<S>>;
  /** Reads the models that `from` and its kin name. */
  loadStart(settings: S, begun: Begun | undefined): Promise<Start>;
  /** Opens the data and builds what is trained; on every rank. Of a start, only rank 0 has the weights. */
  prepare(
    settings: S,
    context: { readonly start?: Start; readonly tableRows?: number; readonly collective: Collective },
  ): Promise<PreparedRun<B>>;
  /** Which parts may begin at random although the run begins with trained weights. */
  newParts(settings: S): NewParts;
  /** The run's events with what else there is to say, such as what can be expected. */
  decorate?(
    events: AsyncGenerator<TrainingEvent>,
    run: SettledRun<S>,
    context: { readonly prepared: PreparedRun<B>; readonly engine: Engine; readonly collective: Collective },
  ): AsyncGenerator<TrainingEvent>;
}

/**
 * Trains to the folder `out`, writing checkpoints and logs, and yields how it goes.
 * @throws SettingsError with every problem of the settings
 * @throws DataError     when the data are missing or damaged, or differ between ranks
 * @throws CheckpointError when a resumed run was begun with other settings or data, or has lost its checkpoints; or the
 *         models that it is to begin with cannot be loaded or do not belong together
 * @throws FolderInUseError when another process works in the run folder
 * @throws WriteError    when a checkpoint or log cannot be written
 * @throws PeerError     when another rank cannot go on
 */
export async function* trainToFolder<S extends RunSettings, B extends TokenBatch>(
  recipe: RunRecipe<S, B>,
  { signal, createEngine, collective = ALONE, now }: RunOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { rank, members } = collective;
  const isFirst = rank === 0;
  const { start, ...settled } = await settleTogether(recipe, collective);
  const { settings, begun, tableRows } = settled;
  let prepared: PreparedRun<B> | undefined;
  let engine: Engine | undefined;
  let store: RunFolder | undefined;
  try {
    const { parts, begin } = await together(collective, async () => {
      const own = await recipe.prepare(settings, { start, tableRows, collective });
      prepared = own;
      return { parts: own, begin: start && (await beginWith(start, own, recipe, settled)) };
    });
    await compareData(parts, collective);
    // The engine before the run folder: a device that is not there must not leave a begun run behind.
    const wish = { ...settings, threads: settings.threads ?? members[rank].threads };
    const started = await startEngineOfRanks(wish, { begun, create: createEngine }, collective);
    engine = started.engine;
    const { notices } = started; // the engine adds to them while it works
    notices.push(...(settled.notice ? [settled.notice] : []), ...(parts.notices ?? []));
    const identity = engineIdentity(engine);
    const open = () => openRun(settled, parts, { engine: identity, begin });
    store = await together(collective, () => (isFirst ? open() : undefined));
    const { objective, data, evaluation, checks, command } = parts;
    const initialization = { ...parts.initialization, ...(begin && { weights: begin.joined.weights }) };
    const keepsStart = hasStart(settings);
    const kept = { store, initialization, keepsStart, command };
    const training = { objective, data, evaluation, checks, engine, collective, ...kept, ...(now && { now }) };
    const context = { prepared: parts, engine, collective };
    const run = (ending?: AbortSignal) => {
      const events = withNotices(train(settings, { ...training, signal: ending }), notices);
      const decorated = recipe.decorate?.(events, settled, context) ?? events;
      return begin ? withStart(decorated, begin) : decorated;
    };
    yield* isFirst ? logged(new RunLog(settings.out), signal, run) : run(signal);
  } finally {
    store?.close();
    await engine?.close();
    prepared?.close?.();
  }
}

/** Rank 0 has the run folder, and with it the settings that a resumed run began with; and the weights to begin with. */
async function settleTogether<S extends RunSettings, B extends TokenBatch>(
  recipe: RunRecipe<S, B>,
  collective: Collective,
): Promise<SettledRun<S> & { readonly start?: Start }> {
  let start: Start | undefined;
  const settled = await together(collective, async () => {
    if (collective.rank !== 0) return undefined;
    const own = await recipe.settle();
    // Throws where the ranks cannot share a step; batches by tokens are known once the data are read.
    if (own.settings.batchTokens === undefined) stepShare(own.settings, collective);
    await refuseFolderInUse(own.settings.out); // before all else takes its time
    if (!needsStart(own)) return own;
    start = await recipe.loadStart(own.settings, own.begun);
    return recipe.settle(start);
  });
  return { ...(await fromFirst(collective, settled as SettledRun<S>)), ...(start && { start }) };
}

function hasStart({ from, generatorFrom }: RunSettings): boolean {
  return from !== undefined || generatorFrom !== undefined;
}

/** A run that has a checkpoint begins with that. */
function needsStart({ settings, begun }: SettledRun<RunSettings>): boolean {
  return hasStart(settings) && !(begun && hasCheckpoint(settings.out));
}

/** A start that fits the run. */
interface Beginning {
  readonly start: Start;
  readonly joined: JoinedStart;
  readonly length: number;
}

/**
 * Puts the weights together and compares them with the data, and with what the run began with before.
 * @throws DataError when the data have other ids; CheckpointError when the models do not belong together, or have changed
 */
async function beginWith<S extends RunSettings, B extends TokenBatch>(
  start: Start,
  { objective, source, vocabSize, tokenizer }: PreparedRun<B>,
  recipe: RunRecipe<S, B>,
  { settings, begun }: SettledRun<S>,
): Promise<Beginning> {
  const { from = settings.generatorFrom ?? '', out, length } = settings;
  checkVocabularies(start, { source, vocabSize, tokenizer });
  const joined = await joinStart(start, objective, recipe.newParts(settings));
  const before = begun?.start;
  if (before && before.weightsSha256 !== joined.weightsSha256) {
    throw new CheckpointError(
      `${out} was begun with weights ${before.weightsSha256.slice(0, 12)} of ${from}, which are ${joined.weightsSha256.slice(0, 12)} now`,
      {
        subject: from,
        found: joined.weightsSha256,
        expected: before.weightsSha256,
        advice: 'It has no checkpoint yet: put the model back, or start a new run in another folder',
      },
    );
  }
  return { start, joined, length };
}

/** A run's events after what it begins with. Weights that are in its first checkpoint are in memory no longer. */
async function* withStart(
  events: AsyncGenerator<TrainingEvent>,
  { start, joined, length }: Beginning,
): AsyncGenerator<TrainingEvent> {
  const notices = startNotices(start, joined, length).map(
    (notice): WarningEvent => ({ type: 'warning', step: 0, ...notice }),
  );
  const loaded: LoadedEvent = {
    type: 'loaded',
    step: 0,
    start: startRecord(start, joined),
    lines: describeStart(start, joined),
  };
  for await (const event of events) {
    yield event;
    if (event.type === 'started') yield* [loaded, ...notices];
    if (event.type === 'checkpoint') releaseWeights(start, joined);
  }
}

/** @throws DataError on all ranks when the data of some are not those of rank 0 */
async function compareData(
  { source, identity }: Pick<PreparedRun<TokenBatch>, 'source' | 'identity'>,
  collective: Collective,
): Promise<void> {
  if (collective.size === 1) return;
  const identities = await gatherTexts(collective, JSON.stringify(identity));
  const others = collective.members.filter(({ rank }) => identities[rank] !== identities[0]);
  if (others.length === 0) return;
  throw new DataError(
    `${source} is not the same on all ranks: it differs on ${others.map(describeMember).join(', ')}`,
    {
      subject: source,
      found: others.map(({ host }) => host),
      expected: 'the same data everywhere',
      advice: 'Copy the folder to every machine, or put it on a file system that all of them see',
    },
  );
}

function openRun<S extends RunSettings, B extends TokenBatch>(
  { settings, input }: SettledRun<S>,
  { objective, tokenizer, identity }: PreparedRun<B>,
  { engine, begin }: { engine: ReturnType<typeof engineIdentity>; begin?: Beginning },
): Promise<RunFolder> {
  const contents = { objective: objective.name, models: objective.models, tokenizer, length: settings.length };
  const start = begin && { start: startRecord(begin.start, begin.joined) };
  const { more: _, moreSteps: __, moreMs: ___, ...kept } = settings;
  return RunFolder.open(settings.out, contents, { given: input, settings: kept, identity, engine, ...start });
}

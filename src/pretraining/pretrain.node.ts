/** Pre-training from a folder of shards to a run folder: puts data, objective, engine and logs together. */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromFirst, gatherTexts, together } from '../collective/agreement.js';
import { ALONE, type Collective, describeMember } from '../collective/collective.js';
import { corpusHash, openShards, type ShardFolder } from '../data/shards.node.js';
import { withTagFile } from '../data/tagFile.node.js';
import type { Engine } from '../engine/engine.js';
import { type EngineIdentity, engineIdentity } from '../engine/engineIdentity.js';
import type { EngineWish } from '../engine/engineNames.js';
import { CheckpointError, DataError, SettingsError } from '../errors/errors.js';
import { refuseFolderInUse } from '../files/folderLock.node.js';
import { settingName } from '../settings/settingNames.js';
import { absentIds } from '../text/pieces.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizer, loadTokenizerIfThere } from '../text/tokenizer.node.js';
import { unknownWarning } from '../text/unknownTokens.js';
import type { RunIdentity } from '../training/checkpointFolder.node.js';
import type { LoadedEvent, TrainingEvent, WarningEvent } from '../training/events.js';
import { durationText, resumeAdvice } from '../training/extension.js';
import type { PretrainingObjective } from '../training/objective.js';
import { hasCheckpoint, type RunFile, RunFolder, readRunFile } from '../training/runFolder.node.js';
import { logged, RunLog } from '../training/runLog.node.js';
import {
  checkVocabularies,
  describeStart,
  type JoinedStart,
  joinStart,
  releaseWeights,
  type ShardVocabulary,
  type Start,
  startNotices,
  startRecord,
} from '../training/start.js';
import { stepShare } from '../training/stepShare.js';
import { pretrain, type TrainerDependencies } from '../training/trainer.js';
import { type EngineNotice, startEngineOfRanks, withNotices } from '../training/trainingEngine.node.js';
import { objectiveOf } from './objectiveOf.js';
import { heldOutData, trainingData } from './pretrainingData.js';
import {
  changedSettings,
  type FolderSettings,
  folderProblems,
  type PretrainingInput,
  type PretrainingSettings,
  parseDuration,
  resolvePretrainingSettings,
} from './settings.js';
import type { StartSizes } from './startSettings.js';
import { withForecast } from './withForecast.js';

export interface PretrainOptions {
  /** Ends the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** By default what the settings choose. */
  readonly createEngine?: (wish: EngineWish) => Promise<Engine>;
  readonly initialWeights?: TrainerDependencies['initialWeights'];
  /** Reads the models that `from` and `generator` name; that of `pleiad/node` does it where none is given. */
  readonly loadStart?: LoadStart;
  /**
   * The ranks that train together, see `connectRanks`; by default there is one. All call this with the same settings and
   * see the same shards; rank 0 alone reads and writes the run folder. Whoever made it closes it.
   */
  readonly collective?: Collective;
}

/**
 * Reads the models that a run begins with.
 * @param commits  of models on the hub, where they are known already
 */
export type LoadStart = (
  settings: PretrainingSettings,
  commits: { readonly from?: string; readonly generator?: string },
) => Promise<Start>;

/**
 * Pre-trains from `given.data` to `given.out`, writing checkpoints and logs, and tells how it goes.
 * With `resume`, settings that are not given are those that the run began with. With `from`, the run begins with trained
 * weights; optimizer and schedule are new.
 * @throws SettingsError with every problem of the settings
 * @throws DataError     when the shards are missing, damaged or too few
 * @throws CheckpointError when a resumed run was begun with other settings, vocabulary or text, or has lost its checkpoints;
 *         or the models that it is to begin with cannot be loaded or do not belong together
 * @throws FolderInUseError when another process works in the run folder
 * @throws WriteError    when a checkpoint or log cannot be written
 * @throws PeerError     when another rank cannot go on
 */
export async function* pretrainToFolder(
  given: Partial<PretrainingInput>,
  { signal, createEngine, initialWeights, loadStart, collective = ALONE }: PretrainOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { rank, members } = collective;
  const isFirst = rank === 0;
  const { start, ...settled } = await settleTogether(given, loadStart, collective);
  const { settings, input, begun, tableRows } = settled;
  let shards: ShardFolder | undefined;
  let engine: Engine | undefined;
  let store: RunFolder | undefined;
  try {
    const parts = await together(collective, async () => {
      shards = await openTrainingShards(settings.data, settings);
      const tokenizer = tokenizerOf(shards);
      const objective = objectiveOf(settings, shards, tableRows);
      const data = trainingData(shards, settings, collective);
      const heldOut = heldOutData(shards, settings);
      const begin = start && (await beginWith(start, objective, settings, { ...shards, tokenizer }, begun?.start));
      const { vocabSize } = shards;
      return { tokenizer, vocabSize, dependencies: { objective, data, heldOut }, identity: identityOf(shards), begin };
    });
    const { dependencies, identity, begin } = parts;
    await compareShards(settings.data, identity, collective);
    // The engine before the run folder: a device that is not there must not leave a begun run behind.
    const wish = { ...settings, threads: settings.threads ?? members[rank].threads };
    const started = await startEngineOfRanks(wish, { begun, create: createEngine }, collective);
    engine = started.engine;
    const { notices } = started; // the engine adds to them while it works
    if (settled.notice) notices.push(settled.notice);
    const opened = { ...parts, engine: engineIdentity(engine) };
    store = await together(collective, () => (isFirst ? openRun({ settings, input }, opened) : undefined));
    const weights = begin?.joined.weights;
    const training = { ...dependencies, engine, store, initialWeights: weights ?? initialWeights, collective };
    const expected = { settings, given: input, vocabSize: parts.vocabSize };
    const run = (ending?: AbortSignal) => {
      const told = withNotices(pretrain(settings, { ...training, signal: ending }), notices);
      const known = withUnknown(told, shards!, parts.tokenizer);
      const events = withForecast(known, expected, collective.size === 1 ? started.engine : undefined);
      return begin ? withStart(events, begin) : events;
    };
    yield* isFirst ? logged(new RunLog(settings.out), signal, run) : run(signal);
  } finally {
    store?.close();
    await engine?.close();
    shards?.close();
  }
}

interface Settled {
  readonly settings: FolderSettings;
  readonly input: Partial<PretrainingInput>;
  /** Something about the settings that deserves a warning. */
  readonly notice?: EngineNotice;
  /** The run that is resumed, by its engine, and what it began with. */
  readonly begun?: Pick<RunFile, 'engine' | 'start'>;
  /** Rows of the word table of the models that the run begins with. */
  readonly tableRows?: number;
}

/** Rank 0 has the run folder, and with it the settings that a resumed run began with; and the weights to begin with. */
async function settleTogether(
  given: Partial<PretrainingInput>,
  loadStart: LoadStart | undefined,
  collective: Collective,
): Promise<Settled & { readonly start?: Start }> {
  let start: Start | undefined;
  const settled = await together(collective, async () => {
    if (collective.rank !== 0) return undefined;
    let own = settle(given);
    stepShare(own.settings, collective); // throws where the ranks cannot share a step
    await refuseFolderInUse(own.settings.out); // before all else takes its time
    if (needsStart(own)) {
      start = await startOf(own, loadStart);
      own = settle(given, start);
    }
    return own;
  });
  return { ...(await fromFirst(collective, settled as Settled)), ...(start && { start }) };
}

/** A run that has a checkpoint begins with that. */
function needsStart({ settings, begun }: Settled): boolean {
  return settings.from !== undefined && !(begun && hasCheckpoint(settings.out));
}

/** A run that was stopped before its first checkpoint begins again with the very models of the first time. */
function startOf({ settings, begun }: Settled, loadStart: LoadStart | undefined): Promise<Start> {
  if (!loadStart) throw new Error('from is set, and nothing was given that loads models');
  const [main, generator] = begun?.start?.models ?? [];
  return loadStart(settings, { from: main?.hub?.commit, generator: generator?.hub?.commit });
}

/** A start that fits the run. */
interface Beginning {
  readonly start: Start;
  readonly joined: JoinedStart;
  readonly length: number;
}

/**
 * Puts the weights together and compares them with the shards, and with what the run began with before.
 * @throws DataError when the shards have other ids; CheckpointError when the models do not belong together, or have changed
 */
async function beginWith(
  start: Start,
  objective: PretrainingObjective,
  settings: PretrainingSettings,
  shards: ShardVocabulary,
  before: RunFile['start'],
): Promise<Beginning> {
  const { newHead = false, newGenerator = false, from = '', out, length } = settings;
  checkVocabularies(start, shards);
  const joined = await joinStart(start, objective, { newHead, newGenerator });
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

/** A run's events, with a warning at its start when the vocabulary does not know the text. */
async function* withUnknown(
  events: AsyncGenerator<TrainingEvent>,
  shards: ShardFolder,
  tokenizer: WordPieceTokenizer,
): AsyncGenerator<TrainingEvent> {
  for await (const event of events) {
    yield event;
    if (event.type !== 'started') continue;
    const unknown = shards.unigramCounts('train')[tokenizer.unkId];
    const warning = unknownWarning({ unknown, tokens: shards.train.numTokens }, tokenizer, {
      what: 'the training text',
    });
    if (!warning) continue;
    const advice = `${warning.advice}, and prepare the text with that.`;
    yield { type: 'warning', step: event.step ?? 0, code: 'unknown-tokens', message: warning.message, advice };
  }
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

/** @throws DataError on all ranks when the shards of some are not those of rank 0 */
async function compareShards(folder: string, identity: RunIdentity, collective: Collective): Promise<void> {
  if (collective.size === 1) return;
  const identities = await gatherTexts(collective, JSON.stringify(identity));
  const others = collective.members.filter(({ rank }) => identities[rank] !== identities[0]);
  if (others.length === 0) return;
  throw new DataError(
    `${folder} is not the same on all ranks: it differs on ${others.map(describeMember).join(', ')}`,
    {
      subject: folder,
      found: others.map(({ host }) => host),
      expected: 'the same shards everywhere',
      advice: 'Copy the folder to every machine, or put it on a file system that all of them see',
    },
  );
}

interface RunParts {
  readonly tokenizer: WordPieceTokenizer;
  readonly dependencies: Pick<TrainerDependencies, 'objective'>;
  readonly identity: RunIdentity;
  readonly engine: EngineIdentity;
  readonly begin?: Beginning;
}

function openRun({ settings, input }: Settled, parts: RunParts): Promise<RunFolder> {
  const { tokenizer, dependencies, identity, engine, begin } = parts;
  const { name, models } = dependencies.objective;
  const contents = { objective: name, models, tokenizer, length: settings.length };
  const start = begin && { start: startRecord(begin.start, begin.joined) };
  const { more: _, moreSteps: __, moreMs: ___, ...kept } = settings;
  return RunFolder.open(settings.out, contents, { given: input, settings: kept, identity, engine, ...start });
}

/**
 * Opens shards with the tags that the settings name.
 * @throws DataError when they are damaged, or the tag file does not belong to them
 */
export async function openTrainingShards(
  folder: string,
  { tags }: Pick<PretrainingSettings, 'tags'>,
  expected?: Parameters<typeof openShards>[1],
): Promise<ShardFolder> {
  const shards = await openShards(folder, expected);
  try {
    const absent = absentIds(loadTokenizerIfThere(shards.tokenizerFolder)?.tokens ?? []);
    const whole = absent.size > 0 ? { ...shards, absentIds: absent } : shards;
    return tags === undefined ? whole : withTagFile(whole, tags);
  } catch (error) {
    shards.close();
    throw error;
  }
}

/** Settings as given, over those that a resumed run began with, and those of the models that a run begins with. */
function settle(given: Partial<PretrainingInput>, start?: Start): Settled {
  const before = given.resume && given.out ? readRunFile(given.out) : undefined;
  const { limits, conflicts } = limitsOf(given, before);
  const { steps: _, time: __, ...others } = { ...before?.given, ...given };
  const input = { ...others, ...limits };
  const sizes = start?.sizes ?? before?.start?.sizes;
  const noRun = given.resume && !before ? given.out : undefined;
  const settings = resolved(input, sizes, {
    problems: [...folderProblems(input), ...conflicts],
    noRun,
  }) as FolderSettings;
  refuseSameFolder(settings);
  if (before) refuseChanges(before, settings, sizes);
  // What a run is given more is no setting of it: the trainer makes steps and time of that, and records them.
  const { more: ___, moreSteps: ____, ...kept } = input;
  const notice = before && timeNotice(given, before);
  const tableRows = sizes?.model.vocabSize;
  return {
    settings,
    input: kept,
    ...(before && { begun: { engine: before.engine, start: before.start } }),
    ...(tableRows !== undefined && { tableRows }),
    ...(notice && { notice }),
  };
}

/** Steps and time: as given, over those of the run; with more, those of the run alone, which it is counted from. */
function limitsOf(
  given: Partial<PretrainingInput>,
  before: RunFile | undefined,
): { limits: Pick<PretrainingInput, 'steps' | 'time'>; conflicts: string[] } {
  const names = ['steps', 'time'] as const;
  const limits = (input: Partial<PretrainingInput> = {}) =>
    Object.fromEntries(names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]));
  const both = { ...limits(before?.given), ...limits(given) };
  const more = (['more', 'moreSteps'] as const).filter((name) => given[name] !== undefined);
  if (more.length === 0) return { limits: both, conflicts: [] };
  // A settings file that the run began with still has them.
  const isNew = (name: (typeof names)[number]) =>
    given[name] !== undefined && ![before?.given[name], before?.began?.[name]].includes(given[name] as never);
  const conflicts = names
    .filter(isNew)
    .map(
      (name) =>
        `${settingName(name)} and ${more.map(settingName).join(' and ')} are both set; ${settingName(name)} counts from the beginning of the run, ${more.map(settingName).join(' and ')} from where it stands: give one`,
    );
  return { limits: before ? limits(before.given) : both, conflicts };
}

/** Another time does not change the steps that a run was planned for, which few expect. */
function timeNotice(given: Partial<PretrainingInput>, { given: began, plannedSteps, settings }: RunFile) {
  const { steps, time, out = '' } = given;
  if (time === undefined || steps !== undefined || began.steps !== undefined || plannedSteps === undefined)
    return undefined;
  if (parseDuration(time) === settings.timeMs || parseDuration(time) === undefined) return undefined;
  return {
    code: 'time-changed',
    message: `The run was planned for ${plannedSteps} steps in ${durationText(settings.timeMs ?? 0)} and keeps that number with a time of ${time}, which is only a limit from its beginning`,
    advice: `${resumeAdvice(out, { more: time })} trains ${time} more from where it stands.`,
  } as const;
}

/**
 * @param problems  to report with those of the settings
 * @param noRun     a folder that is to be resumed and holds no run: most likely why settings are missing
 */
function resolved(
  input: Partial<PretrainingInput>,
  sizes: StartSizes | undefined,
  { problems: known = [], noRun }: { readonly problems?: readonly string[]; readonly noRun?: string } = {},
): PretrainingSettings {
  const problems = [...known];
  const isMissing =
    noRun !== undefined &&
    `${settingName('resume')} is set and ${noRun} holds no run to take settings from; check its name`;
  try {
    const settings = resolvePretrainingSettings(input, sizes);
    if (problems.length === 0) return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
  }
  throw new SettingsError([...(isMissing ? [isMissing] : []), ...problems]);
}

/** A run among its shards would be in the way of `prepare`, which empties a folder that it makes anew. */
function refuseSameFolder({ data, out }: FolderSettings): void {
  const real = (path: string) => (existsSync(path) ? realpathSync(path) : resolve(path));
  if (real(data) !== real(out)) return;
  throw new SettingsError([
    `${settingName('data')} and ${settingName('out')} are both ${out}; expected another folder for the run than that of the shards`,
  ]);
}

function refuseChanges(before: RunFile, settings: PretrainingSettings, sizes: StartSizes | undefined): void {
  // A setting that is newer than the run counts as left out when it began.
  const recorded = { ...resolved(before.given, sizes), ...before.settings };
  const changes = changedSettings(recorded, settings);
  if (changes.length === 0) return;
  throw new CheckpointError(`${settings.out} cannot be resumed with other settings: ${changes.join('; ')}`, {
    subject: settings.out,
    found: changes,
    advice: 'Leave these settings out, or start a new run in another folder',
  });
}

/** @throws DataError when the tokenizer in the folder is not the one that the shards were made with */
function tokenizerOf({ tokenizerFolder, tokenizerHash }: ShardFolder): WordPieceTokenizer {
  const tokenizer = loadTokenizer(tokenizerFolder);
  const found = tokenizer.hash();
  if (found === tokenizerHash) return tokenizer;
  throw new DataError(
    `${tokenizerFolder} holds tokenizer ${found}, the shards beside it were made with ${tokenizerHash}`,
    {
      subject: tokenizerFolder,
      found,
      expected: tokenizerHash,
      advice:
        'Put its files back from the folder that --tokenizer named, or prepare the text again into another folder',
    },
  );
}

/** What a run must find again when it is resumed; the folder may have moved. */
function identityOf({ manifest, tokenizerHash, vocabSize, tagsHash }: ShardFolder): RunIdentity {
  return { vocabSize, tokenizerHash, corpus: corpusHash(manifest), ...(tagsHash !== undefined && { tags: tagsHash }) };
}

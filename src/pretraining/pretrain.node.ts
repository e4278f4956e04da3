/** Pre-training from a folder of shards to a run folder. */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { readRunFile } from '../checkpoint/runFile.node.js';
import type { RunIdentity } from '../checkpoint/trainerFile.node.js';
import type { Collective } from '../collective/collective.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import { corpusHash, openShards, type ShardFolder } from '../data/shards.node.js';
import { withTagFile } from '../data/tagFile.node.js';
import { CheckpointError, DataError, SettingsError } from '../errors/errors.js';
import { parseDuration } from '../settings/durations.js';
import { settingName } from '../settings/settingNames.js';
import { absentIds } from '../text/pieces.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizer, loadTokenizerIfThere } from '../text/tokenizer.node.js';
import { unknownWarning } from '../text/unknownTokens.js';
import type { TrainingEvent } from '../training/events.js';
import { durationText, resumeAdvice } from '../training/extension.js';
import type { TrainingRunFile } from '../training/runFolder.node.js';
import { type Start, type StartSizes, tableRowsOf } from '../training/start.js';
import {
  type PreparedRun,
  type RunNotice,
  type RunOptions,
  type RunRecipe,
  type SettledRun,
  trainToFolder,
} from '../training/trainToFolder.node.js';
import { objectiveOf } from './objectiveOf.js';
import { trainerParts } from './pretrain.js';
import { heldOutData, trainingData } from './pretrainingData.js';
import {
  changedSettings,
  type FolderSettings,
  folderProblems,
  type PretrainingInput,
  type PretrainingSettings,
  resolvePretrainingSettings,
} from './settings.js';
import { withForecast } from './withForecast.js';

export interface PretrainOptions extends RunOptions {
  /** Weights to begin with, by parameter name; all others are drawn. */
  readonly initialWeights?: ReadonlyMap<string, Float32Array>;
  /** Reads the models that `from` and `generator` name; that of `pleiad/node` does it where none is given. */
  readonly loadStart?: LoadStart;
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
export function pretrainToFolder(
  given: Partial<PretrainingInput>,
  { initialWeights, loadStart, ...options }: PretrainOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const recipe: RunRecipe<FolderSettings, MaskedBatch> = {
    settle: (start) => settle(given, start),
    loadStart(settings, begun) {
      if (!loadStart) throw new Error('from is set, and nothing was given that loads models');
      // A run that was stopped before its first checkpoint begins again with the very models of the first time.
      const { models = [] } = begun?.start ?? {};
      const commitOf = (isGenerator: boolean) =>
        models.find(({ role }) => (role === 'generator') === isGenerator)?.hub?.commit;
      return loadStart(settings, { from: commitOf(false), generator: commitOf(true) });
    },
    prepare: (settings, context) => prepare(settings, context, initialWeights),
    newParts: ({ newHead = false, newGenerator = false, from }) => ({
      newHead,
      newGenerator,
      newDiscriminator: from === undefined,
    }),
    decorate: (events, { settings, input }, { prepared, engine, collective }) =>
      withForecast(
        events,
        { settings, given: input, vocabSize: prepared.vocabSize },
        collective.size === 1 ? engine : undefined,
      ),
  };
  return trainToFolder(recipe, options);
}

/** Opens the shards and builds the objective over them. */
async function prepare(
  settings: FolderSettings,
  { collective, tableRows }: { readonly collective: Collective; readonly tableRows?: number },
  weights: ReadonlyMap<string, Float32Array> | undefined,
): Promise<PreparedRun<MaskedBatch>> {
  const shards = await openTrainingShards(settings.data, settings);
  try {
    const objective = objectiveOf(settings, shards, tableRows);
    const tokenizer = tokenizerOf(shards);
    return {
      ...trainerParts(settings, { objective, heldOut: heldOutData(shards, settings), initialWeights: weights }),
      objective,
      data: trainingData(shards, settings, collective),
      tokenizer,
      notices: unknownNotices(shards, tokenizer),
      identity: identityOf(shards),
      source: shards.source,
      vocabSize: shards.vocabSize,
      close: () => shards.close(),
    };
  } catch (error) {
    shards.close();
    throw error;
  }
}

/** A warning when the vocabulary does not know the text. */
function unknownNotices(shards: ShardFolder, tokenizer: WordPieceTokenizer): RunNotice[] {
  const counts = { unknown: shards.unigramCounts('train')[tokenizer.unkId], tokens: shards.train.numTokens };
  const warning = unknownWarning(counts, tokenizer, { what: 'the training text' });
  if (!warning) return [];
  const advice = `${warning.advice}, and prepare the text with that.`;
  return [{ code: 'unknown-tokens', message: warning.message, advice }];
}

type PretrainingRunFile = TrainingRunFile<Partial<PretrainingInput>, PretrainingSettings>;

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
function settle(given: Partial<PretrainingInput>, start?: Start): SettledRun<FolderSettings> {
  const before = given.resume && given.out ? runBefore(given.out) : undefined;
  const { limits, conflicts } = limitsOf(given, before);
  const { steps: _, time: __, ...others } = { ...before?.given, ...given };
  const input = { ...others, ...limits };
  const sizes = start?.sizes ?? before?.start?.sizes;
  const noRun = given.resume && !before ? given.out : undefined;
  const settings = resolved(input, sizes, {
    problems: [...folderProblems(input), ...conflicts],
    noRun,
    begun: before?.settings,
  }) as FolderSettings;
  refuseSameFolder(settings);
  if (before) refuseChanges(before, settings, sizes);
  // What a run is given more is no setting of it: the trainer makes steps and time of that, and records them.
  const { more: ___, moreSteps: ____, ...kept } = { ...input, recipe: settings.recipe };
  const notice = before && timeNotice(given, before);
  const tableRows = sizes && tableRowsOf(sizes);
  return {
    settings,
    input: kept,
    ...(before && { begun: { engine: before.engine, start: before.start } }),
    ...(tableRows !== undefined && { tableRows }),
    ...(notice && { notice }),
  };
}

/** What a run was begun with. One that says nothing of recipes is from before there was one by default, and had none. */
function runBefore(out: string): PretrainingRunFile | undefined {
  const file = readRunFile<PretrainingRunFile>(out);
  if (!file || file.given.recipe !== undefined) return file;
  const recipe = 'none';
  return { ...file, given: { ...file.given, recipe }, settings: { ...file.settings, recipe } };
}

/** Steps and time: as given, over those of the run; with more, those of the run alone, which it is counted from. */
function limitsOf(
  given: Partial<PretrainingInput>,
  before: PretrainingRunFile | undefined,
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
function timeNotice(given: Partial<PretrainingInput>, { given: began, plannedSteps, settings }: PretrainingRunFile) {
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
 * @param begun     settings of the run that is resumed
 */
function resolved(
  input: Partial<PretrainingInput>,
  sizes: StartSizes | undefined,
  {
    problems: known = [],
    noRun,
    begun,
  }: {
    readonly problems?: readonly string[];
    readonly noRun?: string;
    readonly begun?: PretrainingSettings;
  } = {},
): PretrainingSettings {
  const problems = [...known];
  const isMissing =
    noRun !== undefined &&
    `${settingName('resume')} is set and ${noRun} holds no run to take settings from; check its name`;
  try {
    const settings = resolvePretrainingSettings(input, sizes, begun);
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

function refuseChanges(before: PretrainingRunFile, settings: PretrainingSettings, sizes: StartSizes | undefined): void {
  // A setting that is newer than the run counts as left out when it began.
  const recorded = { ...resolved(before.given, sizes, { begun: before.settings }), ...before.settings };
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

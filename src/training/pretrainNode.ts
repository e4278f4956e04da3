/** Pre-training from a folder of shards to a run folder: puts data, objective, engine and logs together. */
import { corpusHash, openShards, type ShardFolder } from '../data/shardsNode.js';
import { withTagFile } from '../data/tagFileNode.js';
import type { Engine, EngineOptions } from '../engine/engine.js';
import { createNodeEngine } from '../engine/onnxruntime/nodeEngine.js';
import { CheckpointError } from '../errors.js';
import { loadTokenizer } from '../text/tokenizerNode.js';
import type { RunIdentity } from './checkpointFolderNode.js';
import type { TrainingEvent } from './events.js';
import { objectiveOf } from './objectiveOf.js';
import { heldOutData, trainingData } from './pretrainingData.js';
import { type RunFile, RunFolder, readRunFile } from './runFolderNode.js';
import { RunLog } from './runLogNode.js';
import {
  changedSettings,
  type PretrainingInput,
  type PretrainingSettings,
  resolvePretrainingSettings,
} from './settings.js';
import { pretrain, type TrainerDependencies } from './trainer.js';

export interface PretrainOptions {
  /** Ends the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** By default onnxruntime-node. */
  readonly createEngine?: (options: EngineOptions) => Promise<Engine>;
  readonly initialWeights?: TrainerDependencies['initialWeights'];
}

/**
 * Pre-trains from `given.data` to `given.out`, writing checkpoints and logs, and tells how it goes.
 * With `resume`, settings that are not given are those that the run began with.
 * @throws SettingsError with every problem of the settings
 * @throws DataError     when the shards are missing, damaged or too few
 * @throws CheckpointError when a resumed run was begun with other settings, vocabulary or text, or nothing can be written
 */
export async function* pretrainToFolder(
  given: Partial<PretrainingInput>,
  { signal, createEngine = createNodeEngine, initialWeights }: PretrainOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { settings, input } = settle(given);
  const shards = await openTrainingShards(settings.data, settings);
  try {
    const objective = objectiveOf(settings, shards);
    const contents = {
      objective: objective.name,
      models: objective.models,
      tokenizer: loadTokenizer(shards.tokenizerFolder),
      length: settings.length,
    };
    const dependencies = { data: trainingData(shards, settings), heldOut: heldOutData(shards, settings) };
    // The engine first: a device that is not there must not leave a begun run behind.
    const engine = await createEngine({ device: settings.device, threads: settings.threads });
    try {
      const store = await RunFolder.open(settings.out, contents, {
        given: input,
        settings,
        identity: identityOf(shards),
      });
      const log = new RunLog(settings.out);
      for await (const event of pretrain(settings, {
        ...dependencies,
        engine,
        objective,
        store,
        signal,
        initialWeights,
      })) {
        await log.record(event);
        yield event;
      }
    } finally {
      await engine.close();
    }
  } finally {
    shards.close();
  }
}

/**
 * Opens shards with the tags that the settings name.
 * @throws DataError when they are damaged, or the tag file does not belong to them
 */
export async function openTrainingShards(
  folder: string,
  { tags }: Pick<PretrainingSettings, 'tags'>,
  expected?: { tokenizerHash?: string },
): Promise<ShardFolder> {
  const shards = await openShards(folder, expected);
  if (tags === undefined) return shards;
  try {
    return withTagFile(shards, tags);
  } catch (error) {
    shards.close();
    throw error;
  }
}

/** Settings as given, over those that a resumed run began with. */
function settle(given: Partial<PretrainingInput>): { settings: PretrainingSettings; input: Partial<PretrainingInput> } {
  const before = given.resume && given.out ? readRunFile(given.out) : undefined;
  const input = { ...before?.given, ...given };
  const settings = resolvePretrainingSettings(input);
  if (before) refuseChanges(before, settings);
  return { settings, input };
}

function refuseChanges(before: RunFile, settings: PretrainingSettings): void {
  const changes = changedSettings(before.settings, settings);
  if (changes.length === 0) return;
  throw new CheckpointError(`${settings.out} cannot be resumed with other settings: ${changes.join('; ')}`, {
    subject: settings.out,
    found: changes,
    advice: 'Leave these settings out, or start a new run in another folder',
  });
}

/** What a run must find again when it is resumed; the folder may have moved. */
function identityOf({ manifest, tokenizerHash, vocabSize, tagsHash }: ShardFolder): RunIdentity {
  return { vocabSize, tokenizerHash, corpus: corpusHash(manifest), ...(tagsHash !== undefined && { tags: tagsHash }) };
}

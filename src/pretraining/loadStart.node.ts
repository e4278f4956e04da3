/** Pre-training that goes on from published models or from runs: finds and loads them. */

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MisfitError } from '../checkpoint/loadPlan.js';
import { familyOf, type ModelRole } from '../checkpoint/modelFolder.js';
import { CheckpointError, DataError, SettingsError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { Task } from '../models/heads.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { innerPlace, membersOf, resolveCheckpoint } from '../pretrained/modelPlaces.node.js';
import {
  type FetchOptions,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
} from '../pretrained/pretrained.node.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { TrainingEvent } from '../training/events.js';
import type { Start, StartModel } from '../training/start.js';
import { definitionOf, trainsGenerator } from './objectives.js';
import {
  type LoadStart,
  type PretrainOptions as TrainingOptions,
  pretrainToFolder as trainToFolder,
} from './pretrain.node.js';
import type { PretrainingInput, PretrainingSettings } from './settings.js';

export interface PretrainOptions extends TrainingOptions {
  /** How models that `from` and `generator` name are fetched. */
  readonly hub?: FetchOptions;
}

/**
 * Pre-trains from `given.data` to `given.out`, from random weights, or from those that `given.from` and `given.generator`
 * name; see `pretrain.node.ts`.
 *
 *     for await (const event of pretrainToFolder({
 *       from: 'google/electra-small-discriminator',
 *       generator: 'google/electra-small-generator',
 *       data: 'shards/',
 *       out: 'run/',
 *       time: '2h',
 *     })) console.log(event.type, event.step);
 */
export function pretrainToFolder(
  given: Partial<PretrainingInput>,
  { hub, ...options }: PretrainOptions = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  const loadStart: LoadStart = (settings, commits) => loadStartModels(settings, commits, hub);
  return trainToFolder(given, { loadStart, ...options });
}

/** What a run needs of a model, and which setting names it. */
interface Wanted {
  readonly setting: 'from' | 'generator';
  readonly role: ModelRole;
  readonly task: Task;
  /** Which of a checkpoint's folders will do. */
  readonly roles: readonly ModelRole[];
  /** Kinds of encoders that will do; others are renamed to the first. */
  readonly families: readonly ModelFamily[];
  /** How many of its layers are taken; default all. */
  readonly layers?: number;
}

function mainWanted(settings: PretrainingSettings): Wanted {
  const definition = definitionOf(settings);
  return { setting: 'from', families: definition.families, ...definition.main(settings) };
}

const GENERATOR: Wanted = {
  setting: 'generator',
  role: 'generator',
  task: 'maskedLm',
  roles: ['generator', 'model'],
  families: ['electra'],
};

/**
 * Loads the models that a run begins with.
 * @throws SettingsError   when the objective trains no such model, or a generator is missing
 * @throws CheckpointError when a model cannot be loaded, is the other half, has no head, or the halves do not belong together
 */
export async function loadStartModels(
  settings: PretrainingSettings,
  commits: { readonly from?: string; readonly generator?: string } = {},
  hub: FetchOptions = {},
): Promise<Start> {
  const { from, generatorFrom, revision, generatorRevision, newHead = false } = settings;
  if (from === undefined) return loadGeneratorAlone(settings, commits, hub);
  const wanted = mainWanted(settings);
  const main = await load(from, wanted, { ...hub, ...revisionOf(commits.from ?? revision) });
  refuseMainOfTensorflow(settings, main);
  const half = trainsGenerator(settings) ? generatorOf(settings, main) : undefined;
  const generator =
    half &&
    (await loadGenerator(half, main, {
      ...hub,
      // A checkpoint with both halves is one repository.
      ...revisionOf(commits.generator ?? (generatorFrom === undefined ? revision : generatorRevision)),
    }));
  const found = generator ? [main, generator] : [main];
  refuseOtherHalves(found, newHead);
  for (const each of found) {
    if (!newHead || (each === generator && settings.freezeGenerator)) refuseNoHead(each, settings.freezeGenerator);
  }
  if (generator) refuseOtherVocabulary(main, generator);
  const { model, tensors } = main.loaded;
  return {
    models: found.map(toStart),
    sizes: {
      family: familyOf(model.architecture),
      model: model.config,
      ...(generator && { generator: generator.loaded.model.config }),
      ...(half?.wanted.layers !== undefined && { generatorOfModel: true }),
      ...(model.spanBoundary && hasSpanBoundary(tensors) && { spanBoundary: model.spanBoundary }),
    },
  };
}

/** A ready masked LM, beside which the discriminator is new. */
async function loadGeneratorAlone(
  { generatorFrom = '', generatorRevision }: PretrainingSettings,
  commits: { readonly generator?: string },
  hub: FetchOptions,
): Promise<Start> {
  const generator = await load(generatorFrom, GENERATOR, {
    ...hub,
    ...revisionOf(commits.generator ?? generatorRevision),
  });
  refuseOtherHalves([generator], false);
  refuseNoHead(generator, true);
  const { model } = generator.loaded;
  return { models: [toStart(generator)], sizes: { family: familyOf(model.architecture), generator: model.config } };
}

const hasSpanBoundary = (tensors: ReadonlyMap<string, unknown>) =>
  [...tensors.keys()].some((name) => name.startsWith('sbo.'));

const revisionOf = (revision: string | undefined) => (revision === undefined ? {} : { revision });

interface Found {
  readonly wanted: Wanted;
  readonly source: string;
  readonly loaded: Pretrained;
}

/** Heads that are not there are looked at afterwards: those that are there show which half a file is. */
async function load(source: string, wanted: Wanted, options: LoadPretrainedOptions): Promise<Found> {
  const { setting, role, task, roles, families, layers } = wanted;
  const half = role === 'model' ? undefined : role;
  const all = { ...options, task, roles, half, families, layers, newHead: true };
  try {
    return { wanted, source, loaded: await keepingCase(source, all) };
  } catch (error) {
    if (error instanceof CheckpointError && !error.message.startsWith(`${settingName(setting)} `)) {
      error.message = `${settingName(setting)} ${source}: ${error.message}`;
    }
    throw error;
  }
}

/**
 * A cased vocabulary that its files want lower-cased is read as it was made: the shards, whose maker had to say it, have the
 * last word, as both tokenizers are compared.
 */
async function keepingCase(source: string, options: LoadPretrainedOptions): Promise<Pretrained> {
  try {
    return await loadPretrained(source, options);
  } catch (error) {
    const isCasing = error instanceof DataError && (error.found as { unreachable?: number } | undefined)?.unreachable;
    if (!isCasing) throw error;
    return loadPretrained(source, { ...options, lowercase: false });
  }
}

/** @throws SettingsError when a masked LM is to go on from a discriminator of google-research/electra */
function refuseMainOfTensorflow(
  { objective }: PretrainingSettings,
  { source, loaded, wanted: { role, task } }: Found,
): void {
  if (role !== 'discriminator' || task !== 'maskedLm' || loaded.report.format !== 'tensorflow-bundle') return;
  throw new SettingsError([
    `${settingName('from')} is ${source}, a checkpoint of google-research/electra, whose main model is a discriminator, and ${settingName('objective')} is ${objective}, whose main model is a masked LM; expected electra or mlm`,
  ]);
}

interface GeneratorPlace {
  readonly place: string;
  readonly wanted: Wanted;
}

/**
 * Where the generator is: as given, else where the discriminator is, else the first layers of the model itself; undefined
 * where a new one was asked for.
 * @throws SettingsError when there is none, and the model is a discriminator whose own generator must be somewhere
 */
function generatorOf(settings: PretrainingSettings, main: Found): GeneratorPlace | undefined {
  const { generatorFrom, newGenerator, newHead, objective, generatorLayerFraction } = settings;
  if (newGenerator) return undefined;
  if (generatorFrom !== undefined) return { place: generatorFrom, wanted: GENERATOR };
  const { source, loaded, wanted } = main;
  const { report, folder, model } = loaded;
  if (report.unused.some(({ from, why }) => why === OF_GENERATOR && from.startsWith('generator_predictions/'))) {
    return { place: source, wanted: GENERATOR };
  }
  const beside = join(dirname(folder), 'generator');
  const isThere = beside !== folder && existsSync(join(beside, 'config.json'));
  if (
    isThere &&
    statSync(innerPlace(source), { throwIfNoEntry: false })?.isDirectory() &&
    holdsBoth(innerPlace(source))
  )
    return { place: beside, wanted: GENERATOR };
  // A model without a discriminator's head was never half of a pair.
  if (newHead || report.initialized.length > 0) {
    const layers = Math.max(1, Math.round(model.config.numHiddenLayers * generatorLayerFraction));
    return { place: source, wanted: { ...GENERATOR, setting: 'from', roles: wanted.roles, layers } };
  }
  const found = isThere ? beside : /discriminator/.test(source) ? source.replace(/discriminator/g, 'generator') : '…';
  throw new SettingsError([
    `${settingName('from')} is ${source}, which holds no generator, and ${settingName('objective')} ${objective} trains one; ` +
      `give the generator that it was trained with, for instance ${settingWith('generator', found)}, ask for a new one of random weights: ${settingWith('newGenerator', true)}, or let it begin as the first layers of the model, with a new head: ${settingWith('newHead', true)}`,
  ]);
}

/** Whether a place has models by their roles: a run, a checkpoint, or a pair. */
const holdsBoth = (place: string) => resolveCheckpoint(place) !== undefined || membersOf(place).length > 1;

/** Why the discriminator has no use for a tensor, in a checkpoint of google-research/electra. */
const OF_GENERATOR = 'of the generator';

/**
 * The config of the other half is a frequent mistake: its sizes are said to be that. A checkpoint of both halves has room for
 * one config.json: the generator's sizes are read off its tensors, with heads as wide as the discriminator's.
 */
async function loadGenerator(
  { place, wanted }: GeneratorPlace,
  main: Found,
  options: LoadPretrainedOptions,
): Promise<Found> {
  const { hiddenSize, numAttentionHeads } = main.loaded.model.config;
  try {
    return await load(place, wanted, options);
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error;
    if (place === main.source) return load(place, wanted, { ...options, headSize: hiddenSize / numAttentionHeads });
    const { hiddenSize: found } = (error.found ?? {}) as { hiddenSize?: number };
    if (found === undefined || !error.expected?.includes(`hidden_size ${hiddenSize}`)) throw error;
    throw new CheckpointError(
      `${settingName('generator')} ${place}: its config.json is that of a discriminator ${hiddenSize} wide, and its tensors are ${found} wide`,
      {
        subject: place,
        found,
        expected: 'a config.json of its own',
        advice: "Put the generator's own config.json there",
        cause: error,
      },
    );
  }
}

/** Whether a file has the head of a class that it was not loaded as. */
function otherHeadOf({ loaded, wanted }: Found): 'discriminator' | 'generator' | undefined {
  const { report } = loaded;
  if (report.initialized.length === 0) return undefined;
  const has = (head: string) => report.unused.some(({ from }) => from.includes(head));
  if (wanted.task === 'maskedLm') return has('discriminator_predictions') ? 'discriminator' : undefined;
  return has('generator_predictions') ? 'generator' : undefined;
}

/**
 * @param newHead  whether a new head on the encoder of the other half was asked for; a generator that was named is one
 * @throws CheckpointError when the tensors of a half are those of the other one, whatever its config says
 */
function refuseOtherHalves(found: readonly Found[], newHead: boolean): void {
  const wrong = found.flatMap((each) => {
    const other = newHead && each.wanted.setting === 'from' ? undefined : otherHeadOf(each);
    return other ? [{ ...each, other }] : [];
  });
  if (wrong.length === 0) return;
  const said = wrong.map(
    ({ wanted, source, other }) =>
      `${settingName(wanted.setting)} is ${source}, which holds a ${other}, not a ${wanted.role === 'model' ? 'masked LM' : wanted.role}`,
  );
  const [{ source, other, wanted }] = wrong;
  throw new CheckpointError(said.join('; '), {
    subject: source,
    found: other,
    expected: wanted.role,
    advice:
      wrong.length === 2
        ? `They have changed places: ${settingName('from')} is the discriminator, ${settingName('generator')} the generator`
        : `The two halves of an ELECTRA are files of their own, most often in repositories called …-discriminator and …-generator${wanted.setting === 'from' ? `. To train a new head on this encoder, ask for it: ${settingWith('newHead', true)}` : ''}`,
  });
}

/** @throws CheckpointError when a head would be random that was not asked to be */
function refuseNoHead({ wanted, source, loaded }: Found, isFrozen: boolean): void {
  const { initialized } = loaded.report;
  if (initialized.length === 0) return;
  throw new CheckpointError(
    `${settingName(wanted.setting)} ${source} has no whole head of ${loaded.model.architecture}: missing ${joinFirst(initialized, 5)}`,
    {
      subject: source,
      found: initialized,
      expected: 'all tensors of the model',
      advice:
        isFrozen && wanted.role === 'generator'
          ? 'A generator that stays as it is must be a masked LM as a whole: train one first (objective mlm), or give another'
          : `To begin with a new head on its encoder, ask for it: ${settingWith('newHead', true)}`,
    },
  );
}

/** @throws CheckpointError when the halves cannot read the same ids */
function refuseOtherVocabulary(main: Found, generator: Found): void {
  const [ofMain, ofGenerator] = [main, generator].map(({ loaded }) => loaded.model.config.vocabSize);
  if (ofMain === ofGenerator) return;
  throw new CheckpointError(
    `${settingName('generator')} ${generator.source} has a vocabulary of ${ofGenerator}, and ${settingName('from')} ${main.source} one of ${ofMain}`,
    {
      subject: generator.source,
      found: ofGenerator,
      expected: `${ofMain}, as both read the same ids`,
      advice: 'Give the generator that the discriminator was trained with',
    },
  );
}

function toStart({ wanted, source, loaded }: Found): StartModel {
  const { folder, hub, model, guessedConfig, report, tensors, tokenizer } = loaded;
  const random = new Set(report.initialized);
  return {
    role: wanted.role,
    source,
    folder,
    ...(hub && { hub }),
    description: model,
    guessedConfig,
    tensors: new Map([...tensors].filter(([name]) => !random.has(name))),
    report,
    ...(tokenizer && { tokenizer }),
  };
}

/** Pre-training in memory: from shards to a store, with no file, in a page as in Node. */
import type { Shards } from '../data/shards.js';
import { SettingsError } from '../errors/errors.js';
import type { TrainingEvent } from '../training/events.js';
import { objectiveOf } from './objectiveOf.js';
import { type PretrainDependencies, pretrain } from './pretrain.js';
import { heldOutData, trainingData } from './pretrainingData.js';
import { type PretrainingInput, resolvePretrainingSettings } from './settings.js';

/** Settings that name files, and those of the engine, which is handed in. */
const OF_FOLDERS = [
  ...([
    'data',
    'out',
    'tags',
    'from',
    'revision',
    'generatorRevision',
    'newGenerator',
    'newHead',
    'freezeEmbeddings',
  ] as const),
  ...(['device', 'engine', 'precision', 'threads', 'keepCheckpoints'] as const),
];

/** Settings of pre-training in memory: `steps` or `time`, and whatever shall not be at its default. */
export type InMemoryInput = Omit<PretrainingInput, (typeof OF_FOLDERS)[number] | 'generator'> & {
  generator?: Exclude<PretrainingInput['generator'], string>;
};

export interface InMemoryOptions
  extends Pick<PretrainDependencies, 'engine' | 'store' | 'signal' | 'initialWeights' | 'collective'> {
  /** `textShards` makes them of texts, `memoryShards` of ids. */
  readonly shards: Shards;
}

/**
 * Pre-trains a model on text in memory and tells how it goes, with the same steps, bits and events as `pretrainToFolder`.
 * The engine and the shards stay open.
 *
 *     const store = new MemoryStore();
 *     for await (const event of pretrainInMemory({ size: 'tiny', steps: 500 }, { shards, engine, store })) show(event);
 *     const fill = await snapshotPipeline('fill-mask', store.best!, { tokenizer, engine });
 *
 * @throws SettingsError with every problem of the settings; DataError when there is too little text
 */
export async function* pretrainInMemory(
  given: InMemoryInput,
  { shards, engine, store, signal, initialWeights, collective }: InMemoryOptions,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const settings = resolved(given);
  yield* pretrain(settings, {
    engine,
    objective: objectiveOf(settings, shards),
    data: trainingData(shards, settings, collective),
    heldOut: heldOutData(shards, settings),
    store,
    signal,
    initialWeights,
    collective,
  });
}

function resolved(given: InMemoryInput & { readonly resume?: boolean }) {
  const input: Partial<PretrainingInput> = given;
  const names = OF_FOLDERS.filter((name) => input[name] !== undefined);
  const problems = names.map((name) => `${name} is set; in memory the shards, the engine and the store are handed in`);
  try {
    const settings = resolvePretrainingSettings(input);
    if (problems.length === 0) return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
  }
  throw new SettingsError(problems);
}

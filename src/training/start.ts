/**
 * The weights that a run begins with, put together from loaded models. ELECTRA is published as two files, each with a copy
 * of the embeddings that both were trained with (§3.2 of the paper: one set of parameters): the copies are compared, and
 * one of them becomes both again.
 */

import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { describeLoadReport } from '../checkpoint/loadReport.js';
import type { ModelDescription, ModelRole } from '../checkpoint/modelFolder.js';
import type { TakenAs } from '../checkpoint/otherFamily.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { EncoderConfig } from '../models/config.js';
import type { ModelFamily } from '../models/modelGraph.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Objective } from './objective.js';
import { type NamedArray, weightsSha256 } from './weightsHash.js';

/** A model that a run begins with. */
export interface StartModel {
  readonly role: ModelRole;
  /** As it was named. */
  readonly source: string;
  /** The folder that it was read from. */
  readonly folder: string;
  /** Of a model that came by name. */
  readonly hub?: { readonly repository: string; readonly revision: string; readonly commit: string };
  readonly description: ModelDescription;
  /** Whether its sizes were read off its tensors, for want of a config.json. */
  readonly guessedConfig: boolean;
  /** By published name; without those that would start at random. */
  readonly tensors: Map<string, NamedArray>;
  readonly report: ModelLoadReport;
  readonly tokenizer?: WordPieceTokenizer;
}

/** What is known of the models that a run begins with, before any weight is looked at. Kept in run.json. */
export interface StartSizes {
  readonly family: ModelFamily;
  /** The discriminator, or the model where there is one alone. Undefined where it is new, beside a generator that is not. */
  readonly model?: EncoderConfig;
  /** Undefined where there is none, or a new one. */
  readonly generator?: EncoderConfig;
  /** Whether the generator is the first layers of the model itself. */
  readonly generatorOfModel?: boolean;
  /** The span boundary head, where there is one. */
  readonly spanBoundary?: SpanBoundaryConfig;
}

/** Rows of the word table of the models that a run begins with. */
export function tableRowsOf({ model, generator }: StartSizes): number | undefined {
  return (model ?? generator)?.vocabSize;
}

/** All that a run begins with. */
export interface Start {
  /** The discriminator or the lone model first. */
  readonly models: readonly StartModel[];
  readonly sizes: StartSizes;
}

/** How two copies of what the halves share compare. */
export interface SharedComparison {
  /** Tensors that both files have and the run has once. */
  readonly tensors: number;
  /** Names of those that differ. */
  readonly differing: readonly string[];
  /** Largest difference of two values. */
  readonly largest: number;
  /** ‖generator − discriminator‖ / ‖discriminator‖ over all of them together. */
  readonly relative: number;
}

export interface JoinedStart {
  /** By parameter. */
  readonly weights: Map<string, Float32Array>;
  /** Parameters that none of the models has: they start at random. */
  readonly random: readonly string[];
  /** Undefined where nothing is shared, or there is one model alone. */
  readonly shared?: SharedComparison;
  /** Digest of the weights, see `weightsSha256`. */
  readonly weightsSha256: string;
}

/** What is said of a model in the run's log and in run.json. */
export interface StartModelRecord extends Pick<StartModel, 'role' | 'source' | 'folder' | 'hub' | 'guessedConfig'> {
  readonly architecture: string;
  readonly format: string;
  readonly loaded: number;
  readonly converted: number;
  readonly tied: number;
  readonly missing: readonly string[];
  readonly unused: readonly { readonly from: string; readonly why: string }[];
  /** Of a model that was loaded as one of the other kind, or in part. */
  readonly taken?: TakenAs;
}

/** How a run began: kept in run.json, so that a run can be told from its folder and resumed without its sources. */
export interface StartRecord {
  readonly models: readonly StartModelRecord[];
  readonly sizes: StartSizes;
  readonly random: readonly string[];
  readonly shared?: SharedComparison;
  readonly weightsSha256: string;
}

/** What may start at random. */
export interface NewParts {
  readonly newHead: boolean;
  readonly newGenerator: boolean;
  /** Of a generator that was given alone: the discriminator beside it. */
  readonly newDiscriminator?: boolean;
}

/**
 * Gives each parameter its values. Of a parameter that both halves have, the discriminator's are taken: it is what is kept
 * after pre-training.
 * @throws CheckpointError when a part is missing that was not asked to be new
 */
export async function joinStart(
  { models }: Start,
  objective: Pick<Objective, 'models' | 'parameters'>,
  parts: NewParts,
): Promise<JoinedStart> {
  const given = new Map<string, NamedArray>();
  const shared = new Comparison();
  for (const model of models) {
    const target = objective.models.find(({ folder }) => folder === model.role) ?? objective.models[0];
    for (const [name, parameter] of target.tensors) {
      const tensor = model.tensors.get(name);
      if (!tensor) continue;
      const other = given.get(parameter);
      if (other) shared.add(name, other, tensor);
      else given.set(parameter, tensor);
    }
  }
  for (const model of models) {
    const { sums = new Map() } = objective.models.find(({ folder }) => folder === model.role) ?? {};
    for (const [name, [base, difference]] of sums) {
      const tensor = model.tensors.get(name);
      if (tensor) splitSum(given, tensor, { base, difference });
    }
  }
  const random = objective.parameters.map(({ name }) => name).filter((name) => !given.has(name));
  refuseRandom(random, models[0], parts);
  return {
    weights: new Map([...given].map(([name, { data }]) => [name, data])),
    random,
    ...(shared.result && { shared: shared.result }),
    weightsSha256: await weightsSha256(given),
  };
}

/** A tensor that is a sum: what the base does not have is the difference; a base that nobody has is the tensor itself. */
function splitSum(
  given: Map<string, NamedArray>,
  { shape, data }: NamedArray,
  { base, difference }: { readonly base: string; readonly difference: string },
): void {
  const found = given.get(base) ?? { shape, data };
  given.set(base, found);
  given.set(difference, { shape, data: data.map((value, i) => value - found.data[i]) });
}

class Comparison {
  readonly #differing: string[] = [];
  #tensors = 0;
  #largest = 0;
  #squares = 0;
  #size = 0;

  add(name: string, kept: NamedArray, other: NamedArray): void {
    if (kept.shape.join() !== other.shape.join()) {
      throw new Error(`${name} is shared, and [${kept.shape}] in one half and [${other.shape}] in the other`);
    }
    this.#tensors++;
    let isSame = true;
    for (let i = 0; i < kept.data.length; i++) {
      const difference = Math.abs(other.data[i] - kept.data[i]);
      this.#size += kept.data[i] ** 2;
      if (Object.is(kept.data[i], other.data[i])) continue;
      isSame = false;
      this.#squares += difference ** 2;
      if (!(difference <= this.#largest)) this.#largest = difference;
    }
    if (!isSame) this.#differing.push(name);
  }

  get result(): SharedComparison | undefined {
    if (this.#tensors === 0) return undefined;
    const relative = this.#squares === 0 ? 0 : Math.sqrt(this.#squares / this.#size);
    return { tensors: this.#tensors, differing: this.#differing, largest: this.#largest, relative };
  }
}

/** A whole encoder is never among them unless the generator is to be new: loading has made sure of that. */
function refuseRandom(random: readonly string[], { source }: StartModel, parts: NewParts): void {
  const { newHead, newGenerator, newDiscriminator = false } = parts;
  const isNew = (name: string) =>
    (newGenerator && name.startsWith('generator.')) || (newDiscriminator && name.startsWith('discriminator.'));
  const refused = random.filter((name) => !newHead && !isNew(name));
  if (refused.length === 0) return;
  throw new CheckpointError(`${source} has no weights for ${joinFirst(refused, 5)}`, {
    subject: source,
    found: refused,
    expected: 'weights of every part that is trained',
    advice: `To let these start at random, ask for it: ${settingWith('newHead', true)}`,
  });
}

/** Lets go of the weights, once a checkpoint has them. */
export function releaseWeights({ models }: Start, { weights }: JoinedStart): void {
  weights.clear();
  for (const { tensors } of models) tensors.clear();
}

/** The content of run.json about the start. */
export function startRecord(
  { models, sizes }: Start,
  { random, shared, weightsSha256: sha256 }: JoinedStart,
): StartRecord {
  return { models: models.map(recordOf), sizes, random, ...(shared && { shared }), weightsSha256: sha256 };
}

function recordOf({ role, source, folder, hub, guessedConfig, description, report }: StartModel): StartModelRecord {
  const { format, loaded, converted, tied, missing, unused, taken } = report;
  return {
    role,
    source,
    folder,
    ...(hub && { hub: { repository: hub.repository, revision: hub.revision, commit: hub.commit } }),
    architecture: description.architecture,
    format,
    guessedConfig,
    loaded: loaded.length,
    converted: converted.length,
    tied: tied.length,
    missing: missing.map(({ name }) => name),
    unused,
    ...(taken && { taken }),
  };
}

/** The load report in a few lines for people. */
export function describeStart(start: Start, { random, shared }: JoinedStart): string[] {
  const lines = start.models.flatMap(({ role, source, hub, report }) => {
    const place = hub ? `${source} at ${hub.commit.slice(0, 12)}` : source;
    const from = `${partTaken(report.taken)}${place}${newNames(report.taken)}`;
    const [counts, ...details] = describeLoadReport(report, SHOWN);
    return [`${role} from ${from}: ${counts}`, ...details];
  });
  if (shared) {
    const { tensors, differing } = shared;
    const same = differing.length === 0 ? 'the same in both, bit for bit' : `${differing.length} of them differ`;
    lines.push(`${tensors} tensors are shared by generator and discriminator: ${same}`);
  }
  if (random.length > 0) {
    const shown = random.slice(0, SHOWN).join(', ');
    lines.push(`new, from random weights: ${random.length > SHOWN ? `${random.length} tensors (${shown}, …)` : shown}`);
  }
  return lines;
}
/** "the first 3 of 6 layers of " */
function partTaken({ layers }: TakenAs = {}): string {
  return layers ? `the first ${layers.taken} of ${layers.of} layers of ` : '';
}

function newNames({ renamed }: TakenAs = {}): string {
  return renamed ? `, whose ${renamed.from}.* are ${renamed.to}.* here` : '';
}

/** Names of a kind in the report that is printed; run.json has all. */
const SHOWN = 3;

/** From here on, two copies are no longer one that was rounded to another precision: bf16 keeps 8 bits, 2^-9 relative. */
const ROUNDED = 2 ** -8;

/** Something about a start that deserves a warning. */
export interface StartNotice {
  readonly code: 'embeddings-differ' | 'tokenizer-unknown' | 'config-guessed' | 'positions-new';
  readonly message: string;
  /** A full sentence. */
  readonly advice: string;
}

/** @param length  tokens in a row of the run */
export function startNotices({ models }: Start, { shared }: JoinedStart, length: number): StartNotice[] {
  const notices: StartNotice[] = [];
  if (shared && shared.differing.length > 0) notices.push(differenceNotice(models, shared));
  for (const { source, role, tokenizer, guessedConfig, description } of models) {
    if (guessedConfig) {
      notices.push({
        code: 'config-guessed',
        message: `${source} has no config.json for its ${role}: sizes are those of its tensors, with ${unitsOfHead(description)} units a head`,
        advice: 'All released models have 64; if it has other heads, give a model folder with its config.json.',
      });
    }
    if (!tokenizer) {
      notices.push({
        code: 'tokenizer-unknown',
        message: `The ${role} of ${source} comes without a tokenizer, so nobody can tell whether the shards have the ids that it was trained with; their number, ${description.config.vocabSize}, is right`,
        advice: 'Prepare the text with the vocab.txt that belongs to it.',
      });
    }
    const trained = description.pleiad?.length;
    if (typeof trained === 'number' && trained < length) {
      notices.push({
        code: 'positions-new',
        message: `The ${role} of ${source} was trained on rows of ${trained} tokens, and ${settingName('length')} is ${length}: positions from ${trained} on have learned nothing yet`,
        advice: `They will now; with ${settingWith('length', trained)} nothing is new.`,
      });
    }
  }
  return notices;
}

const unitsOfHead = ({ config }: ModelDescription) => config.hiddenSize / config.numAttentionHeads;

function differenceNotice(models: readonly StartModel[], shared: SharedComparison): StartNotice {
  const { tensors, differing, largest, relative } = shared;
  const size = `${differing.length} of ${tensors} differ (by up to ${largest.toPrecision(2)}, ${(100 * relative).toPrecision(2)} % of their norm)`;
  const [discriminator, generator] = models.map(({ source }) => source);
  return {
    code: 'embeddings-differ',
    message: `What generator and discriminator share is not the same in ${generator} and ${discriminator}: ${size}. The discriminator's is taken for both`,
    advice:
      relative < ROUNDED
        ? 'That is the size of rounding, and will do no harm.'
        : `They do not seem to have been trained together, and the generator begins worse than it was; ${settingWith('sharing', 'none')} keeps both.`,
  };
}

/** What of the shards a start is compared with. */
export interface ShardVocabulary {
  readonly source: string;
  readonly vocabSize: number;
  readonly tokenizer: WordPieceTokenizer;
}

/**
 * Makes sure that the ids in the shards are those that the models were trained with.
 * @throws DataError naming shards and model otherwise
 */
export function checkVocabularies({ models }: Start, shards: ShardVocabulary): void {
  for (const { source, role, tokenizer, description, hub } of models) {
    const again = hub ? source : 'the folder of its tokenizer';
    const refuse = (problem: string, found: unknown, expected: string) => {
      throw new DataError(`${shards.source} was not prepared for the ${role} of ${source}: ${problem}`, {
        subject: shards.source,
        found,
        expected,
        advice: `Prepare the text with its tokenizer: pleiad prepare TEXT --tokenizer ${again} --out SHARDS`,
      });
    };
    if (tokenizer && tokenizer.hash() !== shards.tokenizer.hash()) {
      refuse(
        `its tokenizer is ${tokenizer.hash()}, that of the shards ${shards.tokenizer.hash()}; ${difference(shards.tokenizer, tokenizer)}`,
        shards.tokenizer.hash(),
        tokenizer.hash(),
      );
    }
    const { vocabSize } = description.config;
    // The same tokenizer: further rows are padding. Without one, its size is all that can be compared.
    const isPadded = tokenizer !== undefined && vocabSize > shards.vocabSize;
    if (vocabSize !== shards.vocabSize && !isPadded) {
      refuse(
        `its word table has ${vocabSize} rows, the vocabulary of the shards ${shards.vocabSize} pieces`,
        shards.vocabSize,
        `${vocabSize} pieces`,
      );
    }
  }
}

/** In what two tokenizers differ, in words. */
function difference(ofShards: WordPieceTokenizer, ofModel: WordPieceTokenizer): string {
  const [a, b] = [ofShards.tokens, ofModel.tokens];
  if (a.length !== b.length) return `the shards have ${a.length} pieces, the model ${b.length}`;
  const id = a.findIndex((token, i) => token !== b[i]);
  if (id >= 0) return `id ${id} is ${JSON.stringify(a[id])} in the shards and ${JSON.stringify(b[id])} in the model`;
  const settings = (tokenizer: WordPieceTokenizer) => Object.entries(tokenizer.settings);
  const other = new Map(settings(ofModel).map(([name, value]) => [name, JSON.stringify(value)]));
  const differing = settings(ofShards).filter(([name, value]) => other.get(name) !== JSON.stringify(value));
  const shown = differing.map(
    ([name, value]) => `${name} is ${JSON.stringify(value)} there and ${other.get(name)} in the model`,
  );
  return `the vocabulary is the same, but ${shown.join('; ')}`;
}

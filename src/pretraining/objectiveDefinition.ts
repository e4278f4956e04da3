/**
 * What an objective of pre-training is, in one place: its settings with their defaults and contradictions, the models that it
 * trains, and how it is built. `objectives.ts` is the table of all.
 */
import type { z } from 'zod';
import type { ModelRole } from '../checkpoint/modelFolder.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { MaskingSettings } from '../data/masking/createMasking.js';
import type { Shards } from '../data/shards.js';
import type { EncoderConfig, SizeName } from '../models/config.js';
import type { EncoderStart } from '../models/encoder.js';
import type { Task } from '../models/heads.js';
import type { ModelFamily } from '../models/modelGraph.js';
import type { StartSizes } from '../training/start.js';
import type { Sharing } from './electraGraph.js';
import type { PretrainingObjective } from './pretrainingObjective.js';

/** Settings that all objectives have, with every default filled in. */
export interface CommonSettings extends MaskingSettings {
  readonly objective: string;
  readonly size: SizeName;
  readonly segments: 'pair' | 'single';
  readonly mlmWeight: number;
  readonly discWeight: number;
  readonly initialization: EncoderStart;
  /** The kind of encoder, where the weights that a run begins with decide that. */
  readonly family?: ModelFamily;
  /** Where the weights come from that the run begins with. */
  readonly from?: string;
  readonly freezeEmbeddings?: boolean;
}

type Fields = Readonly<Record<string, z.ZodType>>;

/** Settings that some objectives have and others have not. */
export interface OwnSettings<F extends Fields = Fields> {
  readonly fields: F;
  /** Said of an objective without them: "which has no generator". Default: who has them. */
  readonly why?: string;
}

/** What an objective takes from a corpus and the sizes of its models. */
export interface BuildContext {
  /** The main encoder. */
  readonly encoder: EncoderConfig;
  readonly generator: EncoderConfig;
  /** Rows of the word table: the vocabulary, and padding where the run began with a padded table. */
  readonly vocabSize: number;
  /** Rows that stand for no piece; undefined where there are none. */
  readonly absentIds?: ReadonlySet<number>;
  /** Occurrences of each token in the training text. */
  unigramCounts(): Float64Array;
}

/** The main model of a run: what it leaves behind, and what it may begin with. */
export interface MainModel {
  readonly role: Exclude<ModelRole, 'generator'>;
  /** The head that it is trained with. */
  readonly task: Task;
  /** Which folders of a checkpoint hold such a model. */
  readonly roles: readonly ModelRole[];
}

/** Work beside the encoders, for estimates: how often a step computes each. */
export interface HeadWork {
  /** A score a token. */
  readonly detection?: number;
  /** The product with the vocabulary at the masked slots, and at all tokens. */
  readonly vocabularyAtSlots?: number;
  readonly vocabularyAtTokens?: number;
}

export interface ObjectiveDefinition<N extends string, F extends Fields, S extends CommonSettings> {
  readonly name: N;
  /** Settings of its own; several objectives may have the same. */
  readonly own?: OwnSettings<F>;
  /** Kinds of encoders that it trains: the first, unless the run begins with weights of another; all others are renamed to the first. */
  readonly families: readonly [ModelFamily, ...ModelFamily[]];
  /** Whether a generator proposes replacements, which the main encoder reads. */
  readonly hasGenerator?: boolean;
  /** Whether the main encoder begins as a copy of the generator, so that both are of one size. */
  readonly copiesGenerator?: boolean;
  /** Whether the recorded runs of docs/results.md, by which a forecast is made, measured an area under the curve. */
  readonly hasRecordedAuc?: boolean;
  main(settings: S): MainModel;
  headWork(settings: S): HeadWork;
  /** Where it differs from the defaults of all. */
  defaults?(given: { readonly size: SizeName; readonly nextSentence?: boolean }): Partial<CommonDefaults>;
  /** Settings that are each in range and do not go together, one sentence each. */
  contradictions?(settings: S, given: ReadonlySet<string>): string[];
  /** What the weights that a run begins with decide of its own settings. */
  startSettings?(settings: OwnValues<F>, start: StartSizes, given: ReadonlySet<string>): Partial<OwnValues<F>>;
  /** Its own settings with the value that such weights have, to be compared with what was given. */
  startValues?(settings: OwnValues<F>, start: StartSizes): Readonly<Record<string, unknown>>;
  /** What its batches have beside masked tokens. */
  complete?(batch: MaskedBatch, settings: S, specialIds: Shards['specialIds']): MaskedBatch;
  build(settings: S, context: BuildContext): PretrainingObjective;
}

/** Own settings as parsed. */
export type OwnValues<F extends Fields> = [keyof F] extends [never] ? unknown : z.output<z.ZodObject<F>>;

/** Defaults that an objective may set otherwise. */
export interface CommonDefaults {
  readonly masking: MaskingSettings['masking'];
  readonly maskProb: number;
  readonly maskKeepProb: number;
  readonly maskRandomProb: number;
  readonly segments: 'pair' | 'single';
  readonly generatorSizeFraction: number;
  readonly sharing: Sharing;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly accumulation: number;
}

/** Gives a definition its exact type. */
export function defineObjective<
  const N extends string,
  S extends CommonSettings = CommonSettings,
  F extends Fields = Record<never, z.ZodType>,
>(definition: ObjectiveDefinition<N, F, S>): ObjectiveDefinition<N, F, S> {
  return definition;
}

/** What the page and the Studio's own server say to each other: paths, bodies and answers. Every one of them needs the token. */
import { z } from 'zod';
import { pretrainingSchema } from '../pretraining/settings.js';
import type { TrainingEvent } from '../training/events.js';
import type { StudioRole } from './studioCall.js';

export const API_PREFIX = '/studio/api';

/** What computes on the server. */
export interface ServerPlace {
  readonly engine: string;
  readonly threads: number;
  /** Folder in which runs and converted models are written, as it was named. */
  readonly out: string;
}

/** A folder of prepared text that was named at the start. */
export interface PreparedData {
  readonly id: string;
  readonly tokens: number;
  readonly heldOutTokens: number;
}

/**
 * `training`: by this server, which can stop it. `elsewhere`: another process works in its folder. `stopped`: it can be gone
 * on with. `finished`: it has had all its steps.
 */
export type RunState = 'training' | 'elsewhere' | 'stopped' | 'finished';

export interface RunSummary {
  readonly id: string;
  readonly state: RunState;
  readonly objective: string;
  readonly size?: string;
  readonly step: number;
  readonly totalSteps?: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Why it ended, when the server saw it end by an error. */
  readonly error?: string;
  /** Whether it has a checkpoint, by which it is one of the models. */
  readonly isModel: boolean;
}

/** Events of a run since the last look. */
export interface RunEvents {
  readonly events: readonly TrainingEvent[];
  /** What the next look gives back, to go on from here. */
  readonly cursor: string;
  /** Whether these begin anew: a run that was resumed has forgotten what came after its checkpoint. */
  readonly isFromStart: boolean;
  readonly run: RunSummary;
  readonly probes: readonly ProbeSentence[];
}

/** A held-out sentence with a gap and with a wrong word, predicted again and again while a model learns. */
export interface ProbeSentence {
  /** With [MASK] in place of `answer`. */
  readonly masked: string;
  readonly answer: string;
  /** The sentence with another word in place of one of its own. */
  readonly wrong: string;
  /** The word that stands in `wrong` and does not belong. */
  readonly intruder: string;
  /** The word that it replaced. */
  readonly original: string;
}

/** Names of runs and folders: what stands in an address and names no other folder. */
export const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;
const name = z
  .string()
  .regex(NAME)
  .describe('a name of up to 64 letters, digits, "-", "_" and ".", with a letter or digit first');

/** What of pre-training's settings a page may set: none that names a file, and none of the engine. */
export const studioTrainingSchema = pretrainingSchema.pick({
  objective: true,
  recipe: true,
  size: true,
  length: true,
  batchSize: true,
  steps: true,
  time: true,
  learningRate: true,
  seed: true,
  maskProb: true,
  discWeight: true,
  evaluateEvery: true,
  checkpointEvery: true,
  logEvery: true,
});
export type StudioTrainingSettings = z.input<typeof studioTrainingSchema>;

/** Pieces of a vocabulary that is made of a text. */
export const vocabularySize = z.number().int().min(200).max(50_000);

export const startRunBody = z.strictObject({
  name,
  source: z.union([
    z.strictObject({ text: z.string().min(1), vocabularySize: vocabularySize.default(4096) }),
    z.strictObject({ data: z.string() }),
  ]),
  settings: studioTrainingSchema,
});
export type StartRun = z.input<typeof startRunBody>;

export const stopRunBody = z.strictObject({});
/** With `more`, a duration such as 10m, a run that has had all its steps goes on. */
export const resumeRunBody = z.strictObject({ more: z.string().optional() });

export const writeModelBody = z.strictObject({
  role: z.enum(['generator', 'discriminator', 'model']),
  name,
  as: z.enum(['safetensors', 'onnx']),
  /** Of ONNX: also with weights in 8 bits. */
  quantize: z.boolean().default(false),
});
export type WriteModel = z.input<typeof writeModelBody> & { readonly role: StudioRole };

export interface WrittenModel {
  readonly folder: string;
  readonly files: readonly string[];
}

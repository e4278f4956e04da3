/** One checkpoint on disk: model folders, trainer.safetensors with the rest, and trainer.json, which vouches for all. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import {
  type FileRecord,
  floatTensor,
  recordFile,
  saveModelFolder,
  toSafetensors,
  weightFiles,
} from '../checkpoint/modelFolder.node.js';
import { CheckpointError } from '../errors/errors.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import { SafetensorsFile, writeSafetensors } from '../formats/safetensors.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Snapshot } from './checkpoint.js';
import type { ModelExport } from './objective.js';
import { type NamedArray, weightsSha256 } from './weightsHash.js';

/** Grows when checkpoints of an earlier Pleiad could be misread. */
export const CHECKPOINT_VERSION = 1;
const TRAINER_FILE = 'trainer.json';
const TENSORS_FILE = 'trainer.safetensors';

const count = z.number().int().nonnegative();
const trainerSchema = z.object({
  format: z.literal('pleiad-checkpoint'),
  version: z.literal(CHECKPOINT_VERSION),
  objective: z.string(),
  /** What the run depends on beside its settings, for instance the tokenizer's hash. */
  identity: z.record(z.string(), z.union([z.string(), z.number()])),
  progress: z.object({
    step: count,
    updates: count,
    phase: count,
    phaseStart: count.optional(),
    totalSteps: count.optional(),
    tokensSeen: count,
    elapsedMs: z.number().nonnegative(),
    rateScale: z.number().positive(),
    rollbacks: count,
    skippedInRow: count,
  }),
  heldOut: z.looseObject({ totalLoss: z.number() }).optional(),
  weightsSha256: z.string(),
  files: z.record(z.string(), z.object({ bytes: count, sha256: z.string() })),
});
/** The content of trainer.json. */
export type TrainerFile = z.infer<typeof trainerSchema>;
export type RunIdentity = TrainerFile['identity'];

/** What a checkpoint is written and read by. */
export interface CheckpointContents {
  readonly objective: string;
  readonly identity: RunIdentity;
  readonly models: readonly ModelExport[];
  readonly tokenizer?: WordPieceTokenizer;
  /** Tokens in a row while training: positions beyond it have learned nothing. */
  readonly length?: number;
}

/** Writes all files of a checkpoint into a folder that nobody reads yet. */
export async function writeCheckpointFiles(
  folder: string,
  snapshot: Snapshot,
  { objective, identity, models, tokenizer, length }: CheckpointContents,
): Promise<TrainerFile> {
  makeFolder(folder);
  const { progress, parameters, heldOut } = snapshot;
  const files: Record<string, FileRecord> = {};
  for (const { folder: name, architecture, config, spanBoundary, tensors } of models) {
    const pleiad = { objective, step: progress.step, tokensSeen: progress.tokensSeen, length };
    const own = new Map([...tensors].map(([published, parameter]) => [published, parameters.get(parameter)!]));
    const written = await saveModelFolder(join(folder, name), {
      architecture,
      config,
      spanBoundary,
      tensors: own,
      tokenizer,
      pleiad,
    });
    for (const [file, record] of written) files[`${name}/${file}`] = record;
  }
  files[TENSORS_FILE] = await writeSafetensors(join(folder, TENSORS_FILE), trainerTensors(snapshot, models));
  const trainer: TrainerFile = {
    format: 'pleiad-checkpoint',
    version: CHECKPOINT_VERSION,
    objective,
    identity,
    progress,
    ...(heldOut && { heldOut: { ...heldOut } }),
    weightsSha256: await weightsSha256(parameters),
    files,
  };
  await writeFileDurably(join(folder, TRAINER_FILE), [`${JSON.stringify(trainer, null, 2)}\n`]);
  return trainer;
}

/** Moments, and the parameters that are in no model folder. */
function trainerTensors({ parameters, firstMoment, secondMoment }: Snapshot, models: readonly ModelExport[]) {
  const elsewhere = new Set(models.flatMap(({ tensors }) => [...tensors.values()]));
  const rest = new Map([...parameters].filter(([name]) => !elsewhere.has(name)));
  return Object.entries({ parameter: rest, firstMoment, secondMoment }).flatMap(([kind, tensors]) =>
    [...tensors].map(([name, tensor]) => toSafetensors(`${kind}:${name}`, tensor)),
  );
}

/** @throws CheckpointError when there is no trainer.json of this version */
export function readTrainerFile(folder: string): TrainerFile {
  const path = join(folder, TRAINER_FILE);
  if (!existsSync(path)) throw new CheckpointError(`${folder} has no ${TRAINER_FILE}`, { subject: folder });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON`, { subject: path, cause });
  }
  const version = (json as Partial<TrainerFile> | null)?.version;
  if (version !== CHECKPOINT_VERSION) {
    throw new CheckpointError(`${path} is of version ${version}, expected ${CHECKPOINT_VERSION}`, {
      subject: path,
      found: version,
      expected: String(CHECKPOINT_VERSION),
      advice: 'Use the version of Pleiad that wrote it',
    });
  }
  const parsed = trainerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CheckpointError(`${path} is damaged: ${firstIssue(parsed.error)}`, { subject: path });
}

/** What is wrong with a file of ours, in words. */
export function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length ? `${path.join('.')}: ${message}` : message;
}

/**
 * Compares files with what trainer.json says of them.
 * @param inFolder  only those of one of its model folders, by default all
 * @throws CheckpointError naming the first that is missing, shortened or changed, from `folder` on
 */
export async function verifyCheckpoint(folder: string, { files }: TrainerFile, inFolder?: string): Promise<void> {
  for (const [name, expected] of Object.entries(files)) {
    if (inFolder !== undefined && !name.startsWith(`${inFolder}/`)) continue;
    const path = join(folder, name);
    if (!existsSync(path)) throw new CheckpointError(`${name} is missing`, { subject: path });
    const actual = await recordFile(path);
    if (actual.bytes === expected.bytes && actual.sha256 === expected.sha256) continue;
    const [found, wanted] =
      actual.bytes === expected.bytes
        ? [`SHA-256 ${actual.sha256}`, expected.sha256]
        : [`${actual.bytes} bytes`, String(expected.bytes)];
    throw new CheckpointError(`${name} has ${found}, expected ${wanted}`, { subject: path, found, expected: wanted });
  }
}

/**
 * The trainer.json of a checkpoint that is about to be used, after all its files were compared with it.
 * @throws CheckpointError naming the file that is not as it was written, with both hashes
 */
export async function verifiedCheckpoint(folder: string): Promise<TrainerFile> {
  const trainer = readTrainerFile(folder);
  await refuseDamaged(folder, trainer);
  return trainer;
}

/**
 * Compares a model folder with the trainer.json beside it. Without one there is nobody to vouch for it.
 * @throws CheckpointError naming the file that is not as it was written, with both hashes
 */
export async function verifyModelOfCheckpoint(folder: string): Promise<void> {
  const checkpoint = dirname(resolve(folder));
  if (!existsSync(join(checkpoint, TRAINER_FILE))) return;
  await refuseDamaged(checkpoint, readTrainerFile(checkpoint), basename(resolve(folder)));
}

async function refuseDamaged(folder: string, trainer: TrainerFile, inFolder?: string): Promise<void> {
  try {
    await verifyCheckpoint(folder, trainer, inFolder);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const { message, subject, found, expected } = error;
    throw new CheckpointError(`${folder} is not as it was written: ${message}`, {
      subject,
      found,
      expected,
      advice:
        'Put the file back from a copy, or use another checkpoint; a changed model belongs in a folder of its own',
    });
  }
}

/** @throws CheckpointError naming both values when the checkpoint is of another model, vocabulary or corpus */
export function checkIdentity(folder: string, trainer: TrainerFile, expected: CheckpointContents): void {
  const found: RunIdentity = { objective: trainer.objective, ...trainer.identity };
  for (const [name, value] of Object.entries({ objective: expected.objective, ...expected.identity })) {
    if (found[name] === value) continue;
    throw new CheckpointError(`${folder}: ${name} is ${found[name]} in the checkpoint and ${value} now`, {
      subject: folder,
      found: found[name],
      expected: String(value),
      advice: 'Resume with the data and settings that the run began with, or start a new run in another folder',
    });
  }
}

/** Reads all tensors of a verified checkpoint. */
export function readSnapshot(folder: string, trainer: TrainerFile, models: readonly ModelExport[]): Snapshot {
  const kinds = new Map<string, Map<string, NamedArray>>();
  const parameters = new Map<string, NamedArray>();
  kinds.set('parameter', parameters).set('firstMoment', new Map()).set('secondMoment', new Map());
  for (const { folder: name, tensors } of models) {
    for (const file of weightFiles(join(folder, name))) {
      readTensors(file, (published, tensor) => {
        const parameter = tensors.get(published);
        if (parameter) parameters.set(parameter, tensor);
      });
    }
  }
  readTensors(join(folder, TENSORS_FILE), (name, tensor) => {
    const [kind, ...rest] = name.split(':');
    kinds.get(kind)?.set(rest.join(':'), tensor);
  });
  return {
    progress: trainer.progress,
    parameters,
    firstMoment: kinds.get('firstMoment')!,
    secondMoment: kinds.get('secondMoment')!,
    ...(trainer.heldOut && { heldOut: trainer.heldOut }),
  };
}

function readTensors(path: string, use: (name: string, tensor: NamedArray) => void): void {
  const file = SafetensorsFile.open(path);
  try {
    for (const name of file.names) use(name, floatTensor(file, name));
  } finally {
    file.close();
  }
}

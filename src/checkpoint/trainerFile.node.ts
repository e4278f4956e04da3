/** trainer.json of a checkpoint, which vouches for all of its files: what it holds, and whether they are as it says. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../errors/errors.js';
import { recordFile } from '../files/digest.node.js';
import { parseVersionedJson, type VersionedFormat } from '../files/versionedJson.js';

/** Grows when checkpoints of an earlier Pleiad could be misread. */
export const CHECKPOINT_VERSION = 1;
export const TRAINER_FILE = 'trainer.json';

const count = z.number().int().nonnegative();
export const evaluationSchema = z.object({
  metrics: z.record(z.string(), z.number()),
  score: z.number(),
  better: z.enum(['lower', 'higher']),
});
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
    best: z.object({ score: z.number(), since: count }).optional(),
  }),
  evaluation: evaluationSchema.optional(),
  /** Whether the model folders hold averages of the weights; the weights themselves are in trainer.safetensors then. */
  averaged: z.literal(true).optional(),
  weightsSha256: z.string(),
  files: z.record(z.string(), z.object({ bytes: count, sha256: z.string() })),
});
/** The content of trainer.json. */
export type TrainerFile = z.infer<typeof trainerSchema>;
export type RunIdentity = TrainerFile['identity'];

const TRAINER_FORMAT: VersionedFormat<TrainerFile> = {
  version: CHECKPOINT_VERSION,
  schema: trainerSchema,
  advice: { version: 'Use the version of Pleiad that wrote it' },
  migrate: withEvaluation,
};

/** @throws CheckpointError when there is no trainer.json of this version */
export function readTrainerFile(folder: string): TrainerFile {
  const path = join(folder, TRAINER_FILE);
  if (!existsSync(path)) throw new CheckpointError(`${folder} has no ${TRAINER_FILE}`, { subject: folder });
  return parseVersionedJson(readFileSync(path, 'utf8'), path, TRAINER_FORMAT);
}

/** Earlier checkpoints have the metrics of held-out text alone; the total loss was their score. */
function withEvaluation(json: object): object {
  const { heldOut, ...rest } = json as { heldOut?: { totalLoss: number } };
  return heldOut ? { ...rest, evaluation: { metrics: heldOut, score: heldOut.totalLoss, better: 'lower' } } : rest;
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

/** Which folder a word stands for: model folders, checkpoints and runs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadPublishedConfig } from '../checkpoint/modelFolderNode.js';
import { CheckpointError } from '../errors.js';
import { checkpointOf, readRunFile } from '../training/runFolderNode.js';

/** Which half of an ELECTRA, or `model` where there is one alone: the name of its folder in a checkpoint. */
export type ModelRole = 'discriminator' | 'generator' | 'model';

/**
 * The model folder that a name stands for: itself, a checkpoint's, or a run's best (else latest) checkpoint's.
 * @param roles  which of a checkpoint's folders, the first that is there
 * @throws CheckpointError when there is none
 */
export function resolveModelFolder(folder: string, ...roles: readonly ModelRole[]): string {
  if (existsSync(join(folder, 'config.json'))) return folder;
  const checkpoint = resolveCheckpoint(folder);
  const path = checkpoint && roles.map((role) => join(checkpoint, role)).find((candidate) => existsSync(candidate));
  if (path) return path;
  const problem = checkpoint
    ? `${checkpoint} has no ${roles.join(' and no ')}`
    : `${folder} is neither a model folder nor a run`;
  throw new CheckpointError(problem, {
    subject: folder,
    expected: 'a folder with config.json and model.safetensors, or a run folder with checkpoints',
    advice: checkpoint ? 'Its objective trains no such model' : 'Check the name of the folder',
  });
}

/** A checkpoint itself, or a run's best one, else its latest; undefined for any other folder. */
export function resolveCheckpoint(folder: string): string | undefined {
  if (existsSync(join(folder, 'trainer.json'))) return folder;
  if (!readRunFile(folder)) return undefined;
  try {
    return checkpointOf(folder, 'best');
  } catch {
    return checkpointOf(folder, 'latest');
  }
}

/**
 * The row length that the run around a model folder trained with. Positions beyond it exist but have learned nothing.
 * @param path  RUN/checkpoints/STEP/ROLE, or any other model folder, of which nothing is known
 */
export function trainedLength(path: string): number | undefined {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  const length = loadPublishedConfig(path).pleiad?.length;
  return typeof length === 'number' ? length : readRunFile(resolve(path, '../../..'))?.settings.length;
}

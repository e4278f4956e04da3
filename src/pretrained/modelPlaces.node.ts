/** Which folder a word stands for: model folders, checkpoints and runs. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { ModelRole } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { checkpointOf, type RunFile, readRunFile } from '../checkpoint/runFile.node.js';
import { readTrials } from '../checkpoint/trialsFile.node.js';
import { CheckpointError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import { boxedFolder } from '../hub/modelsPackage.node.js';

export type { ModelRole };

const MODEL_ROLES: readonly ModelRole[] = ['discriminator', 'generator', 'model'];
/** Folders within folders that are looked into, as of `runs/` with `runs/quickstart/run`. */
const MOST_DEPTH = 3;
/** Entries of a folder that are looked at: a folder of more is no place that somebody means a model by. */
const MOST_ENTRIES = 1000;

const WEIGHTS = /\.(safetensors|bin|pt|pth|index|onnx)$/;

/** Whether a folder is a run, a checkpoint or a model. */
function isPlace(folder: string): boolean {
  return ['config.json', 'run.json', 'trainer.json'].some((name) => existsSync(join(folder, name)));
}

/** Whether a folder holds models by their roles, as a checkpoint does and a pair that was written by hand. */
function isPair(folder: string): boolean {
  return membersOf(folder).length > 0;
}

/** The models that lie in a folder by their roles. */
export function membersOf(folder: string): string[] {
  const members = MODEL_ROLES.map((role) => join(folder, role));
  return isPlace(folder) ? [] : members.filter((member) => existsSync(join(member, 'config.json')));
}

/** Of a folder that holds models by their roles, the one that is wanted, where it is there; else the folder itself. */
export function memberOf(folder: string, roles: readonly ModelRole[]): string {
  const members = membersOf(folder);
  return roles.map((role) => join(folder, role)).find((member) => members.includes(member)) ?? folder;
}

/**
 * A folder of trials stands for the best of them, a folder around exactly one run or model for that; any other folder for
 * itself. The plain name of a model in the box stands for its folder.
 * @throws CheckpointError naming them when there are several; for the name of a model in the box that is not there
 */
export function innerPlace(place: string): string {
  const there = statSync(place, { throwIfNoEntry: false });
  const folder = there ? place : (boxedFolder(place) ?? place);
  if (there && !there.isDirectory()) return place;
  if (!there && folder === place) return place;
  const trials = readTrials(folder);
  if (trials) return join(folder, trials.best);
  if (isPlace(folder) || isPair(folder) || readdirSync(folder).some((name) => WEIGHTS.test(name))) return folder;
  // RUN/checkpoints stands for the run.
  const around = dirname(resolve(folder));
  if (basename(resolve(folder)) === 'checkpoints' && existsSync(join(around, 'run.json'))) return dirname(folder);
  const found = distinct(placesWithin(folder, MOST_DEPTH));
  if (found.length <= 1) return found[0] ?? folder;
  throw new CheckpointError(`${folder} holds several runs and models: ${joinFirst(found, 10)}`, {
    subject: folder,
    found,
    expected: 'a run or model, or a folder that holds one of them alone',
    advice: 'Give the one that is meant',
  });
}

/** Without those that a link leads to once more; of two ways the shorter one. */
function distinct(folders: readonly string[]): string[] {
  const shortestLast = [...folders].sort((a, b) => b.length - a.length);
  const byRealPath = new Map(shortestLast.map((folder) => [realpathSync(folder), folder]));
  return folders.filter((folder) => byRealPath.get(realpathSync(folder)) === folder);
}

function placesWithin(folder: string, depth: number): string[] {
  if (depth === 0) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).slice(0, MOST_ENTRIES);
  const folders = entries.filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules');
  return folders
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
    .sort()
    .flatMap((path) => (isPlace(path) || isPair(path) ? [path] : placesWithin(path, depth - 1)));
}

/**
 * The model folder that a name stands for: itself, a checkpoint's, or a run's best (else latest) checkpoint's.
 * @param roles  which of a checkpoint's folders, the first that is there
 * @throws CheckpointError when there is none
 */
export function resolveModelFolder(folder: string, ...roles: readonly ModelRole[]): string {
  if (existsSync(join(folder, 'config.json'))) return folder;
  const checkpoint = resolveCheckpoint(folder) ?? (isPair(folder) ? folder : undefined);
  const path = checkpoint && roles.map((role) => join(checkpoint, role)).find((candidate) => existsSync(candidate));
  if (path) return path;
  const problem = checkpoint
    ? `${checkpoint} has no ${roles.join(' and no ')}`
    : `${folder} is neither a model folder nor a run`;
  throw new CheckpointError(problem, {
    subject: folder,
    expected: 'a folder with config.json and model.safetensors, or a run folder with checkpoints',
    advice: checkpoint
      ? `It has ${rolesIn(checkpoint)}; its objective trains no such model`
      : 'Check the name of the folder',
  });
}

function rolesIn(checkpoint: string): string {
  return MODEL_ROLES.filter((role) => existsSync(join(checkpoint, role))).join(' and ') || 'no model';
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
  if (typeof length === 'number') return length;
  return readRunFile<RunFile & { readonly settings: { readonly length?: number } }>(resolve(path, '../../..'))?.settings
    .length;
}

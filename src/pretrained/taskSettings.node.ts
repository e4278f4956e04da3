/** What a model folder says of the use of its model for a task, in a file of its own beside config.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { writeFileDurably } from '../files/durableFile.node.js';
import { QUESTION_ANSWERING_FILE } from '../hub/modelFiles.js';
import type { Architecture } from '../models/config.js';
import { MODEL_CLASSES, type Task } from '../models/heads.js';

const FILES: Partial<Record<Task, string>> = { questionAnswering: QUESTION_ANSWERING_FILE };

/** The parsed file; undefined where there is none. @throws CheckpointError when it is not JSON */
export function readTaskSettings(folder: string, architecture: Architecture): unknown {
  const file = FILES[MODEL_CLASSES[architecture].task];
  if (file === undefined) return undefined;
  const path = join(folder, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CheckpointError(`${path} cannot be read: ${(cause as Error).message}`, { subject: path, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON: ${(cause as Error).message}`, {
      subject: path,
      advice: 'Correct the file, or remove it',
      cause,
    });
  }
}

/** Writes it into a folder, where there is any. @returns bytes by name */
export async function saveTaskSettings(
  folder: string,
  architecture: Architecture,
  settings: unknown,
): Promise<Map<string, number>> {
  const file = FILES[MODEL_CLASSES[architecture].task];
  if (file === undefined || settings === undefined) return new Map();
  const { bytes } = await writeFileDurably(join(folder, file), [`${JSON.stringify(settings, null, 2)}\n`]);
  return new Map([[file, bytes]]);
}

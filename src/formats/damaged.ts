/** The two ways in which a checkpoint file is turned away; the sentence begins with the file's name. */
import { CheckpointError } from '../errors/errors.js';

/** The bytes contradict the format: part of the file is missing, or it was changed. */
export function damaged(source: string, problem: string, found?: unknown, cause?: unknown): CheckpointError {
  return new CheckpointError(`${source}: ${problem}`, {
    subject: source,
    found,
    expected: 'a complete, undamaged file',
    advice: 'The file is damaged or incomplete; copy, download or make it again',
    cause,
  });
}

/** The file may be as its writer wanted it, but it is not one that is read here. */
export function refused(source: string, problem: string, advice?: string, found?: unknown): CheckpointError {
  return new CheckpointError(`${source}: ${problem}`, { subject: source, found, advice });
}

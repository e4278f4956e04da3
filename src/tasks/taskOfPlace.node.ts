/** What a model on this machine was fine-tuned for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { readTrainerFile } from '../checkpoint/trainerFile.node.js';
import { MODEL_CLASSES } from '../models/heads.js';
import type { Task } from './task.js';
import { findTask, TASKS } from './tasks.js';

/**
 * By the checkpoint, or by the model's config.json; undefined of models without a head of a task, and of places that are no
 * folder here.
 * @param checkpoint  that the place stands for, where it is a run
 */
export function taskOfPlace(place: string, checkpoint: string | undefined): Task | undefined {
  if (checkpoint) return findTask(readTrainerFile(checkpoint).objective);
  if (!existsSync(join(place, 'config.json'))) return undefined;
  const { architecture, pleiad } = loadPublishedConfig(place);
  // Several tasks may have one head.
  const own = typeof pleiad?.objective === 'string' ? findTask(pleiad.objective) : undefined;
  return own ?? (architecture && TASKS.find(({ head }) => head === MODEL_CLASSES[architecture].task));
}

/** The official scripts whose figures there are: a line a script. A task's own name stands for its first. */
import { KORQUAD_SCORER, SQUAD_SCORER } from './questionAnswering/scorers.js';
import type { Scorer } from './scorer.js';
import { findTask } from './tasks.js';

export const SCORERS: readonly Scorer[] = [SQUAD_SCORER, KORQUAD_SCORER];

/** The script of a name, of a task or of its alias; undefined when there is none. */
export function findScorer(name: string): Scorer | undefined {
  const task = findTask(name)?.name;
  return SCORERS.find((scorer) => scorer.name === name) ?? SCORERS.find((scorer) => scorer.task === task);
}

/** The problem types that there are. */
import { multiLabel } from './multiLabel.js';
import type { Problem } from './problem.js';
import type { ProblemType } from './problemType.js';
import { regression } from './regression.js';
import { singleLabel } from './singleLabel.js';

export const PROBLEMS: readonly Problem[] = [singleLabel, multiLabel, regression];

export function problemOf(type: ProblemType): Problem {
  return PROBLEMS.find((problem) => problem.type === type)!;
}

/** What the outputs of a classifier mean, under the names that transformers gives it in config.json's `problem_type`. */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';

export const PROBLEM_TYPES = ['single_label_classification', 'multi_label_classification', 'regression'] as const;
export type ProblemType = (typeof PROBLEM_TYPES)[number];

/** What a text may have of several labels counts from this probability on. */
export const LABEL_THRESHOLD = 0.5;

/** What config.json says; where it says nothing, a lone output is a number, as transformers has it in training. */
export function problemTypeOf({ labels, otherFields }: Pick<ModelDescription, 'labels' | 'otherFields'>): ProblemType {
  const said = PROBLEM_TYPES.find((type) => type === otherFields?.problem_type);
  return said ?? (labels?.length === 1 ? 'regression' : 'single_label_classification');
}

/** What is said of each task's training and metrics; of a task without words of its own, as of a classifier. */
import type { Task } from '../tasks/task.js';
import { findTask } from '../tasks/tasks.js';
import type { Metrics } from '../training/objective.js';
import { CLASSIFICATION_WORDS, classificationSummary } from './classificationWords.js';
import { QUESTION_ANSWERING_WORDS, questionAnsweringSummary } from './questionAnsweringWords.js';
import { TAGGING_WORDS, taggingSummary } from './taggingWords.js';
import type { LearningWords } from './trainingView.js';

export interface TaskWords {
  readonly learning: LearningWords;
  /** A line a metric, with those of the baselines. */
  readonly summary: (metrics: Metrics) => string[];
  /** What a trained model is used by, after the name of the run. */
  readonly use: (out: string) => string;
}

const CLASSIFIER: TaskWords = {
  learning: CLASSIFICATION_WORDS,
  summary: classificationSummary,
  use: (out) => `pleiad classify --model ${out} "a text"`,
};

const WORDS: Readonly<Record<string, TaskWords>> = {
  'token-classification': {
    learning: TAGGING_WORDS,
    summary: taggingSummary,
    use: (out) => `pleiad tag --model ${out} "a text"`,
  },
  'question-answering': {
    learning: QUESTION_ANSWERING_WORDS,
    summary: questionAnsweringSummary,
    use: (out) => `pleiad ask --model ${out} "a question" --context "a text"`,
  },
};

/** The task of CLASSIFIER. */
const CLASSIFIED = 'text-classification';

/** A task without a command of its own is used in code. */
function byPipeline(name: string, out: string): string {
  return `await pipeline('${name}', { model: ${JSON.stringify(out)} }), imported from pleiad/node`;
}

/** @param task  a task, or the name of one as a user gives it */
export function wordsOfTask(task: Task | string | undefined): TaskWords {
  const found = typeof task === 'string' ? findTask(task) : task;
  if (!found || found.name === CLASSIFIED) return CLASSIFIER;
  return WORDS[found.name] ?? { ...CLASSIFIER, use: (out) => byPipeline(found.name, out) };
}

/** What a classifier must beat: always the most frequent label, and a classifier that sees words and not their order. */
import { DataError } from '../../errors/errors.js';
import type { Metrics } from '../../training/objective.js';
import { type BagOfWords, fitBagOfWords, predictBagOfWords } from '../bagOfWords.js';
import { accuracy } from '../classificationMetrics.js';
import type { LabelledText } from '../example.js';

/** The file that a run keeps them in, beside the model. */
export const BASELINES_FILE = 'bag_of_words.json';

export interface Baselines extends BagOfWords {
  readonly format: 'pleiad-bag-of-words';
  readonly version: 1;
  /** Training rows of each label. */
  readonly rows: readonly number[];
}

export function fitBaselines(texts: readonly LabelledText[], labels: readonly string[]): Baselines {
  const classes = classesOf(texts, labels);
  const rows = labels.map((_, k) => classes.reduce((count, own) => count + (own === k ? 1 : 0), 0));
  return { format: 'pleiad-bag-of-words', version: 1, rows, ...fitBagOfWords(texts, classes, labels) };
}

/** Accuracy of the training rows' most frequent label, and of the bag of words. */
export function baselineMetrics(baselines: Baselines, texts: readonly LabelledText[]): Metrics {
  const expected = classesOf(texts, baselines.labels);
  const majority = baselines.rows.indexOf(Math.max(...baselines.rows));
  return {
    majorityAccuracy: accuracy(new Int32Array(expected.length).fill(majority), expected),
    bagOfWordsAccuracy: accuracy(predictBagOfWords(baselines, texts), expected),
  };
}

/** Of a model that comes without baselines: the accuracy of the data's own most frequent label. */
export function majorityMetrics(expected: readonly number[]): Metrics {
  const counts = new Map<number, number>();
  for (const label of expected) counts.set(label, (counts.get(label) ?? 0) + 1);
  return { majorityAccuracy: Math.max(...counts.values()) / expected.length };
}

/** The index of each text's label. */
export function classesOf(texts: readonly LabelledText[], labels: readonly string[]): number[] {
  const index = new Map(labels.map((label, i) => [label, i]));
  return texts.map(({ label }) => index.get(label)!);
}

/** @throws DataError when it is no such file */
export function parseBaselines(json: string): Baselines {
  const value = JSON.parse(json) as Partial<Baselines>;
  if (value.format === 'pleiad-bag-of-words' && value.version === 1) return value as Baselines;
  throw new DataError(`${BASELINES_FILE} is ${value.format} ${value.version}, expected pleiad-bag-of-words 1`, {
    subject: BASELINES_FILE,
    advice: 'Remove it to go without these baselines, or use the version of Pleiad that wrote it',
  });
}

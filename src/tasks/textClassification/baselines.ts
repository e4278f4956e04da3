/** What a classifier must beat: what the training rows have most, and a linear model that sees words and not their order. */
import { DataError } from '../../errors/errors.js';
import type { Metrics } from '../../training/objective.js';
import {
  type BagOfWords,
  fitBagOfWords,
  fitLabelsOfWords,
  fitNumbersOfWords,
  predictBagOfWords,
  predictLabelsOfWords,
  predictNumbersOfWords,
} from '../bagOfWords.js';
import { accuracy, severalLabelMetrics } from '../classificationMetrics.js';
import { pearsonCorrelation, spearmanCorrelation } from '../correlation.js';
import type { LabelledText } from '../example.js';
import { problemOf } from './problems.js';
import type { ProblemType } from './problemType.js';

/** The file that a run keeps them in, beside the model. */
export const BASELINES_FILE = 'bag_of_words.json';

export interface Baselines extends BagOfWords {
  readonly format: 'pleiad-bag-of-words';
  /** 1 has one label a row and no `problemType`. */
  readonly version: 1 | 2;
  readonly problemType?: ProblemType;
  /** Training rows of each label, and of all. Of numbers only the latter. */
  readonly rows: readonly number[];
  readonly numRows?: number;
}

export function fitBaselines(
  texts: readonly LabelledText[],
  labels: readonly string[],
  type: ProblemType = 'single_label_classification',
): Baselines {
  const format = 'pleiad-bag-of-words';
  const targets = targetsOf(texts, labels, type);
  if (type === 'single_label_classification') {
    const rows = labels.map((_, k) => targets.reduce((count, own) => count + (own === k ? 1 : 0), 0));
    return { format, version: 1, rows, ...fitBagOfWords(texts, targets, labels) };
  }
  const kind = { format, version: 2, problemType: type, numRows: texts.length } as const;
  if (type === 'regression') return { ...kind, rows: [], ...fitNumbersOfWords(texts, targets, labels) };
  const rows = labels.map((_, k) => texts.reduce((count, __, row) => count + targets[row * labels.length + k], 0));
  return { ...kind, rows, ...fitLabelsOfWords(texts, targets, labels) };
}

/** What the training rows' most frequent labels reach, and the bag of words. */
export function baselineMetrics(baselines: Baselines, texts: readonly LabelledText[]): Metrics {
  const { labels, rows, numRows = 0, problemType = 'single_label_classification' } = baselines;
  const expected = targetsOf(texts, labels, problemType);
  if (problemType === 'regression') {
    const predicted = predictNumbersOfWords(baselines, texts);
    const [spearman, pearson] = [spearmanCorrelation(predicted, expected), pearsonCorrelation(predicted, expected)];
    return {
      ...(!Number.isNaN(spearman) && { bagOfWordsSpearman: spearman }),
      ...(!Number.isNaN(pearson) && { bagOfWordsPearson: pearson }),
    };
  }
  if (problemType === 'multi_label_classification') {
    const usual = rows.map((count) => (2 * count > numRows ? 1 : 0));
    const predicted = predictLabelsOfWords(baselines, texts);
    return {
      majorityMicroF1: severalLabelMetrics(
        texts.flatMap(() => usual),
        expected,
        labels.length,
      ).microF1,
      bagOfWordsMicroF1: severalLabelMetrics(predicted, expected, labels.length).microF1,
    };
  }
  const majority = rows.indexOf(Math.max(...rows));
  return {
    majorityAccuracy: accuracy(new Int32Array(expected.length).fill(majority), expected),
    bagOfWordsAccuracy: accuracy(predictBagOfWords(baselines, texts), expected),
  };
}

/** Of a classifier that comes without baselines: the accuracy of the data's own most frequent label. */
export function majorityMetrics(expected: readonly number[]): Metrics {
  const counts = new Map<number, number>();
  for (const label of expected) counts.set(label, (counts.get(label) ?? 0) + 1);
  return { majorityAccuracy: Math.max(...counts.values()) / expected.length };
}

/** The targets of all texts, one after another: of one label a text, its index. */
export function targetsOf(texts: readonly LabelledText[], labels: readonly string[], type: ProblemType): number[] {
  const problem = problemOf(type);
  return texts.flatMap((text) => problem.targetOf(text, labels));
}

/** @throws DataError when it is no such file */
export function parseBaselines(json: string): Baselines {
  const value = JSON.parse(json) as Partial<Baselines>;
  if (value.format === 'pleiad-bag-of-words' && (value.version === 1 || value.version === 2)) return value as Baselines;
  throw new DataError(`${BASELINES_FILE} is ${value.format} ${value.version}, expected pleiad-bag-of-words 1 or 2`, {
    subject: BASELINES_FILE,
    advice: 'Remove it to go without these baselines, or use the version of Pleiad that wrote it',
  });
}

/**
 * What is reached by who sees which words there are and not their order: a linear model on tf-idf weights of words, by the
 * problem multinomial logistic regression, one logistic regression a label, or ridge regression. A fine-tuned encoder must
 * beat it to be worth its cost.
 */
import { type FeatureMatrix, type SparseRow, sparseFeatures } from './linear/features.js';
import { fitLogisticRegression, type LogisticModel, predictClasses } from './linear/logisticRegression.js';
import { fitRidgeRegression, predictNumbers } from './linear/ridgeRegression.js';

/** The texts of a row. */
export interface Texts {
  readonly text: string;
  readonly pair?: string;
}

/** A fitted linear model of words; can be kept as JSON. */
export interface BagOfWords {
  readonly labels: readonly string[];
  /** Words in the order of the columns. */
  readonly words: readonly string[];
  /** Inverse document frequency of each word. */
  readonly idf: readonly number[];
  /** Label by label, then the biases: [K·D + K]; K is 1 for a number. */
  readonly parameters: readonly number[];
}

/** A word in fewer rows than this tells little, and makes the model large. */
const LEAST_ROWS = 2;
const MOST_WORDS = 30_000;
/** Inverse strength of the regularisation: λ = 1/(C·rows), as scikit-learn's LogisticRegression has it. */
const C = 10;
/** Of SST-2 a search to 1e-5 takes twice as long, for the same accuracy to 0.2 points. */
const TOLERANCE = 1e-4;

const WORD = /[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu;

function wordsOf({ text, pair }: Texts): string[] {
  const first = text.normalize('NFC').toLowerCase().match(WORD) ?? [];
  if (pair === undefined) return first;
  const second = pair.normalize('NFC').toLowerCase().match(WORD) ?? [];
  const seen = new Set(first);
  // Of a pair it counts which text a word is in, and whether it is in both.
  return [
    ...first.map((word) => `1 ${word}`),
    ...second.map((word) => `2 ${word}`),
    ...second.filter((word) => seen.has(word)).map((word) => `= ${word}`),
  ];
}

/** Which words are columns, and the rows in them. */
function fitWords(rows: readonly Texts[]): Pick<BagOfWords, 'words' | 'idf'> & { readonly x: FeatureMatrix } {
  const inRows = new Map<string, number>();
  const all = rows.map(wordsOf);
  for (const words of all) for (const word of new Set(words)) inRows.set(word, (inRows.get(word) ?? 0) + 1);
  const frequent = [...inRows]
    .filter(([, count]) => count >= LEAST_ROWS)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, MOST_WORDS);
  const words = frequent.map(([word]) => word);
  const idf = frequent.map(([, count]) => Math.log((1 + rows.length) / (1 + count)) + 1);
  return { words, idf, x: featuresOf(all, words, idf) };
}

/**
 * Fits a classifier.
 * @param classes  class of each row, an index into `labels`
 */
export function fitBagOfWords(
  rows: readonly Texts[],
  classes: ArrayLike<number>,
  labels: readonly string[],
): BagOfWords {
  const { words, idf, x } = fitWords(rows);
  const l2 = 1 / (C * Math.max(1, rows.length));
  const { parameters } = fitLogisticRegression(x, classes, { numClasses: labels.length, l2, tolerance: TOLERANCE });
  return { labels, words, idf, parameters: Array.from(parameters, Math.fround) };
}

/** The most probable class of each row, an index into `labels`. */
export function predictBagOfWords(model: BagOfWords, rows: readonly Texts[]): Int32Array {
  return predictClasses(modelOf(model), featuresFor(model, rows));
}

/**
 * Fits a decision for each label.
 * @param has  whether a row has a label, 0 or 1, [rows, labels]
 */
export function fitLabelsOfWords(
  rows: readonly Texts[],
  has: ArrayLike<number>,
  labels: readonly string[],
): BagOfWords {
  const { words, idf, x } = fitWords(rows);
  const l2 = 1 / (C * Math.max(1, rows.length));
  const [K, D] = [labels.length, words.length];
  const parameters = new Float64Array(K * D + K);
  for (let k = 0; k < K; k++) {
    const classes = rows.map((_, row) => has[row * K + k]);
    const { parameters: own } = fitLogisticRegression(x, classes, { numClasses: 2, l2, tolerance: TOLERANCE });
    // Of two classes only the difference decides.
    for (let j = 0; j < D; j++) parameters[k * D + j] = own[D + j] - own[j];
    parameters[K * D + k] = own[2 * D + 1] - own[2 * D];
  }
  return { labels, words, idf, parameters: Array.from(parameters, Math.fround) };
}

/** 1 where a row has a label, [rows, labels]. */
export function predictLabelsOfWords(model: BagOfWords, rows: readonly Texts[]): Int32Array {
  const scores = scoresOf(model, rows);
  return Int32Array.from(scores, (score) => (score > 0 ? 1 : 0));
}

/** Fits a number for each row. */
export function fitNumbersOfWords(
  rows: readonly Texts[],
  numbers: ArrayLike<number>,
  labels: readonly string[],
): BagOfWords {
  const { words, idf, x } = fitWords(rows);
  const parameters = fitRidgeRegression(x, numbers, { l2: 1 / Math.max(1, rows.length), tolerance: TOLERANCE });
  return { labels, words, idf, parameters: Array.from(parameters, Math.fround) };
}

export function predictNumbersOfWords(model: BagOfWords, rows: readonly Texts[]): Float64Array {
  return predictNumbers(Float64Array.from(model.parameters), featuresFor(model, rows));
}

function modelOf({ labels, words, parameters }: BagOfWords): LogisticModel {
  return { numClasses: labels.length, numColumns: words.length, parameters: Float64Array.from(parameters) };
}

const featuresFor = ({ words, idf }: BagOfWords, rows: readonly Texts[]) => featuresOf(rows.map(wordsOf), words, idf);

/** Before a decision, [rows, labels]. */
function scoresOf(bag: BagOfWords, rows: readonly Texts[]): Float64Array {
  const { numClasses: K, numColumns: D, parameters } = modelOf(bag);
  const x = featuresFor(bag, rows);
  return Float64Array.from({ length: rows.length * K }, (_, i) => {
    const [row, k] = [Math.floor(i / K), i % K];
    return x.dot(row, parameters, k * D) + parameters[K * D + k];
  });
}

/** (1 + ln count) · idf of each known word, rows of length 1. */
function featuresOf(rows: readonly string[][], words: readonly string[], idf: readonly number[]): FeatureMatrix {
  const columns = new Map(words.map((word, column) => [word, column]));
  const sparse = rows.map((row): SparseRow => {
    const counts = new Map<number, number>();
    for (const word of row) {
      const column = columns.get(word);
      if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
    }
    const values = Float64Array.from(counts, ([column, count]) => (1 + Math.log(count)) * idf[column]);
    const norm = Math.hypot(...values) || 1;
    return { columns: Int32Array.from(counts.keys()), values: values.map((value) => value / norm) };
  });
  return sparseFeatures(sparse, words.length);
}

/**
 * What a classifier reaches that sees which words there are and not their order: multinomial logistic regression on
 * tf-idf weights of words. A fine-tuned encoder must beat it to be worth its cost.
 */
import { type FeatureMatrix, type SparseRow, sparseFeatures } from './linear/features.js';
import { fitLogisticRegression, predictClasses } from './linear/logisticRegression.js';

/** The texts of a row. */
export interface Texts {
  readonly text: string;
  readonly pair?: string;
}

/** A fitted classifier; can be kept as JSON. */
export interface BagOfWords {
  readonly labels: readonly string[];
  /** Words in the order of the columns. */
  readonly words: readonly string[];
  /** Inverse document frequency of each word. */
  readonly idf: readonly number[];
  /** Class by class, then the biases: [K·D + K]. */
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

/**
 * Fits the classifier.
 * @param classes  class of each row, an index into `labels`
 */
export function fitBagOfWords(
  rows: readonly Texts[],
  classes: ArrayLike<number>,
  labels: readonly string[],
): BagOfWords {
  const inRows = new Map<string, number>();
  const all = rows.map(wordsOf);
  for (const words of all) for (const word of new Set(words)) inRows.set(word, (inRows.get(word) ?? 0) + 1);
  const frequent = [...inRows]
    .filter(([, count]) => count >= LEAST_ROWS)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, MOST_WORDS);
  const words = frequent.map(([word]) => word);
  const idf = frequent.map(([, count]) => Math.log((1 + rows.length) / (1 + count)) + 1);
  const x = featuresOf(all, words, idf);
  const l2 = 1 / (C * Math.max(1, rows.length));
  const { parameters } = fitLogisticRegression(x, classes, { numClasses: labels.length, l2, tolerance: TOLERANCE });
  return { labels, words, idf, parameters: Array.from(parameters, Math.fround) };
}

/** The most probable class of each row, an index into `labels`. */
export function predictBagOfWords({ labels, words, idf, parameters }: BagOfWords, rows: readonly Texts[]): Int32Array {
  const model = {
    numClasses: labels.length,
    numColumns: words.length,
    parameters: Float64Array.from(parameters),
  };
  return predictClasses(model, featuresOf(rows.map(wordsOf), words, idf));
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

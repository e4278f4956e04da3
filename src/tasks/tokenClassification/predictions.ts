/** The tags that logits stand for, word by word, and those of a trained model for sentences. */
import type { Model, RowOptions } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { type TaggedUnits, unitsOf, type WindowRow, windowRows } from './rows.js';
import type { Sentence, TaggedSentence } from './sentences.js';
import { OUTSIDE, type TagForm, tagForm, tagParts } from './tags.js';

export const TAGGER_OUTPUTS: RowOptions = { outputs: ['logits'] };

/**
 * What was predicted for the words of all sentences. Three numbers a word in one array, which starts as zeros: ranks that judge
 * some of the words each add theirs up.
 */
export class WordPredictions {
  /**
   * Word by word: the label + 1, or 0 where none was predicted; then, word by word, −log p of its own tag; then, word by word,
   * p of the label that was predicted.
   */
  readonly table: Float64Array;
  readonly #expected: Int32Array;
  readonly #numWords: number;

  /** @param expected  label of each word; −1 where it has none of the model's */
  constructor(expected: Int32Array) {
    this.#expected = expected;
    this.#numWords = expected.length;
    this.table = new Float64Array(3 * expected.length);
  }

  /** @param logits  of every position of a row, [S, labels], from `at` on */
  add({ firstPieces, words }: WindowRow, logits: ArrayLike<number>, numLabels: number, at = 0): void {
    for (const [i, position] of firstPieces.entries()) {
      const first = at + position * numLabels;
      const word = words[i];
      const best = argMax(logits, first, numLabels);
      const logSum = logSumExp(logits, first, numLabels);
      const label = this.#expected[word];
      this.table[word] = 1 + best;
      if (label >= 0) this.table[this.#numWords + word] = logSum - logits[first + label];
      this.table[2 * this.#numWords + word] = Math.exp(logits[first + best] - logSum);
    }
  }

  /** Label of each word, −1 where none was predicted. */
  get labels(): Int32Array {
    return Int32Array.from(this.table.subarray(0, this.#numWords), (label) => label - 1);
  }

  /** Probability of each word's label, 0 where none was predicted. */
  get probabilities(): Float64Array {
    return this.table.subarray(2 * this.#numWords);
  }

  /** The mean of −log p over the words whose tag the model knows and was asked for. */
  get loss(): number {
    let sum = 0;
    let count = 0;
    for (const [word, label] of this.#expected.entries()) {
      if (label < 0 || this.table[word] === 0) continue;
      sum += this.table[this.#numWords + word];
      count++;
    }
    return sum / count;
  }
}

/** The first of the largest. */
function argMax(values: ArrayLike<number>, first: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[first + k] > values[first + best]) best = k;
  return best;
}

function logSumExp(logits: ArrayLike<number>, first: number, count: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) max = Math.max(max, logits[first + k]);
  let sum = 0;
  for (let k = 0; k < count; k++) sum += Math.exp(logits[first + k] - max);
  return max + Math.log(sum);
}

/** Label of each word of all sentences; −1 for a tag that is no label. */
export function expectedLabels(sentences: readonly TaggedSentence[], labels: readonly string[]): Int32Array {
  const index = new Map(labels.map((label, i) => [label, i]));
  return Int32Array.from(
    sentences.flatMap(({ tags }) => tags),
    (tag) => index.get(tag) ?? -1,
  );
}

/**
 * Tags sentence by sentence. A character inside a piece goes on with what is before it. Spaces, for which no label is predicted,
 * are outside, or, where there is no such label, have the first.
 */
export function tagsBySentence(
  sentences: readonly Pick<Sentence, 'words'>[],
  predicted: Int32Array,
  labels: readonly string[],
): string[][] {
  const otherwise = labels.includes(OUTSIDE) ? OUTSIDE : labels[0];
  const form = tagForm(labels);
  let at = 0;
  return sentences.map(({ words }) => {
    const tags: string[] = [];
    for (const word of words) {
      const before = word.trim() === '' ? undefined : tags.at(-1);
      tags.push(labels[predicted[at++]] ?? (before === undefined ? otherwise : continued(before, form)));
    }
    return tags;
  });
}

/** The tag that goes on with a span. */
function continued(tag: string, form: TagForm): string {
  const { place, type } = tagParts(tag, form);
  return form === 'prefixed' && place !== 'O' ? `I-${type}` : tag;
}

/** In the field `pleiad` of config.json: what the model tags. */
export const UNITS_FIELD = 'taggedUnits';

/** What a model tags, as its run has written it down; undefined of other models. */
export function unitsOfModel({ description: { pleiad } }: Model): TaggedUnits | undefined {
  const kept = pleiad?.[UNITS_FIELD];
  return kept === 'words' || kept === 'characters' ? kept : undefined;
}

/** A model's names of labels, by id. */
export function labelsOfModel({ description: { labels } }: Model): readonly string[] {
  return labels ?? ['LABEL_0', 'LABEL_1'];
}

export interface PredictedTags {
  readonly tags: string[][];
  /** Mean of −log p of the words' own tags. */
  readonly loss: number;
  /** Of each word's predicted tag, sentence after sentence; 0 where the model was not asked. */
  readonly probabilities: Float64Array;
}

/** Tags of the words of sentences, long ones read in windows. */
export async function predictSentences(
  model: Model,
  sentences: readonly Pick<Sentence, 'words'>[],
  expected?: Int32Array,
): Promise<PredictedTags> {
  const tokenizer = requireTokenizer(model);
  const labels = labelsOfModel(model);
  const { rows, numWords } = windowRows(sentences, {
    tokenizer,
    length: model.maxLength,
    units: unitsOfModel(model) ?? unitsOf(sentences),
  });
  const predictions = new WordPredictions(expected ?? new Int32Array(numWords).fill(-1));
  await model.forEachRow(rows, TAGGER_OUTPUTS, (row, { logits }) => {
    predictions.add(rows[row], logits, logits.length / rows[row].ids.length);
  });
  const tags = tagsBySentence(sentences, predictions.labels, labels);
  return { tags, loss: predictions.loss, probabilities: predictions.probabilities };
}

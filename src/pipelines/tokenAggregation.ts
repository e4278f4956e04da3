/**
 * From what a model says of each piece to spans of a text: the aggregation strategies of transformers'
 * TokenClassificationPipeline, which it calls none, simple, first, average and max.
 */
import { type TagForm, type TagParts, tagForm, tagParts } from '../tasks/tokenClassification/tags.js';

/** `none`: piece by piece. `simple`: neighbouring pieces of a type together. The others make one of a word first, by its first piece, by the mean of its pieces' probabilities, or by its surest piece. */
export const AGGREGATIONS = ['none', 'simple', 'first', 'average', 'max'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/** A piece of a text. */
export interface JudgedPiece {
  /** Probability of each label. */
  readonly scores: Float64Array;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Whether it goes on with the word of the piece before it. */
  readonly continues: boolean;
}

/** A stretch of a text and what it is. */
export interface LabelledStretch {
  /** The type, such as LOC of B-LOC; the label itself of single pieces, and where labels have no prefixes. */
  readonly entity: string;
  readonly start: number;
  readonly end: number;
  /** Probability, 0 to 1; of several pieces or words their mean. */
  readonly score: number;
}

/**
 * @param aggregation  undefined: as `first`, but that labels which form no spans, such as parts of speech, stay word by word
 */
export function aggregate(
  pieces: readonly JudgedPiece[],
  labels: readonly string[],
  aggregation: Aggregation | undefined,
): LabelledStretch[] {
  if (aggregation === 'none' || aggregation === 'simple') {
    const each = pieces.map(({ scores, start, end }) => ({ ...best(scores, labels), start, end }));
    return aggregation === 'none' ? each : grouped(each, tagForm(labels));
  }
  const words = wordsOf(pieces).map((word) => ({
    ...JUDGES[aggregation ?? 'first'](word, labels),
    start: word[0].start,
    end: word[word.length - 1].end,
  }));
  const form = tagForm(labels);
  return aggregation === undefined && form === 'plain' ? words : grouped(words, form);
}

function wordsOf(pieces: readonly JudgedPiece[]): JudgedPiece[][] {
  const words: JudgedPiece[][] = [];
  for (const piece of pieces) {
    if (piece.continues && words.length > 0) words[words.length - 1].push(piece);
    else words.push([piece]);
  }
  return words;
}

interface Judgement {
  readonly entity: string;
  readonly score: number;
}

/** The most probable label, the first of equals. */
function best(scores: Float64Array, labels: readonly string[]): Judgement {
  let index = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k] > scores[index]) index = k;
  return { entity: labels[index], score: scores[index] };
}

const JUDGES: Readonly<
  Record<
    Exclude<Aggregation, 'none' | 'simple'>,
    (word: readonly JudgedPiece[], labels: readonly string[]) => Judgement
  >
> = {
  first: ([{ scores }], labels) => best(scores, labels),
  average: (word, labels) => {
    const sums = new Float64Array(labels.length);
    for (const { scores } of word) for (const [k, score] of scores.entries()) sums[k] += score;
    return best(
      sums.map((sum) => sum / word.length),
      labels,
    );
  },
  max: (word, labels) => {
    const judged = word.map(({ scores }) => best(scores, labels));
    return judged.reduce((a, b) => (b.score > a.score ? b : a));
  },
};

/** Neighbours of one type together, unless a label says that another begins. What is outside is grouped as well. */
function grouped(stretches: readonly LabelledStretch[], form: TagForm): LabelledStretch[] {
  const groups: { first: LabelledStretch; type: string; last: LabelledStretch; scores: number[] }[] = [];
  let before: TagParts | undefined;
  for (const stretch of stretches) {
    const parts = partsOf(stretch.entity, form);
    const begins =
      before === undefined ||
      parts.type !== before.type ||
      parts.place === 'B' ||
      parts.place === 'S' ||
      before.place === 'E' ||
      before.place === 'S';
    before = parts;
    if (begins) {
      groups.push({ first: stretch, type: parts.type, last: stretch, scores: [stretch.score] });
      continue;
    }
    const group = groups[groups.length - 1];
    group.last = stretch;
    group.scores.push(stretch.score);
  }
  return groups.map(({ first, type, last, scores }) => ({
    entity: type,
    start: first.start,
    end: last.end,
    score: scores.reduce((sum, score) => sum + score, 0) / scores.length,
  }));
}

/** A label without a prefix, O among them, is its own type and goes on as long as it stands. */
function partsOf(label: string, form: TagForm): TagParts {
  const parts = form === 'prefixed' ? tagParts(label, form) : undefined;
  return parts && parts.place !== 'O' ? parts : { place: 'I', type: label };
}

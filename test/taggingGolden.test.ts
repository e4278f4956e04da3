/** Spans of tags and of pieces against conlleval, seqeval and transformers: test/golden/README.md says how the files came about. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Aggregation, aggregate } from '../src/pipelines/tokenAggregation.js';
import { countSpans, spanScores, tagAccuracy, totalOf } from '../src/tasks/tokenClassification/spanMetrics.js';
import { tagForm } from '../src/tasks/tokenClassification/tags.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

const read = (name: string) => JSON.parse(readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8'));

interface SpanGroup {
  readonly letters: Readonly<Record<string, string>>;
  readonly sequences: readonly string[];
  readonly seqeval: {
    readonly accuracy: number;
    readonly overall: readonly [precision: number, recall: number, f1: number];
    readonly types: Readonly<Record<string, readonly [precision: number, recall: number, f1: number, spans: number]>>;
  };
  readonly conlleval?: {
    /** Tokens, spans of the data, spans found, spans found rightly. */
    readonly counts: readonly [number, number, number, number];
    /** In per cent with two digits; and how many were found. */
    readonly types: Readonly<Record<string, readonly [precision: number, recall: number, f1: number, found: number]>>;
    readonly sequences: readonly (readonly [expected: number, predicted: number, correct: number])[];
  };
}

const groups = Object.entries(read('span-metrics.json') as Record<string, SpanGroup>);

describe.each(groups)('spans of %s', (_, { letters, sequences, seqeval, conlleval }) => {
  const tagsOf = (word: string) => [...word].map((letter) => letters[letter]);
  const expected = sequences.map((pair) => tagsOf(pair.split(' ')[0]));
  const predicted = sequences.map((pair) => tagsOf(pair.split(' ')[1]));
  const form = tagForm(Object.values(letters));
  const counts = countSpans(expected, predicted, form);

  it('have the precision, recall and F1 of seqeval, of all and of each type', () => {
    const { precision, recall, f1 } = spanScores(totalOf(counts));
    for (const [i, value] of [precision, recall, f1].entries()) expect(value).toBeCloseTo(seqeval.overall[i], 14);
    expect(tagAccuracy(expected, predicted)).toBeCloseTo(seqeval.accuracy, 14);
    expect([...counts.keys()]).toEqual(Object.keys(seqeval.types).sort());
    for (const [type, own] of counts) {
      const scores = spanScores(own);
      const [ofPrecision, ofRecall, ofF1, spans] = seqeval.types[type];
      expect(scores.precision).toBeCloseTo(ofPrecision, 14);
      expect(scores.recall).toBeCloseTo(ofRecall, 14);
      expect(scores.f1).toBeCloseTo(ofF1, 14);
      expect(own.expected).toBe(spans);
    }
  });

  // The script knows no E and S.
  if (conlleval)
    it('are counted as conlleval.pl counts them, in each sequence and in all', () => {
      const { counts: all, types, sequences: each } = conlleval;
      const total = totalOf(counts);
      const words = expected.reduce((sum, tags) => sum + tags.length, 0);
      expect([words, total.expected, total.predicted, total.correct]).toEqual(all);
      for (const [type, own] of counts) {
        const { precision, recall, f1 } = spanScores(own);
        const percent = [precision, recall, f1].map((value) => Number((100 * value).toFixed(2)));
        expect([...percent, own.predicted]).toEqual(types[type]);
      }
      for (const [i, tags] of expected.entries()) {
        const own = totalOf(countSpans([tags], [predicted[i]], form));
        expect([own.expected, own.predicted, own.correct], sequences[i]).toEqual(each[i]);
      }
    });
});

it('are of at least 3,000 real sequences and 500 random ones', () => {
  const [real, ...others] = groups.map(([, { sequences }]) => sequences.length);
  expect(real).toBeGreaterThanOrEqual(3000);
  expect(others.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(500);
});

interface AggregationCase {
  readonly kind: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly results: Readonly<Record<Aggregation, readonly (readonly [string, number, number, number])[]>>;
}

const golden = read('token-aggregation.json') as {
  readonly vocabulary: readonly string[];
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly cases: readonly AggregationCase[];
};

describe("pieces become spans as in transformers' pipeline", () => {
  const tokenizer = WordPieceTokenizer.fromVocabulary(golden.vocabulary, {
    nfc: false,
    keepFormat: false,
    stripAccents: undefined,
    tearHangul: true,
    cutLongWords: false,
  });

  it.each(golden.cases.map((each) => [each.kind, each.text, each] as const))('%s: %s', (kind, text, each) => {
    const encoding = tokenizer.encode(text, { offsets: 'codePoint' });
    expect([...encoding.ids]).toEqual(each.ids);
    const pieces = each.logits.slice(1, -1).map((logits, i) => {
      const powers = logits.map(Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      return {
        scores: Float64Array.from(powers, (power) => power / sum),
        start: encoding.offsets[2 * (i + 1)],
        end: encoding.offsets[2 * (i + 1) + 1],
        continues: tokenizer.isContinuation(encoding.ids[i + 1]),
      };
    });
    for (const [aggregation, expected] of Object.entries(each.results)) {
      const found = aggregate(pieces, golden.labels[kind], aggregation as Aggregation);
      expect(found.map(({ entity, start, end }) => [entity, start, end])).toEqual(
        expected.map(([entity, start, end]) => [entity, start, end]),
      );
      for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i][3], 6);
    }
  });
});

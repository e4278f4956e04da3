/** Precision, recall and F1 of spans: conlleval of CoNLL-2000 and 2003, and what seqeval reports. */
import type { Metrics } from '../../training/objective.js';
import { spansOf, type TagForm } from './tags.js';

/** Spans of the data, spans of the prediction, and those in both: same type, same first and last word. */
export interface SpanCounts {
  expected: number;
  predicted: number;
  correct: number;
}

export interface SpanScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Sentence by sentence, the tags of each word. */
export type Tags = readonly (readonly string[])[];

/** By type, in the order of their names. Sentences of both have the same words. */
export function countSpans(expected: Tags, predicted: Tags, form: TagForm): Map<string, SpanCounts> {
  const counts = new Map<string, SpanCounts>();
  const of = (type: string): SpanCounts => {
    const known = counts.get(type) ?? { expected: 0, predicted: 0, correct: 0 };
    counts.set(type, known);
    return known;
  };
  for (const [i, tags] of expected.entries()) {
    const spans = spansOf(tags, form);
    const found = new Set(spans.map(({ type, start, end }) => `${start}:${end}:${type}`));
    for (const { type } of spans) of(type).expected++;
    for (const { type, start, end } of spansOf(predicted[i], form)) {
      of(type).predicted++;
      if (found.has(`${start}:${end}:${type}`)) of(type).correct++;
    }
  }
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Fractions from 0 to 1; one whose denominator is 0 is 0, as conlleval has it. */
export function spanScores({ expected, predicted, correct }: SpanCounts): SpanScores {
  const precision = predicted === 0 ? 0 : correct / predicted;
  const recall = expected === 0 ? 0 : correct / expected;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1 };
}

/** The spans of all types together. */
export function totalOf(counts: ReadonlyMap<string, SpanCounts>): SpanCounts {
  const total = { expected: 0, predicted: 0, correct: 0 };
  for (const { expected, predicted, correct } of counts.values()) {
    total.expected += expected;
    total.predicted += predicted;
    total.correct += correct;
  }
  return total;
}

/** Share of the words whose tag is right. */
export function tagAccuracy(expected: Tags, predicted: Tags): number {
  let words = 0;
  let hits = 0;
  for (const [i, tags] of expected.entries()) {
    words += tags.length;
    for (const [at, tag] of tags.entries()) if (tag === predicted[i][at]) hits++;
  }
  return words === 0 ? 0 : hits / words;
}

/** Accuracy; and, where tags form spans, precision, recall and F1 of these (micro-averaged). */
export function taggingMetrics(expected: Tags, predicted: Tags, form: TagForm): Metrics {
  const accuracy = tagAccuracy(expected, predicted);
  if (form === 'plain') return { accuracy };
  return { ...spanScores(totalOf(countSpans(expected, predicted, form))), accuracy };
}

/** `f1/LOC`, `precision/LOC`, `recall/LOC`, `spans/LOC` (how many the data have) and `found/LOC` (how many were predicted) of each type. */
export function metricsByType(expected: Tags, predicted: Tags, form: TagForm): Metrics {
  const counts = countSpans(expected, predicted, form);
  const entries = [...counts].flatMap(([type, own]) => {
    const { precision, recall, f1 } = spanScores(own);
    const figures = { precision, recall, f1, spans: own.expected, found: own.predicted };
    return Object.entries(figures).map(([name, value]) => [`${name}/${type}`, value] as const);
  });
  return Object.fromEntries(entries);
}

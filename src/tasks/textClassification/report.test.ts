import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/philox.js';
import { macroF1, severalLabelMetrics } from '../classificationMetrics.js';
import type { ClassScores, ReportSection } from '../report/report.js';
import { classifierSections } from './report.js';
import { argMaxRows } from './singleLabel.js';

const LABELS = ['a', 'b', 'c'];
const ROWS = 500;

function randomRows(seed: number) {
  const random = new RandomStream(seed, 'test');
  const logits = Float64Array.from({ length: ROWS * LABELS.length }, () => 4 * random.uniform() - 2);
  const single = Array.from({ length: ROWS }, () => random.integer(LABELS.length));
  const several = Array.from({ length: ROWS * LABELS.length }, () => random.integer(2));
  const texts = single.map((label, row) => ({
    text: `text ${row}`,
    label: LABELS[label],
    place: `dev.csv:${row + 2}`,
  }));
  return { logits, single, several, texts };
}
const classesOf = (sections: readonly ReportSection[]): readonly ClassScores[] =>
  sections.flatMap((section) => (section.kind === 'classes' ? section.classes : []));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('where a classifier is wrong', () => {
  it('has the F1 that the metrics have, of one label a text and of several', () => {
    const { logits, single, several, texts } = randomRows(1);
    const one = classesOf(
      classifierSections('single_label_classification', { texts, labels: LABELS, logits, targets: single }),
    );
    expect(mean(one.map(({ f1 }) => f1))).toBeCloseTo(macroF1(argMaxRows(logits, 3), single, 3), 12);
    const all = classesOf(
      classifierSections('multi_label_classification', { texts, labels: LABELS, logits, targets: several }),
    );
    const metrics = severalLabelMetrics(
      logits.map((z) => (z >= 0 ? 1 : 0)),
      several,
      3,
    );
    expect(mean(all.map(({ f1 }) => f1))).toBeCloseTo(metrics.macroF1, 12);
    const right = all.reduce((sum, { recall, rows }) => sum + recall * rows, 0);
    const both = all.reduce((sum, { rows, predicted }) => sum + rows + predicted, 0);
    expect((2 * right) / both).toBeCloseTo(metrics.microF1, 12);
  });

  it('pairs labels that are missing with labels that should not be there', () => {
    const texts = [{ text: 'x', label: 'a;b', place: 'dev.csv:2' }];
    // Wanted a and b; said b and c, c at 0.88.
    const logits = Float64Array.from([-1, 1, 2]);
    const sections = classifierSections('multi_label_classification', {
      texts,
      labels: LABELS,
      logits,
      targets: [1, 1, 0],
    });
    const [confusion] = sections.flatMap((section) => (section.kind === 'confusion' ? [section] : []));
    expect(confusion).toMatchObject({ hasNothing: false, largest: [{ wanted: 'a', got: 'c', count: 1 }] });
    const [{ examples }] = sections.flatMap((section) => (section.kind === 'examples' ? [section] : []));
    expect(examples).toMatchObject([
      { wanted: 'a;b', got: 'b;c', probability: expect.closeTo(1 / (1 + Math.exp(-2)), 12) },
    ]);
    const [{ bins }] = sections.flatMap((section) => (section.kind === 'reliability' ? [section] : []));
    expect(bins[7]).toMatchObject({ count: 2, accuracy: 0.5 });
    expect(bins[8]).toMatchObject({ count: 1, accuracy: 0 });
  });

  it('shows the numbers that are farthest off', () => {
    const texts = [1, 2, 3].map((label) => ({
      text: `text ${label}`,
      label: String(label),
      place: `dev.csv:${label}`,
    }));
    const logits = Float64Array.from([1.25, 0.5, 3]);
    const sections = classifierSections('regression', { texts, labels: ['score'], logits, targets: [1, 2, 3] });
    expect(sections[0]).toEqual({
      kind: 'scatter',
      numRows: 3,
      points: [
        [1, 1.25],
        [2, 0.5],
        [3, 3],
      ],
    });
    expect(sections[2]).toMatchObject({
      numWrong: 2,
      examples: [
        { wanted: '2', got: '0.5', difference: -1.5 },
        { wanted: '1', got: '1.25', difference: 0.25 },
      ],
    });
  });
});

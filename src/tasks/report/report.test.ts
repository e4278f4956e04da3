import { describe, expect, it } from 'vitest';
import { classSections } from './classReport.js';
import { classScores, confusionOf } from './confusion.js';
import { markedText } from './html/markedText.js';
import { reportPage } from './html/page.js';
import { histogramOf, scatterOf } from './numbers.js';
import { reliabilityOf } from './reliability.js';
import type { ReportSection, TaskReport } from './report.js';
import { worstExamples } from './worstExamples.js';

describe('a confusion', () => {
  // Rows: 3 of a (2 right, 1 as b), 2 of b (1 right, 1 missed), and an a that was made up.
  const pairs = [
    { wanted: 0, got: 0 },
    { wanted: 0, got: 0 },
    { wanted: 0, got: 1 },
    { wanted: 1, got: 1 },
    { wanted: 1 },
    { got: 0 },
  ];
  const confusion = confusionOf('type', ['a', 'b', 'never'], pairs);

  it('counts what was wanted by what was said, what was missed and what was made up', () => {
    expect(confusion.hasNothing).toBe(true);
    expect(confusion.counts).toEqual([
      [2, 1, 0, 0],
      [0, 1, 0, 1],
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect(confusion.largest).toEqual([
      { wanted: 'a', got: 'b', count: 1 },
      { wanted: 'b', count: 1 },
      { got: 'a', count: 1 },
    ]);
  });

  it('gives precision, recall and F1 of the classes that there are', () => {
    // a: 2 of 3 predicted are right, 2 of 3 wanted found; b: 1 of 2, and 1 of 2.
    expect(classScores(confusion).classes).toEqual([
      { name: 'a', precision: 2 / 3, recall: 2 / 3, f1: expect.closeTo(2 / 3, 12), rows: 3, predicted: 3 },
      { name: 'b', precision: 0.5, recall: 0.5, f1: 0.5, rows: 2, predicted: 2 },
    ]);
  });

  it('has no line for nothing where every row has a class', () => {
    expect(confusionOf('label', ['a', 'b'], pairs.slice(0, 4)).counts).toEqual([
      [2, 1],
      [0, 1],
    ]);
  });
});

describe('reliability', () => {
  it('puts a probability on a bound into the bin below it', () => {
    const { bins } = reliabilityOf(
      'text',
      [0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 1].map((confidence) => ({ confidence, isRight: true })),
    );
    expect(bins.map(({ count }) => count)).toEqual([1, 1, 1, 0, 0, 1, 1, 0, 1, 1]);
  });

  it('has the calibration error as the mean distance of accuracy and confidence, by rows', () => {
    const of = (confidence: number, right: number, wrong: number) => [
      ...Array.from({ length: right }, () => ({ confidence, isRight: true })),
      ...Array.from({ length: wrong }, () => ({ confidence, isRight: false })),
    ];
    // 4 rows at 0.95, half of them right: 0.45 apart; 6 rows at 0.55, 3 right: 0.05 apart.
    const { expectedCalibrationError, bins } = reliabilityOf('text', [...of(0.95, 2, 2), ...of(0.55, 3, 3)]);
    expect(expectedCalibrationError).toBeCloseTo(0.4 * 0.45 + 0.6 * 0.05, 12);
    expect(bins[9]).toMatchObject({ count: 4, accuracy: 0.5, confidence: expect.closeTo(0.95, 12) });
    expect(bins[0]).toEqual({ from: 0, to: 0.1, count: 0 });
  });
});

describe('numbers', () => {
  it('are counted in bins with round bounds, each once', () => {
    const { bins } = histogramOf('residual', [-1, -0.05, 0, 0.05, 0.99, 1]);
    expect(bins[0]).toEqual({ from: -1, to: -0.9, count: 1 });
    expect(bins.at(-1)).toEqual({ from: 0.9, to: 1, count: 2 });
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(6);
    expect(histogramOf('residual', [0, 0]).bins.reduce((sum, { count }) => sum + count, 0)).toBe(2);
  });

  it('are thinned out in a scatter plot of many', () => {
    const { points, numRows } = scatterOf(Array.from({ length: 5000 }, (_, i) => [i, i] as const));
    expect([points.length, numRows]).toEqual([1667, 5000]);
  });
});

describe('the worst examples', () => {
  it('are at most twenty, the worst first, and only these are made', () => {
    let made = 0;
    const section = worstExamples(
      Array.from({ length: 50 }, (_, i) => ({
        badness: i % 25,
        example: () => ({ place: `row ${i}`, texts: [], wanted: 'a', got: 'b', count: made++ }),
      })),
    );
    expect([section.numWrong, section.examples.length, made]).toEqual([50, 20, 20]);
    expect(section.examples.slice(0, 3).map(({ place }) => place)).toEqual(['row 24', 'row 49', 'row 23']);
  });

  it('of classes are those that the model was surest of', () => {
    const logits = [
      [3, 0],
      [1, 0],
      [0, 2],
    ];
    const sections = classSections({
      of: 'label',
      labels: ['no', 'yes'],
      wanted: [1, 1, 1],
      logits,
      exampleOf: (row) => ({ place: `row ${row}`, texts: [{ text: 'a text' }] }),
    });
    const [worst] = sections.flatMap((section) => (section.kind === 'examples' ? section.examples : []));
    expect(worst).toMatchObject({ place: 'row 0', wanted: 'yes', got: 'no' });
    expect(worst.probability).toBeCloseTo(1 / (1 + Math.exp(-3)), 12);
  });
});

describe('a marked text', () => {
  it('shows marks that overlap, with their labels at their ends', () => {
    const marks = [
      { start: 0, end: 6, kind: 'wanted', label: 'PER' } as const,
      { start: 4, end: 8, kind: 'got' } as const,
    ];
    expect(markedText({ text: 'Ada L. & co', marks })).toBe(
      '<mark class="wanted">Ada </mark><mark class="wanted got">L.<sub>PER</sub></mark><mark class="got"> &amp;</mark> co',
    );
  });
});

describe('a page', () => {
  const evil = '<script>alert(1)</script><img src="http://evil.example/x" onerror=\'x\'>';
  const mark = { start: 0, end: 8, kind: 'got', label: evil } as const;
  const sections: ReportSection[] = [
    classScores(confusionOf('label', [evil, 'b'], [{ wanted: 0, got: 1 }])),
    confusionOf('label', [evil, 'b'], [{ wanted: 0, got: 1 }, { wanted: 0 }, { got: 0 }]),
    reliabilityOf('text', [{ confidence: 0.8, isRight: true }]),
    histogramOf('residual', [0, 1]),
    scatterOf([[0, 1]]),
    { kind: 'groups', by: 'questionWord', groups: [{ name: evil, rows: 1, f1: 0.5, exactMatch: 0 }] },
    worstExamples([
      {
        badness: 1,
        example: () => ({ place: evil, texts: [{ name: evil, text: evil, marks: [mark] }], wanted: evil, got: evil }),
      },
    ]),
  ];
  const report: TaskReport = {
    task: 'text-classification',
    rows: 1,
    metrics: { accuracy: 0.5, majorityAccuracy: 0.25, 'f1/X': 1 },
    sections,
    notices: [{ code: 'x', message: evil, advice: evil }],
  };
  const page = reportPage(report, { title: evil });

  it('shows texts, labels and places as they are, and never as markup', () => {
    expect(page).not.toMatch(/<script|<img|onerror='/);
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10);
    // What is left of markup is ours.
    const tags = [...page.matchAll(/<(\w+)/g)].map(([, name]) => name);
    expect(tags.filter((name) => /^(script|img|iframe|link|object|embed|a|base|form)$/.test(name))).toEqual([]);
  });

  it('names no place outside, and forbids fetching', () => {
    const tags = [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('');
    const [, style] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
    expect(tags + style).not.toMatch(/https?:|url\(|@import|src=|href=/);
    expect(page).toContain(`default-src 'none'`);
  });

  it('has a picture of every kind, and the figures beside their baselines', () => {
    expect(page.match(/<svg viewBox="0 0 \d+ \d+" role="img"/g)).toHaveLength(5);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).toContain('baseline: the most frequent label 0.2500');
  });

  it('opens and closes its elements in order', () => {
    const open: string[] = [];
    const single = new Set(['meta', '!doctype']);
    const body = page.replace(/<style>[\s\S]*?<\/style>/, '');
    for (const [whole, close, name] of body.matchAll(/<(\/?)([!\w]+)[^>]*>/g)) {
      if (close) expect(open.pop(), whole).toBe(name);
      else if (!whole.endsWith('/>') && !single.has(name)) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

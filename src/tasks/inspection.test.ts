import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import type { ExampleView } from './example.js';
import { inspectData } from './inspection.js';

const tokenizer = WordPieceTokenizer.fromVocabulary([
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'a',
  'good',
  'film',
]);
let line = 1;
const row = (text: string, label: string, pair?: string): ExampleView => ({
  text,
  ...(pair !== undefined && { pair }),
  labels: [label],
  place: `x.csv:${++line}`,
});

describe('what data look like', () => {
  const train = [
    row('a good film', '1'),
    row('a film', '0'),
    row('A  Film', '1'),
    row('good', '1', 'a'),
    row('x', '1'),
  ];
  const dev = [row('a film ', '0'), row('good', '1'), row('good', '0', 'A')];
  const found = inspectData({ train, dev }, { tokenizer, length: 4 });

  it('counts rows and labels, the most frequent first', () => {
    expect(found.train).toEqual({
      rows: 5,
      labels: [
        { label: '1', count: 4 },
        { label: '0', count: 1 },
      ],
    });
    expect(found.dev.rows).toBe(3);
  });

  it('shows the first, a middle and the last row as the model sees them, cut to its length', () => {
    expect(found.examples).toEqual([
      { place: 'x.csv:2', pieces: ['[CLS]', 'a', 'good', 'film'], target: '1' },
      { place: 'x.csv:4', pieces: ['[CLS]', 'a', 'film', '[SEP]'], target: '1' },
      { place: 'x.csv:6', pieces: ['[CLS]', '[UNK]', '[SEP]'], target: '1' },
    ]);
  });

  it('measures lengths and the share of unknown pieces', () => {
    expect(found.lengths).toEqual({ median: 4, percentile95: 5, longest: 5, truncated: 2 });
    expect(found.unknownShare).toBeCloseTo(1 / 21, 12); // 5 + 4 + 4 + 5 + 3 pieces
  });

  it('finds numbers that differ, and asks about each pair of entities apart', () => {
    const number = (text: string, target: string, about?: string) => ({
      ...row(text, ''),
      labels: [],
      target,
      ...(about !== undefined && { about }),
    });
    const contradictionsOf = (rows: ExampleView[]) =>
      inspectData({ train: rows, dev: [] }, { tokenizer, length: 4 }).contradictions.rows;
    expect(contradictionsOf([number('a film', '4'), number('a film', '1'), number('a good film', '2')])).toBe(1);
    expect(contradictionsOf([number('a film', '4', '0-1'), number('a film', '1', '2-6')])).toBe(0);
    expect(contradictionsOf([number('a film', '4', '0-1'), number('a film', '1', '0-1')])).toBe(1);
  });

  it('finds what stands on both sides, whatever its case and spaces, and pairs by both texts', () => {
    expect(found.overlap).toEqual({
      rows: 2,
      places: [
        ['x.csv:7', 'x.csv:3'],
        ['x.csv:9', 'x.csv:5'],
      ],
    });
    expect(found.contradictions).toEqual({ rows: 1, places: [['x.csv:4', 'x.csv:3']] });
  });
});

import { describe, expect, it } from 'vitest';
import { trainAndDevRows } from './trainAndDevRows.js';

const rows = Array.from({ length: 500 }, (_, i) => ({ text: `text ${i % 400}`, id: i }));
const textOf = ({ text }: { text: string }) => text;

describe('rows that are held out', () => {
  const { train, dev } = trainAndDevRows(rows, undefined, { textOf });

  it('are about a tenth, and no text is on both sides', () => {
    expect(train.length + dev.length).toBe(500);
    expect(dev.length).toBeGreaterThanOrEqual(50);
    expect(dev.length).toBeLessThan(54);
    const trained = new Set(train.map(textOf));
    expect(dev.filter((row) => trained.has(row.text))).toEqual([]);
  });

  it('are the same in any order of the file', () => {
    const others = trainAndDevRows([...rows].reverse(), undefined, { textOf });
    expect(new Set(others.dev)).toEqual(new Set(dev));
  });

  it('are one of two', () => {
    const { train: one, dev: other } = trainAndDevRows(rows.slice(0, 2), undefined, { textOf });
    expect([one.length, other.length]).toEqual([1, 1]);
  });

  it('are refused where all rows are one', () => {
    expect(() => trainAndDevRows([rows[0], rows[0]], undefined, { textOf })).toThrow('all 2 rows have the same text');
  });

  it('are none where there are dev rows', () => {
    expect(trainAndDevRows(rows, rows.slice(0, 3), { textOf })).toEqual({ train: rows, dev: rows.slice(0, 3) });
  });
});

describe('groups', () => {
  const groupOf = (count: number) => (row: { id: number }) => String(row.id % count);

  it('are held out whole', () => {
    const { train, dev } = trainAndDevRows(rows, undefined, { textOf, groupOf: groupOf(50) });
    const trained = new Set(train.map(groupOf(50)));
    expect(dev.filter((row) => trained.has(groupOf(50)(row)))).toEqual([]);
    expect(dev.length).toBeGreaterThanOrEqual(50);
    expect(dev.length).toBeLessThanOrEqual(60);
  });

  it('are not, where one is a third of the rows', () => {
    const sides = trainAndDevRows(rows, undefined, { textOf, groupOf: groupOf(3) });
    expect(sides).toEqual(trainAndDevRows(rows, undefined, { textOf }));
  });
});

describe('fewer rows to learn from', () => {
  const drawn = (count: number, seed = 0) =>
    trainAndDevRows(rows, undefined, { textOf, limit: { rows: count, seed } }).train;

  it('are in the order of the file, and the dev rows stay', () => {
    const ids = drawn(50).map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(trainAndDevRows(rows, undefined, { textOf, limit: { rows: 5, seed: 0 } }).dev).toEqual(
      trainAndDevRows(rows, undefined, { textOf }).dev,
    );
  });

  it('are a part of more, and others by another seed', () => {
    const many = new Set(drawn(100));
    expect(drawn(50).every((row) => many.has(row))).toBe(true);
    expect(drawn(50, 1)).not.toEqual(drawn(50));
    expect(drawn(50, 0)).toEqual(drawn(50));
  });

  it('are all where there are no more', () => {
    expect(drawn(1000)).toHaveLength(trainAndDevRows(rows, undefined, { textOf }).train.length);
  });
});

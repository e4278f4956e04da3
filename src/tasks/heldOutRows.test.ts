import { describe, expect, it } from 'vitest';
import { holdOutRows } from './heldOutRows.js';

const rows = Array.from({ length: 500 }, (_, i) => ({ text: `text ${i % 400}`, id: i }));
const textOf = ({ text }: { text: string }) => text;

describe('rows that are held out', () => {
  const { train, dev } = holdOutRows(rows, textOf);

  it('are about a tenth, and no text is on both sides', () => {
    expect(train.length + dev.length).toBe(500);
    expect(dev.length).toBeGreaterThanOrEqual(50);
    expect(dev.length).toBeLessThan(54);
    const trained = new Set(train.map(textOf));
    expect(dev.filter((row) => trained.has(row.text))).toEqual([]);
  });

  it('are the same in any order of the file', () => {
    const others = holdOutRows([...rows].reverse(), textOf);
    expect(new Set(others.dev)).toEqual(new Set(dev));
  });

  it('are one of two', () => {
    const { train: one, dev: other } = holdOutRows(rows.slice(0, 2), textOf);
    expect([one.length, other.length]).toEqual([1, 1]);
  });

  it('are refused where all rows are one', () => {
    expect(() => holdOutRows([rows[0], rows[0]], textOf)).toThrow('all 2 rows have the same text');
  });
});

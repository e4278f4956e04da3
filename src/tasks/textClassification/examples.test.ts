import { describe, expect, it } from 'vitest';
import type { Table } from '../../data/tables/table.js';
import { labelledTexts } from './examples.js';

function table(columns: string[], ...rows: (string | undefined)[][]): Table {
  return {
    source: 'train.csv',
    columns,
    rows: rows.map((cells, i) => ({
      place: `train.csv:${i + 2}`,
      values: Object.fromEntries(columns.map((name, at) => [name, cells[at]])),
    })),
  };
}

describe('examples of text classification', () => {
  it('are read from the columns that are named, or called as usual', () => {
    const named = labelledTexts(table(['Review', 'Stars'], ['fine', ' 5 ']), { text: 'Review', label: 'Stars' });
    expect(named).toEqual([{ text: 'fine', label: '5', place: 'train.csv:2' }]);
    expect(labelledTexts(table(['sentence', 'label'], ['fine', '1']), {})).toMatchObject([
      { text: 'fine', label: '1' },
    ]);
  });

  it('are pairs where there are two texts', () => {
    for (const names of [
      ['sentence1', 'sentence2'],
      ['premise', 'hypothesis'],
      ['question', 'sentence'],
    ]) {
      const [example] = labelledTexts(table([...names, 'label'], ['a', 'b', 'yes']), {});
      expect(example).toMatchObject({ text: 'a', pair: 'b' });
    }
    const given = labelledTexts(table(['q', 'a', 'label'], ['a', 'b', 'yes']), { text: 'q', pair: 'a' });
    expect(given[0]).toMatchObject({ text: 'a', pair: 'b' });
  });

  it('without a text, a label or a column are refused with their place', () => {
    const empty = table(['text', 'label'], ['fine', '1'], ['  ', '0']);
    expect(() => labelledTexts(empty, {})).toThrow('train.csv:3 has no text: column "text" is empty');
    const short = table(['text', 'label'], ['fine', undefined]);
    expect(() => labelledTexts(short, {})).toThrow('train.csv:2 has no label: column "label" is empty');
    expect(() => labelledTexts(table(['Review', 'Stars'], ['a', '1']), {})).toThrow(
      'train.csv has no column called text or sentence (it has Review, Stars)',
    );
    const near = () => labelledTexts(table(['Review', 'Stars'], ['a', '1']), { text: 'review', label: 'Stars' });
    expect(near).toThrow('did you mean "Review"?');
  });

  it('have lists of labels, and none at all, only where a text may have several', () => {
    const several = 'multi_label_classification';
    const lists = { ...table(['text', 'labels']), rows: [['a', 'b'], [], 3].map((cell, i) => rowOf(cell, i)) };
    expect(labelledTexts(lists, {}, several).map(({ label }) => label)).toEqual(['a;b', '', '3']);
    expect(() => labelledTexts(lists, {})).toThrow('x.jsonl:1 has a list in column "labels"');
    const cells = table(['text', 'label'], ['x', 'a; b'], ['y', '']);
    expect(labelledTexts(cells, {}, several).map(({ label }) => label)).toEqual(['a; b', '']);
    for (const wrong of ['a;b', '', null, { a: 1 }]) {
      const rows = [rowOf(['fine', wrong], 6)];
      expect(() => labelledTexts({ ...lists, rows }, {}, several)).toThrow('x.jsonl:7 has ');
    }
  });

  it('are found in a field of an object, as KLUE has them', () => {
    const nested = { ...table(['text', 'labels']), rows: [rowOf({ score: 3.7 }, 0)] };
    expect(labelledTexts(nested, { label: 'labels.score' })[0].label).toBe('3.7');
    expect(() => labelledTexts(nested, { label: 'labels.scores' })).toThrow('has no column "labels.scores"');
  });
});

const rowOf = (labels: unknown, i: number) => ({ place: `x.jsonl:${i + 1}`, values: { text: 'x', labels } });

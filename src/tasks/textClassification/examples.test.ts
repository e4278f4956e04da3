import { describe, expect, it } from 'vitest';
import type { Table } from '../../data/tables/table.js';
import { labelledTexts, labelsOf, refuseUnknownLabels } from './examples.js';

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
const labelled = (...labels: string[]) => labels.map((label, i) => ({ text: 'x', label, place: `dev.csv:${i + 2}` }));

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
});

describe('labels', () => {
  it('are in an order that does not depend on the rows: numbers by value, others by their characters', () => {
    expect(labelsOf(labelled('10', '9', '-1', '9'), 'train.csv')).toEqual(['-1', '9', '10']);
    expect(labelsOf(labelled('pos', 'neg', 'Neutral'), 'train.csv')).toEqual(['Neutral', 'neg', 'pos']);
    expect(labelsOf(labelled('b', 'a'), 'train.csv', ['b', 'a', 'c'])).toEqual(['b', 'a', 'c']);
  });

  it('that cannot be learned are refused', () => {
    expect(() => labelsOf(labelled('1', '1'), 'train.csv')).toThrow('all 2 rows of train.csv have the label "1"');
    const texts = labelled(...Array.from({ length: 30 }, (_, i) => `text ${i}`));
    expect(() => labelsOf(texts, 'train.csv')).toThrow('train.csv has 30 different labels in 30 rows');
  });

  it('that are not among the known are told with their row', () => {
    expect(() => refuseUnknownLabels(labelled('pos', 'neu'), ['neg', 'pos'], 'the labels are')).toThrow(
      'dev.csv:3 has the label "neu", and the labels are neg, pos',
    );
    try {
      refuseUnknownLabels(labelled('Pos'), ['neg', 'pos'], 'the labels are');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain('Write it as "pos"');
    }
  });
});

import { describe, expect, it } from 'vitest';
import { isSlipOf, misspeltLabels, refuseUnknownLabels, splitLabels } from './labels.js';
import type { LabelSource } from './problem.js';
import { problemOf } from './problems.js';
import type { ProblemType } from './problemType.js';

const labelled = (...labels: string[]) => labels.map((label, i) => ({ text: 'x', label, place: `dev.csv:${i + 2}` }));
const labelsOf = (type: ProblemType, labels: string[], source: Partial<LabelSource> = {}) =>
  problemOf(type).labelsOf(labelled(...labels), { source: 'train.csv', column: 'score', isSaid: true, ...source });
const single = 'single_label_classification';
const codesOf = (type: ProblemType, train: string[], dev: string[], labels: string[]) =>
  problemOf(type)
    .notices(labelled(...train), labelled(...dev), labels)
    .map(({ code }) => code);
const times = (count: number, label: string) => new Array<string>(count).fill(label);

describe('one label a text', () => {
  it('has labels in an order that does not depend on the rows: numbers by value, others by their characters', () => {
    expect(labelsOf(single, ['10', '9', '-1', '9'])).toEqual(['-1', '9', '10']);
    expect(labelsOf(single, ['pos', 'neg', 'Neutral'])).toEqual(['Neutral', 'neg', 'pos']);
    expect(labelsOf(single, ['b', 'a'], { given: ['b', 'a', 'c'] })).toEqual(['b', 'a', 'c']);
  });

  it('refuses what cannot be learned', () => {
    expect(() => labelsOf(single, ['1', '1'])).toThrow('all 2 rows of train.csv have the label "1"');
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    expect(() => labelsOf(single, texts)).toThrow('train.csv has 30 different labels in 30 rows');
  });

  it('asks what decimals are, unless it was told', () => {
    const decimals = ['1.0', '2.5', '1.0', '4.75'];
    const guessed = () => labelsOf(single, decimals, { isSaid: false });
    expect(guessed).toThrow('all labels of train.csv are numbers, such as 1.0, 2.5, 4.75 in column "score"');
    try {
      guessed();
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain('problemType: "regression" to predict a number');
    }
    expect(labelsOf(single, decimals)).toEqual(['1.0', '2.5', '4.75']);
    expect(labelsOf(single, ['1.0', '0.0'], { isSaid: false })).toEqual(['0.0', '1.0']); // classes, as pandas writes them
    const many = Array.from({ length: 40 }, (_, i) => String(i));
    expect(() => labelsOf(single, many, { isSaid: false })).toThrow(
      'Add problemType: "regression" to predict a number',
    );
  });

  it('notices dev rows of one class, labels that are joined, and labels that are misspelt', () => {
    const train = [...times(30, 'good'), ...times(30, 'bad')];
    expect(codesOf(single, train, ['good', 'bad'], ['bad', 'good'])).toEqual([]);
    expect(codesOf(single, train, ['good', 'good'], ['bad', 'good'])).toEqual(['dev-one-class']);
    const joined = [...train, 'good;bad'];
    expect(codesOf(single, joined, ['good', 'bad'], ['bad', 'good', 'good;bad'])).toEqual(['labels-joined']);
  });
});

describe('several labels a text', () => {
  const several = 'multi_label_classification';

  it('are separated in a cell, each once; an empty cell has none', () => {
    expect(splitLabels(' news; sport ;news;')).toEqual(['news', 'sport']);
    expect(splitLabels('')).toEqual([]);
    expect(labelsOf(several, ['b;a', '', 'c'])).toEqual(['a', 'b', 'c']);
    expect(problemOf(several).targetOf(labelled('c;a')[0], ['a', 'b', 'c'])).toEqual([1, 0, 1]);
  });

  it('refuse what cannot be learned, and a label that is not known', () => {
    expect(() => labelsOf(several, ['', ''])).toThrow('no row of train.csv has a label');
    expect(() => labelsOf(several, ['a', 'a;a'])).toThrow('train.csv has one single label, "a"');
    expect(() => problemOf(several).check(labelled('a', 'b;x'), ['a', 'b'], 'the labels are')).toThrow(
      'dev.csv:3 has the label "x", and the labels are a, b',
    );
  });

  it('notice that each row has one alone, and a label that every row has', () => {
    expect(codesOf(several, ['a', 'b'], [], ['a', 'b'])).toEqual(['labels-alone']);
    expect(codesOf(several, ['a;b', 'a'], [], ['a', 'b'])).toEqual(['label-always']);
  });
});

describe('a number', () => {
  it('is called as its column, and must be one', () => {
    expect(labelsOf('regression', ['3.5', '1e1', '-2'])).toEqual(['score']);
    expect(() => labelsOf('regression', ['3.5', 'high'])).toThrow('dev.csv:3 has "high" where a number is expected');
    expect(() => labelsOf('regression', ['3,5'])).toThrow('Write it as 3.5');
    expect(() => labelsOf('regression', ['2', '2.0'])).toThrow('all 2 rows of train.csv have 2 in column "score"');
    expect(() => labelsOf('regression', ['1', '2'], { given: ['a', 'b'] })).toThrow('which has none; leave one out');
  });

  it('that is far from what a new head gives is noticed, and dev rows that are all the same', () => {
    expect(codesOf('regression', ['1', '5'], ['1', '2'], ['score'])).toEqual([]);
    expect(codesOf('regression', ['1', '-500'], ['1', '1.0'], ['score'])).toEqual(['numbers-far', 'dev-one-class']);
  });
});

describe('a misspelt label', () => {
  it('is one that differs in case, spaces, punctuation, or a letter of many', () => {
    for (const [slip, meant] of [
      ['Positive', 'positive'],
      ['postive', 'positive'],
      ['not entailment', 'not_entailment'],
      ['e\u0301tat', 'état'],
    ]) {
      expect(isSlipOf(slip, meant), slip).toBe(true);
    }
    for (const [label, other] of [
      ['not_entailment', 'entailment'],
      ['male', 'female'],
      ['bad', 'sad'],
      ['1', '11'],
      ['-1', '1'],
      ['class 1', 'class 2'],
      ['unrelated', 'related'],
      ['same', 'same'],
    ]) {
      expect(isSlipOf(label, other), label).toBe(false);
    }
  });

  it('is noticed where another has many more rows, with what it may mean', () => {
    const [notice] = misspeltLabels(
      new Map([
        ['postive', 2],
        ['positive', 40],
        ['negative', 60],
      ]),
    );
    expect(notice).toMatchObject({ code: 'labels-misspelt' });
    expect(notice.message).toContain('"postive" (2 rows; "positive"?)');
    expect(
      misspeltLabels(
        new Map([
          ['postive', 2],
          ['positive', 39],
        ]),
      ),
    ).toEqual([]);
  });

  it('of other rows is answered with the right one', () => {
    expect(() => refuseUnknownLabels(labelled('pos', 'neu'), ['neg', 'pos'], 'the labels are')).toThrow(
      'dev.csv:3 has the label "neu", and the labels are neg, pos',
    );
    expect(() => refuseUnknownLabels(labelled('Pos'), ['neg', 'pos'], 'the labels are')).toThrow('Write it as "pos"');
  });
});

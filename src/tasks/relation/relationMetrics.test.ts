import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { relationScores } from './relationMetrics.js';

interface Example {
  readonly labels: readonly string[];
  readonly expected: string;
  readonly predicted: string;
  readonly relations: Readonly<Record<string, readonly [right: number, found: number, wanted: number]>>;
  readonly micro: readonly [precision: number, recall: number, f1: number];
  readonly macro: readonly [precision: number, recall: number, f1: number];
}

const path = new URL('../../../test/golden/relation-scores.json', import.meta.url);
const examples: Example[] = JSON.parse(readFileSync(path, 'utf8'));
const labelsOf = (text: string, { labels }: Example) => Array.from(text, (letter) => labels[letter.charCodeAt(0) - 65]);

describe('the scores of SemEval-2010 task 8', () => {
  it.each([0, 1, 2, 3])('are those of the official scorer, on its example %i', (index) => {
    const example = examples[index];
    const found = relationScores(labelsOf(example.predicted, example), labelsOf(example.expected, example));
    const percent = (value: number) => Number((100 * value).toFixed(2));
    expect([found.macroPrecision, found.macroRecall, found.macroF1].map(percent)).toEqual(example.macro);
    expect(percent(found.microF1)).toBe(example.micro[2]);
    // The scorer prints two digits; its counts say the rest.
    const each = Object.entries(example.relations).filter(([name]) => name !== '_Other');
    const f1 = each.map(([, [right, taken, wanted]]) => (2 * right) / (taken + wanted));
    expect(found.macroF1).toBeCloseTo(f1.reduce((a, b) => a + b) / f1.length, 15);
  });

  it('come from examples enough', () => {
    expect(examples.map(({ expected }) => expected.length)).toEqual([40, 8000, 10, 6]);
  });

  it('are 0 where nothing is right, and leave out what is no relation', () => {
    expect(relationScores(['A', 'no_relation'], ['no_relation', 'A'])).toMatchObject({ macroF1: 0, microF1: 0 });
    expect(relationScores(['NA'], ['NA'])).toMatchObject({ macroF1: 0, accuracy: 1 });
    expect(relationScores(['A', 'no_relation'], ['A', 'no_relation'])).toMatchObject({ macroF1: 1, microF1: 1 });
  });
});

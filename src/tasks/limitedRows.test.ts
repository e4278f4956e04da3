/** Every task can learn from fewer rows than there are. */
import { describe, expect, it } from 'vitest';
import type { Table } from '../data/tables/table.js';
import { TASKS, taskNamed } from './tasks.js';

/** Sixty rows that each task can read, with three labels where it has labels. */
const ROWS: Readonly<Record<string, (i: number) => Record<string, unknown>>> = {
  'text-classification': (i) => ({ text: `text ${i}`, label: 'abc'[i % 3] }),
  'token-classification': (i) => ({ words: ['In', `Paris ${i}`], tags: ['O', ['B-LOC', 'B-PER'][i % 2]] }),
  'multiple-choice': (i) => ({ context: `It rains ${i}`, choices: ['so', 'if'], label: i % 2 }),
  relation: (i) => ({ text: `<e1>a${i}</e1> is of <e2>b</e2>`, label: 'abc'[i % 3] }),
  'question-answering': (i) => ({ question: `Who ${i}?`, context: `The chef ${i} cooked.`, answer: 'chef' }),
};

function table(task: string, count: number): Table {
  const rows = Array.from({ length: count }, (_, i) => ({ values: ROWS[task](i), place: `rows:${i + 1}` }));
  return { source: 'rows', columns: Object.keys(rows[0].values), rows };
}

describe.each(TASKS.map(({ name }) => name))('%s', (name) => {
  const read = (limit?: { rows: number; seed: number }, dev?: Table) =>
    taskNamed(name).read(table(name, 60), dev, { columns: {}, ...(limit && { limit }) });

  it('learns from so many rows, and has the labels of all', () => {
    const [all, few] = [read(undefined, table(name, 6)), read({ rows: 2, seed: 0 }, table(name, 6))];
    expect([all.numRows, few.numRows]).toEqual([60, 2]);
    expect(few.labels).toEqual(all.labels);
    expect(few.hash).not.toBe(all.hash);
  });

  it('holds the same rows out, however many are learned from', () => {
    const [all, few] = [read(), read({ rows: 2, seed: 0 })];
    expect(few.examples.train).toHaveLength(2);
    expect(few.examples.dev).toEqual(all.examples.dev);
  });
});

describe('questions to evaluate on', () => {
  /** Two questions of each article, about contexts of their own. */
  const ofArticles = (articles: number) => {
    const rows = Array.from({ length: 2 * articles }, (_, i) => ({
      values: { ...ROWS['question-answering'](i), title: `article ${i % articles}` },
      place: `rows:${i + 1}`,
    }));
    const { train, dev } = taskNamed('question-answering').read(
      { source: 'rows', columns: ['question', 'context', 'answer'], rows },
      undefined,
      { columns: {} },
    ).examples;
    // "The chef 7 cooked." is of article 7 modulo `articles`.
    const articlesOf = (views: typeof train) =>
      views.map((view) => Number(/\d+/.exec(JSON.stringify(view))) % articles);
    return { train: new Set(articlesOf(train)), dev: articlesOf(dev) };
  };

  it('are of articles that nothing is learned of', () => {
    const { train, dev } = ofArticles(20);
    expect(dev.filter((article) => train.has(article))).toEqual([]);
    expect(dev).toHaveLength(4);
  });

  it('are of contexts, where there are few articles', () => {
    expect(ofArticles(3).dev).toHaveLength(1);
  });
});

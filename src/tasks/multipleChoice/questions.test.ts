import { describe, expect, it } from 'vitest';
import type { Table } from '../../data/tables/table.js';
import { choiceBaselines } from './metrics.js';
import { answeredQuestions } from './questions.js';

const table = (...rows: Record<string, unknown>[]): Table => ({
  source: 'train.jsonl',
  columns: [...new Set(rows.flatMap(Object.keys))],
  rows: rows.map((values, i) => ({ values, place: `train.jsonl:${i + 1}` })),
});

describe('questions with choices', () => {
  it("are read from SWAG's columns", () => {
    const row = { 'video-id': '1', sent1: 'A man sits.', sent2: 'He', ending0: 'eats.', ending1: 'flies.', label: '0' };
    expect(answeredQuestions(table(row), {})).toEqual([
      { context: 'A man sits.', question: 'He', choices: ['eats.', 'flies.'], answer: 0, place: 'train.jsonl:1' },
    ]);
  });

  it("are read from RACE's lists and letters", () => {
    const row = { article: 'Tom ate.', question: 'Who ate?', options: ['Ann', 'Tom', 'Eve'], answer: 'B' };
    expect(answeredQuestions(table(row), {})).toMatchObject([
      { context: 'Tom ate.', question: 'Who ate?', choices: ['Ann', 'Tom', 'Eve'], answer: 1 },
    ]);
  });

  it('are read from columns that are named, numbered in any way, with fewer choices in some rows', () => {
    const rows = [
      { q: 'Two?', 'c 2': 'b', 'c 1': 'a', 'c 3': '', right: 'b' },
      { q: 'Three?', 'c 2': 'y', 'c 1': 'x', 'c 3': 'z', right: '2' },
    ];
    const found = answeredQuestions(table(...rows), { question: 'q', choices: 'c', label: 'right' });
    expect(found).toMatchObject([
      { question: 'Two?', choices: ['a', 'b'], answer: 1 },
      { question: 'Three?', choices: ['x', 'y', 'z'], answer: 2 },
    ]);
    expect(found[0]).not.toHaveProperty('context');
  });

  it('that cannot be used are refused with their place', () => {
    const good = { question: 'q', choices: ['a', 'b'], label: 0 };
    const refused = (change: Record<string, unknown>) =>
      expect(() => answeredQuestions(table(good, { ...good, ...change }), {}));
    refused({ label: 2 }).toThrow('train.jsonl:2 has the label "2" and 2 choices (choices count from 0)');
    refused({ label: 'C' }).toThrow('train.jsonl:2 has the label "C" and 2 choices');
    refused({ label: null }).toThrow('train.jsonl:2 has no label');
    refused({ choices: ['a'] }).toThrow('train.jsonl:2 has one choice');
    refused({ choices: ['a', ' ', 'c'] }).toThrow('train.jsonl:2 has an empty choice 1');
    refused({ choices: 'a' }).toThrow('train.jsonl:2 has "a" in column "choices"');
    refused({ question: ' ' }).toThrow('train.jsonl:2 has nothing in column question');
    expect(() => answeredQuestions(table({ question: 'q', label: 0 }), {})).toThrow(
      'has no column called choices, nor numbered ones (it has question, label)',
    );
    expect(() => answeredQuestions(table({ choices: ['a', 'b'], label: 0 }), {})).toThrow(
      'has no column called question or sent2 or ctx or text',
    );
    expect(() => answeredQuestions(table(good), { question: 'questio' })).toThrow('did you mean "question"?');
  });

  it('are answered by chance and by shared words at no cost', () => {
    const rows = [
      { question: 'Where does the red fox live?', choices: ['The red fox lives here', 'No', 'A'], label: 0 },
      { question: 'What is it?', choices: ['What it is', 'A dog'], label: 1 },
    ];
    expect(choiceBaselines(answeredQuestions(table(...rows), {}))).toEqual({
      chanceAccuracy: (1 / 3 + 1 / 2) / 2,
      overlapAccuracy: 0.5,
    });
  });
});

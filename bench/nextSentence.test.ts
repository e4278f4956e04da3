import { describe, expect, it } from 'vitest';
import { nextSentenceQuestions, sentencesOf } from './nextSentence.js';

const sentence = (i: number) => `This is sentence number ${i} of a book about nothing much.`;
const BOOK = Array.from({ length: 20 }, (_, p) => [0, 1, 2].map((i) => sentence(3 * p + i)).join(' ')).join('\n');

describe('the next sentence of a book', () => {
  it('is found by the ends of sentences, quotes left with their sentence', () => {
    expect(sentencesOf('He came. "Who is it?" she asked. “Mr. smith.” It was late!\nNo.')).toEqual([
      ['He came.', '"Who is it?" she asked.', '“Mr. smith.”', 'It was late!'],
      ['No.'],
    ]);
  });

  it('stands among three others of the book, never twice the right one', () => {
    const questions = nextSentenceQuestions('book', BOOK, { count: 25, seed: 1 });
    expect(questions).toHaveLength(25);
    const right = questions.map(({ choices, label }) => choices[label]);
    expect(new Set(right).size).toBe(25);
    for (const { context, choices, label } of questions) {
      const number = Number(/number (\d+)/.exec(context)![1]);
      expect(choices[label]).toBe(sentence(number + 1));
      expect(number % 3).not.toBe(2); // of the same paragraph
      expect(new Set([...choices, context]).size).toBe(5);
    }
    expect(new Set(questions.map(({ label }) => label)).size).toBe(4);
  });

  it('is the same of a seed, and another of another', () => {
    const of = (seed: number) => JSON.stringify(nextSentenceQuestions('book', BOOK, { count: 10, seed }));
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
    expect(nextSentenceQuestions('book', 'Too short.', { count: 10, seed: 1 })).toEqual([]);
  });
});

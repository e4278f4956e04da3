import { describe, expect, it } from 'vitest';
import { questionSections } from './report.js';

const CONTEXT = 'Ada wrote notes. The chef cooked the meal in Paris. Nobody came.';
const at = (text: string) => ({ start: CONTEXT.indexOf(text), end: CONTEXT.indexOf(text) + text.length });
function question(id: string, asked: string, answer?: string) {
  return {
    id,
    question: asked,
    context: CONTEXT,
    references: answer === undefined ? [] : [answer],
    answers: answer === undefined ? [] : [at(answer)],
    misplaced: [],
    isImpossible: answer === undefined,
    place: `d.json, question ${id}`,
  };
}

describe('where answers are wrong', () => {
  it('groups questions by what they ask and by the words of their answer', () => {
    const questions = [
      question('1', 'Who cooked?', 'The chef'),
      question('2', 'Where was it cooked, and what?', 'Paris'),
      question('3', '누가 노트를 썼나?', 'Ada'),
      question('4', 'How many came?', 'Nobody'),
    ];
    const said = ['chef', 'in Paris', 'Ada', 'everybody'].map((answer) => ({ answer }));
    const [byLength, byWord] = questionSections(questions, said, {});
    // F1 of "in Paris" is 2/3; the article of "The chef" does not count.
    expect(byLength).toMatchObject({
      by: 'answerLength',
      groups: [
        { name: '1', rows: 3, f1: expect.closeTo((2 / 3 + 1) / 3, 12), exactMatch: expect.closeTo(1 / 3, 12) },
        { name: '2', rows: 1, f1: 1, exactMatch: 1 },
      ],
    });
    expect(byWord).toMatchObject({
      by: 'questionWord',
      groups: [
        { name: 'who', rows: 2, f1: 1 },
        { name: 'where', rows: 1 },
        { name: 'how many', rows: 1, f1: 0 },
      ],
    });
  });

  it('shows question, both answers and their sentences, the worst F1 first', () => {
    const questions = [question('1', 'Where?', 'Paris'), question('2', 'Who?', 'The chef')];
    const said = [{ answer: 'in Paris' }, { answer: 'Ada', start: 0 }];
    const [worst, next] = questionSections(questions, said, {}).flatMap((each) =>
      each.kind === 'examples' ? each.examples : [],
    );
    expect(worst).toMatchObject({ wanted: 'The chef', got: 'Ada', f1: 0 });
    expect(worst.texts[0]).toEqual({ name: 'question', text: 'Who?' });
    const [, { text, marks = [] }] = worst.texts;
    expect(text).toBe('Ada wrote notes. The chef cooked the meal in Paris. ');
    expect(marks.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ['wanted', 'The chef'],
      ['got', 'Ada'],
    ]);
    expect(next.texts[1].text).toBe('The chef cooked the meal in Paris. ');
    expect(next.texts[1].marks?.map(({ start, end }) => next.texts[1].text.slice(start, end))).toEqual([
      'Paris',
      'in Paris',
    ]);
  });

  it('tells questions without an answer apart, at the threshold', () => {
    const questions = [question('1', 'Who?', 'The chef'), question('2', 'Why?'), question('3', 'When?')];
    const said = [
      { answer: 'The chef', noAnswerScore: -3, probability: 0.9 },
      { answer: 'Ada', noAnswerScore: 2, probability: 0.5 },
      { answer: 'Ada', noAnswerScore: 0.5, probability: 0.5 },
    ];
    const sections = questionSections(questions, said, { threshold: 1, temperature: 1 });
    expect(sections[0]).toMatchObject({
      by: 'answerable',
      groups: [
        { name: 'without an answer', rows: 2, f1: 0.5 },
        { name: 'with an answer', rows: 1, f1: 1 },
      ],
    });
    const [{ examples, numWrong }] = sections.flatMap((each) => (each.kind === 'examples' ? [each] : []));
    expect(numWrong).toBe(1);
    // Beside "no answer", whose odds to it are e^0.5: 0.5 / (1 + 0.5·e^0.5).
    expect(examples[0]).toMatchObject({ wanted: 'no answer', got: 'Ada' });
    expect(examples[0].probability).toBeCloseTo(0.5 / (1 + 0.5 * Math.exp(0.5)), 12);
    const [{ bins }] = sections.flatMap((each) => (each.kind === 'reliability' ? [each] : []));
    // "No answer" at 2: 0.5·e² / (1 + 0.5·e²) = 0.787.
    expect(bins[7]).toMatchObject({ count: 1, accuracy: 1 });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  madeQuestions,
  negated,
  type SquadArticle,
  withAnotherName,
  withAnotherNumber,
  withOpposite,
  writeUnanswerable,
} from './makeUnanswerable.js';
import { countsOfWays } from './unanswerableSettings.js';

const first = () => 0;
const context =
  'The tower was designed by Gustave Eiffel and built from 1887 to 1889 for the fair in Paris. A model of it stands in Las Vegas since 1999.';

describe('a question that its text does not answer', () => {
  it.each([
    ['When was the model in Las Vegas built?', '1999', 'When was the model in Gustave Eiffel built?'],
    ['When was the tower in Paris built?', '1889', undefined], // no other name of one word
    ['When was the tower in Rome built?', '1889', undefined],
  ])('has another name of the text: %s', (question, answer, expected) => {
    expect(withAnotherName({ question, context: `${context}`, answer }, first)).toBe(expected);
  });

  it.each([
    ['What was built from 1887 on?', 'The tower', 'What was built from 1889 on?'],
    ['What was built from 1887 to 1889, what in 1999?', 'The tower', 'What was built from 1867 to 1889, what in 1999?'],
    ['How many of the 3 doors are open?', 'two', undefined],
  ])('has another number: %s', (question, answer, expected) => {
    expect(withAnotherNumber({ question, context, answer }, first)).toBe(expected);
  });

  it.each([
    ['Which tower is the largest?', 'Which tower is the smallest?'],
    ['First, who came?', undefined],
  ])('has the opposite of a word: %s', (question, expected) => {
    expect(withOpposite({ question }, first)).toBe(expected);
  });

  it.each([
    ['Who was chosen?', "Who wasn't chosen?"],
    ['What can be seen?', 'What can not be seen?'],
    ['What was not built?', 'What was built?'],
    ['Who came?', undefined],
  ])('is negated: %s', (question, expected) => {
    expect(negated({ question }, first)).toBe(expected);
  });

  it('is asked of the text most like its own that lacks the answer', () => {
    const question = { id: 'q', question: 'Who designed the tower?', answers: [{ text: 'Eiffel', answer_start: 34 }] };
    const paragraphs = [
      { context, qas: [question] },
      { context: 'Another tower was designed in Milan.', qas: [] },
      { context: 'The tower was designed by Eiffel, they say.', qas: [] },
      { context: 'Bread is baked.', qas: [] },
    ];
    const { made, asked } = madeQuestions(paragraphs, first);
    expect(made.elsewhere).toEqual([
      {
        paragraph: paragraphs[1],
        question: { id: 'q-elsewhere', question: question.question, answers: [], is_impossible: true },
      },
    ]);
    expect(asked).toEqual([{ paragraph: paragraphs[0], question }]);
  });
});

describe('files of questions', () => {
  it('are divided by article, the same of a seed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pleiad-unanswerable-'));
    const at = (name: string) => join(folder, name);
    const article = (title: string): SquadArticle => ({
      title,
      paragraphs: [
        {
          context,
          qas: [{ id: title, question: 'Who was it?', answers: [{ text: 'Gustave Eiffel', answer_start: 26 }] }],
        },
      ],
    });
    const squad = (name: string, ...titles: string[]) =>
      writeFileSync(at(name), JSON.stringify({ data: titles.map(article) }));
    squad('one.json', 'a', 'b', 'c');
    squad('two.json', 'd', 'e');
    const options = {
      train: [at('one.json')],
      handwritten: at('two.json'),
      heldOut: ['e'],
      out: at('out'),
      counts: { entity: 5, number: 5, antonym: 5, negation: 2, elsewhere: 5 },
      answerable: 1,
      seed: 7,
    };
    expect(writeUnanswerable(options)).toMatchObject({
      'made.json': { questions: 3, withoutAnswer: 2 },
      'train.json': { questions: 1, withoutAnswer: 0 },
      'held-out.json': { questions: 1, withoutAnswer: 0 },
    });
    const made = readFileSync(at('out/made.json'), 'utf8');
    writeUnanswerable({ ...options, out: at('again') });
    expect(readFileSync(at('again/made.json'), 'utf8')).toBe(made);
    expect(() => writeUnanswerable({ ...options, heldOut: ['f'] })).toThrow('has no article f; it has d, e');
    rmSync(folder, { recursive: true });
  });

  it('have so many questions of each way', () => {
    expect(countsOfWays('entity=3,elsewhere=1')).toEqual({
      entity: 3,
      number: 0,
      antonym: 0,
      negation: 0,
      elsewhere: 1,
    });
    expect(countsOfWays('entitty=3')).toBe(
      '"entitty=3": expected WAY=NUMBER, with a way of entity, number, antonym, negation, elsewhere.',
    );
  });
});

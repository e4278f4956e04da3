/** Official files of questions, and tables, as questions with answers where they stand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readTable, readTables } from '../../data/tables/readTable.node.js';
import { MRQA_FORMAT, SQUAD_FORMAT } from './formats.js';
import { learnableQuestions, questionsOf } from './questions.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'questions-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const formats = [SQUAD_FORMAT, MRQA_FORMAT];
function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}
const read = async (path: string) => questionsOf(await readTable(path, { formats }), {});

const squad = (qas: object[], context: string) =>
  JSON.stringify({ version: 'x', data: [{ title: 't', paragraphs: [{ context, qas }] }] });

describe('questions of a file', () => {
  it('are those of SQuAD 1.1, gzipped and with a byte order mark', async () => {
    const text = squad(
      [
        {
          id: 'a1',
          question: 'Who cooked?',
          answers: [
            { text: 'The chef', answer_start: 0 },
            { text: 'chef', answer_start: 4 },
          ],
        },
      ],
      'The chef cooked.',
    );
    const [question] = await read(file('squad.json.gz', gzipSync(`\ufeff${text}`)));
    expect(question).toMatchObject({
      id: 'a1',
      references: ['The chef', 'chef'],
      answers: [
        { start: 0, end: 8 },
        { start: 4, end: 8 },
      ],
      isImpossible: false,
    });
  });

  it('without an answer are those of SQuAD 2.0: plausible answers do not count', async () => {
    const plausible = [{ text: 'The chef', answer_start: 0 }];
    const path = file(
      'squad2.json',
      squad(
        [{ id: 'b', question: 'Who ate?', answers: [], plausible_answers: plausible, is_impossible: true }],
        'The chef cooked.',
      ),
    );
    expect(await read(path)).toMatchObject([{ references: [], answers: [], isImpossible: true }]);
  });

  it('have offsets in code points, and ours are UTF-16 units', async () => {
    const context = 'Two 👩‍🍳👨‍🍳 met the 🐕 dog here.';
    const answer_start = [...context.slice(0, context.indexOf('dog'))].length;
    const path = file(
      'emoji.json',
      squad([{ id: 'c', question: 'Whom?', answers: [{ text: 'dog', answer_start }] }], context),
    );
    const [{ answers, context: read0 }] = await read(path);
    expect(answer_start).not.toBe(context.indexOf('dog'));
    expect(read0.slice(answers[0].start, answers[0].end)).toBe('dog');
    expect(answers[0].start).toBe(context.indexOf('dog'));
  });

  it('are those of MRQA: a header, lines, spans that include their end, references of their own', async () => {
    const lines = [
      { header: { dataset: 'X', split: 'dev' } },
      {
        context: 'The chef cooked the chef.',
        qas: [
          {
            qid: 'm1',
            question: 'Who?',
            answers: ['the chef', 'chef'],
            detected_answers: [
              {
                text: 'chef',
                char_spans: [
                  [20, 23],
                  [4, 7],
                ],
                token_spans: [
                  [4, 4],
                  [1, 1],
                ],
              },
            ],
          },
        ],
      },
    ];
    const path = file('mrqa.jsonl.gz', gzipSync(lines.map((line) => JSON.stringify(line)).join('\r\n')));
    expect(await read(path)).toMatchObject([
      { id: 'm1', references: ['the chef', 'chef'], answers: [{ start: 4, end: 8 }] },
    ]);
  });

  it('are rows of a plain table: with an offset or without, an empty answer being none', async () => {
    const path = file(
      'plain.csv',
      'question,context,answer,answer_start\nWho?,a dog and a dog,dog,12\nWho?,a dog and a dog,dog,\nWho?,a dog,,\n',
    );
    expect(await read(path)).toMatchObject([
      { id: '1', answers: [{ start: 12, end: 15 }] },
      { id: '2', answers: [{ start: 2, end: 5 }] },
      { id: '3', answers: [], isImpossible: true },
    ]);
  });

  it('are rows with lists of answers, as Hugging Face has them', async () => {
    const row = { id: 'h', question: 'Who?', context: 'a dog', answers: { text: ['dog'], answer_start: [2] } };
    expect(await read(file('hf.jsonl', `${JSON.stringify(row)}\n`))).toMatchObject([
      { id: 'h', answers: [{ start: 2, end: 5 }] },
    ]);
  });

  it('come from several files as from one', async () => {
    const one = squad([{ id: 'a', question: 'Who?', answers: [{ text: 'dog', answer_start: 2 }] }], 'a dog');
    const paths = [file('one.json', one), file('two.json', one.replace('"a"', '"b"'))];
    const table = await readTables(paths, { formats });
    expect(questionsOf(table, {}).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(table.source).toBe(paths.join(', '));
  });

  it('whose answers do not stand at their offset are counted and listed, and left out when that is asked for', async () => {
    const answers = (text: string, answer_start: number) => [{ text, answer_start }];
    const path = file(
      'moved.json',
      squad(
        [
          { id: 'x', question: 'Who?', answers: answers('dog', 1) },
          { id: 'y', question: 'Who?', answers: answers('dog', 2) },
        ],
        'a dog',
      ),
    );
    const questions = await read(path);
    expect(() => learnableQuestions(questions, path, 'refuse')).toThrow(
      `1 of 2 questions of ${path} have answers that do not stand at their offset: ${path}, question x: "dog" at 1, where " do" stands. Mend the offsets, or train without these questions: misplacedAnswers: "leaveOut"`,
    );
    const { questions: kept, leftOut } = learnableQuestions(questions, path, 'leaveOut');
    expect([kept.map(({ id }) => id), leftOut]).toEqual([['y'], 1]);
  });

  it.each([
    [
      '{"data": [{"paragraphs": [{"context": "a", "qas": [{"question": "b", "answers": []}]}]}]}',
      'has a question without an id',
    ],
    ['{"data": [{"paragraphs": [{"qas": []}]}]}', 'has no text "context"'],
    ['{"data": [{"paragraphs": [', 'is not JSON'],
  ])('that is no such file is refused by what is wrong: %s', async (text, problem) => {
    await expect(read(file('wrong.json', text))).rejects.toThrow(problem);
  });

  it('that has no column of contexts names those that there are', async () => {
    await expect(read(file('no.csv', 'question,text\na,b\n'))).rejects.toThrow(
      'has no column called context (it has question, text)',
    );
  });
});

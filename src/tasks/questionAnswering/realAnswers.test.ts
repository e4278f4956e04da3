/** Labels of real questions, with published vocabularies: what the labelled pieces stand for is the answer. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTables } from '../../data/tables/readTable.node.js';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodeQuestions, learnedRows, piecesOfAnswer } from './encodedQuestions.js';
import { SQUAD_FORMAT } from './formats.js';
import { shareInsideWords } from './insideWords.js';
import { characterF1 } from './metrics/korquadText.js';
import { learnableQuestions, questionsOf } from './questions.js';
import { rankAnswers } from './rankAnswers.js';

const DATA = new URL('../../../../shared/data/', import.meta.url);
const hasData = existsSync(new URL('squad/', DATA));
if (!hasData) console.warn('real questions are skipped: ../shared/data is not beside this repository');

const SETS = [
  {
    name: 'SQuAD 1.1',
    files: ['squad/squad1-train-head.json.gz', 'squad/xquad-en-dev.json'],
    vocabulary: 'bert-base-uncased',
    cased: false,
    inside: 0.003,
    /** Exact match and F1 of characters by pieces, and of answers that are widened to words. */
    expected: [0.998, 0.999, 0.997, 0.999],
  },
  {
    name: 'KorQuAD',
    files: ['korquad/korquad1-dev-part.json'],
    vocabulary: 'koelectra',
    cased: true,
    inside: 0.57,
    expected: [0.7066, 0.965, 0.429, 0.923],
  },
];

describe.skipIf(!hasData)('real answers', () => {
  it.each(SETS)(
    'of $name are labelled by the pieces that they have',
    async ({ name, files, vocabulary, cased, inside, expected }) => {
      const path = (file: string) => fileURLToPath(new URL(file, DATA));
      const vocab = readFileSync(path(`vocab/${vocabulary}/vocab.txt`), 'utf8')
        .trimEnd()
        .split('\n');
      const tokenizer = WordPieceTokenizer.fromVocabulary(vocab, { lowercase: !cased });
      const table = await readTables(files.map(path), { formats: [SQUAD_FORMAT] });
      const all = questionsOf(table, {});
      const { questions, leftOut } = learnableQuestions(all, name, 'refuse');
      const encoded = encodeQuestions(questions, { tokenizer, length: 384, docStride: 128 });
      const { rows, unseen, split } = learnedRows(encoded, { emptyWindows: 'noAnswer' });
      // The answer that a model gives which is sure of its labels.
      const given = (alignToWords: boolean) =>
        encoded.map(({ question, pieces, rows: windows }) => {
          const span = piecesOfAnswer(pieces, question.answers[0])!;
          const logits = windows.map(({ ids, from, first }) => {
            const [start, end] = [new Float32Array(ids.length), new Float32Array(ids.length)];
            if (span.first >= from) start[first + span.first - from] = 10;
            if (span.last >= from) end[first + span.last - from] = 10;
            return { start, end };
          });
          const asked = { text: question.context, pieces, rows: windows, logits };
          const [{ place }] = rankAnswers([asked], { maxAnswerLength: 200, alignToWords }).answers;
          return question.context.slice(place!.start, place!.end);
        });
      const exact = (answers: string[]) =>
        answers.filter((answer, i) => answer === questions[i].references[0]).length / answers.length;
      const f1 = (answers: string[]) =>
        answers.reduce((sum, answer, i) => sum + characterF1(answer, questions[i].references[0]), 0) / answers.length;
      const [byPieces, byWords] = [given(false), given(true)];
      expect([leftOut, unseen, split]).toEqual([0, 0, 0]);
      expect(rows.length).toBeGreaterThan(all.length);
      expect(shareInsideWords(questions)).toBeCloseTo(inside, 2);
      // What is missing stands in a piece together with what is no part of the answer.
      const shares = [exact(byPieces), f1(byPieces), exact(byWords), f1(byWords)];
      for (const [i, share] of shares.entries()) expect(share, `${i} of ${shares}`).toBeCloseTo(expected[i], 2);
    },
  );
});

/** Windows with the positions of their answers, against the text that the pieces stand for. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/philox.js';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodeQuestions, learnedRows, piecesOfAnswer } from './encodedQuestions.js';
import type { Question } from './questions.js';

const WORDS = ['the', 'chef', 'cooked', 'a', 'meal', 'who', 'in', 'town', '서울', '##은', '##play', '##ing', 'play'];
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);

function question(
  context: string,
  answer: string | undefined,
  start = answer === undefined ? 0 : context.indexOf(answer),
): Question {
  const isImpossible = answer === undefined;
  return {
    id: 'q',
    question: 'who cooked',
    context,
    references: isImpossible ? [] : [answer],
    answers: isImpossible ? [] : [{ start, end: start + answer.length }],
    misplaced: [],
    isImpossible,
    place: 'here',
  };
}
const labelled = (
  each: Question,
  length: number,
  docStride?: number,
  emptyWindows: 'noAnswer' | 'leaveOut' = 'noAnswer',
) => learnedRows(encodeQuestions([each], { tokenizer, length, docStride }), { emptyWindows });

describe('windows of questions', () => {
  it('label the first and the last piece of the answer: [CLS] who cooked [SEP] the chef cooked a meal [SEP]', () => {
    const { rows } = labelled(question('the chef cooked a meal', 'a meal'), 32);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ startPosition: 7, endPosition: 8 });
    expect(tokenizer.encode('a meal', { addSpecialTokens: false }).ids).toEqual(rows[0].ids.slice(7, 9));
  });

  it('label [CLS] where the question has no answer, and where the window does not show it whole', () => {
    expect(labelled(question('the chef', undefined), 32).rows).toMatchObject([{ startPosition: 0, endPosition: 0 }]);
    const long = question(`${'the '.repeat(10)}chef in town`, 'chef in town');
    const { rows, split, unseen } = labelled(long, 10, 2); // room for 5 pieces, 3 new a window
    expect(rows.map(({ startPosition, endPosition }) => [startPosition, endPosition])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [5, 7],
    ]);
    expect([split, unseen]).toEqual([0, 0]);
    expect(labelled(long, 10, 2, 'leaveOut').rows).toHaveLength(1);
  });

  it('count questions whose answer no window shows whole', () => {
    const { rows, split, unseen } = labelled(
      question('the chef cooked a meal in town', 'the chef cooked a meal in'),
      10,
      2,
      'leaveOut',
    );
    expect([rows.length, split, unseen]).toEqual([0, 1, 1]);
  });

  it('label the pieces of a Korean noun without its particle', () => {
    const { rows } = labelled(question('the 서울은 town', '서울'), 32);
    const { ids, startPosition, endPosition } = rows[0];
    expect(startPosition).toBe(endPosition);
    expect(tokenizer.idToToken(ids[startPosition])).toBe('서울');
  });

  it('find the pieces that touch an answer, wherever it begins and ends', () => {
    const context = 'the chef playing in town 서울은';
    const pieces = tokenizer.encode(context, { addSpecialTokens: false });
    const random = new RandomStream(1, 'test');
    for (let trial = 0; trial < 300; trial++) {
      const start = random.integer(context.length);
      const end = start + 1 + random.integer(context.length - start);
      const touched = Array.from({ length: pieces.length }, (_, i) => i).filter(
        (i) => pieces.offsets[2 * i] < end && pieces.offsets[2 * i + 1] > start,
      );
      const expected = touched.length === 0 ? undefined : { first: touched[0], last: touched.at(-1) };
      expect(piecesOfAnswer(pieces, { start, end }), `${start} to ${end}`).toEqual(expected);
    }
  });

  it('say which questions lose their end', () => {
    const [encoded] = encodeQuestions([{ ...question('the chef', 'chef'), question: 'who '.repeat(70) }], {
      tokenizer,
      length: 384,
    });
    expect(encoded.isCut).toBe(true);
    expect(encoded.rows[0].first).toBe(66); // 64 pieces, [CLS] and [SEP]
  });
});

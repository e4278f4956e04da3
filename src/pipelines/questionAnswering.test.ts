import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BestByPlace, forEachSpan, LogSum, type WindowLogits } from '../tasks/questionAnswering/answerSearch.js';
import {
  answerRows,
  bestWindows,
  contextPieces,
  contextWindows,
  questionIds,
} from '../tasks/questionAnswering/answerWindows.js';
import type { Answer } from './answers.js';
import { createPipeline } from './createPipeline.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';

const TEST = testModel('ElectraForQuestionAnswering');
const ask = (parts = {}) => createPipeline('question-answering', TEST.model(parts));
const LONG = Array.from({ length: 60 }, (_, i) => ['the', 'chef', 'ate', 'a', 'good', 'meal'][(i * 5 + (i >> 3)) % 6]);

/** Logits with many equal ones. */
const logits = (length: number) => fc.array(fc.integer({ min: -4, max: 4 }), { minLength: length, maxLength: length });
const window = fc.integer({ min: 1, max: 12 }).chain((length) =>
  fc.record({
    start: logits(length),
    end: logits(length),
    from: fc.integer({ min: 0, max: 20 }),
    starts: fc.array(fc.boolean(), { minLength: length, maxLength: length }),
  }),
);
const toWindow = ({ starts, ...rest }: { start: number[]; end: number[]; from: number; starts: boolean[] }) =>
  ({ ...rest, mayStart: (piece) => starts[piece] }) satisfies WindowLogits;

describe('the search for answers', () => {
  it('finds what trying every pair of pieces finds', () => {
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (given, longest, topK) => {
          const windows = given.map(toWindow);
          const best = new BestByPlace<{ logit: number }>(topK);
          const all = new LogSum();
          for (const each of windows) {
            forEachSpan(each, longest, (first, last, logit) => {
              all.add(logit);
              if (best.keeps(logit)) best.add(`${first}:${last}`, { logit });
            });
          }
          // Every pair of positions, every window, the largest logit of a place.
          const places = new Map<string, number>();
          let total = 0;
          for (const { start, end, from, starts } of given) {
            for (const [s, a] of start.entries()) {
              for (const [e, b] of end.entries()) {
                if (!starts[s] || e < s || e - s + 1 > longest) continue;
                const place = `${from + s}:${from + e}`;
                places.set(place, Math.max(places.get(place) ?? Number.NEGATIVE_INFINITY, a + b));
                total += Math.exp(a + b);
              }
            }
          }
          const expected = [...places.values()].sort((a, b) => b - a).slice(0, topK);
          expect(best.values.map(({ logit }) => logit)).toEqual(expected);
          if (total > 0) expect(all.value).toBeCloseTo(Math.log(total), 10);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('looks at no more than length × longest spans of a window', () => {
  for (const [length, longest] of [
    [12, 4],
    [381, 15],
    [5, 30],
  ]) {
    let visits = 0;
    const zeros = new Float32Array(length);
    forEachSpan({ start: zeros, end: zeros, from: 0, mayStart: () => true }, longest, () => visits++);
    // Those that would go beyond the end are left out.
    const beyond = Array.from({ length }, (_, s) => Math.max(0, s + longest - length)).reduce(
      (sum, each) => sum + each,
    );
    expect(visits).toBe(length * longest - beyond);
  }
});

describe('the windows of a context', () => {
  it("are those of the tokenizer's pairs, token for token", () => {
    const [question, context] = ['the chef ate', LONG.join(' ')];
    const asked = questionIds(TEST_TOKENIZER, question, 20);
    const rows = answerRows(TEST_TOKENIZER, asked, contextPieces(TEST_TOKENIZER, context).ids, {
      rowLength: 20,
      overlap: 5,
    });
    const first = TEST_TOKENIZER.encode(question, {
      pair: context,
      maxLength: 20,
      truncation: 'onlySecond',
      stride: 5,
    });
    const expected = [first, ...first.overflow];
    expect(rows.map(({ ids }) => [...ids])).toEqual(expected.map(({ ids }) => [...ids]));
    expect(rows.map(({ typeIds }) => [...typeIds])).toEqual(expected.map(({ typeIds }) => [...typeIds]));
    expect(rows.length).toBeGreaterThan(4);
  });

  it('judge every piece in one of those that hold it, with the most around it', () => {
    for (const [length, size, overlap] of [
      [60, 14, 5],
      [13, 14, 5],
      [100, 10, 9],
      [7, 3, 0],
    ]) {
      const windows = contextWindows(length, size, overlap);
      const best = bestWindows(windows, length);
      const context = (piece: number, { from, to }: { from: number; to: number }) =>
        Math.min(piece - from, to - 1 - piece);
      for (let piece = 0; piece < length; piece++) {
        const holding = windows.filter(({ from, to }) => from <= piece && piece < to);
        const most = Math.max(...holding.map((each) => context(piece, each)));
        expect(holding).toContain(windows[best[piece]]);
        // But for what a shorter last window loses: a hundredth of a piece for each of its own.
        expect(context(piece, windows[best[piece]])).toBe(most);
      }
    }
  });
});

/** The best span by the definition: every window run alone, every pair tried. */
async function direct(question: string, context: string, { rowLength = 24, maxAnswerLength = 15 } = {}) {
  const model = TEST.model();
  const asked = questionIds(TEST_TOKENIZER, question, rowLength);
  const { ids, offsets } = contextPieces(TEST_TOKENIZER, context);
  const rows = answerRows(TEST_TOKENIZER, asked, ids, { rowLength });
  const best = bestWindows(rows, ids.length);
  const spans: { start: number; end: number; logit: number }[] = [];
  let noAnswer = Number.POSITIVE_INFINITY;
  for (const [i, row] of rows.entries()) {
    const outputs = await model.run({ inputIds: [row.ids], tokenTypeIds: [row.typeIds] });
    const [start, end] = [outputs.startLogits!.data, outputs.endLogits!.data];
    noAnswer = Math.min(noAnswer, start[0] + end[0]);
    for (let s = row.from; s < row.to; s++) {
      for (let e = s; e < row.to; e++) {
        if (best[s] !== i || e - s + 1 > maxAnswerLength) continue;
        const at = row.first - row.from;
        spans.push({ start: offsets[2 * s], end: offsets[2 * e + 1], logit: start[at + s] + end[at + e] });
      }
    }
  }
  spans.sort((a, b) => b.logit - a.logit);
  return { spans, noAnswer };
}

describe('question-answering', () => {
  it('gives the best spans of a long context, with their probability among all', async () => {
    const answers = await ask();
    const context = LONG.join(' ');
    const question = 'the chef';
    const { spans } = await direct(question, context);
    const total = spans.reduce((sum, { logit }) => sum + Math.exp(logit), 0);
    const found = await answers({ question, context }, { topK: 7, alignToWords: false, overlapThreshold: 1 });
    for (const [i, { start, end, score }] of found.entries()) {
      expect([start, end]).toEqual([spans[i].start, spans[i].end]);
      expect(score).toBeCloseTo(Math.exp(spans[i].logit) / total, 5);
    }
    const one: Answer = await answers({ question, context }, { alignToWords: false, overlapThreshold: 1 });
    expect(one).toEqual(found[0]);
    expect('contextIndex' in one || 'nullScore' in one).toBe(false);
    const every = await answers(
      { question, context },
      { topK: spans.length, alignToWords: false, overlapThreshold: 1 },
    );
    expect(every.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
  });

  it('keeps answers to so many pieces', async () => {
    const answers = await ask();
    const context = LONG.join(' ');
    const found = await answers({ question: 'a meal', context }, { topK: 40, maxAnswerLength: 2, overlapThreshold: 1 });
    expect(Math.max(...found.map(({ answer }) => answer.split(' ').length))).toBe(2);
  });

  it('gives offsets in UTF-16 units of the text as it is, whatever stands in it', async () => {
    const answers = await ask();
    const part = fc.constantFrom(
      'the',
      'Chef',
      'cooked',
      '🍕',
      'é',
      'é',
      '한국어',
      '한국어'.normalize('NFD'),
      '料理',
      '\r\n',
      '.',
      ' ',
      '',
      '👩‍🍳',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 30 }), fc.boolean(), async (parts, alignToWords) => {
        const context = `the ${parts.join(' ')}`;
        const found = await answers({ question: 'the chef', context }, { topK: 5, alignToWords, overlapThreshold: 1 });
        for (const { answer, start, end } of found) {
          expect(context.slice(start, end)).toBe(answer);
          expect(answer).not.toBe('');
          // No character is torn, and no combining mark left behind.
          expect(answer).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
          expect(context.slice(end)).not.toMatch(/^\p{M}/u);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('widens answers to whole words, each place once', async () => {
    const answers = await ask();
    const context = 'the chef cooked cooked the meals .';
    const words = new Set(context.split(' '));
    const found = await answers({ question: 'a', context }, { topK: 50, overlapThreshold: 1 });
    for (const { answer } of found) for (const word of answer.split(' ')) expect(words).toContain(word);
    expect(new Set(found.map(({ start, end }) => `${start}:${end}`)).size).toBe(found.length);
    const pieces = await answers({ question: 'a', context }, { topK: 50, alignToWords: false, overlapThreshold: 1 });
    expect(pieces.some(({ answer }) => /^ed|cook$/.test(answer))).toBe(true);
  });

  it('may say that there is no answer, with the probability of that beside every other', async () => {
    const answers = await ask();
    const context = LONG.join(' ');
    const { spans, noAnswer } = await direct('the meal', context);
    const total = spans.reduce((sum, { logit }) => sum + Math.exp(logit), Math.exp(noAnswer));
    const options = { topK: 2000, handleImpossibleAnswer: true, alignToWords: false, overlapThreshold: 1 };
    const found = await answers({ question: 'the meal', context }, options);
    const none = found.filter(({ answer }) => answer === '');
    expect(none).toHaveLength(1);
    expect(none[0]).toMatchObject({ start: 0, end: 0 });
    expect(none[0].score).toBeCloseTo(Math.exp(noAnswer) / total, 5);
    for (const { nullScore } of found) expect(nullScore).toBe(none[0].score);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 6);
  });

  it('ranks several contexts together, and takes many questions', async () => {
    const answers = await ask();
    const context = [LONG.slice(0, 20).join(' '), 'a good meal', LONG.slice(30).join(' ')];
    const together = await answers(
      { question: 'the chef', context },
      { topK: 500, alignToWords: false, overlapThreshold: 1 },
    );
    expect(new Set(together.map(({ contextIndex }) => contextIndex))).toEqual(new Set([0, 1, 2]));
    for (const { answer, start, end, contextIndex } of together) {
      expect(context[contextIndex!].slice(start, end)).toBe(answer);
    }
    // Within a context the order is that of asking it alone.
    const alone = await answers(
      { question: 'the chef', context: context[2] },
      { topK: 5, alignToWords: false, overlapThreshold: 1 },
    );
    const ofThird = together.filter(({ contextIndex }) => contextIndex === 2).slice(0, 5);
    expect(ofThird.map(({ start, end }) => [start, end])).toEqual(alone.map(({ start, end }) => [start, end]));
    const questions = ['the chef', 'a meal', 'good'].map((question) => ({ question, context: context[0] }));
    const many = await answers(questions);
    for (const [i, question] of questions.entries()) {
      const one = await answers(question);
      expect(many[i]).toMatchObject({ answer: one.answer, start: one.start, end: one.end });
      expect(many[i].score).toBeCloseTo(one.score, 5);
    }
    expect(await answers([])).toEqual([]);
  });

  it('reads segment ids: the context is the second text', async () => {
    const seen: number[][] = [];
    const model = TEST.model();
    const run = model.forEachRow.bind(model);
    model.forEachRow = (rows, options, read) => {
      seen.push(...rows.map(({ typeIds }) => Array.from(typeIds!)));
      return run(rows, options, read);
    };
    const answers = await createPipeline('question-answering', model);
    await answers({ question: 'the chef', context: 'a meal' });
    expect(seen).toEqual([[0, 0, 0, 0, 1, 1, 1]]);
  });

  it('cuts a long question where that is asked, and says what cannot be', async () => {
    const answers = await ask();
    const question = Array(100).fill('the').join(' ');
    const cut = await answers({ question, context: 'a good meal' }, { maxQuestionLength: 10 });
    expect(cut.answer).not.toBe('');
    await expect(answers({ question: ' ', context: 'a meal' })).rejects.toThrow(/question " " has no word/);
    await expect(answers({ question: 'the', context: ' ' })).rejects.toThrow(/no word in the context of "the"/);
    const none = await answers({ question: 'the', context: '' }, { handleImpossibleAnswer: true });
    expect(none).toMatchObject({ answer: '', start: 0, end: 0, score: 1, nullScore: 1 });
    await expect(answers({ question: 'the', context: 'a' }, { docStride: 100 })).rejects.toThrow(
      /docStride is 100; expected less than 20, the pieces of the context/,
    );
    await expect(answers({ question: 'the', context: 'a' }, { topK: 0, maxAnswerLength: 1.5 })).rejects.toThrow(
      /topK is 0; expected a whole number from 1[\s\S]*maxAnswerLength is 1\.5; expected a whole number from 1/,
    );
    await expect(answers({ question: 'the', context: 'a' }, { top_k: 3 } as object)).rejects.toThrow(
      /there is no top_k; expected topK, maxAnswerLength/,
    );
    await expect(answers([{ question: 'the', context: 'a' }, { question: 5 } as never])).rejects.toThrow(
      /question-answering: input 1 cannot be used: question is 5; expected text; context is missing; expected a text, or a list/,
    );
    expect(TEST_CONFIG.maxPositionEmbeddings).toBe(24);
  });
});

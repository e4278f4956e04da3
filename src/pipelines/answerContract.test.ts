/** What `question-answering` promises of every text: offsets, one ranking, no answer, one place for what is said twice. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Model } from '../pretrained/model.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import type { QuestionAnsweringOptions } from './answers.js';
import { createPipeline } from './createPipeline.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';

const TEST = testModel('ElectraForQuestionAnswering');
const ask = (parts = {}) => createPipeline('question-answering', TEST.model(parts));
const LONG = Array.from({ length: 60 }, (_, i) => ['the', 'chef', 'ate', 'a', 'good', 'meal'][(i * 5 + (i >> 3)) % 6]);

type Row = { readonly ids: ArrayLike<number> };

/** A model whose start and end logits are a function of a row and a position in it. */
function modelOf(
  logits: (row: Row, position: number) => readonly [start: number, end: number],
  tokenizer: WordPieceTokenizer = TEST_TOKENIZER,
): Model {
  const config = { ...TEST_CONFIG, vocabSize: tokenizer.vocabSize };
  const model = testModel('ElectraForQuestionAnswering', { config }).model({ tokenizer });
  model.forEachRow = async (rows, _, read) => {
    for (const [i, row] of rows.entries()) {
      const all = Array.from(row.ids, (_id, position) => logits(row as Row, position));
      const column = (which: 0 | 1) => Float32Array.from(all, (each) => each[which]);
      read(i, { startLogits: column(0), endLogits: column(1) });
    }
  };
  return model;
}

/** A pure function of some numbers, between -1 and 1. */
const noise = (...values: number[]) => Math.sin(values.reduce((sum, value) => (sum * 31 + value + 1) % 100_003, 7));

describe('offsets of answers', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constantFrom(
      'the',
      'Chef',
      'cooked',
      '\r\n',
      '👩‍🍳',
      '🇰🇷',
      'é'.normalize('NFD'),
      '한국어'.normalize('NFD'),
      '料理',
      ' ',
      '\u200b',
    ),
  );

  it('are of the text as it is, and of its code points, whatever characters it has', async () => {
    const answers = await ask();
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 24 }), fc.boolean(), async (parts, alignToWords) => {
        const context = `the ${parts.join(' ')}`;
        const options = { topK: 6, alignToWords, codePoints: true, overlapThreshold: 1 };
        for (const { answer, start, end, ...points } of await answers({ question: 'the chef', context }, options)) {
          expect(context.slice(start, end)).toBe(answer);
          expect(answer).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
          expect([...context].slice(points.codePointStart, points.codePointEnd).join('')).toBe(answer);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('are UTF-16 alone unless code points are asked for', async () => {
    const answers = await ask();
    const input = { question: 'the', context: '🍕🍕 the chef' };
    expect(await answers(input)).not.toHaveProperty('codePointStart');
    const found = await answers(input, { codePoints: true, topK: 5, overlapThreshold: 1 });
    expect(found.some(({ start, codePointStart }) => start !== codePointStart)).toBe(true);
    for (const { start, end, codePointStart, codePointEnd } of found) {
      expect(codePointStart).toBe([...input.context.slice(0, start)].length);
      expect(codePointEnd).toBe([...input.context.slice(0, end)].length);
    }
  });
});

describe('the place of an answer in a long text', () => {
  const FILLER = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const PLANT = ['left', 'beside', 'planted', 'answer', 'around', 'right'];
  const tokenizer = WordPieceTokenizer.fromVocabulary([
    ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'where'],
    ...FILLER,
    ...PLANT,
  ]);
  const idOf = (word: string) => tokenizer.tokenToId(word)!;
  /** Sees two tokens to each side, as an encoder sees what is around; the edges of a window therefore look different. */
  const model = modelOf(({ ids }, at) => {
    const around = [-2, -1, 0, 1, 2].map((step) => ids[at + step] ?? 0);
    const start = 3 * noise(1, ...around) + (ids[at] === idOf('planted') ? 9 : 0);
    const end = 3 * noise(2, ...around) + (ids[at] === idOf('answer') ? 9 : 0);
    return [start, end];
  }, tokenizer);

  it('changes nothing: what is planted anywhere among 5,000 words is found with the same score', async () => {
    const answers = await createPipeline('question-answering', model);
    const filler = Array.from({ length: 5000 }, (_, i) => FILLER[(i * i * 7 + i * 3) % FILLER.length]);
    // Beside one filler word wherever it stands, so that a change of the score could only come from the windows.
    const found: { logit: number; score: number }[] = [];
    for (const at of [0, 1, 7, 63, 64, 65, 127, 500, 1234, 2500, 3333, 4900, 4990, 4999, 5000]) {
      const words = [...filler.slice(0, at), 'w0', 'w0', ...PLANT, 'w0', 'w0', ...filler.slice(at)];
      const context = words.join(' ');
      const options = { maxLength: 24, docStride: 12, maxAnswerLength: 4 };
      const { answer, start, end, logit, score } = await answers({ question: 'where', context }, options);
      expect(answer).toBe('planted answer');
      expect(context.slice(start, end)).toBe(answer);
      expect(start).toBe(context.indexOf('planted'));
      found.push({ logit: logit!, score });
    }
    for (const { logit, score } of found) {
      expect(logit).toBe(found[0].logit);
      // All that differs is which filler words meet at the seam.
      expect(score / found[0].score).toBeCloseTo(1, 3);
    }
    expect(found[0].score).toBeGreaterThan(0.5);
  });

  it('costs one run of each window, whose number grows as the text does', async () => {
    const rows: number[] = [];
    const counted = modelOf(() => [0, 0], tokenizer);
    const run = counted.forEachRow.bind(counted);
    counted.forEachRow = (all, options, read) => {
      rows.push(all.length);
      return run(all, options, read);
    };
    const answers = await createPipeline('question-answering', counted);
    for (const words of [500, 1000, 2000, 4000]) {
      await answers({ question: 'where', context: Array(words).fill('w1').join(' ') }, { maxLength: 24 });
    }
    // 20 pieces beside the question, 10 of them shared.
    expect(rows).toEqual([49, 99, 199, 399]);
  });
});

describe('one ranking', () => {
  it('reads a context once, however many questions are about it, in one call or one after the other', async () => {
    const answers = await ask();
    const encode = vi.spyOn(TEST_TOKENIZER, 'encode');
    const context = LONG.join(' ');
    const readings = () => encode.mock.calls.filter(([text]) => text === context).length;
    try {
      await answers(['the chef', 'a meal', 'good'].map((question) => ({ question, context })));
      expect(readings()).toBe(1);
      await answers({ question: 'ate', context });
      await answers({ question: 'ate', context: ['a meal', context] });
      expect(readings()).toBe(1);
      await answers({ question: 'ate', context: 'a meal' });
      await answers({ question: 'ate', context });
      expect(readings()).toBe(2);
    } finally {
      encode.mockRestore();
    }
  });

  it('counts places that overlap by more than half of the shorter once, and says how many there were', async () => {
    const answers = await ask();
    const input = { question: 'the chef', context: LONG.join(' ') };
    const plain = await answers(input, { topK: 400, overlapThreshold: 1 });
    const shares = (a: { start: number; end: number }, b: { start: number; end: number }) =>
      Math.min(a.end, b.end) - Math.max(a.start, b.start) > 0.5 * Math.min(a.end - a.start, b.end - b.start);
    // By the definition: from the best down, what overlaps a better one falls to it.
    const expected: { start: number; end: number; duplicates: number }[] = [];
    for (const { start, end } of plain) {
      if (expected.length === 6) break;
      const better = expected.find((kept) => shares(kept, { start, end }));
      if (better) better.duplicates++;
      else expected.push({ start, end, duplicates: 0 });
    }
    const found = await answers(input, { topK: 6 });
    expect(found.map(({ start, end, duplicates = 0 }) => ({ start, end, duplicates }))).toEqual(expected);
    expect(found.some(({ duplicates = 0 }) => duplicates > 0)).toBe(true);
    // The best is the best either way, with the same score.
    expect(found[0]).toMatchObject({ start: plain[0].start, end: plain[0].end, score: plain[0].score });
  });

  it('counts the same words once where that is asked, in whatever context and case', async () => {
    const answers = await ask();
    const input = { question: 'the', context: ['the chef ate a meal', 'The Chef ate a MEAL', 'a good meal'] };
    const all = await answers(input, { topK: 60, overlapThreshold: 1 });
    const texts = all.map(({ answer }) => answer.toLowerCase());
    expect(new Set(texts).size).toBeLessThan(texts.length);
    const merged = await answers(input, { topK: 60, overlapThreshold: 1, mergeTexts: true });
    expect(merged.map(({ answer }) => answer.toLowerCase())).toEqual([...new Set(texts)]);
    expect(merged.reduce((sum, { duplicates = 0 }) => sum + duplicates, merged.length)).toBe(all.length);
  });

  it('ranks empty contexts among others as having no answer', async () => {
    const answers = await ask();
    const found = await answers({ question: 'the', context: ['', 'a good meal', ' '] }, { topK: 3 });
    expect(new Set(found.map(({ contextIndex }) => contextIndex))).toEqual(new Set([1]));
  });

  it('says in which window each answer was found', async () => {
    const answers = await ask();
    const context = LONG.join(' ');
    const found = await answers({ question: 'the chef', context }, { topK: 30 });
    const windows = new Set(found.map(({ window }) => window));
    expect(Math.max(...(windows as Set<number>))).toBeGreaterThan(3);
    // Later in the text, later in the windows.
    const byPlace = [...found].sort((a, b) => a.start - b.start);
    for (const [i, { window }] of byPlace.slice(1).entries())
      expect(window! + 1).toBeGreaterThanOrEqual(byPlace[i].window!);
  });
});

describe('no answer', () => {
  const input = { question: 'the meal', context: LONG.slice(0, 30).join(' ') };
  const best = async (options: QuestionAnsweringOptions, taskSettings?: unknown) =>
    (await ask({ taskSettings }))(input, { ...options });

  it('is the answer when its logit is larger than that of the best span by more than the threshold', async () => {
    const [span] = await (await ask())(input, { topK: 1 });
    const all = await (await ask())(input, { topK: 2000, handleImpossibleAnswer: true, overlapThreshold: 1 });
    const margin = all.find(({ answer }) => answer === '')!.logit! - span.logit!;
    const below = await best({ nullThreshold: margin - 0.01 });
    expect(below).toMatchObject({ answer: '', start: 0, end: 0, logit: expect.closeTo(span.logit! + margin, 4) });
    const above = await best({ nullThreshold: margin + 0.01 });
    expect(above).toMatchObject({ answer: span.answer, start: span.start });
    // The threshold decides which answer is the first, and changes no probability.
    expect(below.nullScore!).toBe(below.score);
    expect(above.nullScore!).toBe(below.nullScore!);
    expect(Math.log(above.nullScore! / above.score)).toBeCloseTo(margin, 4);
  });

  it('has its threshold, temperature and lengths from the model folder, and those of a call before them', async () => {
    const settings = { nullThreshold: -100, temperature: 2, maxAnswerLength: 1, maxLength: 12, stride: 2 };
    const folder = await best({}, settings);
    expect(folder.answer).toBe('');
    expect(await best({ nullThreshold: 100 }, settings)).toMatchObject({ answer: expect.stringMatching(/^\w+$/) });
    // 0 is what a folder says whose dev data had an answer to every question; said in a call, it is a threshold.
    expect(await best({}, { nullThreshold: 0 })).not.toHaveProperty('nullScore');
    expect(await best({ nullThreshold: 0 })).toHaveProperty('nullScore');
    expect(await best({ handleImpossibleAnswer: false }, settings)).not.toHaveProperty('nullScore');
    const rows: number[] = [];
    const model = TEST.model({ taskSettings: settings });
    const run = model.forEachRow.bind(model);
    model.forEachRow = (all, options, read) => {
      rows.push(...all.map(({ ids }) => ids.length));
      return run(all, options, read);
    };
    const answers = await createPipeline('question-answering', model);
    await answers(input);
    // 12 tokens, 2 of the question and 3 special ones: windows of 7 pieces, 5 apart.
    expect(rows).toEqual([12, 12, 12, 12, 12, 10]);
    // Half the logits' distance in the logarithm of scores.
    const [first, second] = await answers(input, { topK: 2, handleImpossibleAnswer: false });
    expect(Math.log(first.score / second.score)).toBeCloseTo((first.logit! - second.logit!) / 2, 4);
    const [cold, colder] = await answers(input, { topK: 2, handleImpossibleAnswer: false, temperature: 0.5 });
    expect(Math.log(cold.score / colder.score)).toBeCloseTo(2 * (cold.logit! - colder.logit!), 4);
  });

  it('says what of question_answering.json cannot be used', async () => {
    await expect(ask({ taskSettings: { temperature: 0, stride: 'x', notOurs: 1 } })).rejects.toThrow(
      /question_answering\.json of .* cannot be used: temperature is 0; expected a number above 0; stride is "x"; expected a whole number from 0/,
    );
    await expect(ask({ taskSettings: [] })).rejects.toThrow(/it is \[\]; expected an object/);
  });
});

describe('what cannot be answered', () => {
  it('is a question longer than half of a row, unless it is to be cut', async () => {
    const answers = await ask();
    const question = Array(11).fill('the').join(' ');
    const context = 'a good meal';
    await expect(answers({ question, context })).rejects.toThrow(
      /question "the the .* has 11 pieces; expected at most 10, half of a row of 24 tokens \(maxLength\).*maxQuestionLength: 10/s,
    );
    const cut = await answers({ question, context }, { maxQuestionLength: 3 });
    expect(cut).toEqual(await answers({ question: 'the the the', context }));
  });

  it('is what only another scoring has', async () => {
    const answers = await ask();
    const options = { scoring: 'hf', temperature: 2, mergeTexts: true } as const;
    await expect(answers({ question: 'the', context: 'a meal' }, options)).rejects.toThrow(
      /temperature is given with scoring: "hf"[\s\S]*mergeTexts is given with scoring/,
    );
  });
});

it('drops the particle of a Korean answer where that is asked', async () => {
  const tokenizer = WordPieceTokenizer.fromVocabulary(
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '언제', '왕', '##이', '1989', '##년', '##에', '태어났다'],
    { lowercase: false },
  );
  const id = (token: string) => tokenizer.tokenToId(token);
  const model = modelOf(({ ids }, at) => [ids[at] === id('1989') ? 9 : 0, ids[at] === id('##년') ? 9 : 0], tokenizer);
  const answers = await createPipeline('question-answering', model);
  const input = { question: '언제', context: '왕이 1989년에 태어났다' };
  expect((await answers(input)).answer).toBe('1989년에');
  const { answer, start, end } = await answers(input, { dropParticle: true });
  expect(answer).toBe('1989년');
  expect(input.context.slice(start, end)).toBe(answer);
});

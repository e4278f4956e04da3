import { describe, expect, it } from 'vitest';
import { memoryShards } from '../src/data/shards.js';
import { DataError } from '../src/errors/errors.js';
import { fillSpan } from '../src/pipelines/fillSpan.js';
import { predictSpans, spanWithBoundaries } from '../src/pipelines/spanPrediction.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';
import { RandomStream } from '../src/random/philox.js';
import { type SpanRun, spanAblationTable } from './spanAblationTable.js';
import { type HeldOutSpan, heldOutSpans, type LengthScores, scoreInfilling, scoreUnigram } from './spanInfilling.js';

const LENGTH = 40;
const SPECIAL_IDS = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };

/** Random tokens of which every fourth or so continues a word. */
function shards(documents = 12) {
  const random = new RandomStream(1, 'test');
  const document = () => {
    const wordStarts = Array.from({ length: 300 }, (_, i) => (i > 0 && random.integer(4) === 0 ? 0 : 1));
    return { ids: wordStarts.map(() => 5 + random.integer(15)), wordStarts };
  };
  const heldOut = Array.from({ length: documents }, document);
  return { heldOut, shards: memoryShards({ train: [document()], heldOut, vocabSize: 20, specialIds: SPECIAL_IDS }) };
}

describe('held-out spans', () => {
  const { heldOut, shards: text } = shards();
  const spans = heldOutSpans(text, { length: LENGTH, count: 20 });

  it('are of 1 to 10 whole words, as many of each, with text on both sides', () => {
    const spaced = (ids: ArrayLike<number>) => ` ${Array.from(ids).join(' ')} `;
    const documents = heldOut.map(({ ids, wordStarts }) => ({ text: spaced(ids), wordStarts }));
    for (const { ids, first, pieces, words } of spans) {
      expect(ids[0]).toBe(SPECIAL_IDS.clsId);
      expect(ids[ids.length - 1]).toBe(SPECIAL_IDS.sepId);
      expect(first).toBeGreaterThan(1);
      expect(first + pieces).toBeLessThan(ids.length - 1);
      expect(pieces).toBeLessThanOrEqual(15);
      const row = spaced(ids.subarray(1, -1));
      const { text: whole, wordStarts } = documents.find((document) => document.text.includes(row))!;
      const before = whole.slice(0, whole.indexOf(row)).split(' ').length - 1; // tokens of the document before the row
      const at = before + first - 1;
      const starts: number[] = wordStarts.slice(at, at + pieces);
      expect(starts.filter((start) => start === 1)).toHaveLength(words);
      expect([wordStarts[at], wordStarts[at + pieces]]).toEqual([1, 1]);
    }
    const counts = Array.from({ length: 10 }, (_, i) => spans.filter(({ words }) => words === i + 1).length);
    expect(counts).toEqual(Array(10).fill(20));
  });

  it('are the same each time', () => {
    expect(heldOutSpans(text, { length: LENGTH, count: 20 })).toEqual(spans);
  });

  it('are refused when the text has too few, with what to do', () => {
    expect(() => heldOutSpans(shards(1).shards, { length: LENGTH, count: 20 })).toThrow(DataError);
    expect(() => heldOutSpans(shards(1).shards, { length: LENGTH, count: 20 })).toThrow(/held-out-fraction/);
  });
});

describe('scores of infilling', () => {
  const boundary = { maxSpanTargets: 15, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;
  const config = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
  const model = () => testModel('BertForMaskedLM', { config, spanBoundary: boundary }).model();

  it('are the losses that score-span reports of the same span', async () => {
    const text = 'the chef cooked a good meal .';
    const { ids } = TEST_TOKENIZER.encode(text);
    // cook ##ed a
    const span: HeldOutSpan = { ids, first: 3, pieces: 3, words: 2 };
    const [scores] = await scoreInfilling(model(), [span]);
    const filler = await fillSpan(model());
    const { tokens } = await filler.scoreSpan(text, { start: 9, end: 17 });
    expect(scores).toMatchObject({ words: 2, spans: 1, pieces: 3 });
    expect(scores.lossSum.sbo).toBeCloseTo(-tokens.reduce((sum, { sbo }) => sum + sbo, 0), 4);
    // Asked for one piece alone, the masked LM sees what score-span lets it see.
    const [single] = await scoreInfilling(model(), [{ ...span, first: 6, pieces: 1, words: 1 }]);
    const good = await filler.scoreSpan(text, { start: 18 + 1, end: 18 + 2 });
    expect(single.lossSum.mlm).toBeCloseTo(-good.tokens[0].mlm, 4);
  });

  it('count a span as exact when every piece is the most probable one', async () => {
    const spanbert = model();
    const ids = TEST_TOKENIZER.encode('the chef ate a meal').ids.slice();
    const masked = ids.slice().fill(TEST_TOKENIZER.maskId, 3, 5);
    const predictions = await predictSpans(spanbert, [
      { ids: masked, positions: [3, 4], span: spanWithBoundaries(spanbert, masked, 3, 2) },
    ]);
    const best = (rows: readonly Float32Array[]) => rows.map((row) => row.indexOf(Math.max(...row)));
    const filled = (with_: number[]) => {
      const copy = ids.slice();
      copy.set(with_, 3);
      return { ids: copy, first: 3, pieces: 2, words: 1 };
    };
    const [byMlm] = await scoreInfilling(spanbert, [filled(best(predictions[0].mlm))]);
    expect(byMlm.exact.mlm).toBe(1);
    const [bySbo] = await scoreInfilling(spanbert, [filled(best(predictions[0].sbo))]);
    expect(bySbo.exact.sbo).toBe(1);
    const other = best(predictions[0].mlm).map((id, i) => (i === 0 ? (id === 5 ? 6 : 5) : id));
    expect((await scoreInfilling(spanbert, [filled(other)]))[0].exact.mlm).toBe(0);
  });

  it('have a baseline of word frequencies', () => {
    // Add-one: token 5 has 3 of 6, tokens 6, 7 and 4 … one each of what is left.
    const counts = [0, 0, 0, 0, 0, 2];
    const span: HeldOutSpan = { ids: Int32Array.of(2, 5, 5, 5, 3), first: 2, pieces: 1, words: 1 };
    const [{ lossSum, exact }] = scoreUnigram([span], counts);
    expect(lossSum.mlm).toBeCloseTo(-Math.log(3 / 8), 6);
    expect(exact).toEqual({ mlm: 1 });
  });
});

describe('the table of the span ablation', () => {
  const scores = (mlm: number, sbo?: number): LengthScores[] => [
    {
      words: 1,
      spans: 10,
      pieces: 10,
      lossSum: { mlm: 10 * mlm, ...(sbo && { sbo: 10 * sbo }) },
      exact: { mlm: 2, ...(sbo && { sbo: 1, both: 3 }) },
    },
    {
      words: 3,
      spans: 10,
      pieces: 40,
      lossSum: { mlm: 40 * mlm, ...(sbo && { sbo: 40 * sbo }) },
      exact: { mlm: 1, ...(sbo && { sbo: 0, both: 1 }) },
    },
    {
      words: 10,
      spans: 10,
      pieces: 50,
      lossSum: { mlm: 50 * mlm, ...(sbo && { sbo: 50 * sbo }) },
      exact: { mlm: 0, ...(sbo && { sbo: 0, both: 0 }) },
    },
  ];
  const run = (sbo: boolean, seed: number, loss: number): SpanRun => ({
    masking: 'span',
    sbo,
    learningRate: 0.001,
    seed,
    steps: 7,
    flops: 1,
    tokensSeen: 3e6,
    elapsedMs: 1,
    infilling: scores(loss, sbo ? loss + 1 : undefined),
  });
  const plan = { data: 'd', size: 'tiny' as const, length: 64, batch: 8, flops: 2e12 };
  const table = spanAblationTable(plan, [run(false, 1, 4), run(false, 2, 5), run(true, 1, 4)], scores(6));

  it('has one row for each masking with and without SBO, mean ± deviation over seeds, and a column left for QA', () => {
    expect(table).toContain(
      '| span | no | 0.001 | 2 | 7 | 3.0 | 4.500 ± 0.707 | – | 20.0 ± 0.0 | 10.0 ± 0.0 | 0.0 ± 0.0 | – | – | – | – | – | – | – |',
    );
    expect(table).toContain(
      '| span | yes | 0.001 | 1 | 7 | 3.0 | 4.000 | 5.000 | 20.0 | 10.0 | 0.0 | 10.0 | 0.0 | 0.0 | 30.0 | 10.0 | 0.0 | – |',
    );
    expect(table).toContain('| *word frequencies* | – | – | – | – | – | 6.000 | – |');
    expect(table).toContain('QA F1 |');
  });

  it('shows the F1 of question answering once it is there', () => {
    const answered = spanAblationTable(plan, [{ ...run(true, 1, 4), questionAnsweringF1: 0.713 }], scores(6));
    expect(answered).toContain('| 71.3 |');
  });
});

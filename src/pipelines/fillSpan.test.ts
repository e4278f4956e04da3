import { describe, expect, it } from 'vitest';
import { CheckpointError, DataError, SettingsError } from '../errors/errors.js';
import { inMemory } from '../files/storedValues.js';
import { evaluateGraph, float64Tensor } from '../interpreter/evaluate.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import { fillSpan, SPAN_JUDGES, type SpanJudge } from './fillSpan.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';

const config = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
const BOUNDARY: SpanBoundaryConfig = { maxSpanTargets: 4, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' };
const TEST = testModel('BertForMaskedLM', { config, spanBoundary: BOUNDARY });
const MODEL = TEST.graph;
const options = (spanBoundary = BOUNDARY) =>
  testModel('BertForMaskedLM', { config, spanBoundary }).model({ source: 'the test model' });

const { maskId, clsId, sepId } = TEST_TOKENIZER;
const id = (token: string) => TEST_TOKENIZER.tokens.indexOf(token);
const WEIGHTS = new Map(
  [...TEST.weights].map(([name, data]) => {
    const { shape } = MODEL.parameters.find((parameter) => parameter.name === name)!;
    return [name, float64Tensor(shape, inMemory(data))];
  }),
);

/** Log-probabilities of both heads straight from the graph: at a position, and of the place `offset` in a span. */
function direct(
  ids: readonly number[],
  { position, left, right, offset }: { position: number; left: number; right: number; offset: number },
) {
  const int32 = (data: readonly number[], shape = [data.length]) =>
    float64Tensor(shape, Int32Array.from(data), 'int32');
  const row = [1, ids.length];
  const { outputs } = evaluateGraph(
    MODEL.graph,
    new Map([
      ['inputIds', int32(ids, row)],
      ['tokenTypeIds', int32(Array(ids.length).fill(0), row)],
      ['attentionMask', int32(Array(ids.length).fill(1), row)],
      ['positionIds', int32([...ids.keys()])],
      ['positions', int32([position])],
      ['leftBoundaries', int32([left])],
      ['rightBoundaries', int32([right])],
      ['spanOffsets', int32([offset])],
    ]),
    WEIGHTS,
  );
  const log = (name: string) => {
    const logits = Array.from(outputs.get(name)!.data);
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return logits.map((logit) => logit - total);
  };
  return { mlm: log('logits'), sbo: log('boundaryLogits') };
}

/** the chef _ _ meal: every filling of the gap, scored token by token from the definitions. */
function allFillings(): { ids: number[]; mlm: number; sbo: number }[] {
  const row = [clsId, id('the'), id('chef'), maskId, maskId, id('meal'), sepId];
  const span = { left: 2, right: 5 };
  const allowed = [...TEST_TOKENIZER.tokens.keys()].filter((token) => !TEST_TOKENIZER.specialIds.has(token));
  const first = direct(row, { ...span, position: 3, offset: 0 });
  const second = direct(row, { ...span, position: 4, offset: 1 });
  return allowed
    .filter((a) => !TEST_TOKENIZER.isContinuation(a))
    .flatMap((a) => {
      const { mlm } = direct(row.with(3, a), { ...span, position: 4, offset: 1 });
      return allowed.map((b) => ({ ids: [a, b], mlm: first.mlm[a] + mlm[b], sbo: first.sbo[a] + second.sbo[b] }));
    });
}

const by: Readonly<Record<SpanJudge, (f: { mlm: number; sbo: number }) => number>> = {
  mlm: ({ mlm }) => mlm,
  sbo: ({ sbo }) => sbo,
  both: ({ mlm, sbo }) => (mlm + sbo) / 2,
};

describe('fillSpan', () => {
  const TEXT = 'the chef [MASK] [MASK] meal';

  it('finds the best fillings of a gap by each head and by both, each with all scores', async () => {
    const filler = await fillSpan(options());
    // Every beam is kept: there are 12 first pieces that begin a word.
    const { fillings, gap } = await filler.fill(TEXT, { topK: 15 });
    expect(TEXT.slice(gap.start, gap.end)).toBe('[MASK] [MASK]');
    expect(gap).toMatchObject({ minPieces: 2, maxPieces: 2 });
    const all = allFillings();
    for (const judge of SPAN_JUDGES) {
      const expected = [...all].sort((a, b) => by[judge](b) - by[judge](a)).slice(0, 15);
      const found = fillings[judge]!;
      expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
      found.forEach(({ scores, logProbabilities }, i) => {
        expect(logProbabilities.mlm).toBeCloseTo(expected[i].mlm, 4);
        expect(logProbabilities.sbo).toBeCloseTo(expected[i].sbo, 4);
        for (const name of SPAN_JUDGES) expect(scores[name]).toBeCloseTo(by[name](expected[i]) / 2, 4);
      });
    }
  });

  it('tries every length of a range and compares by the mean of a piece', async () => {
    const filler = await fillSpan(options());
    const range = await filler.fill('the chef [MASK] meal', { pieces: [1, 3], topK: 6 });
    expect(range.gap).toMatchObject({ minPieces: 1, maxPieces: 3 });
    for (const judge of SPAN_JUDGES) {
      const scores = range.fillings[judge]!.map((filling) => filling.scores[judge]!);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      const each = await Promise.all(
        [1, 2, 3].map((pieces) => filler.fill('the chef [MASK] meal', { pieces, topK: 6, by: [judge] })),
      );
      const best = each.flatMap(({ fillings }) => fillings[judge]!).sort((a, b) => b.scores[judge]! - a.scores[judge]!);
      expect(range.fillings[judge]!.map(({ ids }) => ids)).toEqual(best.slice(0, 6).map(({ ids }) => ids));
      for (const { ids, scores: found, logProbabilities } of range.fillings[judge]!) {
        expect(found.mlm).toBeCloseTo(logProbabilities.mlm / ids.length, 10);
      }
    }
  });

  it('writes the filling into the original text, and begins no gap inside a word', async () => {
    const filler = await fillSpan(options());
    const { fillings } = await filler.fill('The 🍕 Chef [MASK], ok', { pieces: [1, 3], topK: 20 });
    for (const { text, filling, tokens } of [...fillings.mlm!, ...fillings.sbo!]) {
      expect(text).toBe(`The 🍕 Chef ${filling}, ok`);
      expect(filling).toBe(tokens.join(' ').replaceAll(' ##', ''));
      expect(tokens[0]).not.toMatch(/^##/);
    }
  });

  it.each(['the[MASK]meal', '[MASK]meal', '(a[MASK][MASK])chef', 'good[MASK][MASK][MASK]'])(
    'writes text that encodes to the filling again where it stands beside other words: %s',
    async (text) => {
      const encoded = (of: string, addSpecialTokens = true) => [...TEST_TOKENIZER.encode(of, { addSpecialTokens }).ids];
      const filler = await fillSpan(options());
      const { fillings, gap } = await filler.fill(text, { topK: 20, by: ['mlm'] });
      const row = encoded(text);
      const first = row.indexOf(maskId);
      let written = 0;
      for (const { text: filled, filling, ids } of fillings.mlm!) {
        // None encodes to "cook ##ed" while there is a piece for the whole, or to "." with a piece that continues it.
        if (encoded(filling, false).join() !== ids.join()) continue;
        written++;
        expect(encoded(filled), filled).toEqual([...row.slice(0, first), ...ids, ...row.slice(first + gap.maxPieces)]);
      }
      expect(written).toBeGreaterThan(5);
    },
  );

  it('gives several texts what each gets alone', async () => {
    const filler = await fillSpan(options());
    const texts = ['the [MASK] meal', 'a good chef ate the [MASK] [MASK] [MASK] . the chef', 'the [MASK] [MASK] ate'];
    const together = await filler.fill(texts, { topK: 3 });
    for (const [i, text] of texts.entries()) {
      const alone = await filler.fill(text, { topK: 3 });
      for (const judge of SPAN_JUDGES) {
        expect(together[i].fillings[judge]!.map(({ ids }) => ids)).toEqual(
          alone.fillings[judge]!.map(({ ids }) => ids),
        );
        expect(together[i].fillings[judge]![0].scores[judge]).toBeCloseTo(alone.fillings[judge]![0].scores[judge]!, 4);
      }
    }
  });

  it('reads a text beyond the position limit around its gap', async () => {
    const filler = await fillSpan(options());
    const before = Array(50).fill('the').join(' ');
    const { fillings } = await filler.fill(`${before} [MASK] [MASK] ${before}`, { topK: 1 });
    // 22 tokens beside [CLS] and [SEP]: 10 before the gap, 10 after it.
    const near = Array(10).fill('the').join(' ');
    const window = await filler.fill(`${near} [MASK] [MASK] ${near}`, { topK: 1 });
    expect(fillings.both![0].scores.both).toBeCloseTo(window.fillings.both![0].scores.both!, 5);
    expect(fillings.both![0].text.startsWith(before)).toBe(true);
  });

  it('names what is wrong with the text or the gap, and what to do', async () => {
    const filler = await fillSpan(options());
    await expect(filler.fill('the chef ate')).rejects.toThrow(/has no \[MASK\]: "the chef ate".*Write \[MASK\]/);
    await expect(filler.fill('the [MASK] ate [MASK] meal')).rejects.toThrow(/has 2 gaps.*one gap after another/);
    await expect(filler.fill('the [MASK] ate', { pieces: 5 })).rejects.toThrow(
      'the span is 5 pieces long; the span boundary head has positions for 4',
    );
    await expect(filler.fill('[MASK] chef ate')).rejects.toThrow(/no text before the span.*--edge-spans special/);
    await expect(filler.fill('the chef [MASK]')).rejects.toThrow(/no text after the span/);
    for (const [wrong, message] of [
      [{ pieces: 0 }, /pieces is 0; expected whole numbers of at least 1/],
      [{ pieces: [3, 2] as const }, /pieces is 3 to 2/],
      [{ topK: 0 }, /topK is 0; expected 1 to 20/],
      [{ by: [] }, /by is empty; expected some of mlm, sbo, both/],
    ] as const) {
      await expect(filler.fill('the [MASK] ate', wrong)).rejects.toThrow(SettingsError);
      await expect(filler.fill('the [MASK] ate', wrong)).rejects.toThrow(message);
    }
  });

  it('asks the masked LM alone about edges and long gaps', async () => {
    const filler = await fillSpan(options());
    const { fillings } = await filler.fill('[MASK] chef', { pieces: 6, by: ['mlm'], topK: 2 });
    expect(Object.keys(fillings)).toEqual(['mlm']);
    expect(fillings.mlm![0].ids).toHaveLength(6);
    expect(fillings.mlm![0].scores.sbo).toBeUndefined();
  });

  it('takes [CLS] and [SEP] for boundaries where the model was trained so', async () => {
    const filler = await fillSpan(options({ ...BOUNDARY, edgeSpans: 'special' }));
    const { fillings } = await filler.fill('[MASK] meal', { topK: 1, by: ['sbo'] });
    const { sbo } = direct([clsId, maskId, id('meal'), sepId], { position: 1, left: 0, right: 2, offset: 0 });
    expect(fillings.sbo![0].logProbabilities.sbo).toBeCloseTo(sbo[fillings.sbo![0].ids[0]], 5);
  });

  it('needs a span boundary head, unless the masked LM is asked alone: then any masked LM will do', async () => {
    const filler = await fillSpan(testModel('ElectraForMaskedLM').model({ source: 'electra/generator' }));
    await expect(filler.fill('the [MASK] ate')).rejects.toThrow(CheckpointError);
    await expect(filler.fill('the [MASK] ate')).rejects.toThrow(
      /electra\/generator has no span boundary head.*ask the masked LM alone: by: \["mlm"\]/,
    );
    await expect(filler.scoreSpan('the chef ate', { start: 4, end: 8 })).rejects.toThrow(/no span boundary head/);
    const { fillings } = await filler.fill('the [MASK] ate', { by: ['mlm'], topK: 3 });
    expect(fillings.mlm).toHaveLength(3);
  });
});

describe('scoreSpan', () => {
  const TEXT = 'the chef cooked a meal';

  it('gives each piece its log-probability from the boundaries, and by the masked LM after those before it', async () => {
    const filler = await fillSpan(options());
    const score = await filler.scoreSpan(TEXT, { start: 9, end: 17 });
    expect(TEXT.slice(score.start, score.end)).toBe('cooked a');
    expect(score.tokens.map(({ token }) => token)).toEqual(['cook', '##ed', 'a']);
    expect(score.tokens.map(({ start, end }) => TEXT.slice(start, end))).toEqual(['cook', 'ed', 'a']);
    const span = [id('cook'), id('##ed'), id('a')];
    span.forEach((token, offset) => {
      const masked = [clsId, id('the'), id('chef'), maskId, maskId, maskId, id('meal'), sepId];
      const place = { position: 3 + offset, left: 2, right: 6, offset };
      expect(score.tokens[offset].sbo).toBeCloseTo(direct(masked, place).sbo[token], 4);
      for (let before = 0; before < offset; before++) masked[3 + before] = span[before];
      expect(score.tokens[offset].mlm).toBeCloseTo(direct(masked, place).mlm[token], 4);
    });
    const mean = (head: 'sbo' | 'mlm') => score.tokens.reduce((sum, token) => sum + token[head], 0) / 3;
    expect(score.scores.mlm).toBeCloseTo(mean('mlm'), 10);
    expect(score.scores.sbo).toBeCloseTo(mean('sbo'), 10);
    expect(score.scores.both).toBeCloseTo((mean('mlm') + mean('sbo')) / 2, 10);
  });

  it('agrees with fill about every filling', async () => {
    const filler = await fillSpan(options());
    const { fillings, gap } = await filler.fill('the chef [MASK] [MASK] meal', { topK: 5 });
    let compared = 0;
    for (const { text, filling, ids, scores } of fillings.both!) {
      const score = await filler.scoreSpan(text, { start: gap.start, end: gap.start + filling.length });
      // Written out, a filling may be tokenized otherwise.
      if (score.tokens.map((token) => token.id).join() !== ids.join()) continue;
      for (const judge of SPAN_JUDGES) expect(score.scores[judge]).toBeCloseTo(scores[judge]!, 4);
      compared++;
    }
    expect(compared).toBeGreaterThan(2);
  });

  it('widens a span to the pieces that it touches', async () => {
    const filler = await fillSpan(options());
    const { start, end } = await filler.scoreSpan(TEXT, { start: 10, end: 14 });
    expect(TEXT.slice(start, end)).toBe('cooked');
  });

  it('refuses a span that is none, is too long, or has nothing beside it', async () => {
    const filler = await fillSpan(options());
    for (const [start, end] of [
      [5, 5],
      [-1, 3],
      [0, 99],
      [1.5, 3],
    ]) {
      await expect(filler.scoreSpan(TEXT, { start, end })).rejects.toThrow(SettingsError);
    }
    await expect(filler.scoreSpan(TEXT, { start: 3, end: 4 })).rejects.toThrow(DataError);
    await expect(filler.scoreSpan(TEXT, { start: 3, end: 4 })).rejects.toThrow('the span 3 to 4 holds no token: " "');
    await expect(filler.scoreSpan(TEXT, { start: 0, end: 3 })).rejects.toThrow(/no text before the span/);
    await expect(filler.scoreSpan(`a ${TEXT} .`, { start: 2, end: 24 })).rejects.toThrow(/6 pieces.*positions for 4/);
  });
});

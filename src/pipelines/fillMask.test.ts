import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { inMemory } from '../files/storedValues.js';
import { evaluateGraph, float64Tensor } from '../interpreter/evaluate.js';
import { fillMask } from './fillMask.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';

const TEST = testModel('ElectraForMaskedLM');
const MODEL = TEST.graph;

/** log p(token at position | row), straight from the graph. */
function direct(ids: readonly number[], position: number): number[] {
  const length = ids.length;
  const int32 = (shape: number[], data: number[]) => float64Tensor(shape, Int32Array.from(data), 'int32');
  const shapes = new Map(MODEL.parameters.map(({ name, shape }) => [name, shape]));
  const { outputs } = evaluateGraph(
    MODEL.graph,
    new Map([
      ['inputIds', int32([1, length], [...ids])],
      [
        'tokenTypeIds',
        int32(
          [1, length],
          ids.map(() => 0),
        ),
      ],
      [
        'attentionMask',
        int32(
          [1, length],
          ids.map(() => 1),
        ),
      ],
      ['positionIds', int32([length], [...ids.keys()])],
      ['positions', int32([1], [position])],
    ]),
    new Map([...TEST.weights].map(([name, data]) => [name, float64Tensor(shapes.get(name)!, inMemory(data))])),
  );
  const logits = Array.from(outputs.get('logits')!.data);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
}

const isSpecial = (id: number) => TEST_TOKENIZER.specialIds.has(id);
const ids = (text: string) => [...TEST_TOKENIZER.encode(text).ids];

describe('fillMask', () => {
  it('lists the most probable tokens of the graph, special tokens left out', async () => {
    const filler = await fillMask(TEST.model());
    const text = 'the chef [MASK] the meal';
    const { masks } = await filler.fill(text, { topK: 4 });
    const expected = direct(ids(text), 3)
      .map((logProbability, id) => ({ id, score: Math.exp(logProbability) }))
      .filter(({ id }) => !isSpecial(id))
      .sort((a, b) => b.score - a.score)
      .slice(0, 4);
    expect(masks).toHaveLength(1);
    expect(text.slice(masks[0].start, masks[0].end)).toBe('[MASK]');
    expect(masks[0].candidates.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    for (const [i, { score, token, id }] of masks[0].candidates.entries()) {
      expect(score).toBeCloseTo(expected[i].score, 5);
      expect(token).toBe(TEST_TOKENIZER.idToToken(id));
    }
  });

  it('gives one mask its candidates again as fillings', async () => {
    const filler = await fillMask(TEST.model());
    const { masks, fillings } = await filler.fill('the [MASK] ate', { topK: 3 });
    expect(fillings.map(({ ids: [id] }) => id)).toEqual(masks[0].candidates.map(({ id }) => id));
    for (const [i, { logProbability }] of fillings.entries()) {
      expect(Math.exp(logProbability)).toBeCloseTo(masks[0].candidates[i].score, 5);
    }
  });

  it('finds the best joint filling of two masks when the beam holds everything', async () => {
    const filler = await fillMask(TEST.model());
    const text = 'the [MASK] ate [MASK] meal';
    const [first, second] = [2, 4];
    const row = ids(text);
    const { fillings } = await filler.fill(text, { topK: TEST_TOKENIZER.vocabSize });
    // The surer mask is filled first: p(a, b) = p(a) · p(b | a), over all fillings.
    const allowed = [...TEST_TOKENIZER.tokens.keys()].filter((id) => !isSpecial(id));
    const best = (position: number) => Math.max(...allowed.map((id) => direct(row, position)[id]));
    const order = best(first) >= best(second) ? [first, second] : [second, first];
    const alone = direct(row, order[0]);
    const joint = allowed.flatMap((a) => {
      const filled = row.with(order[0], a);
      const conditional = direct(filled, order[1]);
      return allowed.map((b) => ({ row: filled.with(order[1], b), logProbability: alone[a] + conditional[b] }));
    });
    joint.sort((a, b) => b.logProbability - a.logProbability);
    for (let i = 0; i < 5; i++) {
      expect(fillings[i].logProbability).toBeCloseTo(joint[i].logProbability, 4);
      expect(fillings[i].ids).toEqual([joint[i].row[first], joint[i].row[second]]);
    }
  });

  it('writes the tokens into the original text, pieces joined to the word before them', async () => {
    const filler = await fillMask(TEST.model());
    const { fillings } = await filler.fill('The 🍕 Chef [MASK], ok', { topK: 15 });
    for (const { text, tokens } of fillings) {
      const [token] = tokens;
      expect(text).toBe(token.startsWith('##') ? `The 🍕 Chef${token.slice(2)}, ok` : `The 🍕 Chef ${token}, ok`);
    }
    expect(fillings.some(({ tokens }) => tokens[0].startsWith('##'))).toBe(true);
  });

  it('gives several texts what each gets alone', async () => {
    const filler = await fillMask(TEST.model());
    const texts = ['[MASK]', 'the chef [MASK] the good good meal', '[MASK] ate [MASK]'];
    const together = await filler.fill(texts, { topK: 2 });
    for (const [i, text] of texts.entries()) {
      const alone = await filler.fill(text, { topK: 2 });
      expect(together[i].fillings.map(({ ids: filled }) => filled)).toEqual(
        alone.fillings.map(({ ids: filled }) => filled),
      );
      expect(together[i].fillings[0].logProbability).toBeCloseTo(alone.fillings[0].logProbability, 5);
    }
  });

  it('reads a text beyond the position limit around its masks', async () => {
    const filler = await fillMask(TEST.model());
    const before = Array(50).fill('the').join(' ');
    const text = `${before} [MASK] ${before}`;
    const { masks, fillings } = await filler.fill(text, { topK: 1 });
    // 22 tokens beside [CLS] and [SEP]: 10 before the mask, 11 after it.
    const window = [...ids('the'.concat(' the'.repeat(9), ' [MASK]', ' the'.repeat(11)))];
    expect(window).toHaveLength(TEST_CONFIG.maxPositionEmbeddings);
    const expected = direct(window, 11);
    expect(masks[0].candidates[0].score).toBeCloseTo(Math.exp(expected[masks[0].candidates[0].id]), 5);
    expect(fillings[0].text.startsWith(before)).toBe(true);
    expect(fillings[0].text.endsWith(before)).toBe(true);
    await expect(filler.fill(`[MASK] ${before} [MASK]`)).rejects.toThrow(/52 tokens apart; the model takes 22/);
  });

  it('says what to write when there is no mask, and what topK may be', async () => {
    const filler = await fillMask(TEST.model());
    await expect(filler.fill('')).rejects.toThrow(DataError);
    await expect(filler.fill('the chef ate')).rejects.toThrow(/has no \[MASK\]: "the chef ate".*Write \[MASK\]/);
    await expect(filler.fill('[MASK]', { topK: 0 })).rejects.toThrow(SettingsError);
    await expect(filler.fill('[MASK]', { topK: 21 })).rejects.toThrow(/expected 1 to 20/);
  });
});

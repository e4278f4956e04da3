import { describe, expect, it } from 'vitest';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { inMemory } from '../files/storedValues.js';
import { evaluateGraph, float64Tensor } from '../interpreter/evaluate.js';
import { replacedTokenDetection } from './replacedTokenDetection.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';
import { textWindows } from './windows.js';

const TEST = testModel('ElectraForPreTraining');
const MODEL = TEST.graph;

/** Probabilities of one unpadded row, straight from the graph. */
function direct(ids: Int32Array): number[] {
  const { weights } = TEST;
  const int32 = (shape: number[], data: Int32Array) => float64Tensor(shape, data, 'int32');
  const length = ids.length;
  const shapes = new Map(MODEL.parameters.map(({ name, shape }) => [name, shape]));
  const { outputs } = evaluateGraph(
    MODEL.graph,
    new Map([
      ['inputIds', int32([1, length], ids)],
      ['tokenTypeIds', int32([1, length], new Int32Array(length))],
      ['attentionMask', int32([1, length], new Int32Array(length).fill(1))],
      [
        'positionIds',
        int32(
          [length],
          Int32Array.from({ length }, (_, i) => i),
        ),
      ],
    ]),
    new Map([...weights].map(([name, data]) => [name, float64Tensor(shapes.get(name)!, inMemory(data))])),
  );
  return Array.from(outputs.get('logits')!.data, (logit) => 1 / (1 + Math.exp(-logit)));
}

describe('replacedTokenDetection', () => {
  it('gives the probabilities of the graph, in a padded batch as alone', async () => {
    const detector = await replacedTokenDetection(TEST.model({ batchSize: 3 }));
    const texts = ['The chef cooked the meal.', 'a meal', 'the chef ate a good good good meal .', 'ate'];
    const results = await detector.detect(texts);
    for (const [i, text] of texts.entries()) {
      const expected = direct(TEST_TOKENIZER.encode(text).ids).slice(1, -1);
      expect(results[i].map(({ replaced }) => replaced)).toHaveLength(expected.length);
      for (const [j, { replaced }] of results[i].entries()) expect(replaced).toBeCloseTo(expected[j], 5);
    }
    const spread = results.flat().map(({ replaced }) => replaced);
    expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(0.01);
  });

  it('counts characters in UTF-16 units of the original, through emoji and decomposed Hangul', async () => {
    const detector = await replacedTokenDetection(TEST.model());
    const text = `the 🍕🍕 Chef ${'한국어'.normalize('NFD')} ate`;
    const tokens = await detector.detect(text);
    const parts = tokens.map(({ token, start, end }) => [token, text.slice(start, end).normalize('NFC')]);
    expect(parts).toEqual([
      ['the', 'the'],
      ['[UNK]', '🍕🍕'],
      ['chef', 'Chef'],
      ['한국어', '한국어'],
      ['ate', 'ate'],
    ]);
  });

  it('finds no token in an empty text, also among others', async () => {
    const detector = await replacedTokenDetection(TEST.model());
    expect(await detector.detect('')).toEqual([]);
    const [first, second, third] = await detector.detect(['', 'ate', ' \n']);
    expect([first.length, second.length, third.length]).toEqual([0, 1, 0]);
    expect(await detector.detect([])).toEqual([]);
  });

  it('reads a text beyond the position limit in windows, every token once', async () => {
    const detector = await replacedTokenDetection(TEST.model());
    const words = Array.from(
      { length: 100 },
      (_, i) => ['the', 'chef', 'ate', 'a', 'good', 'meal'][(i * 5 + (i >> 3)) % 6],
    );
    const text = words.join(' ');
    const tokens = await detector.detect(text);
    expect(tokens.map(({ token }) => token)).toEqual(words);
    expect(tokens.map(({ start, end }) => text.slice(start, end))).toEqual(words);
    // 22 tokens beside [CLS] and [SEP], 5 shared: the second window begins at word 17; its words from 19 on count.
    const second = direct(TEST_TOKENIZER.encode(words.slice(17, 39).join(' ')).ids);
    expect(tokens[25].replaced).toBeCloseTo(second[1 + 25 - 17], 5);
  });

  it('shares every overlap between two windows at its middle', () => {
    for (const maxLength of [3, 4, 6, 11, 24]) {
      for (const count of [0, 1, 2, 5, 22, 23, 60]) {
        const text = Array(count).fill('ate').join(' ');
        const windows = textWindows(TEST_TOKENIZER, text, maxLength);
        const starts = windows.flatMap(({ encoding, keepFrom, keepTo }) =>
          Array.from({ length: keepTo - keepFrom }, (_, i) => encoding.offsets[2 * (keepFrom + i)]),
        );
        expect(starts, `${count} words, maxLength ${maxLength}`).toEqual(
          Array.from({ length: count }, (_, i) => 4 * i),
        );
      }
    }
  });

  it('refuses weights that do not fit, naming them', async () => {
    const tensors = new Map(TEST.model().tensors);
    tensors.delete('discriminator_predictions.dense.bias');
    tensors.set('electra.embeddings.LayerNorm.weight', { shape: [5], data: new Float32Array(5) });
    const loading = replacedTokenDetection(TEST.model({ tensors, source: 'some/folder' }));
    await expect(loading).rejects.toThrow(CheckpointError);
    await expect(loading).rejects.toThrow(
      /some\/folder: electra\.embeddings\.LayerNorm\.weight has 5 values, its config needs \[8\]; .*dense\.bias is missing/,
    );
  });

  it('refuses a tokenizer that is larger than the model, and a maxLength beyond its positions', async () => {
    const small = { ...TEST_CONFIG, vocabSize: 10 };
    expect(() => testModel('ElectraForPreTraining', { config: small }).model()).toThrow(/20 tokens, the model 10/);
    expect(() => TEST.model({ maxLength: 25, batchSize: 0 })).toThrow(SettingsError);
  });
});

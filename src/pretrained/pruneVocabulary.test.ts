import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import type { Architecture } from '../models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../pipelines/testModels.js';
import { fromPretrained, loadPretrained } from './pretrained.node.js';
import { pruneModel } from './pruneModel.node.js';
import { keptIds, prunedTokenizer } from './pruneVocabulary.js';

const temporary = temporaryFolder('prune');
const at = (...names: string[]) => join(temporary.path, ...names);
afterAll(temporary.remove);

async function save(folder: string, architecture: Architecture) {
  const { graph, weights } = testModel(architecture);
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  await saveModelFolder(folder, { architecture, config: TEST_CONFIG, tensors, tokenizer: TEST_TOKENIZER });
}

describe('a smaller vocabulary', () => {
  it('keeps special tokens, single characters and what the text needs, in the order of the ids', () => {
    const counts = new Float64Array(TEST_TOKENIZER.vocabSize);
    for (const id of TEST_TOKENIZER.encodeIds('the chef ate . the')) counts[id]++;
    const kept = keptIds(TEST_TOKENIZER, counts).map((id) => TEST_TOKENIZER.idToToken(id));
    expect(kept).toEqual([
      '[PAD]',
      '[UNK]',
      '[CLS]',
      '[SEP]',
      '[MASK]',
      'the',
      'chef',
      'ate',
      'a',
      '.',
      '##어',
      'e',
      '##s',
    ]);
    const most = keptIds(TEST_TOKENIZER, counts, 11).map((id) => TEST_TOKENIZER.idToToken(id));
    expect(most).toContain('the');
    expect(most).not.toContain('ate');
    expect(() => keptIds(TEST_TOKENIZER, counts, 5)).toThrow('expected 10 and more');
    const smaller = prunedTokenizer(TEST_TOKENIZER, keptIds(TEST_TOKENIZER, counts));
    expect(smaller.encode('the chef ate a meal').tokens).toEqual([
      '[CLS]',
      'the',
      'chef',
      'ate',
      'a',
      '[UNK]',
      '[SEP]',
    ]);
  });

  it('gives the same outputs for text whose pieces all stay, of both halves of a pair', async () => {
    await save(at('pair/discriminator'), 'ElectraForPreTraining');
    await save(at('pair/generator'), 'ElectraForMaskedLM');
    const texts = Array.from({ length: 40 }, () => 'the chef ate a good meal .');
    const { pieces, piecesBefore, loss, models } = await pruneModel(at('pair'), at('small'), { texts, length: 12 });
    expect([piecesBefore, pieces, models.length]).toEqual([20, 15, 2]);
    expect(loss).toMatchObject({ texts: 2, newUnknown: 0 });
    expect(loss.tokensAfter).toBe(loss.tokensBefore);
    expect(loss.largestDistance).toBeLessThan(1e-9);
    const outputs = async (place: string) => {
      await using model = await fromPretrained(place, { half: 'discriminator', engine: 'onnxruntime' });
      const { logits } = await model.run(model.tokenizer!(['the chef ate']));
      return [...logits!.data];
    };
    const [before, after] = [await outputs(at('pair')), await outputs(at('small'))];
    after.forEach((value, i) => expect(value).toBeCloseTo(Number(before[i]), 5));
    const { tensors, model } = await loadPretrained(at('small'), { half: 'generator' });
    expect(tensors.get('generator_lm_head.bias')!.shape).toEqual([15]);
    expect(model.config).toMatchObject({ vocabSize: 15, maxPositionEmbeddings: 12 });
    await expect(pruneModel(at('pair'), at('none'), { texts: ['the chef'] })).rejects.toThrow('too few to prune by');
  });
});

import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { fillMask } from './fillMask.js';
import { fillSpan } from './fillSpan.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';
import { textCorruption } from './textCorruption.js';

/** Rows beyond the vocabulary, each with a bias that makes it the most probable. */
const ROWS = TEST_TOKENIZER.vocabSize + 4;
const config = { ...TEST_CONFIG, vocabSize: ROWS };
const bert = { ...config, embeddingSize: config.hiddenSize };
const spanBoundary = { maxSpanTargets: 4, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;

/** Biases of the output that make those rows likely. */
function likely(name: string, random: Float32Array): Float32Array {
  const isBias = /^(generator_lm_head|cls\.predictions|sbo)\.bias$/.test(name);
  return isBias ? random.fill(40, TEST_TOKENIZER.vocabSize) : random;
}
const generator = () => testModel('ElectraForMaskedLM', { config }, likely).model();
const spanBert = () => testModel('BertForMaskedLM', { config: bert, spanBoundary }, likely).model();

const words = TEST_TOKENIZER.tokens.filter((_, id) => !TEST_TOKENIZER.specialIds.has(id));

describe('rows of the word table beyond the vocabulary', () => {
  it('are no candidates of a mask, though they keep their share of probability', async () => {
    const filler = await fillMask(generator());
    const { masks, fillings } = await filler.fill('the [MASK] ate [MASK]', { topK: TEST_TOKENIZER.vocabSize });
    for (const { candidates } of masks) {
      expect(candidates.map(({ token }) => token).sort()).toEqual([...words].sort());
      expect(candidates.reduce((sum, { score }) => sum + score, 0)).toBeLessThan(1e-6);
    }
    for (const { ids } of fillings) expect(ids.every((id) => id < TEST_TOKENIZER.vocabSize)).toBe(true);
  });

  it('stand in no gap, by neither head', async () => {
    const filler = await fillSpan(spanBert());
    const { fillings } = await filler.fill('the chef [MASK] [MASK] meal', { topK: 20 });
    for (const found of Object.values(fillings)) {
      expect(found).toHaveLength(20);
      for (const { ids } of found) expect(ids.every((id) => id < TEST_TOKENIZER.vocabSize)).toBe(true);
    }
    const { tokens } = await filler.scoreSpan('the good chef ate', { start: 4, end: 8 });
    expect(tokens.map(({ token }) => token)).toEqual(['good']);
  });

  it('are drawn into no text', async () => {
    const corrupter = await textCorruption(generator());
    for (let seed = 0; seed < 10; seed++) {
      const { replacements } = await corrupter.corrupt('the chef ate a good meal', { fraction: 1, seed });
      for (const { replacement } of replacements) expect(words).toContain(replacement);
    }
  });
});

describe('a blank line of the vocabulary', () => {
  it('is no candidate either', async () => {
    // One blank line: several are for the tokenizer to take.
    const tokens = TEST_TOKENIZER.tokens.map((token) => (token === 'good' ? '' : token));
    const tokenizer = WordPieceTokenizer.fromVocabulary(tokens);
    const filler = await fillMask(testModel('ElectraForMaskedLM').model({ tokenizer }));
    const { masks } = await filler.fill('the [MASK] ate', { topK: tokens.length });
    const found = masks[0].candidates.map(({ token }) => token);
    expect(found.sort()).toEqual(words.filter((word) => word !== 'good').sort());
  });
});

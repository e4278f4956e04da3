/** Rows of mixed lengths without their padding: the same results, of every class of model and on every engine. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../engine/engine.js';
import { ENGINES } from '../engine/testEngines.js';
import type { Architecture } from '../models/config.js';
import { MODEL_CLASSES } from '../models/heads.js';
import { TEST_CONFIG, testModel } from '../pipelines/testModels.js';
import type { ModelRow, OutputName, RowOutputs } from './model.js';
import { packingFeeds, roundedBatch } from './rowBatches.js';

const row = (length: number): ModelRow => ({ ids: Array.from({ length }, (_, i) => 2 + ((5 * i + length) % 16)) });
const ROWS = [3, 9, 4, 17, 4, 11].map(row);
const OUTPUTS: readonly OutputName[] = ['lastHiddenState', 'logits', 'startLogits', 'endLogits', 'poolerOutput'];

async function rowsOf(architecture: Architecture, options: { skipPadding: boolean; engine?: Engine }) {
  // BERT has no projection of its embeddings.
  const isBert = MODEL_CLASSES[architecture].family === 'bert';
  const config = isBert ? { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize } : TEST_CONFIG;
  const model = testModel(architecture, { config }).model(options);
  const found: RowOutputs[] = [];
  await model.forEachRow(ROWS, { outputs: OUTPUTS }, (index, outputs) => {
    found[index] = outputs;
  });
  return found;
}

function largestDifference(some: readonly RowOutputs[], others: readonly RowOutputs[]): number {
  let largest = 0;
  for (const [i, outputs] of some.entries()) {
    expect(Object.keys(others[i])).toEqual(Object.keys(outputs));
    for (const [name, values] of Object.entries(outputs)) {
      expect(others[i][name]).toHaveLength(values.length);
      for (const [k, value] of values.entries()) largest = Math.max(largest, Math.abs(value - others[i][name][k]));
    }
  }
  return largest;
}

describe('rows without their padding', () => {
  it.each(Object.keys(MODEL_CLASSES) as Architecture[])('%s gives the same', async (architecture) => {
    const usual = await rowsOf(architecture, { skipPadding: false });
    const packed = await rowsOf(architecture, { skipPadding: true });
    expect(usual.some((outputs) => Object.keys(outputs).length > 0)).toBe(true);
    expect(largestDifference(usual, packed)).toBeLessThan(1e-6);
  });

  it.each(ENGINES)('%s gives the same', async (_, create) => {
    const engine = await create();
    try {
      const usual = await rowsOf('ElectraModel', { skipPadding: false, engine });
      const packed = await rowsOf('ElectraModel', { skipPadding: true, engine });
      expect(largestDifference(usual, packed)).toBeLessThan(engine.precision === 'bf16' ? 0.05 : 1e-5);
    } finally {
      await engine.close();
    }
  });

  it('run gives outputs of the sizes that were asked for', async () => {
    const model = testModel('ElectraModel').model({ skipPadding: true });
    const { lastHiddenState } = await model.run({ inputIds: ROWS.map(({ ids }) => Array.from(ids)) });
    expect(lastHiddenState!.shape).toEqual([6, 17, 16]);
  });

  it('each token has a place, and each place its token', () => {
    const rows = [row(2), row(3)];
    const { places, tokens } = packingFeeds(rows, { rows: [0, 1], length: 3 });
    expect([...places.data]).toEqual([0, 1, 3, 4, 5]);
    expect([...tokens.data]).toEqual([0, 1, 0, 2, 3, 4]);
  });

  it('rounds sizes up to few, never beyond the positions that there are, and leaves a row alone its own', () => {
    const batch = { rows: [0, 1, 2, 3, 4, 5], length: 17 };
    expect(roundedBatch(ROWS, batch, 22)).toEqual({ ...batch, length: 22, size: 8, numTokens: 64 });
    expect(roundedBatch(ROWS, { rows: [3], length: 17 }, 24)).toEqual({ rows: [3], length: 17 });
  });
});

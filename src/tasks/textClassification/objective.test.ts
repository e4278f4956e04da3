/** Losses of the problem types by the reference interpreter, held against their definitions. */
import { describe, expect, it } from 'vitest';
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { createInterpreterEngine } from '../../engine/interpreterEngine.js';
import { TEST_CONFIG, testModel } from '../../pipelines/testModels.js';
import { batchOfRows } from './batches.js';
import { balancedWeights } from './classWeights.js';
import { classificationObjective } from './objective.js';

const ROWS = [
  [2, 5, 6, 3],
  [2, 7, 3],
  [2, 8, 9, 10, 3],
];

/** Logits, loss and what it is over, of three rows and random weights. */
async function lossOf(change: Partial<ModelDescription>, targets: number[][], weights = [1, 1, 1]) {
  const model = { architecture: 'ElectraForSequenceClassification', config: TEST_CONFIG, ...change } as const;
  const [phase] = classificationObjective(model, { layerRateDecay: 1 }).phases;
  const rows = ROWS.map((ids, row) => {
    return {
      ids: Int32Array.from(ids),
      typeIds: new Int32Array(ids.length),
      targets: targets[row],
      weight: weights[row],
    };
  });
  const batch = batchOfRows(rows, 0);
  const random = testModel(model.architecture, model).weights;
  const options = { label: 'loss', weights: random };
  const program = await createInterpreterEngine().compile(phase.evaluationGraph(), options);
  const outputs = await program.run(phase.feeds(batch, { seed: 0, step: 0, firstRow: 0 }));
  return {
    logits: Array.from(outputs.logits.data),
    sum: outputs.labelLossSum.data[0],
    correct: outputs.labelCorrect?.data[0],
    count: phase.counts(batch).label,
  };
}

describe('the loss', () => {
  it('of one label is the cross entropy, each row by its weight', async () => {
    const weights = [0.5, 2, 1];
    const { logits, sum, count, correct } = await lossOf({ labels: ['a', 'b', 'c'] }, [[0], [2], [1]], weights);
    const rows = [0, 1, 2].map((row) => logits.slice(3 * row, 3 * row + 3));
    const terms = rows.map((z, row) => Math.log(z.reduce((s, x) => s + Math.exp(x), 0)) - z[[0, 2, 1][row]]);
    expect(sum).toBeCloseTo(0.5 * terms[0] + 2 * terms[1] + terms[2], 5);
    expect(count).toBe(3.5);
    const hits = rows.map((z, row) => (z[[0, 2, 1][row]] === Math.max(...z) ? weights[row] : 0));
    expect(correct).toBeCloseTo(
      hits.reduce((a, b) => a + b),
      6,
    );
  });

  it('of several labels is the binary cross entropy of each, over rows and labels', async () => {
    const targets = [
      [1, 0],
      [0, 0],
      [1, 1],
    ];
    const otherFields = { problem_type: 'multi_label_classification' };
    const { logits, sum, count } = await lossOf({ labels: ['a', 'b'], otherFields }, targets);
    const wanted = targets.flat().reduce((total, y, i) => {
      const p = 1 / (1 + Math.exp(-logits[i]));
      return total - y * Math.log(p) - (1 - y) * Math.log(1 - p);
    }, 0);
    expect(sum).toBeCloseTo(wanted, 5);
    expect(count).toBe(6);
  });

  it('of numbers is the squared error', async () => {
    const targets = [[2.5], [-1], [0.25]];
    const { logits, sum, count } = await lossOf(
      { labels: ['x'], otherFields: { problem_type: 'regression' } },
      targets,
    );
    expect(logits).toHaveLength(3);
    expect(sum).toBeCloseTo(
      targets.flat().reduce((total, y, i) => total + (logits[i] - y) ** 2, 0),
      4,
    );
    expect(count).toBe(3);
  });

  it('weighs rare labels as much as frequent ones', () => {
    const texts = ['a', 'a', 'a', 'b'].map((label) => ({ text: 'x', label, place: '' }));
    expect(balancedWeights(texts, ['a', 'b', 'c'])).toEqual([4 / 9, 4 / 3, 1]);
    expect(balancedWeights(texts, ['a', 'b'])).toEqual([2 / 3, 2]); // 3 · 2/3 = 1 · 2
  });
});

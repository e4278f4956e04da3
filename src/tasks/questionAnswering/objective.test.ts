/** The loss of start and end, by its definition and by the logits that a model in use gives. */
import { describe, expect, it } from 'vitest';
import { createInterpreterEngine } from '../../engine/interpreterEngine.js';
import { TEST_CONFIG, testModel } from '../../pipelines/testModels.js';
import { Model } from '../../pretrained/model.js';
import type { LearnedRow } from './encodedQuestions.js';
import { batchOfQuestions, questionObjective } from './objective.js';

const ARCHITECTURE = 'ElectraForQuestionAnswering';
const DESCRIPTION = { architecture: ARCHITECTURE, config: TEST_CONFIG } as const;

const row = (length: number, startPosition: number, endPosition: number): LearnedRow => ({
  ids: Int32Array.from({ length }, (_, i) => 5 + ((3 * i + length) % 15)),
  typeIds: Int32Array.from({ length }, (_, i) => (i > 3 ? 1 : 0)),
  startPosition,
  endPosition,
});
const ROWS = [row(6, 4, 5), row(11, 0, 0), row(17, 12, 12)];

/** −log softmax(logits)[label] */
function crossEntropy(logits: ArrayLike<number>, label: number): number {
  const sum = Array.from(logits).reduce((total, z) => total + Math.exp(z), 0);
  return Math.log(sum) - logits[label];
}

describe('the objective of question answering', () => {
  it('is the mean of the cross entropies of start and end over the tokens of a row, whatever it is padded beside', async () => {
    const { graph, weights } = testModel(ARCHITECTURE, { config: TEST_CONFIG });
    const engine = createInterpreterEngine();
    const objective = questionObjective(DESCRIPTION, { layerRateDecay: 1 });
    const [phase] = objective.phases;
    const program = await engine.compile(phase.evaluationGraph(), { label: 'loss', weights });
    const sums = async (rows: readonly LearnedRow[]) => {
      const batch = batchOfQuestions(rows, TEST_CONFIG.padTokenId);
      const outputs = await program.run(phase.feeds(batch, { seed: 0, step: 0, firstRow: 0 }));
      return [outputs.startLossSum.data[0], outputs.endLossSum.data[0]];
    };
    const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
    const model = new Model({ description: DESCRIPTION, tensors, engine });
    const expected = [0, 0];
    await model.forEachRow(ROWS, { outputs: ['startLogits', 'endLogits'] }, (index, { startLogits, endLogits }) => {
      expected[0] += crossEntropy(startLogits, ROWS[index].startPosition);
      expected[1] += crossEntropy(endLogits, ROWS[index].endPosition);
    });
    const together = await sums(ROWS);
    const alone = await Promise.all(ROWS.map((each) => sums([each])));
    expect(expected.every((sum) => sum > 1)).toBe(true);
    for (const side of [0, 1]) {
      expect(together[side]).toBeCloseTo(expected[side], 4);
      expect(alone.reduce((total, own) => total + own[side], 0)).toBeCloseTo(expected[side], 4);
    }
    const named: Record<string, number> = { startLossSum: together[0], endLossSum: together[1] };
    const { totalLoss } = objective.metrics({ sum: (name) => named[name], count: () => ROWS.length, tokens: 34 });
    expect(totalLoss).toBeCloseTo((expected[0] + expected[1]) / 2 / ROWS.length, 5);
  });
});

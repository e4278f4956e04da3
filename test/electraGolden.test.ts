/** The whole joint step held against PyTorch + transformers: test/golden/README.md says how the numbers were made. */

import { describe, expect, it } from 'vitest';
import { createTestObjective, type TestName } from '../src/pretraining/testConfig.js';
import type { LossCounts } from '../src/training/objective.js';
import { GOLDEN_NAMES, type Golden, readGolden, relativeError } from './goldenFiles.js';
import { interpret, type Result } from './goldenRuns.js';

function run(golden: Golden, objectiveName: TestName): { training: Result; evaluation: Result; counts: LossCounts } {
  const objective = createTestObjective(golden.config(objectiveName));
  const [phase] = objective.phases;
  const training = phase.trainingGraph({ accumulate: false });
  const evaluation = phase.evaluationGraph();
  const counts = phase.counts(golden.batch);
  const feeds = phase.feeds(golden.batch, { seed: 0, step: 0, firstRow: 0 }, counts);
  feeds.uniforms = { ...feeds.uniforms, data: golden.uniforms };
  return {
    training: interpret(training, golden.tensors, feeds),
    evaluation: interpret(evaluation, golden.tensors, feeds),
    counts,
  };
}

function meanLosses({ training, counts }: ReturnType<typeof run>): { mlm: number; disc: number } {
  const sum = (name: string) => training.outputs.get(name)?.[0] ?? Number.NaN;
  return { mlm: sum('mlmLossSum') / counts.mlm!, disc: sum('discLossSum') / counts.disc! };
}

// Stored as float32, so about 1e-7 is the best that can be asked.
const ROUNDING = 1e-6;

describe.each(GOLDEN_NAMES)('%s', (name) => {
  const golden = readGolden(name);
  const { losses } = golden.json;

  it('joint step: losses, proposals, labels, logits and every gradient', () => {
    const result = run(golden, 'electra');
    const { mlm, disc } = meanLosses(result);
    expect(mlm).toBeCloseTo(losses.electra.mlmLoss, 6);
    expect(disc).toBeCloseTo(losses.electra.discLoss, 6);

    const isReplaced = result.evaluation.outputs.get('isReplaced')!;
    expect([...(isReplaced as Float64Array)]).toEqual([...golden.tensors.get('is_replaced')!.data]);
    const real = golden.batch.attentionMask;
    const logits = (values: ArrayLike<number>) => Array.from(real, (token, i) => token * values[i]);
    const discLogits = logits(result.evaluation.outputs.get('discLogits')!);
    expect(relativeError(discLogits, logits(golden.tensors.get('disc_logits')!.data))).toBeLessThan(ROUNDING);

    const expected = [...golden.tensors.keys()].filter((key) => key.startsWith('gradient.'));
    expect([...result.training.updates.keys()].map((key) => key.replace('gradient:', 'gradient.')).sort()).toEqual(
      expected.sort(),
    );
    for (const key of expected) {
      const gradient = result.training.updates.get(key.replace('gradient.', 'gradient:'))!;
      expect(relativeError(gradient, golden.tensors.get(key)!.data), key).toBeLessThan(ROUNDING);
    }
  });

  const comparisons = [
    ['electra-15', 'gradientElectra15.', 'discLoss'],
    ['replace-mlm', 'gradientReplaceMlm.', 'replaceMlmLoss'],
    ['all-tokens-mlm', 'gradientAllTokensMlm.', 'allTokensMlmLoss'],
  ] as const;
  it.each(comparisons)('%s: losses and gradients', (objective, prefix, lossName) => {
    const result = run(golden, objective);
    const { mlm, disc } = meanLosses(result);
    expect(mlm).toBeCloseTo(losses[objective].mlmLoss, 6);
    expect(disc).toBeCloseTo(losses[objective][lossName], 6);
    const keys = [...golden.tensors.keys()].filter((key) => key.startsWith(prefix));
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) {
      const parameter = key.slice(prefix.length);
      const mlmGradient = golden.tensors.get(`gradientMlm.${parameter}`)?.data;
      // The files hold each loss's gradient alone; the graph's is of mlmLoss + 50·loss.
      const whole = Float64Array.from(
        golden.tensors.get(key)!.data,
        (value, i) => 50 * value + (mlmGradient?.[i] ?? 0),
      );
      expect(relativeError(result.training.updates.get(`gradient:${parameter}`)!, whole), key).toBeLessThan(ROUNDING);
    }
  });
});

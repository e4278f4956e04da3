/** The joint step in the engine itself, gradients written in place, against PyTorch + transformers: ≤ 1e-4 relative. */
import { describe, expect, it } from 'vitest';
import type { Tensors } from '../src/engine/engine.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.js';
import { createObjective } from '../src/objectives/electra.js';
import { createSpanBert } from '../src/objectives/spanbert.js';
import { GOLDEN_NAMES, readGolden, readSpanBertGolden, relativeError, SPANBERT_VARIANTS } from './goldenFiles.js';
import { runTrainingGraph } from './goldenRuns.js';

const RUNS = 2;
const DRAW = { seed: 0, step: 0, firstRow: 0 };
/** What each run adds up to when gradients accumulate. */
const times = (values: ArrayLike<number>, accumulate: boolean) =>
  Array.from(values, (value) => value * (accumulate ? RUNS : 1));

describe.each(GOLDEN_NAMES)('%s in onnxruntime-node', (name) => {
  it.each([false, true])('losses and every gradient (accumulating: %s)', async (accumulate) => {
    const golden = readGolden(name);
    const objective = createObjective(golden.config('electra'));
    const [phase] = objective.phases;
    const counts = phase.counts(golden.batch);
    const feeds = (): Tensors => {
      const fed = phase.feeds(golden.batch, DRAW, counts);
      return { ...fed, uniforms: { ...fed.uniforms, data: golden.uniforms } };
    };
    const engine = await createNodeEngine({ threads: 2 });
    try {
      const options = { feeds, accumulate, runs: RUNS };
      const { outputs, gradients } = await runTrainingGraph(engine, objective, golden.tensors, options);
      const { electra } = golden.json.losses;
      expect(Math.abs(outputs.mlmLossSum.data[0] / counts.mlm! / electra.mlmLoss - 1)).toBeLessThan(1e-4);
      expect(Math.abs(outputs.discLossSum.data[0] / counts.disc! / electra.discLoss - 1)).toBeLessThan(1e-4);
      for (const [parameter, found] of gradients) {
        const expected = times(golden.tensors.get(`gradient.${parameter}`)!.data, accumulate);
        expect(relativeError(found, expected), parameter).toBeLessThan(1e-4);
      }
    } finally {
      await engine.close();
    }
  });
});

describe.each(SPANBERT_VARIANTS)('SpanBERT, %s, in onnxruntime-node', (name) => {
  it.each([false, true])('losses and every gradient (accumulating: %s)', async (accumulate) => {
    const golden = readSpanBertGolden(name);
    const objective = createSpanBert(golden.config);
    const [phase] = objective.phases;
    const counts = phase.counts(golden.batch);
    const engine = await createNodeEngine({ threads: 2 });
    try {
      const options = { feeds: () => phase.feeds(golden.batch, DRAW, counts), accumulate, runs: RUNS };
      const { outputs, gradients } = await runTrainingGraph(engine, objective, golden.parameters, options);
      for (const loss of ['mlm', 'sbo', ...(golden.config.nextSentence ? (['nsp'] as const) : [])] as const) {
        const mean = outputs[`${loss}LossSum`].data[0] / counts[loss]!;
        expect(Math.abs(mean / golden.losses[loss]! - 1), loss).toBeLessThan(1e-4);
      }
      for (const [parameter, found] of gradients) {
        const expected = times(golden.results.get(`gradient.${parameter}`)!.data, accumulate);
        expect(relativeError(found, expected), parameter).toBeLessThan(1e-4);
      }
    } finally {
      await engine.close();
    }
  });
});

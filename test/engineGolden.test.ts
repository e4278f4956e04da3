/**
 * The joint step in each engine, gradients written in place, against PyTorch + transformers: in float32 ≤ 1e-4 relative,
 * with bf16 products a cosine of at least 0.9999 over the whole step and 0.998 in each parameter.
 */

import { describe, expect, it } from 'vitest';
import type { Engine, Tensors } from '../src/engine/engine.js';
import { createOneDnnEngine } from '../src/engine/onednn/engine.node.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.node.js';
import { createLoopEngine, oneDnnMissing } from '../src/engine/testEngines.js';
import { createSpanBert } from '../src/pretraining/spanbert.js';
import { createTestObjective } from '../src/pretraining/testConfig.js';
import { GOLDEN_NAMES, readGolden, readSpanBertGolden, relativeError, SPANBERT_VARIANTS } from './goldenFiles.js';
import { runTrainingGraph } from './goldenRuns.js';

const RUNS = 2;
const DRAW = { seed: 0, step: 0, firstRow: 0 };
/** What each run adds up to when gradients accumulate. */
const times = (values: ArrayLike<number>, accumulate: boolean) =>
  Array.from(values, (value) => value * (accumulate ? RUNS : 1));

interface Gradient {
  readonly parameter: string;
  readonly found: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
}

/** What the gradients are held to. */
type Agreement = (gradients: readonly Gradient[]) => void;

const toTheFourthDigit: Agreement = (gradients) => {
  for (const { parameter, found, expected } of gradients) {
    expect(relativeError(found, expected), parameter).toBeLessThan(1e-4);
  }
};

/** The cosine between what was found and expected, over all of some gradients. */
function cosine(gradients: readonly Gradient[]): number {
  let [product, ours, theirs] = [0, 0, 0];
  for (const { found, expected } of gradients) {
    for (let i = 0; i < found.length; i++) {
      product += found[i] * expected[i];
      ours += found[i] ** 2;
      theirs += expected[i] ** 2;
    }
  }
  return product / Math.sqrt(ours * theirs);
}

const inDirection: Agreement = (gradients) => {
  expect(cosine(gradients), 'all gradients together').toBeGreaterThan(0.9999);
  for (const gradient of gradients) {
    const { parameter, found, expected } = gradient;
    // A key bias has a true gradient of 0, and with rounding one of no direction.
    if (norm(expected) < 1e-4) expect(norm(found), parameter).toBeLessThan(1e-2);
    else expect(cosine([gradient]), parameter).toBeGreaterThan(0.998);
  }
};

function norm(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

interface Tested {
  readonly engine: string;
  readonly create: () => Promise<Engine>;
  /** How far a loss may be off, relative to it. */
  readonly losses: number;
  readonly agrees: Agreement;
}

const engines: Tested[] = [
  {
    engine: 'onnxruntime-node',
    create: () => createNodeEngine({ threads: 2 }),
    losses: 1e-4,
    agrees: toTheFourthDigit,
  },
  {
    engine: 'onednn plans in TypeScript',
    create: async () => createLoopEngine(),
    losses: 1e-4,
    agrees: toTheFourthDigit,
  },
];
if (!oneDnnMissing) {
  const create = (precision: 'fp32' | 'bf16') => () => createOneDnnEngine({ threads: 2, precision });
  engines.push({ engine: 'onednn fp32', create: create('fp32'), losses: 1e-4, agrees: toTheFourthDigit });
  engines.push({ engine: 'onednn bf16', create: create('bf16'), losses: 1e-2, agrees: inDirection });
}

/** Each name in each engine, accumulating or not. */
const cases = <N extends string>(names: readonly N[]) =>
  names.flatMap((name) =>
    engines.flatMap((tested) => [false, true].map((accumulate) => ({ name, accumulate, ...tested }))),
  );

describe('losses and every gradient', () => {
  it.each(cases(GOLDEN_NAMES))('of $name in $engine (accumulating: $accumulate)', async (tested) => {
    const golden = readGolden(tested.name);
    const objective = createTestObjective(golden.config('electra'));
    const [phase] = objective.phases;
    const counts = phase.counts(golden.batch);
    const feeds = (): Tensors => {
      const fed = phase.feeds(golden.batch, DRAW, counts);
      return { ...fed, uniforms: { ...fed.uniforms, data: golden.uniforms } };
    };
    const engine = await tested.create();
    try {
      const options = { feeds, accumulate: tested.accumulate, runs: RUNS };
      const { outputs, gradients } = await runTrainingGraph(engine, objective, golden.tensors, options);
      const { electra } = golden.json.losses;
      expect(Math.abs(outputs.mlmLossSum.data[0] / counts.mlm! / electra.mlmLoss - 1)).toBeLessThan(tested.losses);
      expect(Math.abs(outputs.discLossSum.data[0] / counts.disc! / electra.discLoss - 1)).toBeLessThan(tested.losses);
      tested.agrees(
        [...gradients].map(([parameter, found]) => ({
          parameter,
          found,
          expected: times(golden.tensors.get(`gradient.${parameter}`)!.data, tested.accumulate),
        })),
      );
    } finally {
      await engine.close();
    }
  });

  it.each(cases(SPANBERT_VARIANTS))('of SpanBERT, $name, in $engine (accumulating: $accumulate)', async (tested) => {
    const golden = readSpanBertGolden(tested.name);
    const objective = createSpanBert(golden.config);
    const [phase] = objective.phases;
    const counts = phase.counts(golden.batch);
    const engine = await tested.create();
    try {
      const feeds = () => phase.feeds(golden.batch, DRAW, counts);
      const options = { feeds, accumulate: tested.accumulate, runs: RUNS };
      const { outputs, gradients } = await runTrainingGraph(engine, objective, golden.parameters, options);
      for (const loss of ['mlm', 'sbo', ...(golden.config.nextSentence ? (['nsp'] as const) : [])] as const) {
        const mean = outputs[`${loss}LossSum`].data[0] / counts[loss]!;
        expect(Math.abs(mean / golden.losses[loss]! - 1), loss).toBeLessThan(tested.losses);
      }
      tested.agrees(
        [...gradients].map(([parameter, found]) => ({
          parameter,
          found,
          expected: times(golden.results.get(`gradient.${parameter}`)!.data, tested.accumulate),
        })),
      );
    } finally {
      await engine.close();
    }
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StateLayout } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { type AdamSettings, clipScale, normGraph, updateGraph, updateRanges } from './optimizer.js';
import { layerwiseGroups } from './parameterGroup.js';
import { parameterLayout, trainedRanges } from './parameterLayout.js';

type Arrays = Record<string, number[]>;
interface Golden {
  betas: [number, number];
  epsilon: number;
  weightDecay: number;
  maxGradientNorm: number;
  shapes: Record<string, number[]>;
  initial: Arrays;
  learningRates: number[];
  gradients: Arrays[];
  gradientNorms: number[];
  corrected: { parameters: Arrays; firstMoments: Arrays; secondMoments: Arrays }[];
  reference: Golden['corrected'];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../../test/golden/optimizer.json', import.meta.url), 'utf8'));

const layout = parameterLayout(
  Object.entries(golden.shapes).map(([name, shape]) => ({ name, shape, initializer: 'zeros' as const })),
);

/** The programs on a state of their own, with the golden starting values in it. */
async function setUp(adam: AdamSettings, state: StateLayout = layout.state) {
  const engine = createInterpreterEngine();
  const arenas = await engine.createState(state);
  const write = async (arena: string, values: Arrays) => {
    for (const { name, offset } of layout.parameters)
      await arenas.write(arena, Float32Array.from(values[name]), offset);
  };
  await write('parameters', golden.initial);
  return {
    arenas,
    write,
    norm: await engine.compile(normGraph(), { label: 'norm', state: arenas }),
    update: await engine.compile(updateGraph(adam), { label: 'update', state: arenas }),
  };
}

describe('AdamW', () => {
  it.each(['corrected', 'reference'] as const)(
    'takes ten steps by value as the %s implementation does',
    async (style) => {
      const [beta1, beta2] = golden.betas;
      const { epsilon, weightDecay } = golden;
      const adam = { beta1, beta2, epsilon, weightDecay, biasCorrection: style };
      const { arenas, write, norm, update } = await setUp(adam);
      const ranges = trainedRanges(layout, () => true);
      let largest = 0;
      for (const [step, learningRate] of golden.learningRates.entries()) {
        await write('gradients', golden.gradients[step]);
        const { sumOfSquares } = await norm.runOverArenas(
          ranges.map((range) => ({ ...range, feeds: {} })),
          5,
        );
        expect(Math.abs(Math.sqrt(sumOfSquares) - golden.gradientNorms[step])).toBeLessThan(
          1e-6 * (1 + golden.gradientNorms[step]),
        );
        const gradientScale = clipScale(Math.sqrt(sumOfSquares), golden.maxGradientNorm);
        await update.runOverArenas(updateRanges(ranges, adam, { updates: step + 1, learningRate, gradientScale }), 5);
        const expected = golden[style][step];
        for (const [arena, values] of [
          ['parameters', expected.parameters],
          ['firstMoment', expected.firstMoments],
          ['secondMoment', expected.secondMoments],
        ] as const) {
          const actual = await arenas.read(arena);
          for (const { name, offset } of layout.parameters) {
            values[name].forEach((value, i) => {
              largest = Math.max(largest, Math.abs(actual[offset + i] - value) / (1e-3 + Math.abs(value)));
            });
          }
        }
      }
      // State is float32 between steps: about 1e-7 of a value of 0.05 a step.
      expect(largest).toBeLessThan(5e-6);
    },
  );

  it('leaves parameters outside its ranges alone', async () => {
    const adam: AdamSettings = {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-6,
      weightDecay: 0.01,
      biasCorrection: 'corrected',
    };
    const { arenas, write, update } = await setUp(adam);
    await write('gradients', golden.gradients[0]);
    const before = await arenas.read('parameters');
    const ranges = trainedRanges(layout, (name) => name === 'dense.bias');
    await update.runOverArenas(updateRanges(ranges, adam, { updates: 1, learningRate: 0.1, gradientScale: 1 }), 100);
    const after = await arenas.read('parameters');
    const bias = layout.parameters.find(({ name }) => name === 'dense.bias')!;
    const moved = [...after.keys()].filter((i) => after[i] !== before[i]);
    expect(moved).toEqual([0, 1, 2, 3].map((i) => bias.offset + i));
  });
});

describe('clipping', () => {
  it('scales to the norm when it is exceeded, and 0 switches it off', () => {
    expect([clipScale(4, 1), clipScale(0.5, 1), clipScale(0, 1), clipScale(4, 0)]).toEqual([0.25, 1, 1, 1]);
  });
});

describe('the layout of parameters', () => {
  const spec = (name: string, size: number) => ({ name, shape: [size], initializer: 'zeros' as const });
  const mixed = parameterLayout([
    spec('generator.dense.weight', 20),
    spec('generator.dense.bias', 3),
    spec('discriminator.embeddings.LayerNorm.weight', 4),
    spec('discriminator.embeddings.word_embeddings.weight', 40),
  ]);

  it('puts what decays first; layer norms and biases do not, embeddings do', () => {
    expect(mixed.parameters.map(({ name, decayed, offset }) => [name, decayed, offset])).toEqual([
      ['generator.dense.weight', true, 0],
      ['discriminator.embeddings.word_embeddings.weight', true, 32],
      ['generator.dense.bias', false, 80],
      ['discriminator.embeddings.LayerNorm.weight', false, 96],
    ]);
  });

  it('needs one range a decay group when all is trained, and none for what is frozen', () => {
    expect(trainedRanges(mixed, () => true)).toEqual([
      { start: 0, end: 80, decayed: true, rateScale: 1 },
      { start: 80, end: 112, decayed: false, rateScale: 1 },
    ]);
    expect(trainedRanges(mixed, (name) => name.startsWith('discriminator.'))).toEqual([
      { start: 32, end: 80, decayed: true, rateScale: 1 },
      { start: 96, end: 112, decayed: false, rateScale: 1 },
    ]);
  });

  it('keeps the parameters of one rate together, each in its decay group', () => {
    const layout = parameterLayout(
      [
        spec('bert.embeddings.word_embeddings.weight', 4),
        spec('bert.embeddings.LayerNorm.bias', 2),
        spec('bert.encoder.layer.0.output.dense.weight', 4),
        spec('bert.encoder.layer.1.output.dense.weight', 4),
        spec('bert.encoder.layer.1.output.dense.bias', 2),
        spec('bert.pooler.dense.weight', 4),
        spec('classifier.weight', 4),
      ],
      layerwiseGroups(0.5, 2),
    );
    expect(trainedRanges(layout, () => true)).toEqual([
      { start: 0, end: 16, decayed: true, rateScale: 0.125 },
      { start: 16, end: 32, decayed: true, rateScale: 0.25 },
      { start: 32, end: 48, decayed: true, rateScale: 0.5 },
      { start: 48, end: 80, decayed: true, rateScale: 1 },
      { start: 80, end: 96, decayed: false, rateScale: 0.125 },
      { start: 96, end: 112, decayed: false, rateScale: 0.5 },
    ]);
  });
});

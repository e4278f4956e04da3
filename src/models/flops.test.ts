import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/graph.js';
import { createTestObjective, PLAIN_ELECTRA, type TestName } from '../pretraining/testConfig.js';
import { encoderConfig, generatorConfig } from './config.js';
import { flopsPerToken, graphFlops, matrixProducts } from './flops.js';
import { modelForUse } from './heads.js';

const B = 3;
const S = 16;
const M = 6;
const V = 50;
const SIZES = new Map([
  ['batch', B],
  ['length', S],
  ['masked', M],
]);
const T = B * S;

const config = encoderConfig('tiny', V, {
  embeddingSize: 8,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 64,
});
const E = 8;
const H = 16;
const F = 64;

/** Forward pass of an encoder, by hand: per layer four H×H products, two H×F, and QKᵀ and the weighted sum of V. */
function encoderFlops(hidden: number, intermediate: number, layers: number): number {
  const perToken = 4 * hidden * hidden + 2 * hidden * intermediate + 2 * S * hidden;
  return 2 * T * (layers * perToken + (hidden === E ? 0 : E * hidden));
}
const headFlops = (rows: number, hidden: number) => 2 * rows * (hidden * E + E * V);
const detectionFlops = 2 * T * (H * H + H);

describe('matrixProducts', () => {
  it('reads sizes through transpositions and leading axes', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', ['batch', 5, 7]);
    const b = g.input('b', 'float32', ['batch', 11, 5]);
    g.output('y', g.matmul(a, b, { transposeA: true, transposeB: true }));
    const [product] = matrixProducts(g.build(), SIZES);
    expect(product).toEqual({ batch: B, m: 7, k: 5, n: 11, transposeA: true, transposeB: true, count: 1 });
    expect(graphFlops(g.build(), SIZES)).toBe(2 * B * 7 * 5 * 11);
  });

  it('counts nothing that no output needs', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [4, 4]);
    g.matmul(a, a);
    g.output('y', g.add(a, a));
    expect(graphFlops(g.build(), new Map())).toBe(0);
  });

  it('puts equal kinds together, the most work first', () => {
    const products = matrixProducts(modelForUse({ architecture: 'ElectraModel', config }).graph, SIZES);
    expect(products.find(({ m, k, n }) => m === T && k === H && n === H)?.count).toBe(2 * 4);
    const work = products.map(({ batch, m, k, n, count }) => batch * m * k * n * count);
    expect(work).toEqual([...work].sort((a, b) => b - a));
  });
});

describe('graphFlops', () => {
  it('of an encoder and of a discriminator equals the sum over its layers', () => {
    expect(graphFlops(modelForUse({ architecture: 'ElectraModel', config }).graph, SIZES)).toBe(encoderFlops(H, F, 2));
    expect(graphFlops(modelForUse({ architecture: 'ElectraForPreTraining', config }).graph, SIZES)).toBe(
      encoderFlops(H, F, 2) + detectionFlops,
    );
    expect(flopsPerToken(modelForUse({ architecture: 'ElectraModel', config }).graph, SIZES)).toBe(
      encoderFlops(H, F, 2) / T,
    );
  });

  const generator = generatorConfig(config, { sizeFraction: 0.5 }); // 8 wide, 1 head, feed-forward 32
  const objective = (name: TestName) => {
    const settings = { ...PLAIN_ELECTRA, objective: name, discriminator: config, generator };
    return createTestObjective(settings).phases[0].trainingGraph({ accumulate: false });
  };

  // Each product of the forward pass has two derivatives of its own size.
  const generatorForward = encoderFlops(8, 32, 2) + headFlops(M, 8);
  const forward = {
    electra: generatorForward + encoderFlops(H, F, 2) + detectionFlops,
    'electra-15': generatorForward + encoderFlops(H, F, 2) + detectionFlops,
    mlm: encoderFlops(H, F, 2) + headFlops(M, H),
    'replace-mlm': generatorForward + encoderFlops(H, F, 2) + headFlops(M, H),
    // The head and the copy gate (H → 1) at every token.
    'all-tokens-mlm': generatorForward + encoderFlops(H, F, 2) + headFlops(T, H) + 2 * T * H,
  } as const;

  it.each(Object.entries(forward))('a training step of %s is three times its forward pass', (name, flops) => {
    expect(graphFlops(objective(name as TestName), SIZES)).toBe(3 * flops);
  });
});

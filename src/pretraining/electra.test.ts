import { describe, expect, it } from 'vitest';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Tensors } from '../engine/engine.js';
import { type Graph, GraphBuilder, nodesOf } from '../graph/graph.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../interpreter/evaluate.js';
import { encoderConfig } from '../models/config.js';
import { RandomStream } from '../random/philox.js';
import type { PretrainingObjective } from './pretrainingObjective.js';
import { replaceTokens, sampleTokens } from './sampling.js';
import { createTestObjective, PLAIN_ELECTRA, type TestConfig } from './testConfig.js';

const V = 20;
const sizes = {
  embeddingSize: 8,
  hiddenSize: 8,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 8,
  maxPositionEmbeddings: 16,
};
const encoder = encoderConfig('tiny', V, sizes);
const base: TestConfig = {
  ...PLAIN_ELECTRA,
  discriminator: encoder,
  generator: { ...encoder, hiddenSize: 4 },
};

/** Two rows of eight tokens (the second with two of padding), four masked slots. */
function makeBatch(rows = [0, 1]): MaskedBatch {
  const inputIds = [2, 7, 8, 9, 10, 11, 12, 3, 2, 13, 14, 15, 16, 3, 0, 0];
  const mask = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0];
  const slots = [[2, 3, 5], [3]];
  const pick = (values: number[]) => Int32Array.from(rows.flatMap((row) => values.slice(row * 8, row * 8 + 8)));
  const positions = Int32Array.from(rows.flatMap((row, i) => slots[row].map((position) => i * 8 + position)));
  const ids = pick(inputIds);
  const masked = ids.slice();
  for (const position of positions) masked[position] = 4;
  return {
    batchSize: rows.length,
    length: 8,
    inputIds: ids,
    maskedInputIds: masked,
    tokenTypeIds: new Int32Array(ids.length),
    attentionMask: pick(mask),
    maskedPositions: positions,
    maskedIds: Int32Array.from(positions, (position) => ids[position]),
    maskedWeights: new Float32Array(positions.length).fill(1),
  };
}

function randomState(objective: PretrainingObjective, seed = 1): Map<string, Float64Tensor> {
  const stream = new RandomStream(seed, 'test');
  return new Map(
    objective.parameters.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        float64Tensor(
          shape,
          Float64Array.from({ length: size }, () => 0.5 * stream.normal()),
        ),
      ];
    }),
  );
}

function evaluate(graph: Graph, feeds: Tensors, state: Map<string, Float64Tensor>) {
  const used = new Set(nodesOf(graph, 'input').map(({ attributes }) => attributes.name));
  const fed = Object.entries(feeds).filter(([name]) => used.has(name));
  return evaluateGraph(graph, new Map(fed.map(([name, t]) => [name, float64Tensor(t.shape, t.data, t.dtype)])), state);
}

function step(config: Partial<TestConfig>, batch = makeBatch(), draw = 0) {
  const objective = createTestObjective({ ...base, ...config });
  const [phase] = objective.phases;
  const counts = phase.counts(batch);
  const feeds = phase.feeds(batch, { seed: 5, step: draw, firstRow: 0 }, counts);
  const state = randomState(objective);
  const training = evaluate(phase.trainingGraph({ accumulate: false }), feeds, state);
  const evaluation = evaluate(phase.evaluationGraph(), feeds, state);
  const norm = (name: string) => Math.hypot(...training.updates.get(`gradient:${name}`)!.data);
  return { objective, training, evaluation, counts, norm };
}

describe('sampling from the generator', () => {
  it('draws each token as often as its probability, from one uniform a slot', () => {
    const g = new GraphBuilder();
    const probabilities = [0.5, 0, 0.2, 0.3];
    const N = 20_000;
    g.output('ids', sampleTokens(g, g.expand(g.constant(probabilities, [1, 4]), [N, 4]), g.input('u', 'float32', [N])));
    const stream = new RandomStream(3, 'test');
    const uniforms = float64Tensor(
      [N],
      Float64Array.from({ length: N }, () => stream.uniform()),
    );
    const ids = evaluateGraph(g.build(), new Map([['u', uniforms]])).outputs.get('ids')!.data;
    const counts = [0, 0, 0, 0];
    for (const id of ids) counts[id]++;
    // Four standard deviations of a binomial with N = 20,000.
    probabilities.forEach((p, id) =>
      expect(Math.abs(counts[id] - N * p)).toBeLessThanOrEqual(4 * Math.sqrt(N * p * (1 - p))),
    );
    expect(counts[1]).toBe(0);
  });

  it('never leaves the vocabulary, whatever the rounding of the total', () => {
    const g = new GraphBuilder();
    g.output(
      'ids',
      sampleTokens(g, g.constant([0.3, 0.3, 0.3, 0.3, 0.3, 0.3], [2, 3]), g.constant([1 - 2 ** -24, 2 ** -24])),
    );
    expect([...evaluateGraph(g.build(), new Map()).outputs.get('ids')!.data]).toEqual([2, 0]);
  });

  it('writes the mean id, rounded down, where two slots share a position, as the released code does', () => {
    const write = (duplicates: 'reference' | 'corrected') => {
      const g = new GraphBuilder();
      const int = (values: number[]) => g.constant(values, [values.length], 'int32');
      const slots = {
        positions: int([2, 2, 1, 0]),
        original: int([12, 12, 11, 10]),
        weights: g.constant([1, 1, 1, 0]),
      };
      g.output('ids', replaceTokens(g, int([10, 11, 12, 13]), slots, int([4, 9, 7, 3]), duplicates));
      return [...evaluateGraph(g.build(), new Map()).outputs.get('ids')!.data];
    };
    expect(write('reference')).toEqual([10, 7, 6, 13]);
    expect(write('corrected')).toEqual([10, 7, 9, 13]);
  });
});

describe('the joint objective', () => {
  it('labels a token "replaced" only where the proposal differs from the original, and never padding', () => {
    const batch = makeBatch();
    let same = 0;
    for (let draw = 0; draw < 40; draw++) {
      const { evaluation } = step({}, batch, draw);
      const labels = evaluation.outputs.get('isReplaced')!.data;
      labels.forEach((label, i) => expect(label === 0 || batch.maskedPositions.includes(i)).toBe(true));
      same += batch.maskedPositions.filter((position) => labels[position] === 0).length;
      expect(evaluation.outputs.get('replaced')!.data[0]).toBe(labels.reduce((a, b) => a + b));
    }
    expect(same).toBeGreaterThan(0);
  });

  it('passes no gradient from the discriminator to the generator, but to the shared embeddings', () => {
    const { norm } = step({ mlmWeight: 0 });
    expect(norm('generator.electra.encoder.layer.0.output.dense.weight')).toBe(0);
    expect(norm('generator.generator_lm_head.bias')).toBe(0);
    expect(norm('discriminator.electra.embeddings.word_embeddings.weight')).toBeGreaterThan(0);
    expect(norm('discriminator.electra.encoder.layer.0.output.dense.weight')).toBeGreaterThan(0);
  });

  it('weighs the losses by mlmWeight and discWeight', () => {
    const name = 'discriminator.discriminator_predictions.dense.weight';
    expect(step({ discWeight: 50 }).norm(name) / step({ discWeight: 10 }).norm(name)).toBeCloseTo(5, 9);
    const own = 'generator.generator_lm_head.bias';
    expect(step({ mlmWeight: 3 }).norm(own) / step({ mlmWeight: 1 }).norm(own)).toBeCloseTo(3, 9);
  });

  it('with "argmax" proposes the same tokens whatever the uniforms, with "sample" not', () => {
    const replaced = (proposals: 'sample' | 'argmax') =>
      [0, 1, 2, 3, 4, 5].map((draw) =>
        [...step({ proposals, temperature: 3 }, makeBatch(), draw).evaluation.outputs.get('isReplaced')!.data].join(''),
      );
    expect(new Set(replaced('argmax')).size).toBe(1);
    expect(
      new Set(
        [...Array(12).keys()].map((draw) => step({}, makeBatch(), draw).training.outputs.get('discLossSum')!.data[0]),
      ).size,
    ).toBeGreaterThan(1);
  });

  it('at a low temperature samples what "argmax" proposes', () => {
    const sum = (config: Partial<TestConfig>) => step(config).training.outputs.get('discLossSum')!.data[0];
    expect(sum({ temperature: 1e-3 })).toBeCloseTo(sum({ proposals: 'argmax' }), 12);
  });

  it('with disallowCorrect replaces every masked slot', () => {
    for (let draw = 0; draw < 10; draw++) {
      const { evaluation } = step({ disallowCorrect: true }, makeBatch(), draw);
      expect(evaluation.outputs.get('replaced')!.data[0]).toBe(4);
    }
  });

  it.each([
    { proposals: 'sample', temperature: 1 },
    { proposals: 'sample', temperature: 1000 },
    { proposals: 'argmax', temperature: 1 },
    { proposals: 'sample', temperature: 1, generatorKind: 'uniform' },
  ] as const)('never proposes a row that stands for no piece: %o', (config) => {
    // All but one stand for none, so that one is proposed at every slot; at one of the four it is the original.
    const absentIds = new Set(Array.from({ length: V }, (_, id) => id).filter((id) => id !== 8));
    for (let draw = 0; draw < 5; draw++) {
      const { evaluation } = step({ ...config, absentIds }, makeBatch(), draw);
      expect(evaluation.outputs.get('replaced')!.data[0]).toBe(3);
    }
  });

  it("takes electra-15's loss at the slots only", () => {
    const all = step({});
    const slots = step({ objective: 'electra-15' });
    expect(all.counts).toEqual({ mlm: 4, disc: 14 });
    expect(slots.counts).toEqual({ mlm: 4, disc: 4 });
    expect(slots.training.outputs.get('discLossSum')!.data[0]).toBeLessThan(
      all.training.outputs.get('discLossSum')!.data[0],
    );
  });

  it('a uniform generator has loss ln V, a unigram generator that of its frequencies', () => {
    const uniform = step({ generatorKind: 'uniform' });
    expect(uniform.training.outputs.get('mlmLossSum')!.data[0] / 4).toBeCloseTo(Math.log(V), 6);
    const unigramCounts = Array.from({ length: V }, (_, id) => id + 1);
    const unigram = step({ generatorKind: 'unigram', unigramCounts });
    const total = (V * (V + 1)) / 2;
    const expected = [8, 9, 11, 15].reduce((sum, id) => sum - Math.log((id + 1) / total), 0);
    expect(unigram.training.outputs.get('mlmLossSum')!.data[0]).toBeCloseTo(expected, 5);
    expect(uniform.objective.models.map(({ folder }) => folder)).toEqual(['discriminator']);
  });
});

describe('sharing', () => {
  const names = (config: Partial<TestConfig>) =>
    createTestObjective({ ...base, ...config }).parameters.map(({ name }) => name);
  it('"embeddings" keeps one embeddings module, under the discriminator', () => {
    const shared = names({});
    expect(shared).toContain('discriminator.electra.embeddings.word_embeddings.weight');
    expect(shared.filter((name) => name.startsWith('generator.electra.embeddings.'))).toEqual([]);
    expect(shared).toContain('generator.electra.encoder.layer.0.attention.self.query.weight');
  });
  it('"none" gives each half its own', () => {
    expect(names({ sharing: 'none' })).toContain('generator.electra.embeddings.LayerNorm.weight');
  });
  it('"encoder" leaves the generator only its head', () => {
    const own = names({ sharing: 'encoder', generator: encoder }).filter((name) => name.startsWith('generator.'));
    expect(own.every((name) => name.startsWith('generator.generator_'))).toBe(true);
  });
  it('model folders hold shared tensors in both halves under published names', () => {
    const [generator, discriminator] = createTestObjective(base).models;
    const word = 'electra.embeddings.word_embeddings.weight';
    expect(generator.tensors.get(word)).toBe(`discriminator.${word}`);
    expect(discriminator.tensors.get(word)).toBe(`discriminator.${word}`);
    expect(generator.tensors.has('generator_predictions.dense.weight')).toBe(true);
    expect(discriminator.tensors.has('discriminator_predictions.dense_prediction.bias')).toBe(true);
  });
});

describe('two-stage', () => {
  const config = { objective: 'two-stage', sharing: 'none', generator: encoder } as const;
  it("trains the generator, then the discriminator from the generator's weights with the generator frozen", () => {
    const [first, second] = createTestObjective({ ...base, ...config }).phases;
    expect([first.share, second.share]).toEqual([0.5, 0.5]);
    expect(first.trains('discriminator.electra.encoder.layer.0.output.dense.weight')).toBe(false);
    expect(second.trains('generator.generator_lm_head.bias')).toBe(false);
    expect(second.copies).toContainEqual([
      'generator.electra.embeddings.word_embeddings.weight',
      'discriminator.electra.embeddings.word_embeddings.weight',
    ]);
    const updated = [...second.trainingGraph({ accumulate: false }).updates.keys()];
    expect(updated.every((name) => name.startsWith('gradient:discriminator.'))).toBe(true);
  });
  it('names everything that does not fit at once', () => {
    expect(() => createTestObjective({ ...base, objective: 'two-stage', temperature: 0 })).toThrow(
      /3 settings are wrong:[\s\S]*sharing is embeddings and objective is two-stage[\s\S]*copies the generator, needs equal sizes[\s\S]*temperature is 0/,
    );
  });
});

describe('accumulation', () => {
  it('of two micro-batches with unequal counts equals the whole batch, because losses are scaled by all tokens', () => {
    // A row draws the same proposals and dropout masks in whatever micro-batch it is.
    const dropout = { ...encoder, hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1 };
    const objective = createTestObjective({ ...base, discriminator: dropout });
    const [phase] = objective.phases;
    const state = randomState(objective);
    const total = phase.counts(makeBatch());
    const whole = evaluate(
      phase.trainingGraph({ accumulate: false }),
      phase.feeds(makeBatch(), { seed: 1, step: 0, firstRow: 0 }, total),
      state,
    );
    for (const { name, shape } of objective.parameters) {
      state.set(`gradient:${name}`, float64Tensor(shape, new Float64Array(shape.reduce((a, b) => a * b, 1))));
    }
    const accumulate = phase.trainingGraph({ accumulate: true });
    for (const row of [0, 1]) {
      const result = evaluate(
        accumulate,
        phase.feeds(makeBatch([row]), { seed: 1, step: 0, firstRow: row }, total),
        state,
      );
      for (const [name, gradient] of result.updates) state.set(name, gradient);
    }
    for (const [name, gradient] of whole.updates) {
      gradient.data.forEach((value, i) => expect(state.get(name)!.data[i]).toBeCloseTo(value, 6));
    }
  });
});

describe('dropout', () => {
  const config = { discriminator: { ...encoder, hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1 } };
  it('feeds a mask for each site, keeping 230 of 256 at p = 0.1', () => {
    const objective = createTestObjective({ ...base, ...config });
    const [phase] = objective.phases;
    const graph = phase.trainingGraph({ accumulate: false });
    const batch = makeBatch();
    const feeds = phase.feeds(batch, { seed: 1, step: 0, firstRow: 0 }, phase.counts(batch));
    const masks = Object.entries(feeds).filter(([name]) => name.startsWith('dropout:'));
    // Embeddings, attention weights, attention output, feed-forward output.
    expect(masks.length).toBe(4);
    expect(masks.every(([name]) => nodesOf(graph, 'input').some(({ attributes }) => attributes.name === name))).toBe(
      true,
    );
    let kept = 0;
    let size = 0;
    for (let drawn = 0; drawn < 60; drawn++) {
      const { data } = phase.feeds(batch, { seed: 1, step: drawn, firstRow: 0 }, phase.counts(batch))['dropout:0'];
      kept += Array.from(data).reduce((a, b) => a + b, 0);
      size += data.length;
    }
    expect(Math.abs(kept / size - 230 / 256)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / size));
  });
  it('is off in evaluation', () => {
    const [phase] = createTestObjective({ ...base, ...config }).phases;
    expect(
      nodesOf(phase.evaluationGraph(), 'input').some(({ attributes }) => attributes.name.startsWith('dropout')),
    ).toBe(false);
  });
});

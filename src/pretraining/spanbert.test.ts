import { describe, expect, it } from 'vitest';
import type { MaskedBatch } from '../data/maskedBatch.js';
import { spanTargets } from '../data/masking/spanTargets.js';
import type { Tensors } from '../engine/engine.js';
import { SettingsError } from '../errors/errors.js';
import { type Graph, nodesOf } from '../graph/graph.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../interpreter/evaluate.js';
import { encoderConfig } from '../models/config.js';
import { RandomStream } from '../random/philox.js';
import { addCounts } from '../training/objective.js';
import { createSpanBert, type SpanBertConfig } from './spanbert.js';

const V = 20;
const LENGTH = 10;
const [CLS, SEP, MASK] = [2, 3, 4];
const BOUNDARY = { maxSpanTargets: 3, positionSize: 4, endpoints: 'external', edgeSpans: 'drop' } as const;
const base: SpanBertConfig = {
  encoder: encoderConfig('tiny', V, {
    embeddingSize: 8,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 8,
    maxPositionEmbeddings: 12,
  }),
  spanBoundary: BOUNDARY,
  nextSentence: true,
  mlmWeight: 1,
  sboWeight: 0.5,
  initialization: 'corrected',
};

/** Masked positions of each row: spans of two and of one; one of four, of which three are targets; one at an edge. */
const MASKED_POSITIONS = [
  [2, 3, 6],
  [3, 4, 5, 6],
  [1, 2],
];

/** @param padding  further slots of weight 0 */
function makeBatch(rows = [0, 1, 2], padding = 0): MaskedBatch {
  const words = [...rows].map((row) => Array.from({ length: LENGTH - 2 }, (_, i) => 5 + ((7 * row + 3 * i) % 15)));
  const inputIds = Int32Array.from(words.flatMap((text) => [CLS, ...text, SEP]));
  const positions = rows.flatMap((row, i) => MASKED_POSITIONS[row].map((position) => i * LENGTH + position));
  const maskedInputIds = inputIds.slice();
  for (const position of positions) maskedInputIds[position] = MASK;
  const maskedPositions = Int32Array.from([...positions, ...Array(padding).fill(0)]);
  const maskedWeights = Float32Array.from(maskedPositions, (_, slot) => (slot < positions.length ? 1 : 0));
  return {
    batchSize: rows.length,
    length: LENGTH,
    inputIds,
    maskedInputIds,
    tokenTypeIds: new Int32Array(inputIds.length),
    attentionMask: new Int32Array(inputIds.length).fill(1),
    maskedPositions,
    maskedIds: maskedPositions.map((position) => inputIds[position]),
    maskedWeights,
    spanTargets: spanTargets({ inputIds, maskedPositions, maskedWeights }, { clsId: CLS, sepId: SEP }, BOUNDARY),
    nextSentence: {
      labels: Int32Array.from(rows, (row) => row % 2),
      weights: Float32Array.from(rows, (row) => (row === 2 ? 0 : 1)),
    },
  };
}

const objective = createSpanBert(base);
const [phase] = objective.phases;
const DRAW = { seed: 1, step: 0, firstRow: 0 };

function weights(): Map<string, Float64Tensor> {
  const stream = new RandomStream(1, 'test');
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

function run(graph: Graph, feeds: Tensors, state = weights()) {
  const used = new Set(nodesOf(graph, 'input').map(({ attributes }) => attributes.name));
  const fed = Object.entries(feeds).filter(([name]) => used.has(name));
  return evaluateGraph(graph, new Map(fed.map(([name, t]) => [name, float64Tensor(t.shape, t.data, t.dtype)])), state);
}

const TRAINING = phase.trainingGraph({ accumulate: false });
const whole = run(TRAINING, phase.feeds(makeBatch(), DRAW, phase.counts(makeBatch())));

describe('the SpanBERT objective', () => {
  it('counts each loss over its own targets', () => {
    // Masked 3 + 4 + 2; targets 3, three of the span of four, none at the edge; two rows have a second segment.
    expect(phase.counts(makeBatch())).toEqual({ mlm: 9, sbo: 6, nsp: 2 });
  });

  it('gives the same gradients in micro-batches of unequal counts, because losses are scaled by those of the step', () => {
    const batches = [makeBatch([0]), makeBatch([1, 2])];
    const counts = batches.map((batch) => phase.counts(batch));
    expect(counts.map(({ sbo }) => sbo)).toEqual([3, 3]);
    const total = counts.reduce(addCounts);
    const state = weights();
    for (const { name, shape } of objective.parameters) {
      state.set(`gradient:${name}`, float64Tensor(shape, new Float64Array(shape.reduce((a, b) => a * b, 1))));
    }
    const accumulating = phase.trainingGraph({ accumulate: true });
    for (const batch of batches) {
      const { updates } = run(accumulating, phase.feeds(batch, DRAW, total), state);
      for (const [name, gradient] of updates) state.set(name, gradient);
    }
    for (const [name, gradient] of whole.updates) {
      const added = state.get(name)!.data;
      gradient.data.forEach((value, i) => {
        expect(added[i], name).toBeCloseTo(value, 6);
      });
    }
  });

  it('is not changed by slots that are padding', () => {
    const padded = makeBatch([0, 1, 2], 5);
    expect(phase.counts(padded)).toEqual(phase.counts(makeBatch()));
    const { outputs, updates } = run(TRAINING, phase.feeds(padded, DRAW, phase.counts(padded)));
    for (const [name, value] of whole.outputs) expect(outputs.get(name)!.data[0], name).toBeCloseTo(value.data[0], 9);
    for (const [name, gradient] of whole.updates) {
      gradient.data.forEach((value, i) => {
        expect(updates.get(name)!.data[i], name).toBeCloseTo(value, 9);
      });
    }
  });

  it('learns from masked tokens alone where no span has boundaries', () => {
    const edge = makeBatch([2]);
    const counts = phase.counts(edge);
    expect(counts).toEqual({ mlm: 2, sbo: 0, nsp: 0 });
    const { outputs, updates } = run(TRAINING, phase.feeds(edge, DRAW, counts));
    expect(outputs.get('sboLossSum')!.data[0]).toBe(0);
    for (const [name, { data }] of updates) {
      expect(data.every(Number.isFinite), name).toBe(true);
      if (name.startsWith('gradient:sbo.'))
        expect(
          data.every((value) => value === 0),
          name,
        ).toBe(true);
    }
    expect(updates.get('gradient:cls.predictions.bias')!.data.some((value) => value !== 0)).toBe(true);
  });

  it('weighs span boundaries as asked', () => {
    const heavier = createSpanBert({ ...base, sboWeight: 1 }).phases[0];
    const { updates } = run(
      heavier.trainingGraph({ accumulate: false }),
      heavier.feeds(makeBatch(), DRAW, heavier.counts(makeBatch())),
    );
    const bias = 'gradient:sbo.bias';
    updates.get(bias)!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(2 * whole.updates.get(bias)!.data[i], 9);
    });
  });

  it('has no head, parameter and input of what it does without', () => {
    const plain = createSpanBert({ ...base, spanBoundary: undefined, nextSentence: false });
    expect(plain.parameters.filter(({ name }) => /^sbo|pooler|seq_relationship/.test(name))).toEqual([]);
    const { spanTargets: _, nextSentence: __, ...batch } = makeBatch();
    expect(plain.phases[0].counts(batch)).toEqual({ mlm: 9 });
    expect(() => phase.counts(batch)).toThrow(/no span targets/);
    expect(plain.models[0]).toMatchObject({ folder: 'model', architecture: 'BertForMaskedLM' });
    expect(objective.models[0]).toMatchObject({ architecture: 'BertForPreTraining', spanBoundary: BOUNDARY });
  });

  it('refuses what makes no sense, all of it at once', () => {
    const wrong = {
      ...base,
      encoder: { ...base.encoder, embeddingSize: 4 },
      spanBoundary: { ...BOUNDARY, maxSpanTargets: 0 },
      mlmWeight: 0,
      sboWeight: -1,
    };
    expect(() => createSpanBert(wrong)).toThrow(SettingsError);
    expect(() => createSpanBert(wrong)).toThrow(/embeddingSize is 4[\s\S]*sboWeight is -1[\s\S]*maxSpanTargets is 0/);
    expect(() => createSpanBert({ ...base, mlmWeight: 0, spanBoundary: undefined })).toThrow(/nothing else/);
  });
});

/** The whole SpanBERT step held against PyTorch: test/golden/README.md says how the numbers were made. */
import { describe, expect, it } from 'vitest';
import { int32Tensor } from '../src/engine/tensors.js';
import { modelForUse } from '../src/models/heads.js';
import { createSpanBert } from '../src/pretraining/spanbert.js';
import { readSpanBertGolden, relativeError, SPANBERT_VARIANTS } from './goldenFiles.js';
import { interpret } from './goldenRuns.js';

const DRAW = { seed: 0, step: 0, firstRow: 0 };
// Stored as float32, so about 1e-7 is the best that can be asked.
const ROUNDING = 1e-6;

describe.each(SPANBERT_VARIANTS)('SpanBERT, %s', (name) => {
  const golden = readSpanBertGolden(name);
  const { batch, config, losses, results, parameters } = golden;
  const data = (key: string) => [...results.get(key)!.data];

  it('has the span targets of the script, which finds them token by token', () => {
    const { left, right, offsets, ids, weights } = batch.spanTargets!;
    const count = weights.reduce((sum, weight) => sum + weight, 0);
    expect([...weights]).toEqual(Array.from(weights, (_, i) => (i < count ? 1 : 0)));
    for (const [key, found] of Object.entries({ left, right, offsets, ids })) {
      expect([...found.subarray(0, count)], key).toEqual(data(key));
    }
  });

  it('has the losses and every gradient, each parameter under its published name', () => {
    const objective = createSpanBert(config);
    const [phase] = objective.phases;
    const counts = phase.counts(batch);
    const feeds = phase.feeds(batch, DRAW, counts);
    const { outputs, updates } = interpret(phase.trainingGraph({ accumulate: false }), parameters, feeds);
    for (const loss of Object.keys(counts) as ('mlm' | 'sbo' | 'nsp')[]) {
      expect(outputs.get(`${loss}LossSum`)![0] / counts[loss]!, loss).toBeCloseTo(losses[loss]!, 6);
    }
    const expected = [...results.keys()].filter((key) => key.startsWith('gradient.'));
    expect([...updates.keys()].map((key) => key.replace('gradient:', 'gradient.')).sort()).toEqual(expected.sort());
    for (const key of expected) {
      const gradient = updates.get(key.replace('gradient.', 'gradient:'))!;
      expect(relativeError(gradient, results.get(key)!.data), key).toBeLessThan(ROUNDING);
    }
  });

  it('counts as hits the targets whose logit is the highest, by both heads', () => {
    const [phase] = createSpanBert(config).phases;
    const { outputs } = interpret(phase.evaluationGraph(), parameters, phase.feeds(batch, DRAW));
    const hits = (key: string, labels: ArrayLike<number>) => {
      const { shape, data: logits } = results.get(key)!;
      return Array.from({ length: shape[0] }, (_, row) => {
        const values = logits.subarray(row * shape[1], (row + 1) * shape[1]);
        return values[labels[row]] >= Math.max(...values) ? 1 : 0;
      }).reduce((sum: number, hit) => sum + hit, 0);
    };
    expect(outputs.get('mlmCorrect')![0]).toBe(hits('mlm_logits', batch.maskedIds));
    expect(outputs.get('sboCorrect')![0]).toBe(hits('sbo_logits', data('ids')));
  });

  it('gives the logits of both heads when used alone', () => {
    const { graph } = modelForUse({
      architecture: 'BertForMaskedLM',
      config: config.encoder,
      spanBoundary: config.spanBoundary,
      positions: true,
    });
    const [phase] = createSpanBert(config).phases;
    const { inputIds: _, maskedInputIds, ...feeds } = phase.feeds(batch, DRAW);
    const { outputs } = interpret(graph, parameters, {
      ...feeds,
      inputIds: maskedInputIds,
      positions: int32Tensor(batch.maskedPositions),
      leftBoundaries: int32Tensor(Int32Array.from(data('left'))),
      rightBoundaries: int32Tensor(Int32Array.from(data('right'))),
      spanOffsets: int32Tensor(Int32Array.from(data('offsets'))),
    });
    expect(relativeError(outputs.get('logits')!, data('mlm_logits'))).toBeLessThan(ROUNDING);
    expect(relativeError(outputs.get('boundaryLogits')!, data('sbo_logits'))).toBeLessThan(ROUNDING);
  });
});

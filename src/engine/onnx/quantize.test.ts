import { describe, expect, it } from 'vitest';
import { type OnnxModel, type OnnxTensor, standardNode } from './model.js';
import { quantizableWeights, quantizeModel, quantizeRows } from './quantize.js';

const float = (shape: number[], values: number[]): OnnxTensor => ({
  type: 'float32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

describe('a weight in 8 bits', () => {
  it('has a scale for each output, so that one large value coarsens its own row alone', () => {
    const { codes, scales } = quantizeRows(float([3, 2], [1, -0.25, 127, 1, 0, 0]));
    // 1/127 a step in the first row, 1 in the second; a row of zeros has any scale.
    expect([...scales]).toEqual([Math.fround(1 / 127), 1, 1]);
    expect([...codes]).toEqual([127, -32, 127, 1, 0, 0]); // −0.25·127 = −31.75
  });

  it('is never off by more than half a step', () => {
    const values = Array.from({ length: 96 }, (_, i) => Math.sin(i * i));
    const { codes, scales } = quantizeRows(float([8, 12], values));
    values.forEach((value, i) => {
      const scale = scales[Math.floor(i / 12)];
      expect(Math.abs(codes[i] * scale - value)).toBeLessThanOrEqual(scale / 2 + 1e-7);
    });
  });
});

describe('the weights that can be kept in 8 bits', () => {
  const gemm = (inputs: string[], output: string, transB = 1) =>
    standardNode('Gemm', inputs, [output], { transB: { int: transB } });
  const model: OnnxModel = {
    name: 'test',
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 2] }],
    outputs: [],
    initializers: new Map([
      ['tied', float([3, 2], [1, 2, 3, 4, 5, 6])],
      ['shared', float([2, 2], [1, 2, 3, 4])],
      ['plain', float([2, 2], [1, 2, 3, 4])],
      ['bias', float([2], [0, 0])],
    ]),
    nodes: [
      standardNode('Gather', ['tied', 'ids'], ['row'], { axis: { int: 0 } }),
      gemm(['row', 'tied', 'bias'], 'logits'),
      gemm(['row', 'shared', 'bias'], 'a'),
      standardNode('Add', ['a', 'shared'], ['b']),
      gemm(['row', 'plain', 'bias'], 'c', 0),
    ],
  };

  it('are those of products x·Wᵀ and of lookups, read by nothing else', () => {
    expect(quantizableWeights(model)).toEqual(['tied']);
  });

  it('are stored once for each use, the rest as it was; an activation is quantized once', () => {
    const { nodes, initializers } = quantizeModel({
      ...model,
      nodes: [...model.nodes, gemm(['row', 'tied', 'bias'], 'd')],
    });
    expect(initializers.has('tied')).toBe(false);
    expect(initializers.get('tied.rows')!.shape).toEqual([3, 2]);
    expect(initializers.get('tied.columns')).toMatchObject({ type: 'uint8', shape: [2, 3] });
    expect(initializers.get('plain')).toBe(model.initializers.get('plain'));
    expect(nodes.filter(({ op }) => op === 'DynamicQuantizeLinear')).toHaveLength(1);
    expect(nodes.filter(({ op }) => op === 'MatMulInteger')).toHaveLength(2);
    expect(nodes.filter(({ op }) => op === 'Gemm')).toHaveLength(2);
  });
});

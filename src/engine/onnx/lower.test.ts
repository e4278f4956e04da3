import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Graph, GraphBuilder } from '../../graph/graph.js';
import { lowerGraph } from './lower.js';
import { encodeModel, type OnnxModel } from './model.js';

const cpu = (graph: Graph) => lowerGraph(graph, { target: 'cpu', name: 'test' });
const opsOf = (model: OnnxModel) => model.nodes.map((node) => node.op);
const count = (model: OnnxModel, op: string) => opsOf(model).filter((other) => other === op).length;

async function run(
  model: OnnxModel,
  feeds: Record<string, [number[], number[]]>,
  externalAbove?: number,
): Promise<Record<string, number[]>> {
  const { bytes, external } = encodeModel(model, 'weights.data', externalAbove);
  const session = await InferenceSession.create(bytes, { ...(external && { externalData: [external] }) });
  const inputs = Object.entries(feeds).map(([name, [shape, data]]) => [
    name,
    new OrtTensor('float32', Float32Array.from(data), shape),
  ]);
  const results = await session.run(Object.fromEntries(inputs));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, Array.from(tensor.data as Float32Array)]),
  );
}

describe('sharing', () => {
  test('softmax, cross entropy and its derivative compute the softmax once', () => {
    const g = new GraphBuilder();
    const logits = g.input('logits', 'float32', ['rows', 9]);
    const labels = g.input('labels', 'int32', ['rows']);
    g.output('loss', g.softmaxCrossEntropy(logits, labels));
    g.output('gradient', g.softmaxCrossEntropyGrad(logits, labels, g.fill(['rows'], 1)));
    g.output('probabilities', g.softmax(logits));
    expect(count(cpu(g.build()).model, 'Softmax')).toBe(1);
  });

  test('both derivatives of a layer norm normalise once', () => {
    const g = new GraphBuilder();
    const [x, dy] = ['x', 'dy'].map((name) => g.input(name, 'float32', ['rows', 8]));
    g.output('dx', g.layerNormGradInput(x, g.state('scale', [8]), dy, 1e-12));
    g.output('dscale', g.layerNormGradScale(x, dy, 1e-12));
    expect(count(cpu(g.build()).model, 'LayerNormalization')).toBe(1);
  });

  test('equal target shapes are computed once', () => {
    const g = new GraphBuilder();
    const [a, b] = ['a', 'b'].map((name) => g.input(name, 'float32', ['batch', 1, 'length', 1]));
    for (const x of [a, b])
      g.output(
        `expanded ${(x.attributes as { name: string }).name}`,
        g.expand(x, ['batch', 'batch*length', 'length', 2]),
      );
    expect(count(cpu(g.build()).model, 'Concat')).toBe(1);
  });

  test('what no output depends on is left out, with the state it would read', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2]);
    g.add(x, g.state('unused', [2]));
    g.output('y', g.neg(x));
    const lowered = cpu(g.build());
    expect(opsOf(lowered.model)).toEqual(['Neg']);
    expect(lowered.states).toEqual([]);
  });
});

describe('in-place updates', () => {
  const inPlace = (build: (g: GraphBuilder) => void) => {
    const g = new GraphBuilder();
    build(g);
    return cpu(g.build()).updates.get('s')?.inPlace;
  };

  test('an elementwise update may overwrite its state', () => {
    expect(inPlace((g) => g.update('s', g.add(g.state('s', [2]), g.input('x', 'float32', [2]))))).toBe(true);
  });
  test('so may one that other readers come before', () => {
    expect(
      inPlace((g) => {
        const s = g.state('s', [2]);
        g.update('s', g.sub(s, g.mul(g.exp(s), g.input('x', 'float32', [2]))));
      }),
    ).toBe(true);
  });
  test('not while another node may still read the state', () => {
    expect(
      inPlace((g) => {
        const s = g.state('s', [2]);
        g.update('s', g.add(s, g.input('x', 'float32', [2])));
        g.output('y', g.exp(s));
      }),
    ).toBe(false);
  });
  test('not while another node may still read a view of the state', () => {
    expect(
      inPlace((g) => {
        const s = g.state('s', [2]);
        g.update('s', g.add(s, g.input('x', 'float32', [2])));
        g.output('y', g.exp(g.reshape(s, [1, 2])));
      }),
    ).toBe(false);
  });
  test('not by a node that reads elements after others are written', () => {
    expect(
      inPlace((g) => {
        const s = g.state('s', [2, 2]);
        g.update('s', g.matmul(s, g.input('x', 'float32', [2, 2])));
      }),
    ).toBe(false);
    expect(inPlace((g) => g.update('s', g.transpose(g.state('s', [2, 2]), [1, 0])))).toBe(false);
  });
  test('scattered rows are added onto the state, not onto a table of zeros', () => {
    const g = new GraphBuilder();
    const rows = g.scatterAddRows(g.input('ids', 'int32', ['n']), g.input('rows', 'float32', ['n', 3]), 50);
    g.update('s', g.add(g.state('s', [50, 3]), rows));
    const { model, updates } = cpu(g.build());
    expect(updates.get('s')?.inPlace).toBe(true);
    expect(opsOf(model)).not.toContain('ConstantOfShape');
  });
});

describe('the portable target', () => {
  const [transposeA, transposeB] = [true, true];
  function graph() {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', ['batch', 3, 2]);
    const b = g.input('b', 'float32', ['batch', 4, 3]);
    g.output('product', g.matmul(a, b, { transposeA, transposeB, scale: 0.5 }));
    const row = g.input('row', 'float32', ['rows', 1500]);
    g.output('running', g.cumulativeSum(row));
    g.output('columns', g.reduceSum(row, [0]));
    return g.build();
  }

  test('keeps to standard ops, and computes what the other computes', async () => {
    const ones = (size: number) => Array.from({ length: size }, (_, i) => 1 + (i % 7));
    const feeds: Parameters<typeof run>[1] = {
      a: [[2, 3, 2], ones(12)],
      b: [[2, 4, 3], ones(24)],
      row: [[2, 1500], ones(3000)],
    };
    const portable = lowerGraph(graph(), { target: 'portable', name: 'test' }).model;
    expect(portable.nodes.every((node) => node.domain === '')).toBe(true);
    expect(cpu(graph()).model.nodes.some((node) => node.domain !== '')).toBe(true);
    // Whole numbers, so both are exact.
    expect(await run(portable, feeds)).toEqual(await run(cpu(graph()).model, feeds));
  });
});

describe('named sizes', () => {
  test('are divided out where no axis is of just that size', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['3*batch*length']);
    const y = g.input('y', 'float32', ['length', 1]);
    g.output('filled', g.fill(['batch', 2], 5));
    g.output('sum', g.add(g.reduceSum(x), g.reduceSum(y)));
    const { filled, sum } = await run(cpu(g.build()).model, {
      x: [[12], Array(12).fill(1)],
      y: [
        [2, 1],
        [1, 1],
      ],
    });
    expect(filled).toEqual([5, 5, 5, 5]);
    expect(sum).toEqual([14]);
  });

  test('that nothing tells are an error by name', () => {
    const g = new GraphBuilder();
    g.output('y', g.fill(['width'], 1));
    expect(() => cpu(g.build())).toThrow('no input has an axis of size "width"');
    const product = new GraphBuilder();
    product.output('x', product.input('x', 'float32', ['a*b']));
    product.output('y', product.fill(['a'], 1));
    expect(() => cpu(product.build())).toThrow('no input has an axis of size "a"');
  });
});

test('an input and a state of one name are refused', () => {
  const g = new GraphBuilder();
  g.output('y', g.add(g.input('x', 'float32', [1]), g.state('x', [1])));
  expect(() => cpu(g.build())).toThrow('"x" is the name of an input and of a state');
});

test('weights beyond the limit of one file go to a second, and compute the same', async () => {
  const size = 2000;
  const g = new GraphBuilder();
  g.output('y', g.add(g.add(g.state('a', [size]), g.state('b', [size])), g.input('x', 'float32', [1])));
  const numbers = (from: number) => Float32Array.from({ length: size }, (_, i) => from + i);
  const weights = new Map([
    ['a', numbers(0)],
    ['b', numbers(0.5)],
  ]);
  const { model } = lowerGraph(g.build(), { target: 'cpu', name: 'large', weights });
  expect(encodeModel(model).external).toBeUndefined();
  const { bytes, external } = encodeModel(model, 'weights.data', 1000);
  expect(external?.data.length).toBe(2 * 4 * size);
  expect(bytes.length).toBeLessThan(4 * size);
  const feeds: Parameters<typeof run>[1] = { x: [[1], [1]] };
  expect((await run(model, feeds, 1000)).y).toEqual((await run(model, feeds)).y);
  expect((await run(model, feeds, 1000)).y.slice(0, 2)).toEqual([1.5, 3.5]);
});

import { describe, expect, it } from 'vitest';
import { checkGraph, GraphError } from '../graph/check.js';
import { GraphBuilder, type Node } from '../graph/graph.js';
import { printGraph } from '../graph/print.js';
import { evaluateGraph, float64Tensor } from '../interpreter/evaluate.js';
import { commonSubexpressions, constants, deadCode, runPasses } from './passes.js';

const opsOf = (nodes: readonly Node[]) => nodes.map((node) => node.op);

describe('dead code', () => {
  it('drops what no output or update needs', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2]);
    g.exp(x);
    g.input('unread', 'int32', ['batch']);
    g.output('y', g.neg(x));
    expect(opsOf(deadCode.run(g.build()).nodes)).toEqual(['state', 'neg']);
  });
});

describe('common subexpressions', () => {
  it('computes equal nodes once, whatever made them', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2]);
    const graph = g.build();
    // The builder shares nodes itself, so the copies are made by hand.
    const twin = (id: number): Node => ({ id, op: 'exp', inputs: [x], attributes: {}, dtype: 'float32', shape: [2] });
    const [a, b] = [twin(1), twin(2)];
    const sum: Node = { id: 3, op: 'add', inputs: [a, b], attributes: {}, dtype: 'float32', shape: [2] };
    const shared = commonSubexpressions.run({ ...graph, nodes: [x, a, b, sum], outputs: new Map([['y', sum]]) });
    expect(opsOf(shared.nodes)).toEqual(['state', 'exp', 'add']);
    const y = evaluateGraph(shared, new Map(), new Map([['x', float64Tensor([2], [0, 1])]])).outputs.get('y')!;
    expect([...y.data]).toEqual([2, 2 * Math.E]);
  });
});

describe('constants', () => {
  it('folds what depends on constants alone', () => {
    const g = new GraphBuilder();
    g.output('y', g.mul(g.add(g.constant([1, 2]), g.scalar(1)), g.scalar(3)));
    const folded = runPasses(g.build());
    expect(opsOf(folded.nodes)).toEqual(['constant']);
    expect([...evaluateGraph(folded, new Map()).outputs.get('y')!.data]).toEqual([6, 9]);
  });

  it('rounds folded values to float32, as an engine would', () => {
    const g = new GraphBuilder();
    g.output('y', g.div(g.scalar(1), g.scalar(3)));
    expect(evaluateGraph(runPasses(g.build()), new Map()).outputs.get('y')!.data[0]).toBe(Math.fround(1 / 3));
  });

  it('removes x·1, x + 0, a reshape to the same shape and a transpose undone', () => {
    const g = new GraphBuilder();
    const x = g.state('x', ['batch', 3]);
    const same = g.reshape(g.add(g.mul(x, g.scalar(1)), g.scalar(0)), ['batch', 3]);
    g.output('y', g.exp(g.transpose(g.transpose(same, [1, 0]), [1, 0])));
    expect(opsOf(runPasses(g.build()).nodes)).toEqual(['state', 'exp']);
  });

  it('keeps x·1 where the constant broadcasts x to a larger shape', () => {
    const g = new GraphBuilder();
    g.output('y', g.mul(g.state('x', [1]), g.constant([1, 1, 1])));
    expect(opsOf(constants.run(g.build()).nodes)).toContain('mul');
  });
});

describe('the checker', () => {
  it('names the pass and shows the nodes around a fault', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2, 3]);
    const y = g.exp(x);
    g.output('y', y);
    const graph = g.build();
    const broken = { ...graph, nodes: [x, { ...y, shape: [3, 2] }], outputs: new Map() };
    expect(() => checkGraph(broken, 'pass "test"')).toThrow(GraphError);
    expect(() => checkGraph(broken, 'pass "test"')).toThrow(
      /after pass "test": exp %1: its type is float32\[3, 2\], the rule gives float32\[2, 3\][\s\S]*→ %1/,
    );
  });

  it('refuses an operand that comes later', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2]);
    const y = g.exp(x);
    expect(() => checkGraph({ nodes: [y, x], outputs: new Map(), updates: new Map() })).toThrow(
      'operand %0 does not come before it',
    );
  });
});

describe('the printer', () => {
  it('writes one node a line with operands by number and sizes by name', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 4]);
    g.output('y', g.matmul(x, g.state('w', [3, 4]), { transposeB: true }));
    expect(printGraph(g.build())).toBe(
      [
        '%0: float32[batch, 4] = input(name=x)',
        '%1: float32[3, 4] = state(name=w)',
        '%2: float32[batch, 3] = matmul(%0, %1, transposeA=false, transposeB=true, scale=1)',
        'output y = %2',
      ].join('\n'),
    );
  });
});

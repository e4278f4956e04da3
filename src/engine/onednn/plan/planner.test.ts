import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../graph/graph.js';
import { BATCH, Dropout, LENGTH, selfAttention } from '../../../nn/layers.js';
import { ParameterScope } from '../../../nn/parameters.js';
import type { Precision } from '../../engine.js';
import { type Plan, resolveAlias, type Step } from './plan.js';
import { Planner } from './planner.js';
import { rules } from './rules.js';

const SIZES = new Map([
  [BATCH, 2],
  [LENGTH, 8],
]);

function planOf(g: GraphBuilder, precision: Precision = 'fp32'): Plan {
  return new Planner(g.build(), rules, { sizes: SIZES, precision }).plan();
}

/** A step as one line: its op, and the post-ops of its primitive. */
function describeStep(step: Step): string {
  if (step.kind === 'loop') return step.op;
  const postOps = 'postOps' in step.primitive ? step.primitive.postOps : [];
  const names = postOps.map((postOp) => (postOp.kind === 'sum' ? 'sum' : postOp.algorithm));
  return [step.op, ...names].join(' + ');
}

const stepsOf = ({ steps }: Plan) => steps.map(describeStep);

describe('a plan', () => {
  it('does elementwise nodes that alone read a product as its post-ops', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [BATCH, 8]);
    const product = g.linear(x, g.state('weight', [8, 8]), g.state('bias', [8]));
    g.output('y', g.gelu(g.sub(g.scalar(1), g.mul(product, g.scalar(2)))));
    // 1 − 2x is one line.
    expect(stepsOf(planOf(g))).toEqual(['linear + linear + geluErf']);
  });

  it('keeps a value that two nodes read', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [BATCH, 8]);
    const product = g.linear(x, g.state('weight', [8, 8]), g.state('bias', [8]));
    g.output('y', g.add(g.gelu(product), product));
    expect(stepsOf(planOf(g))).toEqual(['linear', 'gelu', 'add']);
  });

  it('adds a product to the gradient that it accumulates into, in the memory of the gradient', () => {
    const g = new GraphBuilder();
    const [x, dy] = ['x', 'dy'].map((name) => g.input(name, 'float32', [BATCH, 8]));
    g.update('gradient', g.add(g.state('gradient', [8, 8]), g.matmul(dy, x, { transposeA: true })));
    const plan = planOf(g);
    expect(stepsOf(plan)).toEqual(['matmul + sum']);
    const [step] = plan.steps;
    const result = step.kind === 'primitive' && step.primitive.kind === 'matmul' ? step.primitive.dst : undefined;
    expect(resolveAlias(plan.aliases, result!.buffer).residence).toEqual({ kind: 'state', name: 'gradient' });
  });

  it('updates a running average in one pass over its own memory', () => {
    const g = new GraphBuilder();
    const gradient = g.mul(g.state('gradient', [64]), g.input('scale', 'float32', []));
    const moment = g.state('moment', [64]);
    g.update('moment', g.add(g.mul(moment, g.scalar(0.9)), g.mul(gradient, g.scalar(0.1))));
    const plan = planOf(g);
    expect(stepsOf(plan)).toEqual(['mul + linear + sum']);
    const { primitive } = plan.steps[0] as Extract<Step, { kind: 'primitive' }>;
    expect('postOps' in primitive && primitive.postOps[1]).toEqual({ kind: 'sum', scale: Math.fround(0.9) });
  });

  it('sums the three products into a residual in one piece of memory', () => {
    const g = new GraphBuilder();
    const residual = g.exp(g.input('r', 'float32', [BATCH, 8]));
    const product = (name: string) => g.matmul(g.input(name, 'float32', [BATCH, 8]), g.state(`w${name}`, [8, 8]));
    g.output('dx', g.add(g.add(g.add(residual, product('q')), product('k')), product('v')));
    const plan = planOf(g);
    expect(stepsOf(plan)).toEqual(['exp', 'matmul + sum', 'matmul + sum', 'matmul + sum']);
    const roots = new Set(
      plan.steps.map((step) => {
        const { primitive } = step as Extract<Step, { kind: 'primitive' }>;
        return resolveAlias(plan.aliases, (primitive as Extract<typeof primitive, { kind: 'matmul' }>).dst.buffer);
      }),
    );
    expect(roots.size).toBe(1);
  });

  it('leaves the old value of a state alone as long as it is read', () => {
    const g = new GraphBuilder();
    const state = g.state('s', [8]);
    const next = g.exp(state);
    g.update('s', next);
    g.output('y', g.sub(next, state));
    expect(stepsOf(planOf(g))).toEqual(['exp', 'sub', 'copy']);
  });

  it('adds scattered rows to a product in place', () => {
    const g = new GraphBuilder();
    const [x, dy] = ['x', 'dy'].map((name) => g.input(name, 'float32', [BATCH, 8]));
    const rows = g.scatterAddRows(g.input('ids', 'int32', [LENGTH]), g.input('rows', 'float32', [LENGTH, 8]), 8);
    g.update('table', g.add(g.matmul(dy, x, { transposeA: true }), rows));
    const plan = planOf(g);
    expect(stepsOf(plan)).toEqual(['matmul', 'scatterAddRows']);
    const loop = plan.steps[1] as Extract<Step, { kind: 'loop' }>;
    const [base, result] = [loop.reads[0], loop.writes[0]].map(({ buffer }) => resolveAlias(plan.aliases, buffer));
    expect(base).toBe(result);
  });

  it('takes all three derivatives of a layer norm from one primitive', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [BATCH, 8]);
    const dy = g.input('dy', 'float32', [BATCH, 8]);
    const scale = g.state('scale', [8]);
    g.output('y', g.layerNorm(x, scale, g.state('shift', [8]), 1e-5));
    g.output('dx', g.layerNormGradInput(x, scale, dy, 1e-5));
    g.output('dScale', g.layerNormGradScale(x, dy, 1e-5));
    g.output('dShift', g.reduceSum(dy, [0]));
    expect(stepsOf(planOf(g))).toEqual(['layerNorm', 'layerNormGrad']);
  });

  it('makes one softmax for sampling, the loss and its derivative', () => {
    const g = new GraphBuilder();
    const logits = g.exp(g.input('x', 'float32', [BATCH, 8]));
    const labels = g.input('labels', 'int32', [BATCH]);
    g.output('loss', g.softmaxCrossEntropy(logits, labels));
    g.output('ids', g.sampleRows(g.softmax(g.stopGradient(logits)), g.input('u', 'float32', [BATCH])));
    g.output('dLogits', g.softmaxCrossEntropyGrad(logits, labels, g.input('dLoss', 'float32', [BATCH])));
    expect(stepsOf(planOf(g)).filter((step) => step === 'softmax')).toHaveLength(1);
  });

  it('of attention copies no heads: products read them where they lie', () => {
    const attention = (precision: Precision) => {
      const scope = new ParameterScope(new GraphBuilder());
      const g = scope.graph;
      const sizes = {
        hiddenSize: 8,
        numAttentionHeads: 2,
        intermediateSize: 8,
        layerNormEps: 1e-5,
        hiddenDropoutProb: 0,
        attentionProbsDropoutProb: 0,
      };
      const x = g.input('x', 'float32', ['batch*length', 8]);
      const bias = g.input('bias', 'float32', [BATCH, 1, 1, LENGTH]);
      g.output('context', selfAttention(scope, x, bias, sizes, new Dropout(false)).context);
      return stepsOf(planOf(g, precision));
    };
    expect(attention('fp32')).toEqual(['linear', 'linear', 'matmul + linear + add', 'softmax', 'linear', 'matmul']);
    // The input is rounded once for three products; what lies between two products is written as bf16; the result is float32.
    expect(attention('bf16')).toEqual([
      'cast',
      'linear',
      'linear',
      'matmul + linear + add',
      'softmax',
      'linear',
      'matmul',
    ]);
  });

  it('gives products of attention the axes for which there are fast kernels', () => {
    const axesOf = (texts: number, heads: number) => {
      const g = new GraphBuilder();
      const [q, k] = ['q', 'k'].map((name) => g.input(name, 'float32', [texts, 5, heads, 4]));
      const split = (x: typeof q) => g.transpose(x, [0, 2, 1, 3]);
      g.output('scores', g.matmul(split(q), split(k), { transposeB: true }));
      const [step] = planOf(g).steps;
      return step.kind === 'primitive' && step.primitive.kind === 'matmul' && step.primitive.dst.shape;
    };
    expect(axesOf(2, 3)).toEqual([2, 3, 5, 5]);
    expect(axesOf(1, 3)).toEqual([1, 3, 5, 5]);
    expect(axesOf(2, 1)).toEqual([2, 5, 5]);
    expect(axesOf(1, 1)).toEqual([5, 5]);
  });

  it('rounds operands of products, and keeps the residual stream, layer norm and gradients of weights in float32', () => {
    const g = new GraphBuilder();
    const x = g.exp(g.input('x', 'float32', [BATCH, 8]));
    const inner = g.linear(x, g.state('up', [16, 8]), g.state('upBias', [16]));
    const outer = g.linear(g.gelu(inner), g.state('down', [8, 16]), g.state('downBias', [8]));
    const sum = g.add(x, outer);
    g.output('y', g.layerNorm(sum, g.state('scale', [8]), g.state('shift', [8]), 1e-5));
    g.update('gradient', g.matmul(g.exp(sum), x, { transposeA: true }));
    const { steps, shadows } = planOf(g, 'bf16');
    const types = steps.map((step) => {
      const { primitive } = step as Extract<Step, { kind: 'primitive' }>;
      return [step.op, 'dst' in primitive ? primitive.dst.type : ''];
    });
    expect(types).toEqual([
      ['exp', 'f32'],
      ['cast', 'bf16'],
      ['linear', 'bf16'],
      ['linear', 'f32'],
      ['layerNorm', 'f32'],
      ['exp', 'f32'],
      ['cast', 'bf16'],
      ['matmul', 'f32'],
    ]);
    expect([...shadows].sort()).toEqual(['down', 'up']);
  });
});

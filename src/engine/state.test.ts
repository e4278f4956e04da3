import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../graph/graph.js';
import type { Engine, StateLayout, Tensor } from './engine.js';
import { ENGINES } from './testEngines.js';

const vector = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const scalar = (value: number): Tensor => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) });

/** One arena with slots of the given shapes, one after the other. */
function layoutOf(shapes: Record<string, readonly number[]>, arena = 'parameters'): StateLayout {
  let offset = 0;
  const slots: StateLayout['slots'] = new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const slot = { arena, offset, shape };
      offset += shape.reduce((product, size) => product * size, 1);
      return [name, slot];
    }),
  );
  return { arenas: { [arena]: offset }, slots };
}

describe.each(ENGINES)('state of %s', (_name, create) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.close());

  test('is read and written in pieces, by copies', async () => {
    const state = await engine.createState({ arenas: { a: 5 }, slots: new Map() });
    const written = Float32Array.of(1, 2, 3);
    await state.write('a', written, 1);
    expect(written).toEqual(Float32Array.of(1, 2, 3));
    expect(await state.read('a')).toEqual(Float32Array.of(0, 1, 2, 3, 0));
    const piece = await state.read('a', 2, 4);
    expect(piece).toEqual(Float32Array.of(2, 3));
    piece.fill(9);
    expect(await state.read('a', 2, 4)).toEqual(Float32Array.of(2, 3));
    await state.release();
  });

  test.each([
    ['memory of its own', new ArrayBuffer(20)],
    ['shared memory', new SharedArrayBuffer(20)],
  ])('is read into and written from %s, of which a view is enough', async (_kind, buffer) => {
    const state = await engine.createState({ arenas: { a: 5 }, slots: new Map() });
    await state.write('a', Float32Array.of(1, 2, 3, 4, 5));
    const whole = new Float32Array(buffer);
    const into = whole.subarray(1, 4);
    expect(await state.read('a', 2, 5, into)).toBe(into);
    expect([...whole]).toEqual([0, 3, 4, 5, 0]);
    whole.fill(7);
    await state.write('a', into.subarray(0, 2), 1);
    expect([...whole]).toEqual([7, 7, 7, 7, 7]);
    expect([...(await state.read('a'))]).toEqual([1, 7, 7, 4, 5]);
    await state.release();
  });

  test('a range outside its arena, and an arena that does not exist, are refused by name', async () => {
    const state = await engine.createState({ arenas: { a: 5 }, slots: new Map() });
    await expect(state.read('a', 2, 6)).rejects.toThrow('elements 2..6 of arena "a", which has 5');
    await expect(state.write('a', new Float32Array(3), 3)).rejects.toThrow('elements 3..6 of arena "a", which has 5');
    await expect(state.read('b')).rejects.toThrow('there is no arena "b"; there are a');
  });

  test('accumulates in place over repeated runs, matrix, bias and scattered rows alike', async () => {
    const state = await engine.createState(layoutOf({ matrix: [2, 3], bias: [2], table: [4, 2] }));
    await state.write(
      'parameters',
      Float32Array.from({ length: 16 }, (_, i) => i),
    );
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['rows', 3]);
    const dy = g.input('dy', 'float32', ['rows', 2]);
    const ids = g.input('ids', 'int32', ['rows']);
    g.update('matrix', g.add(g.state('matrix', [2, 3]), g.matmul(dy, x, { transposeA: true })));
    g.update('bias', g.add(g.state('bias', [2]), g.reduceSum(dy, [0])));
    g.update('table', g.add(g.state('table', [4, 2]), g.scatterAddRows(ids, dy, 4)));
    const program = await engine.compile(g.build(), { label: 'accumulate', state });
    const feeds = {
      x: { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      dy: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 0, 2, -1) },
      ids: { dtype: 'int32', shape: [2], data: Int32Array.of(3, 3) },
    } as const;
    for (let i = 0; i < 3; i++) await program.run(feeds);
    // dyᵀx = [[9, 12, 15], [−4, −5, −6]], Σdy = [3, −1], both rows go to row 3: [3, −1]
    expect([...(await state.read('parameters'))]).toEqual([
      0 + 27,
      1 + 36,
      2 + 45,
      3 - 12,
      4 - 15,
      5 - 18,
      6 + 9,
      7 - 3,
      8,
      9,
      10,
      11,
      12,
      13,
      14 + 9,
      15 - 3,
    ]);
  });

  test('all reads of a run see the values from before its updates', async () => {
    const state = await engine.createState(layoutOf({ a: [2], b: [2], c: [2] }));
    await state.write('parameters', Float32Array.of(1, 2, 30, 40, 5, 6));
    const g = new GraphBuilder();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => g.state(name, [2]));
    // A swap, and a state that others read after its own update could have been written.
    g.update('a', b);
    g.update('b', a);
    const next = g.add(c, g.scalar(1));
    g.update('c', next);
    g.output('late', g.mul(g.exp(g.mul(next, g.scalar(0))), c));
    g.output('itself', c);
    const program = await engine.compile(g.build(), { label: 'swap', state });
    const { late, itself } = await program.run({});
    expect([...late.data]).toEqual([5, 6]);
    expect([...itself.data]).toEqual([5, 6]);
    expect([...(await state.read('parameters'))]).toEqual([30, 40, 1, 2, 6, 7]);
  });

  test('one value may be an output and the update of several states, and an input may be either', async () => {
    const state = await engine.createState(layoutOf({ a: [2], b: [2], c: [2] }));
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2]);
    const double = g.add(x, x);
    g.update('a', double);
    g.update('b', double);
    g.update('c', x);
    g.output('double', double);
    g.output('again', double);
    g.output('x', x);
    const program = await engine.compile(g.build(), { label: 'shared', state });
    const outputs = await program.run({ x: vector(1, 2) });
    expect(Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]))).toEqual({
      double: [2, 4],
      again: [2, 4],
      x: [1, 2],
    });
    expect([...(await state.read('parameters'))]).toEqual([2, 4, 2, 4, 1, 2]);
  });

  test('two programs share one state, and a program may serve weights instead', async () => {
    const state = await engine.createState(layoutOf({ w: [2] }));
    const add = new GraphBuilder();
    add.update('w', add.add(add.state('w', [2]), add.input('x', 'float32', [2])));
    const read = new GraphBuilder();
    read.output('double', read.mul(read.state('w', [2]), read.scalar(2)));
    const adding = await engine.compile(add.build(), { label: 'add', state });
    const reading = await engine.compile(read.build(), { label: 'read', state });
    const serving = await engine.compile(read.build(), {
      label: 'serve',
      weights: new Map([['w', Float32Array.of(7, 8)]]),
    });
    await adding.run({ x: vector(1, 2) });
    expect([...(await reading.run({})).double.data]).toEqual([2, 4]);
    expect([...(await serving.run({})).double.data]).toEqual([14, 16]);
  });

  test('runs over uneven pieces of arenas, with feeds of their own, and sums scalars', async () => {
    const length = 23;
    const state = await engine.createState({ arenas: { p: length, gradient: length }, slots: new Map() });
    const start = Float32Array.from({ length }, (_, i) => i);
    await state.write('p', start);
    await state.write('gradient', new Float32Array(length).fill(2));
    const g = new GraphBuilder();
    const [p, gradient] = ['p', 'gradient'].map((name) => g.state(name, ['chunk']));
    g.update('p', g.sub(p, g.mul(gradient, g.input('rate', 'float32', []))));
    g.update('gradient', g.fill(['chunk'], 0));
    g.output('squares', g.reduceSum(g.mul(gradient, gradient)));
    g.output('count', g.reduceSum(g.fill(['chunk'], 1)));
    const program = await engine.compile(g.build(), { label: 'update', state });
    const ranges = [
      { start: 0, end: 9, feeds: { rate: scalar(0.5) } },
      { start: 9, end: 10, feeds: { rate: scalar(0.25) } },
      { start: 12, end: 23, feeds: { rate: scalar(1) } },
    ];
    expect(await program.runOverArenas(ranges, 4)).toEqual({ squares: 21 * 4, count: 21 });
    const rate = (i: number) => (i < 9 ? 0.5 : i < 10 ? 0.25 : i < 12 ? 0 : 1);
    expect([...(await state.read('p'))]).toEqual([...start].map((value, i) => value - 2 * rate(i)));
    expect([...(await state.read('gradient'))]).toEqual([...start].map((_, i) => (i === 10 || i === 11 ? 2 : 0)));
  });

  test('a state without a place, or of another shape, is refused at compilation', async () => {
    const state = await engine.createState(layoutOf({ w: [2] }));
    const graph = (name: string, shape: readonly number[]) => {
      const g = new GraphBuilder();
      g.output('y', g.neg(g.state(name, shape)));
      return g.build();
    };
    await expect(engine.compile(graph('v', [2]), { label: 'bad', state })).rejects.toThrow(
      'program "bad": state "v" has no place',
    );
    await expect(engine.compile(graph('w', [3]), { label: 'bad', state })).rejects.toThrow(
      'state "w" is [3] in the graph and [2]',
    );
    await expect(engine.compile(graph('w', [2]), { label: 'bad' })).rejects.toThrow('compiled without state');
    await expect(
      engine.compile(graph('w', [2]), { label: 'bad', weights: new Map([['w', new Float32Array(3)]]) }),
    ).rejects.toThrow('weights of "w" have 3 values');
  });

  test('a feed that is missing, of another type or of another size is refused by name', async () => {
    const g = new GraphBuilder();
    g.output('y', g.add(g.input('a', 'float32', ['batch', 2]), g.input('b', 'float32', ['batch', 2])));
    const program = await engine.compile(g.build(), { label: 'sum' });
    const feed = (rows: number): Tensor => ({ dtype: 'float32', shape: [rows, 2], data: new Float32Array(rows * 2) });
    await expect(program.run({ a: feed(1) })).rejects.toThrow(
      'program "sum": input "b" is not fed, expected float32[batch, 2]',
    );
    await expect(program.run({ a: feed(1), b: feed(3) })).rejects.toThrow(
      'input "b" is float32[3, 2] with 6 values, expected float32[batch, 2] where batch = 1',
    );
    const integers: Tensor = { dtype: 'int32', shape: [1, 2], data: new Int32Array(2) };
    await expect(program.run({ a: feed(1), b: integers })).rejects.toThrow('input "b" is int32[1, 2]');
    expect((await program.run({ a: feed(1), b: feed(1) })).y.shape).toEqual([1, 2]);
  });

  test('a failure inside the runtime names the program and the shapes it ran on', async () => {
    const g = new GraphBuilder();
    g.output('y', g.gather(g.input('table', 'float32', [2, 2]), g.input('ids', 'int32', ['batch'])));
    const program = await engine.compile(g.build(), { label: 'lookup' });
    const table: Tensor = { dtype: 'float32', shape: [2, 2], data: new Float32Array(4) };
    await expect(program.run({ table, ids: { dtype: 'int32', shape: [1], data: Int32Array.of(5) } })).rejects.toThrow(
      /program "lookup" failed on .*table \[2, 2\], ids \[1\].*: /s,
    );
  });
});

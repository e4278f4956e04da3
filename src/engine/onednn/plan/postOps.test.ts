import { expect, test } from 'vitest';
import { foldLines, safePieces } from './postOps.js';
import type { PostOp } from './primitives.js';
import { scratch } from './values.js';

const line = (alpha: number, beta = 0): PostOp => ({ kind: 'eltwise', algorithm: 'linear', alpha, beta });
const curve: PostOp = { kind: 'eltwise', algorithm: 'tanh', alpha: 0, beta: 0 };
const plus: PostOp = { kind: 'binary', algorithm: 'add', operand: scratch('f32', [1]) };

test('neighbouring lines are one', () => {
  // 3·(2x + 1) + 4 = 6x + 7
  expect(foldLines([line(2, 1), line(3, 4), curve, line(5)])).toEqual([line(6, 7), curve, line(5)]);
});

test('no piece has two lines, and a piece that begins with a curve is that curve alone', () => {
  expect(safePieces([line(2), plus, curve, plus])).toEqual([[line(2), plus, curve, plus]]);
  expect(safePieces([line(2), plus, line(3), plus, line(4)])).toEqual([[line(2), plus], [line(3)], [plus, line(4)]]);
  expect(safePieces([curve, curve])).toEqual([[curve, curve]]);
  expect(safePieces([])).toEqual([[]]);
});

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random/philox.js';
import { identityStart, localKey, localQuery, neighbourOffset, sinusoidalPositions } from './localAttention.js';

/** Rows of a table after layer norm, words of the same variance added to the positions. */
function normalizedInputs(positions: Float32Array, length: number, size: number): number[][] {
  const stream = new RandomStream(1, 'test');
  return Array.from({ length }, (_, t) => {
    const row = Array.from({ length: size }, (_, i) => positions[t * size + i] + 0.02 * stream.normal());
    const mean = row.reduce((a, b) => a + b) / size;
    const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size);
    return row.map((value) => (value - mean) / deviation);
  });
}

function project(weight: Float32Array, x: readonly number[], firstRow: number, rows: number): number[] {
  return Array.from({ length: rows }, (_, row) =>
    x.reduce((sum, value, i) => sum + weight[(firstRow + row) * x.length + i] * value, 0),
  );
}

describe('local attention', () => {
  it.each([
    { hidden: 128, numHeads: 2, layer: 0 },
    { hidden: 128, numHeads: 2, layer: 1 },
    { hidden: 64, numHeads: 1, layer: 2 },
    { hidden: 96, numHeads: 8, layer: 0 },
  ])('every head of $hidden/$numHeads in layer $layer gives its neighbour far more weight than the others', (heads) => {
    const { hidden, numHeads, layer } = heads;
    const embeddingSize = hidden;
    const length = 48;
    const positions = sinusoidalPositions(0.02)([length, embeddingSize]);
    const x = normalizedInputs(positions, length, hidden);
    const query = localQuery({ layer, numHeads, embeddingSize })([hidden, hidden]);
    const key = localKey({ layer, numHeads, embeddingSize })([hidden, hidden]);
    const headSize = hidden / numHeads;
    for (let head = 0; head < numHeads; head++) {
      const keys = x.map((row) => project(key, row, head * headSize, headSize));
      let hits = 0;
      let weight = 0;
      const inside = [...Array(length).keys()].slice(8, -8);
      for (const t of inside) {
        const q = project(query, x[t], head * headSize, headSize);
        const scores = keys.map((k) => k.reduce((sum, value, i) => sum + value * q[i], 0) / Math.sqrt(headSize));
        const target = t + neighbourOffset(layer, head, numHeads);
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        weight += Math.exp(scores[target]) / total / inside.length;
        if (scores[target] === Math.max(...scores)) hits++;
      }
      // Small heads see few frequencies, so their peak is blunter.
      expect(hits / inside.length).toBeGreaterThan(headSize >= 64 ? 0.9 : 0.2);
      // An even spread would give 1/48 ≈ 0.02.
      expect(weight).toBeGreaterThan(headSize >= 64 ? 0.4 : 0.08);
    }
  });

  it('looks at −1, +1, −2, +2 before it begins again', () => {
    const over = (numHeads: number, layers: number) =>
      Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: numHeads }, (_, head) => neighbourOffset(layer, head, numHeads)),
      );
    expect(over(2, 3)).toEqual([
      [-1, 1],
      [-2, 2],
      [-1, 1],
    ]);
    expect(over(1, 5)).toEqual([[-1], [1], [-2], [2], [-1]]);
    expect(over(12, 1)).toEqual([[-1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6]]);
  });

  it('gives positions the variance of word embeddings', () => {
    const table = sinusoidalPositions(0.02)([512, 128]);
    expect(Math.sqrt(table.reduce((sum, value) => sum + value ** 2, 0) / table.length)).toBeCloseTo(0.02, 6);
  });

  it('lets the projection pass on as much of the embedding as fits', () => {
    expect([...identityStart([2, 3])]).toEqual([1, 0, 0, 0, 1, 0]);
    expect([...identityStart([3, 2])]).toEqual([1, 0, 0, 1, 0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  type CellName,
  compare,
  marksOf,
  minutesTo,
  SPEEDRUN_CELLS,
  type SpeedrunPoint,
  speedrunPicture,
  speedrunTable,
} from './speedrunTable.js';

/** A loss that falls in a straight line: from 8 at minute 0 to 8 − rate · minutes. */
function curve(cell: CellName, rate: number, others: Partial<SpeedrunPoint> = {}): SpeedrunPoint[] {
  return [1, 2, 5, 10].map((minutes) => ({
    cell,
    budget: 10,
    seed: 0,
    threads: 2,
    mark: minutes,
    minutes,
    steps: 100 * minutes,
    tokens: 1e6 * minutes,
    loss: 8 - rate * minutes,
    accuracy: 0.1,
    auc: 0.5 + 0.01 * minutes,
    engine: 'engine',
    ...others,
  }));
}

const RATES: Readonly<Record<CellName, number>> = {
  'pleiad-short': 0.4,
  'pleiad-paper': 0.2,
  'torch-short': 0.25,
  'torch-paper': 0.1,
};
const POINTS = SPEEDRUN_CELLS.flatMap((cell) => curve(cell, RATES[cell]));

describe('the times of measuring', () => {
  it('are a geometric series up to the whole time', () => {
    expect(marksOf(60)).toEqual([1, 2, 3, 5, 8, 12, 20, 30, 45, 60]);
    expect(marksOf(0.5)).toEqual([0.5]);
    expect(marksOf(10)).toEqual([1, 2, 3, 5, 8, 10]);
  });
});

describe('minutes to a loss', () => {
  it('lie on a straight line between two measurements', () => {
    const points = [
      { minutes: 2, loss: 7 },
      { minutes: 6, loss: 5 },
      { minutes: 7, loss: 5.5 },
    ];
    expect(minutesTo(points, 6)).toEqual({ minutes: 4, atMost: false });
    expect(minutesTo(points, 5)).toEqual({ minutes: 6, atMost: false });
    expect(minutesTo(points, 7.5)).toEqual({ minutes: 2, atMost: true });
    expect(minutesTo(points, 4.9)).toBeUndefined();
  });
});

describe('the four cells', () => {
  it('are compared at the lowest loss that all reach, engine and recipe apart', () => {
    // The slowest ends at 8 − 0.1 · 10 = 7, which the others reach after 1 / rate minutes.
    const { loss, minutes, all, engine, recipe } = compare(POINTS)!;
    expect(loss).toBeCloseTo(7, 12);
    expect(minutes['pleiad-short'].minutes).toBeCloseTo(2.5, 12);
    expect(minutes['pleiad-paper'].minutes).toBeCloseTo(5, 12);
    expect(minutes['torch-short'].minutes).toBeCloseTo(4, 12);
    expect(minutes['torch-paper'].minutes).toBeCloseTo(10, 12);
    expect(all).toBeCloseTo(4, 12);
    expect(engine.both[0]).toBeCloseTo(2, 12);
    expect(engine.both[1]).toBeCloseTo(1.6, 12);
    expect(recipe.both[0]).toBeCloseTo(2.5, 12);
    expect(recipe.both[1]).toBeCloseTo(2, 12);
    expect(engine.mean * recipe.mean).toBeCloseTo(all, 12);
  });

  it('are not compared before all were measured', () => {
    const three = POINTS.filter(({ cell }) => cell !== 'torch-paper');
    expect(compare(three)).toBeUndefined();
    expect(speedrunTable(three)).toContain('compared when all of them were measured');
    expect(speedrunTable(three)).toContain(
      '| Pleiad, short recipe (engine) | 10.0 | 1,000 | 10.0 | 4.000 | 10.0 | 0.600 | – |',
    );
  });

  it('stand in a table with what the comparison says, and what else the machine did', () => {
    const table = speedrunTable(POINTS);
    expect(table).toContain(
      "| PyTorch, paper's settings (engine) | 10.0 | 1,000 | 10.0 | 7.000 | 10.0 | 0.600 | 10.0 |",
    );
    expect(table).toContain('needs 2.5 minutes');
    expect(table).toContain('4.0 times as many');
    expect(table).not.toContain('Other processes');
    const busy = [...POINTS, ...curve('torch-paper', 0.1, { othersCores: 0.84 })];
    expect(speedrunTable(busy)).toContain('Other processes kept up to 0.8 cores busy');
  });

  it('are drawn as curves of loss and of AUC', () => {
    expect(speedrunPicture(POINTS).match(/<polyline/g)).toHaveLength(8);
  });
});

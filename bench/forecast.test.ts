import { describe, expect, it } from 'vitest';
import type { RankCosts } from './costModel.js';
import { carriedOver, describeForecasts, faster, forecasts, workOf } from './forecast.js';

/** 20 ms a row, 40 ms for an update. */
const costs: RankCosts = {
  compute: { start: 0, slope: 20 },
  updateMs: 40,
  normMs: 0,
  gradientBytes: 50e6,
  copyMs: 10,
};
const machine = { name: 'this one', speed: 1, dollarsPerHour: 0.1 };

describe('a forecast', () => {
  it('of one machine is steps times the step, in days and dollars', () => {
    const training = { size: 'small', length: 128, rows: 128, steps: 1000, mostRows: 32 } as const;
    const [alone, slow] = forecasts({ costs, size: 'small', length: 128 }, [machine], [training]);
    expect(alone.stepMs).toBeCloseTo(128 * 20 + 40, 6);
    expect(alone.days).toBeCloseTo((1000 * 2600) / 86_400_000, 9);
    expect(alone.dollars).toBeCloseTo((2600 / 3600) * 0.1, 9);
    // 8 machines at 10 Gbit/s, of which TCP reaches 8: 2·7/8 of 50 MB at 1 MB/ms, 12 buckets of 14 messages, 8 messages.
    expect(slow.nodes).toBe(8);
    expect(slow.stepMs).toBeCloseTo(16 * 20 + 40 + 10 + 87.5 + (12 * 14 + 8) * 0.03, 6);
    expect(slow.efficiency).toBeCloseTo(2600 / slow.stepMs / 8, 9);
  });

  it('is the better the faster the network, and the less efficient the faster the machines', () => {
    const list = forecasts({ costs, size: 'small', length: 128 }, [machine, { ...machine, name: 'fast', speed: 20 }]);
    const find = (name: string, nodes: number, network: string) =>
      list.find(
        (f) => f.training.size === 'small' && f.machine.name === name && f.nodes === nodes && f.network === network,
      )!;
    expect(find('this one', 64, '100 Gbit/s').stepMs).toBeLessThan(find('this one', 64, '10 Gbit/s').stepMs);
    expect(find('fast', 8, '10 Gbit/s').efficiency).toBeLessThan(find('this one', 8, '10 Gbit/s').efficiency);
    expect(describeForecasts(list)).toHaveLength(2 + 2 * 2 * 5);
  });
});

describe('costs', () => {
  it('are carried over by operations and by weights', () => {
    const other = carriedOver(costs, { flopsPerRow: 1, weights: 10 }, { flopsPerRow: 6, weights: 80 });
    expect(other).toEqual({
      compute: { start: 0, slope: 120 },
      updateMs: 320,
      normMs: 0,
      gradientBytes: 400e6,
      copyMs: 80,
    });
    expect(faster(costs, 4)).toMatchObject({ compute: { slope: 5 }, updateMs: 10, gradientBytes: 50e6 });
  });
  it('of base are those of the published sizes: 8 times the weights of small', () => {
    const [small, base] = [workOf({ size: 'small', length: 128 }), workOf({ size: 'base', length: 512 })];
    // Paper, table 8: 14 M and 110 M parameters without their generators.
    expect(small.weights).toBeGreaterThan(14e6);
    expect(base.weights / small.weights).toBeGreaterThan(6);
    expect(base.weights / small.weights).toBeLessThan(10);
    expect(base.flopsPerRow / small.flopsPerRow).toBeGreaterThan(4 * 6);
  });
});

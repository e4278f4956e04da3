import { describe, expect, it } from 'vitest';
import { roundTicks } from '../src/tasks/report/roundTicks.js';
import { chartsSvg } from './lineChart.js';

describe('roundTicks', () => {
  it('spans the values with round numbers', () => {
    expect(roundTicks([3, 97])).toEqual([0, 20, 40, 60, 80, 100]);
    expect(roundTicks([0.51, 0.93])).toEqual([0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(roundTicks([-1, 1])).toEqual([-1, -0.5, 0, 0.5, 1]);
  });
  it('makes room around a single value, and has an axis for none', () => {
    expect(roundTicks([2])).toEqual([1.4, 1.6, 1.8, 2, 2.2, 2.4, 2.6]);
    expect(roundTicks([])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });
});

describe('chartsSvg', () => {
  const chart = {
    title: 'Losses <a & b>',
    xLabel: 'steps',
    yLabel: 'nats',
    series: [
      {
        name: 'generator',
        points: [
          [0, 0],
          [100, 10],
        ] as [number, number][],
      },
      {
        name: 'entropy',
        points: [
          [0, 5],
          [100, 5],
        ] as [number, number][],
        dashed: true,
      },
    ],
  };
  const svg = chartsSvg([chart], { width: 400, chartHeight: 200 });

  it('puts the least value at the lower left and the greatest at the upper right', () => {
    // Plot area: x 72..384, y 152..56 (downwards).
    expect(svg).toContain('points="72.0,152.0 384.0,56.0"');
    expect(svg).toContain('points="72.0,104.0 384.0,104.0"');
  });
  it('names axes and series, dashes baselines and escapes markup', () => {
    for (const words of ['>steps<', '>nats<', '>generator<', '>entropy<', 'Losses &lt;a &amp; b&gt;'])
      expect(svg).toContain(words);
    expect(svg.match(/<polyline[^>]*stroke-dasharray/g)).toHaveLength(1);
  });
  it('reaches the values that an axis is to include', () => {
    const wide = chartsSvg([{ ...chart, xIncludes: [200], yIncludes: [-10] }], { width: 400, chartHeight: 200 });
    expect(wide).toContain('points="72.0,104.0 228.0,56.0"');
  });
  it('takes further rows for names that do not fit, and their height from the plot', () => {
    const names = ['the first of the series', 'the second of the series', 'the third'];
    const [{ points }] = chart.series;
    const many = chartsSvg([{ ...chart, series: names.map((name) => ({ name, points })) }], {
      width: 400,
      chartHeight: 200,
    });
    const places = names.map((name) =>
      many.match(new RegExp(`<text x="([0-9.]+)" y="([0-9.]+)"[^>]*>${name}<`))!.slice(1),
    );
    expect(places.map(([, y]) => y)).toEqual(['44.0', '62.0', '62.0']);
    // The second begins a row.
    expect(places[1][0]).toBe(places[0][0]);
    expect(many).toContain('points="72.0,152.0 384.0,74.0"');
  });
  it('places charts one below the other', () => {
    expect(chartsSvg([chart, chart], { width: 400, chartHeight: 200 })).toContain('height="400"');
  });
});

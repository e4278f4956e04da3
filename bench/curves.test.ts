import { describe, expect, it } from 'vitest';
import { chartsOf, parseRunLog } from './curves.js';

const step = (at: number, losses: object) => JSON.stringify({ type: 'step', step: at, losses });
const evaluation = (at: number, heldOut: object) => JSON.stringify({ type: 'evaluation', step: at, heldOut });

describe('curves', () => {
  it('draws what a run logged, baselines dashed, and leaves out charts it has nothing for', () => {
    const text = [
      step(10, { mlmLoss: 9, totalLoss: 9 }),
      evaluation(10, { mlmLoss: 8, unigramCrossEntropy: 7, unigramEntropy: 6 }),
      JSON.stringify({ type: 'checkpoint', step: 10 }),
      step(20, { mlmLoss: 7.5, totalLoss: 7.5 }),
      '',
    ].join('\n');
    const charts = chartsOf([parseRunLog('run', text)]);
    expect(charts.map(({ title }) => title)).toEqual(['Masked-token loss']);
    expect(charts[0].series).toEqual([
      {
        name: 'training',
        points: [
          [10, 9],
          [20, 7.5],
        ],
        dashed: undefined,
      },
      { name: 'held out', points: [[10, 8]], dashed: undefined },
      { name: 'unigram cross-entropy', points: [[10, 7]], dashed: true },
    ]);
  });

  it('passes over the half line that a killed run leaves', () => {
    const log = parseRunLog('run', `${step(10, { mlmLoss: 9, totalLoss: 9 })}\n{"type":"st`);
    expect(log.steps.map((event) => event.step)).toEqual([10]);
  });

  it('names the runs when there are several', () => {
    const logs = ['a', 'b'].map((name) => parseRunLog(name, `${evaluation(5, { rtdAuc: 0.8 })}\n`));
    expect(chartsOf(logs)[0].series.map(({ name }) => name)).toEqual(['a: held out', 'b: held out']);
  });
});

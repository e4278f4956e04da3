import { describe, expect, it } from 'vitest';
import {
  learningCurves,
  TRANSFER_LEARNING_RATE,
  type TransferRun,
  taskPicture,
  transferTable,
  winsBySpread,
} from './transferTable.js';

function run(
  start: TransferRun['start'],
  seed: number,
  accuracy: number,
  others: Partial<TransferRun> = {},
): TransferRun {
  return {
    from: 'encoder',
    task: 'SST-2',
    rows: 2000,
    trainRows: 2000,
    learningRate: TRANSFER_LEARNING_RATE,
    start,
    seed,
    steps: 200,
    elapsedMs: 1,
    metrics: { accuracy, majorityAccuracy: 0.509 },
    ...others,
  };
}

const RUNS = [
  ...[0.8, 0.81, 0.82].map((score, seed) => run('pretrained', seed, score)),
  ...[0.5, 0.6, 0.7].map((score, seed) => run('random', seed, score)),
];

describe('the table of transfer', () => {
  it('has a line a task with mean and spread over seeds', () => {
    const [, , line] = transferTable(RUNS).split('\n');
    expect(line).toBe(
      `| SST-2 | accuracy | 2,000 | ${TRANSFER_LEARNING_RATE} | 81.0 ± 1.0 | 60.0 ± 10.0 | yes | majority 50.9 |`,
    );
  });

  it('keeps rates and numbers of labels apart, all labels last', () => {
    const all = run('pretrained', 0, 0.9, { rows: 0 });
    const few = run('pretrained', 0, 0.7, { rows: 500, learningRate: 1e-5 });
    const lines = transferTable([all, ...RUNS, few])
      .split('\n')
      .slice(2);
    expect(lines.map((line) => line.split(' | ')[2])).toEqual(['500', '2,000', 'all']);
    expect(lines[0]).toContain('70.0 (1 seed) | – | – |');
  });

  it('says that one start is better only when the means are further apart than both spreads', () => {
    expect(winsBySpread([0.8, 0.82], [0.7, 0.72])).toBe(true);
    expect(winsBySpread([0.8, 0.9], [0.7, 0.8])).toBe(false);
    expect(winsBySpread([0.8], [0.7, 0.72])).toBeUndefined();
  });

  it('is drawn as curves for tasks of several numbers of labels', () => {
    expect(learningCurves(RUNS)).toBeUndefined();
    const of = { rows: 0, trainRows: 67_349 };
    const svg = learningCurves([...RUNS, run('pretrained', 0, 0.9, of), run('random', 0, 0.7, of)]);
    expect(svg).toContain('SST-2');
    expect(svg!.match(/<polyline/g)).toHaveLength(2);
  });

  it('is drawn as dots, those of a start at its mean', () => {
    const svg = taskPicture(RUNS, 2000);
    expect(svg).toContain('SST-2, accuracy');
    expect(svg.match(/<circle/g)).toHaveLength(3 + 3); // the legend, too
    expect(taskPicture(RUNS, 500)).not.toContain('SST-2');
  });
});

import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { resolvePretrainingSettings } from '../../src/pretraining/settings.js';
import { ARM_NAMES, ARMS } from './armSettings.js';
import { LineFile, scoreKeys, trainingKeys } from './arms.js';
import { type ArmLine, type ArmScore, type ArmTraining, armsPicture, armsTable } from './armsTable.js';

const training = (arm: ArmTraining['arm'], others: Partial<ArmTraining> = {}): ArmTraining => ({
  kind: 'training',
  arm,
  budget: 30,
  seed: 0,
  minutes: 29.6,
  steps: 1234,
  tokens: 8.4e6,
  metrics: {},
  ...others,
});

const scores = (arm: ArmScore['arm'], values: readonly number[]): ArmScore[] =>
  values.map((f1, fineTuningSeed) => ({
    kind: 'score',
    arm,
    budget: 30,
    seed: 0,
    task: 'CoNLL-2000',
    fineTuningSeed,
    steps: 200,
    elapsedMs: 1,
    metrics: { f1, wordTagF1: 0.704 },
  }));

const LINES: ArmLine[] = [
  training('electra'),
  training('frozen', { minutes: 30.4, generatorMinutes: 7.5 }),
  ...scores('electra', [0.7, 0.71, 0.72]),
  ...scores('frozen', [0.6, 0.65, 0.7]),
  ...scores('none', [0.62, 0.63, 0.64]),
];

describe('the table of arms', () => {
  const lines = armsTable(LINES).split('\n');

  it('has a line an arm with what it cost, and marks what is above random weights by more than the spread', () => {
    expect(lines[0]).toBe(
      '| arm | minutes | steps | M tokens | CoNLL-2000, f1 | CoLA, matthews | SST-2, accuracy | SQuAD, f1 |',
    );
    expect(lines[2]).toBe('| ELECTRA, joint | 29.6 | 1,234 | 8.4 | 71.0 ± 1.0 † | – | – | – |');
    expect(lines[3]).toBe(
      '| frozen generator | 30.4, of these 7.5 for the generator | 1,234 | 8.4 | 65.0 ± 5.0 | – | – | – |',
    );
  });

  it('ends with random weights and with what costs nothing', () => {
    expect(lines[4]).toBe('| *random weights* | 0 | – | – | 63.0 ± 1.0 | – | – | – |');
    expect(lines[5]).toBe('| *what costs nothing* | 0 | – | – | 70.4 | – | – | – |');
  });

  it('is drawn as a line an arm', () => {
    const svg = armsPicture(LINES);
    for (const name of ['ELECTRA, joint', 'frozen generator', 'random weights', 'what costs nothing'])
      expect(svg).toContain(name);
    expect(svg).not.toContain('SpanBERT');
  });
});

describe('the arms', () => {
  it('have settings that go together', () => {
    for (const arm of ARM_NAMES) {
      const start = arm === 'frozen' ? { from: 'a masked LM' } : {};
      const input = { recipe: 'short', size: 'mini', steps: 1, ...ARMS[arm].settings, ...start } as const;
      expect(() => resolvePretrainingSettings(input), arm).not.toThrow();
    }
  });
});

describe('what there is to do', () => {
  const folder = temporaryFolder('arms');
  const path = join(folder.path, 'results.jsonl');
  afterAll(() => folder.remove());
  beforeEach(() => rmSync(path, { force: true }));
  const plan = {
    arms: ['mlm', 'electra'],
    seeds: [0, 1],
    minutes: 30,
    tasks: ['CoLA', 'SQuAD'],
    fineTuningSeeds: [0, 1, 2],
  } as const;

  it('is a training an arm and seed, and a score of each on each task, random weights once', () => {
    expect(trainingKeys(plan)).toHaveLength(4);
    expect(scoreKeys(plan)).toHaveLength((4 + 1) * 2 * 3);
    expect(scoreKeys(plan).filter(({ arm }) => arm === 'none')).toHaveLength(2 * 3);
  });

  it('is what has no line yet: of another time or seed nothing is there', () => {
    const file = new LineFile(path);
    const [first, second] = trainingKeys(plan);
    expect(file.has(first)).toBe(false);
    file.add(undefined);
    file.add(training('mlm'));
    expect(file.has(first)).toBe(true);
    expect(file.has(second)).toBe(false);
    expect(file.has({ ...first, budget: 60 })).toBe(false);
    expect(file.has({ ...first, seed: 1 })).toBe(false);
    expect(new LineFile(path).lines).toEqual([training('mlm')]);
    const [score] = scoreKeys(plan);
    expect(file.has(score)).toBe(false);
    file.add({ ...score, steps: 1, elapsedMs: 1, metrics: {} });
    expect(new LineFile(path).has(score)).toBe(true);
    expect(new LineFile(path).has({ ...score, task: 'SQuAD' })).toBe(false);
  });

  it('goes on after a line of which only a part was written', () => {
    const file = new LineFile(path);
    file.add(training('mlm'));
    appendFileSync(path, '{"kind":"tra');
    expect(new LineFile(path).lines).toEqual([training('mlm')]);
  });
});

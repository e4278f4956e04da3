import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../src/errors/errors.js';
import { RandomStream } from '../src/random/philox.js';
import { denseFeatures, sparseFeatures } from '../src/tasks/linear/features.js';
import { parseLearningRates } from './ablationSettings.js';
import { type AblationRun, ablationTable, meanAndSpread } from './ablationTable.js';
import { parseTsv, type SentenceTask } from './glueTasks.js';
import { probe, scoreMajority } from './probe.js';

describe('parseTsv', () => {
  const columns = { text: 0, label: 1, header: true };
  it('skips the header, keeps quotes and takes a last line without an end', () => {
    expect(parseTsv('sentence\tlabel\nit "works\t1\r\nnot it\t0', columns, 'f')).toEqual([
      { text: 'it "works', label: 1 },
      { text: 'not it', label: 0 },
    ]);
  });
  it('names file and line of a row without a label', () => {
    expect(() => parseTsv('sentence\tlabel\ngood\t1\nbad', columns, 'dir/f.tsv')).toThrow(/dir\/f\.tsv, line 3.*bad/);
    expect(() => parseTsv('a\tb\nx\t2', columns, 'f')).toThrow(DataError);
  });
});

/** Texts whose labels follow from their vectors, with some noise. */
function task(
  rows: number,
  metric: SentenceTask['metric'],
): { task: SentenceTask; vectors: (of: 'train' | 'dev') => Float64Array } {
  const random = new RandomStream(1, 'test');
  const draw = () =>
    Array.from({ length: rows }, () => ({ x: [random.normal(), random.normal()], noise: random.normal() }));
  const drawn = { train: draw(), dev: draw() };
  const examples = (of: 'train' | 'dev') =>
    drawn[of].map(({ x, noise }) => ({ text: '', label: x[0] - x[1] + 0.2 * noise > 0 ? 1 : 0 }));
  return {
    task: { name: 'toy', train: examples('train'), dev: examples('dev'), metric },
    vectors: (of) => Float64Array.from(drawn[of].flatMap(({ x }) => x)),
  };
}

describe('probe', () => {
  it('finds what vectors say', () => {
    const { task: toy, vectors } = task(400, 'matthews');
    const score = probe(denseFeatures(vectors('train'), 2), denseFeatures(vectors('dev'), 2), toy);
    expect(score.accuracy).toBeGreaterThan(0.93);
    expect(score.matthews).toBeCloseTo(2 * score.accuracy - 1, 1); // classes of about one size
  });
  it('finds nothing in vectors that say nothing', () => {
    const { task: toy } = task(400, 'accuracy');
    const nothing = sparseFeatures(
      toy.train.map(() => ({ columns: Int32Array.of(0), values: Float64Array.of(1) })),
      1,
    );
    const { accuracy } = scoreMajority([toy]).toy;
    expect(probe(nothing, nothing, toy)).toMatchObject({ accuracy, matthews: 0 });
  });
  it('does not look at the dev labels: other labels, same choice of regularisation', () => {
    const { task: toy, vectors } = task(200, 'accuracy');
    const features = [denseFeatures(vectors('train'), 2), denseFeatures(vectors('dev'), 2)] as const;
    const flipped = { ...toy, dev: toy.dev.map(({ label }) => ({ text: '', label: 1 - label })) };
    const [right, wrong] = [probe(...features, toy), probe(...features, flipped)];
    expect(wrong.l2).toBe(right.l2);
    expect(wrong.accuracy).toBeCloseTo(1 - right.accuracy, 12);
  });
});

describe('the table', () => {
  it('gives mean and sample standard deviation in per cent', () => {
    expect(meanAndSpread([0.7, 0.8, 0.9])).toBe('80.0 ± 10.0');
    expect(meanAndSpread([0.1234])).toBe('12.3');
  });
  it('has one row for an objective at one rate', () => {
    const score = (x: number) => ({
      'SST-2': { accuracy: x, matthews: 0, l2: 1 },
      CoLA: { accuracy: x, matthews: x - 0.5, l2: 1 },
    });
    const run = (seed: number, x: number): AblationRun => ({
      objective: 'electra',
      learningRate: 0.001,
      seed,
      steps: 10,
      flops: 1,
      tokensSeen: 2e6,
      elapsedMs: 1,
      scores: score(x),
    });
    const plan = { data: 'd', size: 'tiny' as const, length: 64, batch: 8, flops: 1.5e12 };
    const table = ablationTable(plan, [run(1, 0.6), run(2, 0.8)], [{ name: 'chance', scores: [score(0.5)] }]);
    expect(table).toContain('1.50e+12 FLOPs a run; tiny, batch 8×64');
    expect(table).toContain('| electra | 0.001 | 2 | 10 | 2.0 | – | 70.0 ± 14.1 | 20.0 ± 14.1 | 70.0 ± 14.1 |');
    expect(table).toContain('| chance | – | 1 | – | – | – | 50.0 | 0.0 | 50.0 |');
  });
});

describe('parseLearningRates', () => {
  it('reads pairs and names every bad one', () => {
    expect([...parseLearningRates('electra=2e-3,mlm=0.001')]).toEqual([
      ['electra', 0.002],
      ['mlm', 0.001],
    ]);
    expect(() => parseLearningRates('elektra=1e-3,mlm=0')).toThrow(SettingsError);
    expect(() => parseLearningRates('elektra=1e-3,mlm=0')).toThrow(/elektra=1e-3[\s\S]*mlm=0/);
  });
});

import { describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { accumulationAt, maskProbAt, RowPositions, shapeAt } from './runSchedule.js';
import { parseLengthStages } from './scheduleSettings.js';
import { resolvePretrainingSettings } from './settings.js';

const settings = (change: object) => resolvePretrainingSettings({ recipe: 'none', steps: 100, ...change });

describe('the mask rate', () => {
  const falling = settings({ maskProb: 0.3, maskProbEnd: 0.15 });

  it('falls in a straight line from the first rate to the last, in steps of 0.005', () => {
    expect([0, 0.1, 0.5, 1].map((progress) => maskProbAt(falling, progress))).toEqual([0.3, 0.285, 0.225, 0.15]);
    expect(maskProbAt(falling, 0.503)).toBe(0.225);
  });

  it('stays where no other was given', () => {
    expect([0, 0.7, 1].map((progress) => maskProbAt(settings({ maskProb: 0.123 }), progress))).toEqual([
      0.123, 0.123, 0.123,
    ]);
  });
});

describe('the number of micro-batches', () => {
  it('grows in a straight line until the ramp ends, and is that of the beginning while nobody knows how long the run is', () => {
    const growing = settings({ accumulation: 8, accumulationStart: 2, accumulationRamp: 0.5 });
    expect([0, 0.25, 0.5, 0.9].map((progress) => accumulationAt(growing, progress))).toEqual([2, 5, 8, 8]);
    expect(shapeAt(growing, 70, Number.POSITIVE_INFINITY).accumulation).toBe(2);
  });
});

describe('stages of lengths', () => {
  const staged = settings({ lengthStages: '64:0.5,128:0.4,512', batchSize: 4, accumulation: 1 });

  it('have rows of the same number of tokens, one after another', () => {
    expect(staged.length).toBe(512);
    const shapes = [0, 49, 50, 89, 90, 99].map((step) => shapeAt(staged, step, 100));
    expect(shapes.map(({ length, batchSize }) => [length, batchSize])).toEqual([
      [64, 32],
      [64, 32],
      [128, 16],
      [128, 16],
      [512, 4],
      [512, 4],
    ]);
  });

  it('are refused with all that is wrong', () => {
    expect(parseLengthStages(['64', '128']).problems[0]).toContain('has no share for length 64; expected 64:SHARE');
    expect(parseLengthStages(['64:0.5', '128:0.6']).problems[0]).toContain('shares above 0 that are 1 together');
    expect(parseLengthStages(['64:1', '128']).problems[0]).toContain('shares above 0 that are 1 together');
    expect(parseLengthStages(['128:0.5', '64']).problems[0]).toContain('lengths that grow');
    expect(parseLengthStages(['4:0.5', 64]).problems[0]).toContain('has a length of 4');
    expect(() => settings({ lengthStages: '64:0.5,128', length: 256 })).toThrow(
      'length is 256 and lengthStages ends with 128; give one, or the same',
    );
    expect(() => settings({ accumulationRamp: 0.2 })).toThrow('accumulationRamp is set and accumulationStart is not');
    expect(() => settings({ lengthStages: 'a:b' })).toThrow(SettingsError);
  });
});

describe('the rows of a step', () => {
  it('follow those of the step before, and begin anew with a stage', () => {
    const both = settings({
      lengthStages: '16:0.5,32',
      batchSize: 2,
      accumulation: 4,
      accumulationStart: 1,
      accumulationRamp: 1,
    });
    const positions = new RowPositions(both);
    let expected = 0;
    for (let step = 0; step < 10; step++) {
      const { stage, batchSize, accumulation } = shapeAt(both, step, 10);
      if (stage === 1 && shapeAt(both, step - 1, 10).stage === 0) expected = 0;
      expect(positions.at(step, 10), `step ${step}`).toBe(expected);
      expected += batchSize * accumulation;
    }
    // Whatever was asked before, the answer depends on the step and the number of steps alone.
    positions.at(7, 100);
    expect(positions.at(3, 10)).toBe(new RowPositions(both).at(3, 10));
  });
});

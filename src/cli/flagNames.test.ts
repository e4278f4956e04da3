import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { pretrainingSchema, resolvePretrainingSettings } from '../pretraining/settings.js';
import { describeSettings } from '../settings/describeSettings.js';
import { nameSettingsBy, settingName, settingWith } from '../settings/settingNames.js';
import { flagWording, withFlags } from './flagNames.js';

afterAll(() => nameSettingsBy());

describe('settings in messages', () => {
  it('are properties in the library', () => {
    nameSettingsBy();
    expect([settingName('learningRate'), settingWith('newHead', true), settingWith('time', '10m')]).toEqual([
      'learningRate',
      'newHead: true',
      'time: "10m"',
    ]);
  });

  it('are flags on the command line', () => {
    nameSettingsBy(flagWording({ flags: { masking: '--scheme' } }));
    expect(settingName('learningRate')).toBe('--learning-rate');
    expect(settingName('model.hiddenSize')).toBe('--model hiddenSize');
    expect(settingName('masking')).toBe('--scheme');
    expect(settingWith('newHead', true)).toBe('--new-head');
    expect(settingWith('sbo', false)).toBe('--no-sbo');
    expect(settingWith('lowercase', false)).toBe('--cased');
    expect(settingWith('task', 'questionAnswering')).toBe('--task question-answering');
    expect(settingWith('generator', 'my model/')).toBe('--generator "my model/"');
  });

  it('are flags of another command where the one that runs has none', () => {
    nameSettingsBy(flagWording({ own: new Set(['--model', '--file']) }));
    expect(settingWith('newHead', true)).toBe('pleiad convert --new-head');
    expect(settingName('model')).toBe('--model');
  });

  it('are named as they stand in a settings file when that alone gave them', () => {
    nameSettingsBy(flagWording({ file: { path: 'run.yaml', settings: new Set(['learningRate', 'model']) } }));
    expect(settingName('learningRate')).toBe('learningRate (run.yaml)');
    expect(settingName('model.hiddenSize')).toBe('model.hiddenSize (run.yaml)');
    expect(settingName('steps')).toBe('--steps');
  });
});

describe('withFlags', () => {
  it('changes settings between backticks, and commands not', () => {
    const known = new Set(['out', 'model']);
    expect(withFlags('as `pleiad prepare` writes it in `out`, see `model.hiddenSize`, `other`', known)).toBe(
      'as `pleiad prepare` writes it in --out, see --model hiddenSize, `other`',
    );
  });
});

describe('what resolvePretrainingSettings refuses', () => {
  const settings = describeSettings(pretrainingSchema);
  const camelCase = settings.map(({ name }) => name).filter((name) => /[A-Z]/.test(name));
  /** Any value for a setting: one of its choices, a number good or bad, nonsense. */
  const anyValue = ({ choices = [], type }: (typeof settings)[number]) =>
    fc.oneof(
      ...choices.map((choice) => fc.constant<unknown>(choice)),
      fc.constantFrom<unknown>('x', -1, 0, 1, 7, 0.5, true, false, '10m', type === 'fields' ? { hiddenSize: 3 } : ''),
    );
  const input = fc
    .subarray([...settings], { minLength: 1, maxLength: 12 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((setting) => [setting.name, anyValue(setting)]))));

  function problemsOf(given: object): readonly string[] {
    try {
      resolvePretrainingSettings(given);
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return error.problems;
      throw error;
    }
  }

  it('is said in flags, whatever is given: no setting by its name in camelCase, and each problem names a flag', () => {
    nameSettingsBy(flagWording());
    fc.assert(
      fc.property(input, (given) => {
        for (const problem of problemsOf(given)) {
          expect(problem).toMatch(/--[a-z]/);
          for (const name of camelCase) {
            expect(` ${problem} `, name).not.toMatch(new RegExp(`[^\\w.]${name}[^\\w=]`));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('names none by its flag in the library', () => {
    nameSettingsBy();
    fc.assert(
      fc.property(input, (given) => {
        for (const problem of problemsOf(given)) expect(problem).not.toMatch(/--[a-z]/);
      }),
    );
  });
});

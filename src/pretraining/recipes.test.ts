import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SIZES, type SizeName } from '../models/config.js';
import { kebabCase } from '../settings/commandLine.js';
import { explainSettings } from './explainSettings.js';
import { PRETRAINING_OBJECTIVES } from './objectives.js';
import { pretrainingSchema, resolvePretrainingSettings } from './settings.js';

describe.each(['short', 'paper'] as const)('the recipe %s', (recipe) => {
  it('goes together with every objective at every size, and names the source of each of its values', () => {
    for (const objective of PRETRAINING_OBJECTIVES) {
      for (const size of Object.keys(SIZES) as SizeName[]) {
        const settings = explainSettings({ recipe, objective, size });
        const own = settings.filter(({ source }) => source.startsWith(`${recipe}: `));
        expect(own.length, `${objective} ${size}`).toBeGreaterThan(10);
        expect(Object.keys(pretrainingSchema.shape)).toEqual(expect.arrayContaining(own.map(({ name }) => name)));
        expect(own.filter(({ source }) => source.length < recipe.length + 10)).toEqual([]);
      }
    }
  });

  it('stands in docs/recipe.md with every value and source', () => {
    const page = readFileSync(new URL('../../docs/recipe.md', import.meta.url), 'utf8');
    const rows = explainSettings({ recipe, size: 'mini' }).filter(({ source }) => source.startsWith(`${recipe}: `));
    for (const { name, value, source } of rows) {
      const words = Array.isArray(value) ? value.join(',') : value;
      expect(page).toContain(`| \`--${kebabCase(name)}\` | ${words} | ${source.slice(recipe.length + 2)} |`);
    }
  });

  it('gives way to single settings', () => {
    const given = { recipe, adamBeta2: 0.95, length: 64, maskProb: 0.4, steps: 10 };
    const settings = resolvePretrainingSettings(given);
    expect(settings).toMatchObject({ adamBeta2: 0.95, length: 64, maskProb: 0.4 });
    expect(settings.lengthStages).toBeUndefined();
    expect(settings.maskProbEnd).toBeUndefined();
    const told = new Map(explainSettings(given).map(({ name, source }) => [name, source]));
    expect([told.get('adamBeta2'), told.get('recipe'), told.get('seed')]).toEqual(['given', 'given', 'default']);
    expect(resolvePretrainingSettings({ recipe, warmupSteps: 3, steps: 10 }).warmupSteps).toBe(3);
    expect(resolvePretrainingSettings({ recipe, masking: 'whole-word', steps: 10 }).duplicates).toBe('corrected');
  });
});

describe('the recipe short', () => {
  it('is what docs/recipe.md says', () => {
    expect(resolvePretrainingSettings({ recipe: 'short', size: 'mini', steps: 10 })).toMatchObject({
      ...{ maskProb: 0.25, maskProbEnd: 0.15, batchSize: 8, accumulation: 2, accumulationStart: 1 },
      ...{ length: 128, adamBeta2: 0.98, averageDecay: 0.999, warmupFraction: 0.05 },
      lengthStages: [
        { length: 64, share: 0.5 },
        { length: 128, share: 0.5 },
      ],
    });
    const mlm = resolvePretrainingSettings({ recipe: 'short', size: 'base', objective: 'mlm', steps: 10 });
    expect(mlm).toMatchObject({ maskProb: 0.3, batchSize: 8, accumulation: 2, accumulationStart: 1 });
  });
});

describe('the recipe paper', () => {
  it('has the published figures', () => {
    expect(resolvePretrainingSettings({ recipe: 'paper', size: 'large', steps: 10 })).toMatchObject({
      ...{ learningRate: 2e-4, maskProb: 0.25, length: 512, batchSize: 16, accumulation: 128, hiddenDropout: 0.1 },
      ...{ biasCorrection: 'reference', duplicates: 'reference', scheduleStyle: 'reference' },
    });
    const spans = resolvePretrainingSettings({ recipe: 'paper', objective: 'spanbert', size: 'base', steps: 10 });
    expect(spans).toMatchObject({ learningRate: 1e-4, length: 512, batchSize: 32, accumulation: 8, weightDecay: 0.1 });
  });
});

it('none leaves the defaults that help lists', () => {
  const { recipe, lengthStages, maskProbEnd, accumulationStart, averageDecay, adamBeta2, length } =
    resolvePretrainingSettings({ recipe: 'none', size: 'mini', steps: 10 });
  expect([recipe, lengthStages, maskProbEnd, accumulationStart]).toEqual(['none', undefined, undefined, undefined]);
  expect([averageDecay, adamBeta2, length]).toEqual([0, 0.999, 128]);
});

it('short is what a run has that names no recipe', () => {
  const given = { size: 'mini', steps: 10 } as const;
  expect(resolvePretrainingSettings(given)).toEqual(resolvePretrainingSettings({ ...given, recipe: 'short' }));
  expect(resolvePretrainingSettings({ ...given, size: 'tiny' })).toMatchObject({ maskProbEnd: 0.15, accumulation: 1 });
});

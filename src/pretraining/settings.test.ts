import { describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { describeSettings, settingsFromWords } from '../settings/describeSettings.js';
import { modelConfigs } from './modelConfigs.js';
import { changedSettings, folderProblems, pretrainingSchema, resolvePretrainingSettings } from './settings.js';

/** Without the recipe that is the default: what these tests say is of the settings themselves. */
const minimal = { recipe: 'none', data: 'shards', out: 'run', steps: 100 } as const;

function problemsOf(input: unknown): readonly string[] {
  try {
    resolvePretrainingSettings(input);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('pre-training settings', () => {
  it('need a data folder, a run folder and a length of the run; all else has a default', () => {
    const settings = resolvePretrainingSettings(minimal);
    expect(settings).toMatchObject({
      objective: 'electra',
      size: 'small',
      maskProb: 0.15,
      discWeight: 50,
      learningRate: 5e-4,
    });
    expect(settings.generatorSizeFraction).toBe(0.25);
    expect(settings.batchSize * settings.accumulation).toBe(128); // ELECTRA paper, table 6
  });

  it('take defaults from the size and the objective', () => {
    expect(resolvePretrainingSettings({ ...minimal, size: 'large' }).maskProb).toBe(0.25);
    expect(resolvePretrainingSettings({ ...minimal, size: 'tiny' }).learningRate).toBe(4e-4);
    expect(resolvePretrainingSettings({ ...minimal, objective: 'mlm' })).toMatchObject({
      maskKeepProb: 0.1,
      maskRandomProb: 0.1,
    });
  });

  it('report all problems at once: types, ranges, unknown names and contradictions', () => {
    const problems = problemsOf({
      data: 'shards',
      maskProb: 2,
      objective: 'bert',
      learningrate: 1e-3,
      seed: 'x',
      steps: 10,
      warmupSteps: 20,
      length: 1024,
    });
    expect(problems).toHaveLength(6);
    expect(problems).toContain('maskProb is 2; expected a number above 0 and at most 1');
    expect(problems).toContain('seed is "x"; expected a whole number from 0');
    expect(problems).toContain('learningrate is not a setting; did you mean learningRate?');
    expect(problems).toContain(
      'objective is "bert"; expected one of electra, electra-15, replace-mlm, all-tokens-mlm, mlm, two-stage or spanbert',
    );
    expect(problems.find((p) => p.startsWith('warmupSteps is 20 and steps is 10'))).toBeDefined();
    expect(problems.find((p) => p.startsWith('length is 1024 and maxPositionEmbeddings is 512'))).toBeDefined();
  });

  it('need data and out where a run reads and writes folders, and neither in memory', () => {
    expect(folderProblems({ data: 'shards' })).toEqual(['out is missing; expected the folder to write']);
    expect(folderProblems({ data: 'shards', out: 'run' })).toEqual([]);
    expect(resolvePretrainingSettings({ steps: 10 })).toMatchObject({ steps: 10, size: 'small' });
  });

  it.each([
    [{ more: '1h' }, 'more is 1h and resume is not set'],
    [{ moreSteps: 5 }, 'moreSteps is 5 and resume is not set'],
    [{ more: 'long', resume: true }, 'more is "long"; expected a positive number and ms, s, m or h'],
    [{ steps: undefined }, 'neither steps nor time is set'],
    [{ time: 'soon' }, 'time is "soon"; expected a positive number and ms, s, m or h'],
    [{ time: '0s' }, 'time is "0s"'],
    [{ warmupSteps: 1, warmupFraction: 0.1 }, 'warmupSteps and warmupFraction are both set'],
    [{ power: 2 }, 'power is set and schedule is linear'],
    [{ maskKeepProb: 0.6, maskRandomProb: 0.6 }, 'expected a sum of at most 1'],
    [{ masking: 'span,spam' }, 'masking has "spam"; expected one of random, whole-word, span'],
    [{ masking: 'span,span' }, 'masking is span, span; expected every scheme once'],
    [{ masking: [] }, 'masking is []'],
    [{ geometricP: 0.3 }, 'geometricP is set and masking is random; only span draws lengths by it'],
    [
      { masking: ['entity', 'whole-word'], tagFallback: 'paper', lengthLaw: 'paper', maxSpanLength: 3 },
      'lengthLaw is set and masking is entity, whole-word; only span',
    ],
    [{ masking: 'whole-word', maxSpanLength: 3 }, 'maxSpanLength is set and masking is whole-word'],
    [{ replacementUnit: 'piece' }, 'replacementUnit is set and masking is random; random has no spans'],
    [{ spanAnchor: 'paper' }, 'spanAnchor is set and masking is random'],
    [{ masking: 'span', tags: 'tags.safetensors' }, 'tags is set and masking is span; only entity and phrase use tags'],
    [{ masking: 'span', tagProb: 1 }, 'tagProb is set and masking is span'],
    [{ masking: 'span', duplicates: 'reference' }, 'duplicates is reference and masking is span; only random'],
    [{ masking: 'span', randomTokens: 'uniform' }, 'randomTokens is set and maskRandomProb is 0'],
    [{ masking: 'span', geometricP: 0 }, 'geometricP is 0'],
    [{ masking: 'span', maxSpanLength: 0 }, 'maxSpanLength is 0'],
    [{ mlmWeight: 0, discWeight: 0 }, 'nothing would be learned'],
    [
      { sharing: 'encoder' },
      'sharing encoder needs equal sizes: hiddenSize is 256 in the model and 64 in the generator',
    ],
    [
      { generator: { embeddingSize: 64 } },
      'sharing embeddings needs equal sizes: embeddingSize is 128 in the model and 64',
    ],
    [
      { objective: 'two-stage', generatorSizeFraction: 0.5 },
      'objective two-stage, which copies the generator, needs equal sizes',
    ],
    [{ objective: 'two-stage', generatorKind: 'uniform' }, 'which trains a model first'],
    [{ objective: 'two-stage', sharing: 'embeddings' }, 'sharing is embeddings and objective is two-stage'],
    [{ objective: 'mlm', temperature: 2 }, 'temperature is set and objective is mlm, which has no generator'],
    [
      { model: { hiddenSize: 100, numAttentionHeads: 3 } },
      'model: hiddenSize is 100; expected a multiple of numAttentionHeads (3)',
    ],
    [
      { hiddenDropout: 0.1, model: { hiddenDropoutProb: 0.2 } },
      'hiddenDropout is 0.1 and model.hiddenDropoutProb is 0.2; give one',
    ],
    [{ model: { vocabSize: 5 } }, 'model.vocabSize cannot be set; it comes from the tokenizer'],
    [{ model: { hidenSize: 5 } }, 'model.hidenSize is not a setting; did you mean hiddenSize?'],
  ])('refuse %j', (change, expected) => {
    const { steps, ...rest } = { ...minimal, ...change } as Record<string, unknown>;
    const problems = problemsOf(steps === undefined ? rest : { steps, ...rest });
    expect(problems.join('\n')).toContain(expected);
  });

  it('take a list of masking schemes, in words or as a list, and defaults from it', () => {
    const of = (change: object) => resolvePretrainingSettings({ ...minimal, ...change });
    expect(of({})).toMatchObject({ masking: ['random'], maskBudget: 'electra', randomTokens: 'uniform' });
    for (const masking of ['span, whole-word', ['span', 'whole-word']]) {
      expect(of({ masking })).toMatchObject({
        masking: ['span', 'whole-word'],
        maskBudget: 'spanbert',
        randomTokens: 'unigram',
        replacementUnit: 'span',
        geometricP: 0.2,
        maxSpanLength: 10,
        lengthLaw: 'reference',
        spanAnchor: 'reference',
      });
    }
    expect(of({ masking: 'entity', tags: 'tags.safetensors', geometricP: 0.4 })).toMatchObject({ tagProb: 0.5 });
    expect(of({ masking: 'span', objective: 'mlm' })).toMatchObject({ maskKeepProb: 0.1, maskRandomProb: 0.1 });
  });

  it('report contradictions of masking together with all others', () => {
    const problems = problemsOf({
      ...minimal,
      masking: 'random',
      geometricP: 0.3,
      tagProb: 0.1,
      warmupSteps: 1,
      warmupFraction: 0,
    });
    expect(problems).toHaveLength(3);
    // Of an unknown scheme nobody can say which settings it has.
    expect(problemsOf({ ...minimal, masking: 'spam', geometricP: 0.3 })).toHaveLength(1);
  });

  it('accept encoder sharing and two stages when the sizes are equal', () => {
    expect(problemsOf({ ...minimal, sharing: 'encoder', size: 'small++' })).toEqual([]);
    expect(problemsOf({ ...minimal, objective: 'two-stage', size: 'tiny' })).toEqual([]);
  });

  it('refuse what is not an object', () => {
    expect(problemsOf(5)).toEqual(['the object of settings is 5; expected names and values']);
    expect(problemsOf(['steps'])).toEqual(['the object of settings is ["steps"]; expected names and values']);
  });

  it.each([
    [{ batchSize: 1.5 }, 'batchSize is 1.5; expected a whole number from 1'],
    [{ batchSize: -1.5 }, 'batchSize is -1.5; expected a whole number from 1'],
    [{ batchSize: null }, 'batchSize is null; expected a whole number from 1'],
    [{ seed: 1e300 }, 'seed is 1e+300; expected a whole number from 0'],
    [{ temperature: Number.NaN }, 'temperature is NaN; expected a number above 0'],
    [{ weightDecay: Number.POSITIVE_INFINITY }, 'weightDecay is Infinity; expected a number from 0'],
    [{ adamBeta1: 1 }, 'adamBeta1 is 1; expected a number from 0 to below 1'],
    [{ maskKeepProb: -1 }, 'maskKeepProb is -1; expected a number from 0 to 1'],
    [{ length: 4 }, 'length is 4; expected a whole number from 8'],
    [{ resume: 'yes' }, 'resume is "yes"; expected true or false'],
    [{ duplicates: 'both' }, 'duplicates is "both"; expected one of corrected or reference'],
    [{ time: 600 }, 'time is 600; expected a positive number and ms, s, m or h, for instance "10m"'],
    [{ data: '' }, 'data is ""; expected a folder of token shards, as `pleiad prepare` writes it'],
    [{ out: 7 }, 'out is 7; expected the folder to write'],
    [{ model: 'tiny' }, 'model is "tiny"; expected fields of the size with their values, for instance hiddenSize'],
    [
      { generator: [] },
      'generator is []; expected fields of the generator with their values, for instance hiddenSize; or, going on from a model, where its generator is',
    ],
    [{ model: { layerNormEps: 0 } }, 'model.layerNormEps is 0; expected a number above 0'],
    [{ generator: { hiddenSize: 'x' } }, 'generator.hiddenSize is "x"; expected a whole number from 1'],
  ])('say plainly what is wrong with %j', (change, expected) => {
    expect(problemsOf({ ...minimal, ...change })).toEqual([expected]);
  });

  it('report every bad field of model and generator with all other problems', () => {
    const problems = problemsOf({
      ...minimal,
      temperature: 0,
      warmupSteps: 200,
      model: { hiddenSize: 100, numAttentionHeads: 3, layerNormEps: -1, hidenSize: 5 },
      generator: { hiddenSize: 50, numAttentionHeads: 7, numHiddenLayers: 0.5, embeddingSize: 64, vocabSize: 9 },
    });
    expect([...problems].sort()).toEqual([
      'generator.numHiddenLayers is 0.5; expected a whole number from 1',
      'generator.vocabSize cannot be set; it comes from the tokenizer',
      'generator: hiddenSize is 50; expected a multiple of numAttentionHeads (7)',
      'model.hidenSize is not a setting; did you mean hiddenSize?',
      'model.layerNormEps is -1; expected a number above 0',
      'model: hiddenSize is 100; expected a multiple of numAttentionHeads (3)',
      'sharing embeddings needs equal sizes: embeddingSize is 128 in the model and 64 in the generator',
      'temperature is 0; expected a number above 0',
      'warmupSteps is 200 and steps is 100; expected at most as many steps of warm-up as there are steps',
    ]);
  });

  it('say nothing about defaults that stand in for what was out of range', () => {
    expect(problemsOf({ ...minimal, maskKeepProb: 2, maskRandomProb: 0.9 })).toHaveLength(1);
    expect(problemsOf({ ...minimal, size: 'huge', model: { numAttentionHeads: 3 } })).toHaveLength(1);
  });

  it('give a generator with embeddings of its own the width of the generator, as released, unless told otherwise', () => {
    const widths = (change: object) => {
      const configs = modelConfigs(resolvePretrainingSettings({ ...minimal, ...change }), {
        vocabSize: 9,
        padTokenId: 0,
      });
      return [configs.discriminator.embeddingSize, configs.generator.embeddingSize, configs.generator.hiddenSize];
    };
    // google-research/electra: untied_generator_embeddings makes generator/embeddings at the generator's hidden size.
    expect(widths({ sharing: 'none' })).toEqual([128, 64, 64]);
    expect(widths({ sharing: 'none', size: 'base' })).toEqual([768, 256, 256]);
    expect(widths({ sharing: 'none', generator: { hiddenSize: 32, numAttentionHeads: 1 } })).toEqual([128, 32, 32]);
    expect(widths({ sharing: 'none', generator: { embeddingSize: 128 } })).toEqual([128, 128, 64]);
    expect(widths({})).toEqual([128, 128, 64]);
    expect(widths({ objective: 'two-stage' })).toEqual([128, 128, 256]);
  });

  it('give both configs, overrides last', () => {
    const settings = resolvePretrainingSettings({
      ...minimal,
      size: 'tiny',
      hiddenDropout: 0.1,
      model: { numHiddenLayers: 2 },
      generator: { numHiddenLayers: 1 },
    });
    const { discriminator, generator } = modelConfigs(settings, { vocabSize: 50, padTokenId: 3 });
    expect(discriminator).toMatchObject({
      vocabSize: 50,
      padTokenId: 3,
      hiddenSize: 128,
      numHiddenLayers: 2,
      hiddenDropoutProb: 0.1,
    });
    expect(generator).toMatchObject({ vocabSize: 50, hiddenSize: 64, numHiddenLayers: 1, numAttentionHeads: 1 });
  });

  it('name every value that a resumed run has changed and must not', () => {
    const before = resolvePretrainingSettings(minimal);
    const now = resolvePretrainingSettings({
      ...minimal,
      steps: 200,
      out: 'elsewhere',
      size: 'tiny',
      learningRate: 5e-4,
      batchSize: 32,
      accumulation: 4,
      generatorSizeFraction: 0.25,
    });
    expect(changedSettings(before, now)).toEqual(['size was "small" when the run began and is "tiny" now']);
  });

  it('are described one by one, with their choices', () => {
    const described = describeSettings(pretrainingSchema);
    expect(described.every(({ description }) => description.length > 10)).toBe(true);
    expect(described.find(({ name }) => name === 'device')).toMatchObject({
      type: 'choice',
      choices: ['cpu', 'cuda', 'webgpu'],
    });
    expect(described.find(({ name }) => name === 'masking')).toMatchObject({
      type: 'list',
      choices: ['random', 'whole-word', 'span', 'uniform-span', 'entity', 'phrase'],
    });
    expect(described.find(({ name }) => name === 'steps')?.type).toBe('number');
    expect(described.find(({ name }) => name === 'resume')?.type).toBe('boolean');
    expect(described.find(({ name }) => name === 'model')?.type).toBe('fields');
  });

  it('come from words of a command line', () => {
    const words = settingsFromWords(pretrainingSchema, {
      data: '7',
      steps: '20',
      learningRate: '5e-4',
      disallowCorrect: 'true',
      model: 'hiddenSize=64,numHiddenLayers=2',
    });
    expect(words).toEqual({
      data: '7',
      steps: 20,
      learningRate: 5e-4,
      disallowCorrect: true,
      model: { hiddenSize: 64, numHiddenLayers: 2 },
    });
    expect(problemsOf({ ...minimal, ...settingsFromWords(pretrainingSchema, { steps: 'many' }) })).toContain(
      'steps is "many"; expected a whole number from 1',
    );
  });
});

describe('settings of SpanBERT', () => {
  const spanBert = { ...minimal, objective: 'spanbert' };

  it('have defaults of their own', () => {
    expect(resolvePretrainingSettings(spanBert)).toMatchObject({
      masking: ['span'],
      maskProb: 0.15,
      maskBudget: 'spanbert',
      maskKeepProb: 0.1,
      maskRandomProb: 0.1,
      randomTokens: 'unigram',
      replacementUnit: 'span',
      segments: 'single',
      sbo: true,
      sboWeight: 1,
      maxSpanTargets: 15,
      sboPositionSize: 200,
      endpoints: 'external',
      edgeSpans: 'drop',
      nextSentence: false,
      adamEpsilon: 1e-6,
    });
    expect(resolvePretrainingSettings({ ...spanBert, nextSentence: true }).segments).toBe('pair');
    const large = resolvePretrainingSettings({ ...spanBert, size: 'large' });
    // arXiv 1907.10529 §4.2: 256 rows a step at 1e-4; 15 % at every size.
    expect(large).toMatchObject({ learningRate: 1e-4, maskProb: 0.15 });
    expect(large.batchSize * large.accumulation).toBe(256);
  });

  it('make embeddings as wide as hidden states, as BERT has no projection', () => {
    const encoder = (size: string, model = {}) =>
      modelConfigs(resolvePretrainingSettings({ ...spanBert, size, model }), { vocabSize: 9, padTokenId: 0 })
        .discriminator;
    expect(encoder('mini')).toMatchObject({ hiddenSize: 256, embeddingSize: 256 });
    expect(encoder('base')).toMatchObject({ hiddenSize: 768, embeddingSize: 768 });
    expect(encoder('mini', { hiddenSize: 128 })).toMatchObject({ hiddenSize: 128, embeddingSize: 128 });
    expect(problemsOf({ ...spanBert, model: { embeddingSize: 64 } })).toEqual([
      'model.embeddingSize is 64 and hiddenSize is 256; objective spanbert trains a BERT, which has no embedding projection: expected 256',
    ]);
  });

  it.each([
    [{ objective: 'electra', sboWeight: 2 }, 'sboWeight is set and objective is electra; only spanbert has it'],
    [{ objective: 'mlm', nextSentence: true }, 'nextSentence is set and objective is mlm; only spanbert has it'],
    [{ discWeight: 20 }, 'discWeight is set and objective is spanbert, which has no discriminator'],
    [{ generatorSizeFraction: 0.5 }, 'generatorSizeFraction is set and objective is spanbert, which has no generator'],
    [{ sbo: false, maxSpanTargets: 20 }, 'maxSpanTargets is set and sbo is false; there is no span boundary head'],
    [{ mlmWeight: 0, sboWeight: 0 }, 'mlmWeight and sboWeight are both 0; nothing would be learned'],
    [{ mlmWeight: 0, sbo: false }, 'mlmWeight is 0 and sbo is false; nothing would be learned'],
    [
      { masking: 'random', duplicates: 'reference' },
      'duplicates is reference and objective is spanbert, whose spans are of distinct positions; expected corrected',
    ],
    [
      { nextSentence: true, segments: 'single' },
      'nextSentence is true and segments is single; expected pair, or leave segments out',
    ],
  ])('refuse %j', (change, problem) => {
    expect(problemsOf({ ...spanBert, ...change })).toEqual([problem]);
  });

  it('that are out of range are reported with all others', () => {
    const problems = problemsOf({ ...spanBert, sboWeight: -1, maxSpanTargets: 0, endpoints: 'outside', edgeSpans: 1 });
    expect(problems).toHaveLength(4);
    expect(problems.join()).toMatch(/sboWeight is -1.*maxSpanTargets is 0.*endpoints is "outside".*edgeSpans is 1/);
  });
});

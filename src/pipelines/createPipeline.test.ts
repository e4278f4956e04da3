import { describe, expect, it } from 'vitest';
import type { Architecture } from '../models/config.js';
import { createPipeline } from './createPipeline.js';
import { fillMask } from './fillMask.js';
import { fillSpan } from './fillSpan.js';
import { PIPELINES, type PipelineName, pipelineNamed } from './registry.js';
import { replacedTokenDetection } from './replacedTokenDetection.js';
import { TEST_CONFIG, testModel } from './testModels.js';

const bert = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
const spanBoundary = { maxSpanTargets: 4, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;
const relationMarkers = { head: ['e', '.'], tail: ['##s', '.'] };
const MODELS: Record<PipelineName, () => ReturnType<ReturnType<typeof testModel>['model']>> = {
  'fill-mask': () => testModel('ElectraForMaskedLM').model(),
  'fill-span': () => testModel('BertForMaskedLM', { config: bert, spanBoundary }).model(),
  'replaced-token-detection': () => testModel('ElectraForPreTraining').model(),
  proofread: () => testModel('ElectraForPreTraining').model(),
  'question-answering': () => testModel('BertForQuestionAnswering', { config: bert }).model(),
  'text-classification': () =>
    testModel('ElectraForSequenceClassification', { labels: ['bad', 'fair', 'good'] }).model(),
  'zero-shot-classification': () => testModel('ElectraForPreTraining').model(),
  'sentence-similarity': () => testModel('ElectraModel').model(),
  'token-classification': () =>
    testModel('ElectraForTokenClassification', { labels: ['O', 'B-FOOD', 'I-FOOD'] }).model(),
  'multiple-choice': () => testModel('ElectraForMultipleChoice').model(),
  relation: () =>
    testModel('ElectraForSequenceClassification', { labels: ['of', 'by'], pleiad: { relationMarkers } }).model(),
  'feature-extraction': () => testModel('BertModel', { config: bert, pooler: false }).model(),
};
/** What a call needs besides its input. */
const OPTIONS: { readonly [Name in PipelineName]?: object } = {
  'zero-shot-classification': { labels: ['good', 'ate'], template: '{text} a {label} .' },
};
const INPUTS: Record<PipelineName, unknown[]> = {
  'fill-mask': ['the chef [MASK] the meal', '[MASK] ate a [MASK]', 'a [MASK]'],
  'fill-span': ['the chef [MASK] [MASK] meal', 'the good [MASK] meal .'],
  'replaced-token-detection': ['the chef ate', '', 'a good meal .'],
  proofread: ['the chef ate', '', 'a good meal .'],
  'question-answering': [
    { question: 'the chef', context: 'a good meal' },
    { question: 'a', context: ['the', 'chef ate'] },
  ],
  'text-classification': ['the chef', { text: 'a good meal', textPair: 'the chef ate' }, 'a'],
  'zero-shot-classification': ['the chef', 'a good meal', ''],
  'sentence-similarity': [
    { sourceSentence: 'the chef', sentences: ['a good meal', 'the chef', 'a'] },
    { sourceSentence: 'a meal', sentences: [] },
  ],
  'token-classification': ['the chef ate a good meal .', '', 'cooked'],
  'multiple-choice': [
    { question: 'the chef', choices: ['ate', 'a meal'] },
    { context: 'a good meal', question: 'the chef', choices: ['cooked', 'ate', 'a meal'] },
  ],
  relation: [
    { text: 'the chef ate a meal', head: { start: 4, end: 8 }, tail: { start: 15, end: 19 } },
    'a <e2>meal</e2> the <e1>chef</e1> ate',
  ],
  'feature-extraction': ['the chef', { text: 'a', textPair: 'meal' }, 'a good meal'],
};

const close = (actual: unknown, expected: unknown) => {
  const rounded = (value: unknown) =>
    JSON.stringify(value, (_, each) => (typeof each === 'number' ? Math.round(each * 1e4) / 1e4 || 0 : each));
  expect(rounded(actual)).toBe(rounded(expected));
};

describe.each(Object.keys(PIPELINES) as PipelineName[])('%s', (name) => {
  it('gives one for one, many for many, and a stream in order, as its schema says', async () => {
    const run = await createPipeline(name, MODELS[name](), OPTIONS[name]);
    const call = run as unknown as (input: unknown) => Promise<unknown>;
    const inputs = INPUTS[name];
    const shape = (value: unknown) => PIPELINES[name].output.safeParse(value).success;
    const many = (await call(inputs)) as unknown[];
    expect(many).toHaveLength(inputs.length);
    for (const [i, input] of inputs.entries()) {
      close(await call(input), many[i]);
      expect(shape(many[i]), JSON.stringify(many[i])).toBe(true);
    }
    expect(await call([])).toEqual([]);
    const streamed: unknown[] = [];
    async function* source() {
      for (let i = 0; i < 70; i++) yield inputs[i % inputs.length];
    }
    for await (const result of run.stream(source() as never)) streamed.push(result);
    expect(streamed).toHaveLength(70);
    for (const [i, result] of streamed.entries()) close(result, many[i % inputs.length]);
    await run.release();
  });

  it('refuses what it cannot use, by its name', async () => {
    const model = MODELS[name]();
    const run = (await createPipeline(name, model, OPTIONS[name])) as unknown as (
      ...all: unknown[]
    ) => Promise<unknown>;
    await expect(run(5)).rejects.toThrow(new RegExp(`^${name}: input cannot be used: the input is 5; expected `));
    await expect(run(INPUTS[name][0], { nonsense: 1 })).rejects.toThrow(/there is no nonsense/);
    const other: Architecture = PIPELINES[name].wants.task === 'encoder' ? 'ElectraForMaskedLM' : 'ElectraModel';
    await expect(createPipeline(name, testModel(other).model())).rejects.toThrow(
      new RegExp(`is ${other}; ${name} needs `),
    );
    const bare = MODELS[name]();
    Object.assign(bare, { tokenizer: undefined });
    await expect(createPipeline(name, bare)).rejects.toThrow(/has no tokenizer/);
  });
});

describe('pipelines', () => {
  it('are found by other names too', () => {
    expect(pipelineNamed('sentiment-analysis').name).toBe('text-classification');
    expect(() => pipelineNamed('translation')).toThrow(/no pipeline "translation"; expected fill-mask, /);
    const names = Object.values(PIPELINES).flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(PIPELINES)).toEqual(Object.values(PIPELINES).map(({ name }) => name));
  });

  it('end with their scope', async () => {
    let released = 0;
    const model = testModel('ElectraForMaskedLM').model({ close: async () => void released++ });
    {
      await using fill = await createPipeline('fill-mask', model);
      expect(fill.task).toBe('fill-mask');
    }
    expect(released).toBe(1);
  });

  it('fill masks with the candidates of fillMask, each with the text that it makes', async () => {
    const fill = await createPipeline('fill-mask', MODELS['fill-mask']());
    const filler = await fillMask(MODELS['fill-mask']());
    const text = 'the chef [MASK] the meal';
    const candidates = await fill(text, { topK: 3 });
    const { masks, fillings } = await filler.fill(text, { topK: 3 });
    expect(candidates).toEqual(
      masks[0].candidates.map((each, i) => ({ ...each, text: fillings[i].text, start: 9, end: 15 })),
    );
    const both = await fill('the [MASK] ate a [MASK]', { topK: 2 });
    if (Array.isArray(both)) throw new Error('two masks');
    expect(both.masks.map(({ length }) => length)).toEqual([2, 2]);
    expect(both.masks[0][0].text).toMatch(/^the\S* ?\S* ate a \[MASK\]$/);
    expect(both.fillings.map(({ tokens }) => tokens.length)).toEqual([2, 2]);
  });

  it('fill spans by both heads where there are two, detect as replacedTokenDetection', async () => {
    const fill = await createPipeline('fill-span', MODELS['fill-span']());
    const filler = await fillSpan(MODELS['fill-span']());
    const text = 'the chef [MASK] meal';
    const { fillings } = await filler.fill(text, { pieces: [1, 2], topK: 3 });
    const expected = (by: 'both' | 'sbo') =>
      fillings[by]!.map(({ text: filled, tokens, scores }) => ({ text: filled, tokens, score: scores[by] }));
    expect(await fill(text, { pieces: [1, 2], topK: 3 })).toEqual(expected('both'));
    expect(await fill(text, { pieces: [1, 2], topK: 3, by: 'sbo' })).toEqual(expected('sbo'));
    const detect = await createPipeline('replaced-token-detection', MODELS['replaced-token-detection']());
    const detector = await replacedTokenDetection(MODELS['replaced-token-detection']());
    expect(await detect('the chef ate')).toEqual(await detector.detect('the chef ate'));
  });

  it('classify by softmax over the names of the labels', async () => {
    const model = MODELS['text-classification']();
    const classify = await createPipeline('sentiment-analysis', model);
    const { ids, typeIds } = model.tokenizer!.encode('a good meal', { pair: 'the chef' });
    const { logits } = await model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
    const weights = Array.from(logits!.data, Math.exp);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const expected = ['bad', 'fair', 'good'].map((label, i) => ({ label, score: weights[i] / total }));
    expected.sort((a, b) => b.score - a.score);
    const all = await classify({ text: 'a good meal', textPair: 'the chef' }, { topK: 5 });
    expect(all.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    for (const [i, { score }] of all.entries()) expect(score).toBeCloseTo(expected[i].score, 6);
    expect(await classify({ text: 'a good meal', textPair: 'the chef' })).toEqual(all[0]);
    expect(await classify([{ text: 'a good meal', textPair: 'the chef' }], { topK: 2 })).toEqual([all.slice(0, 2)]);
  });

  it('give vectors of tokens, of [CLS], or the mean of all, of length 1 where asked', async () => {
    const model = MODELS['feature-extraction']();
    const embed = await createPipeline('feature-extraction', model, { normalize: false });
    const tokens = (await embed('the chef')) as Float32Array[];
    const H = model.description.config.hiddenSize;
    const { lastHiddenState } = await model.run({ inputIds: [model.tokenizer!.encode('the chef').ids] });
    expect(tokens.flatMap((vector) => [...vector])).toEqual([...lastHiddenState!.data]);
    expect(tokens.map(({ length }) => length)).toEqual([H, H, H, H]);
    expect(await embed('the chef', { pooling: 'cls' })).toEqual(tokens[0]);
    const mean = await embed('the chef', { pooling: 'mean' });
    for (const [h, value] of mean.entries()) {
      expect(value).toBeCloseTo(tokens.reduce((sum, vector) => sum + vector[h], 0) / 4, 6);
    }
    const unit = await embed('the chef', { pooling: 'mean', normalize: true });
    expect(Math.hypot(...unit)).toBeCloseTo(1, 6);
    expect(unit[0] / unit[1]).toBeCloseTo(mean[0] / mean[1], 4);
  });
});

/** What all pipelines have in common beside their results: types of one and many, streams, progress, an end. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Answer } from './answers.js';
import { createPipeline } from './createPipeline.js';
import type { PipelineProgress } from './definition.js';
import type { FillMaskCandidate, FillMasksOutput } from './fillMaskPipeline.js';
import type { DetectedToken } from './replacedTokenDetection.js';
import { testModel } from './testModels.js';
import type { ScoredLabel } from './textClassification.js';
import type { ZeroShotResult } from './zeroShotClassification.js';

const BATCH = 2;
/** Inputs that a stream reads before it runs them. */
const AHEAD = 4 * BATCH;
const detector = () =>
  createPipeline('replaced-token-detection', testModel('ElectraForPreTraining').model({ batchSize: BATCH }));
const texts = Array.from({ length: 21 }, (_, i) => ['the chef ate', 'a meal', '', 'a good meal .'][i % 4]);

describe('the types of a call', () => {
  it('say one for one, many for many, and a list where the best few are asked for', async () => {
    const qa = await createPipeline('question-answering', testModel('ElectraForQuestionAnswering').model());
    const input = { question: 'the', context: 'a chef' };
    expectTypeOf(await qa(input)).toEqualTypeOf<Answer>();
    expectTypeOf(await qa([input])).toEqualTypeOf<Answer[]>();
    expectTypeOf(await qa(input, { topK: 2 })).toEqualTypeOf<Answer[]>();
    expectTypeOf(await qa([input], { topK: 2 })).toEqualTypeOf<Answer[][]>();
    expectTypeOf(await qa({ question: 'the', context: ['a', 'chef'] as readonly string[] })).toEqualTypeOf<Answer>();
    // @ts-expect-error: no such option
    await expect(qa(input, { topX: 2 })).rejects.toThrow(/there is no topX/);

    const embed = await createPipeline('feature-extraction', testModel('ElectraModel').model());
    expectTypeOf(await embed('a', { pooling: 'mean' })).toEqualTypeOf<Float32Array>();
    expectTypeOf(await embed(['a'], { pooling: 'max', normalize: true })).toEqualTypeOf<Float32Array[]>();
    expectTypeOf(await embed('a', { pooling: 'none' })).toEqualTypeOf<Float32Array[]>();
    expectTypeOf(await embed(['a'], { pooling: 'none' })).toEqualTypeOf<Float32Array[][]>();

    const similar = await createPipeline('sentence-similarity', testModel('ElectraModel').model());
    const sentences = { sourceSentence: 'a', sentences: ['a', 'the chef'] };
    expectTypeOf(await similar(sentences)).toEqualTypeOf<number[]>();
    expectTypeOf(await similar([sentences])).toEqualTypeOf<number[][]>();

    const zero = await createPipeline('zero-shot-classification', testModel('ElectraForPreTraining').model());
    const labels = ['good', 'ate'];
    expectTypeOf(await zero('a', { labels, template: '{text} {label}' })).toEqualTypeOf<ZeroShotResult>();
    expectTypeOf(await zero(['a'], { labels, template: '{text} {label}' })).toEqualTypeOf<ZeroShotResult[]>();

    const classify = await createPipeline('sentiment-analysis', testModel('ElectraForSequenceClassification').model());
    expectTypeOf(await classify('a')).toEqualTypeOf<ScoredLabel>();
    expectTypeOf(await classify(['a'])).toEqualTypeOf<ScoredLabel[]>();
    expectTypeOf(await classify('a', { topK: 2 })).toEqualTypeOf<ScoredLabel[]>();

    const fill = await createPipeline('fill-mask', testModel('ElectraForMaskedLM').model());
    expectTypeOf(await fill('a [MASK]')).toEqualTypeOf<FillMaskCandidate[] | FillMasksOutput>();
    const detect = await detector();
    expectTypeOf(await detect('a')).toEqualTypeOf<DetectedToken[]>();
    expectTypeOf(await detect(['a'])).toEqualTypeOf<DetectedToken[][]>();
    expectTypeOf(detect.stream(['a'])).toEqualTypeOf<AsyncGenerator<DetectedToken[], void>>();
  });
});

describe('a stream', () => {
  it('reads one batch ahead and no more until its results are taken, and keeps the order', async () => {
    const detect = await detector();
    let numRead = 0;
    async function* source() {
      for (const text of texts) {
        numRead++;
        yield text;
      }
    }
    const stream = detect.stream(source());
    expect(numRead).toBe(0);
    const results: DetectedToken[][] = [];
    for await (const result of stream) {
      results.push(result);
      expect(numRead).toBe(Math.min(texts.length, Math.ceil(results.length / AHEAD) * AHEAD));
    }
    const tokensOf = (all: DetectedToken[][]) => all.map((tokens) => tokens.map(({ token }) => token));
    expect(tokensOf(results)).toEqual(tokensOf(await detect(texts)));
  });

  it('ends its source when it is left early, and says what is wrong when the source fails', async () => {
    const detect = await detector();
    let isEnded = false;
    async function* source() {
      try {
        for (;;) yield 'a meal';
      } finally {
        isEnded = true;
      }
    }
    for await (const _ of detect.stream(source())) break;
    expect(isEnded).toBe(true);
    const failing = (async function* () {
      yield 'a';
      throw new Error('the disk is gone');
    })();
    await expect(detect.stream(failing).next()).rejects.toThrow('the disk is gone');
    const ofNumbers = detect.stream(['a', 5 as never]);
    await expect(ofNumbers.next()).rejects.toThrow(/input 1 cannot be used: input 1 is 5/);
  });
});

describe('long work', () => {
  it('says how far it is, by inputs and within one by its rows', async () => {
    const detect = await detector();
    const seen: PipelineProgress[] = [];
    const results = await detect(texts, { onProgress: (progress) => seen.push(progress) });
    expect(results).toHaveLength(texts.length);
    expect(seen.map(({ done }) => done)).toEqual([8, 16, 21]);
    expect(seen.at(-1)).toEqual({ done: 21, total: 21, fraction: 1 });
    const streamed: number[] = [];
    for await (const _ of detect.stream(texts, { onProgress: ({ done }) => streamed.push(done) }));
    expect(streamed).toEqual([8, 16, 21]);

    const ask = await createPipeline(
      'question-answering',
      testModel('ElectraForQuestionAnswering').model({ batchSize: 2 }),
    );
    const fractions: number[] = [];
    const context = Array(100).fill('the chef').join(' ');
    await ask({ question: 'a', context }, { onProgress: ({ fraction }) => fractions.push(fraction!) });
    expect(fractions.length).toBeGreaterThan(5);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(new Set(fractions).size).toBe(fractions.length);
    await expect(detect(texts, { onProgress: 5 as never })).rejects.toThrow(/onProgress is 5; expected a function/);
  });

  it('ends when it is told to, between two batches', async () => {
    const detect = await detector();
    const control = new AbortController();
    const seen: number[] = [];
    const work = detect(texts, {
      signal: control.signal,
      onProgress: ({ done }) => {
        seen.push(done);
        control.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
    expect(seen).toEqual([8]);
    await expect(detect(texts, { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow('never');
  });

  it('gives the same results with and without progress', async () => {
    const ask = await createPipeline('question-answering', testModel('ElectraForQuestionAnswering').model());
    const inputs = texts.map((text) => ({ question: 'the meal', context: `a ${text}` }));
    const places = (answers: Answer[]) => answers.map(({ answer, start }) => [answer, start]);
    expect(places(await ask(inputs, { onProgress: () => {} }))).toEqual(places(await ask(inputs)));
  });
});

describe('the end of a pipeline', () => {
  it('releases the model once, and is said when it is used after', async () => {
    let released = 0;
    const model = testModel('ElectraForPreTraining').model({ close: async () => void released++ });
    const detect = await createPipeline('replaced-token-detection', model);
    await detect('the chef');
    await detect.release();
    await detect[Symbol.asyncDispose]();
    expect(released).toBe(1);
    await expect(detect('the chef')).rejects.toThrow(
      /this replaced-token-detection pipeline was released\. Make another/,
    );
    await expect(detect.stream(['a']).next()).rejects.toThrow(/was released/);
  });
});

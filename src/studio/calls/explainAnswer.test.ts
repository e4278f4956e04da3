import { describe, expect, it } from 'vitest';
import { createPipeline } from '../../pipelines/createPipeline.js';
import { testModel } from '../../pipelines/testModels.js';
import { testStudioModels } from '../testStudioModels.js';
import { explainAnswer } from './explainAnswer.js';

const TEST = testModel('ElectraForQuestionAnswering');
const JOINT = testModel('ElectraForQuestionAnswering', { questionAnsweringHead: 'joint' });
const models = testStudioModels({
  qa: {
    model: TEST.model({
      taskSettings: { nullThreshold: 0.5, temperature: 1.7, maxAnswerLength: 4, alignToWords: true },
    }),
  },
  joint: { model: JOINT.model() },
});
const WORDS = Array.from({ length: 60 }, (_, i) => ['the', 'chef', 'ate', 'a', 'good', 'meal'][(i * 5 + (i >> 3)) % 6]);
const INPUT = { question: 'the chef ate', context: WORDS.join(' ') };

describe('ask', () => {
  it("gives the pipeline's own answers", async () => {
    for (const model of ['qa', 'joint']) {
      const { answers, nullScore } = await explainAnswer.run(models, { model, ...INPUT, topK: 4 });
      const found = await models.withModel(model, 'model', async (each) => {
        const ask = await createPipeline('question-answering', each);
        return ask(INPUT, { topK: 5, handleImpossibleAnswer: true });
      });
      const expected = found.filter(({ answer }) => answer !== '').slice(0, 4);
      expect(answers).toEqual(expected);
      expect(nullScore).toBe(found[0].nullScore);
    }
  });

  it('sums up the probabilities of all spans by their first and by their last piece', async () => {
    for (const model of ['qa', 'joint']) {
      const found = await explainAnswer.run(models, { model, ...INPUT });
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      expect(found.starts).toHaveLength(60);
      expect(sum(found.starts) + found.nullScore).toBeCloseTo(1, 6);
      expect(sum(found.ends) + found.nullScore).toBeCloseTo(1, 6);
      // The best answer's own probability is a part of what its first piece has.
      const piece = found.offsets.indexOf(found.answers[0].start) / 2;
      expect(found.starts[piece]).toBeGreaterThanOrEqual(found.answers[0].score - 1e-9);
    }
  });

  it('shows windows that cover the text, each piece judged in one', async () => {
    const { windows, offsets } = await explainAnswer.run(models, {
      model: 'qa',
      ...INPUT,
      maxLength: 20,
      docStride: 5,
    });
    expect(windows.length).toBeGreaterThan(3);
    expect(windows[0].from).toBe(0);
    expect(windows.at(-1)?.to).toBe(offsets.length / 2);
    for (const [i, { from, to, judgedFrom, judgedTo }] of windows.entries()) {
      expect(judgedFrom).toBe(i === 0 ? 0 : windows[i - 1].judgedTo);
      expect(judgedFrom).toBeGreaterThanOrEqual(from);
      expect(judgedTo).toBeLessThanOrEqual(to);
    }
    expect(windows.at(-1)?.judgedTo).toBe(60);
  });

  it('says what a threshold is compared with: above it, the pipeline gives no answer', async () => {
    const { noAnswerScore, nullThreshold } = await explainAnswer.run(models, { model: 'qa', ...INPUT });
    expect(nullThreshold).toBe(0.5);
    const answerAt = (threshold: number) =>
      models.withModel('qa', 'model', async (model) => {
        const ask = await createPipeline('question-answering', model);
        return (await ask(INPUT, { nullThreshold: threshold })).answer;
      });
    expect(await answerAt(noAnswerScore + 0.01)).not.toBe('');
    expect(await answerAt(noAnswerScore - 0.01)).toBe('');
  });
});

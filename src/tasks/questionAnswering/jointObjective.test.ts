/** ELECTRA's own head: its loss, its gradients and its beam, against plain loops over the encoder's hidden states. */
import { describe, expect, it } from 'vitest';
import { type GoldenTensor, relativeError } from '../../../test/goldenFiles.js';
import { interpret, runTrainingGraph } from '../../../test/goldenRuns.js';
import { createInterpreterEngine } from '../../engine/interpreterEngine.js';
import { ENGINES } from '../../engine/testEngines.js';
import { elementCount } from '../../graph/dimensions.js';
import { BEAM_SIZE } from '../../models/jointAnswerHead.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../../pipelines/testModels.js';
import { Model } from '../../pretrained/model.js';
import { RandomStream } from '../../random/philox.js';
import { answerLogits } from './answerLogits.js';
import { answerRows, contextPieces, questionIds } from './answerWindows.js';
import { logSumOf } from './calibration.js';
import type { LearnedRow } from './encodedQuestions.js';
import { batchOfQuestions, questionObjective } from './objective.js';
import { rankAnswers, windowsOf } from './rankAnswers.js';

const DESCRIPTION = {
  architecture: 'ElectraForQuestionAnswering',
  config: TEST_CONFIG,
  questionAnsweringHead: 'joint',
} as const;
const OBJECTIVE = questionObjective(DESCRIPTION, { layerRateDecay: 1 });
const { graph, weights } = testModel('ElectraForQuestionAnswering', DESCRIPTION);
const H = TEST_CONFIG.hiddenSize;

const row = (length: number, startPosition: number, endPosition: number): LearnedRow => ({
  ids: Int32Array.from({ length }, (_, i) => 5 + ((3 * i + length) % 15)),
  typeIds: Int32Array.from({ length }, (_, i) => (i > 3 ? 1 : 0)),
  startPosition,
  endPosition,
});
const ROWS = [row(6, 4, 5), row(11, 0, 0), row(17, 12, 14)];
const BATCH = batchOfQuestions(ROWS, TEST_CONFIG.padTokenId);
const DRAW = { seed: 0, step: 0, firstRow: 0 };

/** The error function by its series, which loses digits beyond 4.5, where it is ±1 to nine. */
function erf(x: number): number {
  if (Math.abs(x) > 4.5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const logSoftmax = (z: readonly number[]) => {
  const max = Math.max(...z);
  const sum = Math.log(z.reduce((total, x) => total + Math.exp(x - max), 0)) + max;
  return z.map((x) => x - sum);
};

/** Dense layer `name` over x, in float64. */
function dense(name: string, x: readonly number[]): number[] {
  const weight = weights.get(`${name}.weight`)!;
  return Array.from(
    weights.get(`${name}.bias`)!,
    (bias, out) => bias + dot(weight.subarray(out * x.length, (out + 1) * x.length), x),
  );
}

/** The head by its equations. */
async function byEquations({ ids, typeIds }: Pick<LearnedRow, 'ids' | 'typeIds'>) {
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  const encoder = new Model({
    description: { architecture: 'ElectraModel', config: TEST_CONFIG },
    tensors,
    engine: createInterpreterEngine(),
  });
  const { lastHiddenState } = await encoder.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
  const hidden = Array.from(ids, (_, i) => Array.from(lastHiddenState!.data.subarray(i * H, (i + 1) * H)));
  const mayBe = (i: number) => i === 0 || typeIds[i] === 1;
  const masked = (z: number[]) => z.map((x, i) => (mayBe(i) ? x : x - 10_000));
  const start = logSoftmax(masked(hidden.map((h) => dense('qa_start', h)[0])));
  const end = (s: number) =>
    logSoftmax(masked(hidden.map((h) => dense('qa_end', dense('qa_hidden', [...hidden[s], ...h]).map(gelu))[0])));
  const summary = Array.from({ length: H }, (_, k) => hidden.reduce((sum, h, i) => sum + Math.exp(start[i]) * h[k], 0));
  const [none] = dense('qa_answerable', dense('qa_answerable_hidden', [...hidden[0], ...summary]).map(gelu));
  return { start, end, none };
}

describe("the objective of ELECTRA's own head", () => {
  it('is half of the cross entropies of start, of end given the start, and of whether there is an answer', async () => {
    const [phase] = OBJECTIVE.phases;
    const program = await createInterpreterEngine().compile(phase.evaluationGraph(), { label: 'loss', weights });
    const outputs = await program.run(phase.feeds(BATCH, DRAW));
    const expected = { start: 0, end: 0, noAnswer: 0 };
    for (const [index, each] of ROWS.entries()) {
      const { start, end, none } = await byEquations(each);
      const own = {
        start: -start[each.startPosition],
        end: -end(each.startPosition)[each.endPosition],
        noAnswer: Math.log1p(Math.exp(each.startPosition === 0 ? -none : none)),
      };
      expect(outputs.rowLosses.data[index]).toBeCloseTo((own.start + own.end + own.noAnswer) / 2, 4);
      for (const name of ['start', 'end', 'noAnswer'] as const) expected[name] += own[name];
    }
    for (const name of ['start', 'end', 'noAnswer'] as const) {
      expect(outputs[`${name}LossSum`].data[0], name).toBeCloseTo(expected[name], 4);
    }
    const sum = (name: string) => outputs[name]?.data[0];
    const { totalLoss, loss, noAnswerAccuracy } = OBJECTIVE.metrics({ sum, count: () => 3, tokens: 34 });
    expect(totalLoss).toBeCloseTo((expected.start + expected.end + expected.noAnswer) / 6, 4);
    expect(loss).toBe(totalLoss);
    expect(noAnswerAccuracy).toBeGreaterThanOrEqual(0);
    expect(OBJECTIVE.losses.map(({ name, weight }) => [name, weight])).toEqual([
      ['start', 0.5],
      ['end', 0.5],
      ['noAnswer', 0.5],
    ]);
  });

  it('has parameters named as in the released code where that has names', () => {
    const heads = OBJECTIVE.parameters.filter(({ name }) => name.startsWith('qa_'));
    expect(heads.map(({ name, shape }) => `${name} ${shape}`).sort()).toEqual([
      'qa_answerable.bias 1',
      'qa_answerable.weight 1,512',
      'qa_answerable_hidden.bias 512',
      `qa_answerable_hidden.weight 512,${2 * H}`,
      'qa_end.bias 1',
      'qa_end.weight 1,512',
      'qa_hidden.bias 512',
      `qa_hidden.weight 512,${2 * H}`,
      'qa_start.bias 1',
      `qa_start.weight 1,${H}`,
    ]);
    expect(heads.map(({ initializer }) => initializer)).not.toContain('truncatedNormal');
  });

  const stored = new Map<string, GoldenTensor>(
    OBJECTIVE.parameters.map(({ name, shape }) => [name, { shape: [...shape], data: weights.get(name)! }]),
  );
  const [phase] = OBJECTIVE.phases;
  const training = phase.trainingGraph({ accumulate: false });
  const feeds = phase.feeds(BATCH, DRAW, { start: 3, end: 3, noAnswer: 3 });
  const reference = interpret(training, stored, feeds);

  it('has gradients that agree with central differences in float64', () => {
    const loss = (changed: Parameters<typeof interpret>[1]) => {
      const { outputs } = interpret(training, changed, feeds);
      return ['start', 'end', 'noAnswer'].reduce((sum, name) => sum + outputs.get(`${name}LossSum`)![0] / 6, 0);
    };
    const random = new RandomStream(4, 'test');
    const step = 1e-5;
    for (const { name, shape } of OBJECTIVE.parameters) {
      if (!/^qa_|layer\.0\.output\.dense|word_embeddings/.test(name)) continue;
      for (let draw = 0; draw < 3; draw++) {
        const at = random.integer(elementCount(shape));
        const at64 = (change: number) => {
          const data = Float64Array.from(weights.get(name)!);
          data[at] += change;
          return loss(
            new Map<string, { shape: readonly number[]; data: ArrayLike<number> }>([
              ...stored,
              [name, { shape, data }],
            ]),
          );
        };
        const numeric = (at64(step) - at64(-step)) / (2 * step);
        expect(reference.updates.get(`gradient:${name}`)![at], `${name}[${at}]`).toBeCloseTo(numeric, 6);
      }
    }
  });

  it.each(ENGINES)('%s: gradients are those of the interpreter', async (_, create) => {
    const engine = await create();
    try {
      for (const accumulate of [false, true]) {
        const runs = accumulate ? 2 : 1;
        const found = await runTrainingGraph(engine, OBJECTIVE, stored, { feeds: () => feeds, accumulate, runs });
        for (const name of ['startLossSum', 'endLossSum', 'noAnswerLossSum']) {
          expect(found.outputs[name].data[0]).toBeCloseTo(reference.outputs.get(name)![0], 3);
        }
        for (const { name } of OBJECTIVE.parameters) {
          const expected = Array.from(reference.updates.get(`gradient:${name}`)!, (value) => value * runs);
          // A key bias has a true gradient of 0.
          if (Math.hypot(...expected) < 1e-6) continue;
          expect(relativeError(found.gradients.get(name)!, expected), name).toBeLessThan(1e-4);
        }
      }
    } finally {
      await engine.close();
    }
  });
});

describe('the beam of starts', () => {
  const WORDS = ['cat', 'dog', 'bird', 'runs', 'sits', 'the', 'a'];
  const context = Array.from({ length: 13 }, (_, i) => WORDS[(5 * i + i * i) % WORDS.length]).join(' ');
  const pieces = contextPieces(TEST_TOKENIZER, context);
  const [window, ...more] = answerRows(TEST_TOKENIZER, questionIds(TEST_TOKENIZER, 'the dog', 24), pieces.ids, {
    rowLength: 24,
  });

  it.each(ENGINES)('%s: finds what brute force finds where it covers all starts', async (_, create) => {
    expect(more).toEqual([]);
    expect(pieces.ids.length).toBeLessThan(BEAM_SIZE);
    const engine = await create();
    try {
      const model = testModel('ElectraForQuestionAnswering', DESCRIPTION).model({ engine });
      const { start, end, none } = await byEquations(window);
      const outputs = ['startLogits', 'beamStarts', 'beamEndLogits', 'noAnswerLogits'] as const;
      // Beside a row that is longer, it is padded.
      await model.forEachRow([window, row(24, 0, 0)], { outputs }, (index, values) => {
        if (index > 0) return;
        const logits = answerLogits(values);
        const asked = { text: context, pieces, rows: [window], logits: [logits] };
        const all: { place: string; logit: number }[] = [];
        for (let s = 0; s < pieces.ids.length; s++) {
          const ends = end(window.first + s);
          for (let e = s; e < Math.min(pieces.ids.length, s + 4); e++) {
            const place = `${pieces.offsets[2 * s]}-${pieces.offsets[2 * e + 1]}`;
            all.push({ place, logit: start[window.first + s] + ends[window.first + e] });
          }
        }
        all.sort((a, b) => b.logit - a.logit);
        const ranked = rankAnswers([asked], { topK: 10, maxAnswerLength: 4, alignToWords: false });
        expect(ranked.answers.map(({ place }) => `${place!.start}-${place!.end}`)).toEqual(
          all.slice(0, 10).map(({ place }) => place),
        );
        for (const [i, { logit }] of ranked.answers.entries()) expect(logit).toBeCloseTo(all[i].logit, 3);
        expect(ranked.nullLogit).toBeCloseTo(none, 3);
        expect(ranked.noAnswerScore).toBe(ranked.nullLogit);
        const sum = Math.log(all.reduce((total, each) => total + Math.exp(each.logit), 0));
        expect(ranked.logSum).toBeCloseTo(sum, 3);
      });
    } finally {
      await engine.close();
    }
  });

  it('looks at the ends of its likeliest starts alone, each once, and never at [CLS] as an answer', async () => {
    const model = testModel('ElectraForQuestionAnswering', DESCRIPTION).model();
    const short = row(7, 0, 0);
    await model.forEachRow(
      [short],
      { outputs: ['startLogits', 'beamStarts', 'beamEndLogits', 'noAnswerLogits'] },
      (_, values) => {
        expect(values.beamStarts).toHaveLength(BEAM_SIZE);
        const logits = answerLogits(values, 2);
        if (!('beams' in logits)) throw new Error('no beams');
        const positions = logits.beams.map(({ position }) => position);
        expect([...positions].sort()).toEqual([1, 2, 3, 4, 5, 6]);
        expect(logits.beams.map(({ ends }) => ends.length)).toEqual(positions.map((at) => Math.min(2, 7 - at)));
        // Context before question: positions 4 to 6 have segment 1.
        expect(positions.slice(0, 3).sort()).toEqual([4, 5, 6]);
        expect(logits.beams.map(({ logit }) => logit)).toEqual(
          [...logits.beams].sort((a, b) => b.logit - a.logit).map(({ logit }) => logit),
        );
      },
    );
  });
});

describe('"no answer" by a classifier', () => {
  const text = 'the dog runs';
  const pieces = contextPieces(TEST_TOKENIZER, text);
  const rows = answerRows(TEST_TOKENIZER, questionIds(TEST_TOKENIZER, 'a cat', 24), pieces.ids, { rowLength: 24 });
  const first = rows[0].first;
  const ln = Math.log;
  const asked = (noAnswer: number) => ({
    text,
    pieces,
    rows,
    logits: [
      {
        noAnswer,
        beams: [
          { position: first + 1, logit: ln(0.6), ends: Float32Array.of(ln(0.5), ln(0.4)) },
          { position: first, logit: ln(0.2), ends: Float32Array.of(ln(0.1), ln(0.1), ln(0.5)) },
        ],
      },
    ],
  });
  const options = { maxAnswerLength: 30, alignToWords: true, handleImpossibleAnswer: true, topK: 3 };

  it('is as probable as the classifier says, and the spans share the rest', () => {
    const { answers, nullTerm, nullLogit, logSum } = rankAnswers([asked(1)], options);
    const sigmoid = 1 / (1 + Math.exp(-1));
    expect(nullLogit).toBe(1);
    expect(Math.exp(nullTerm - logSum)).toBeCloseTo(sigmoid, 6);
    const spans = [0.3, 0.24, 0.02, 0.02, 0.1];
    const total = spans.reduce((a, b) => a + b);
    // σ(1) is above the threshold of 0: none is the best.
    expect(answers[0].place).toBeUndefined();
    expect(answers[1].place).toMatchObject({ start: 4, end: 7 });
    expect(Math.exp(answers[1].logit - logSum)).toBeCloseTo(((1 - sigmoid) * 0.3) / total, 6);
  });

  it('is the answer where its logit is above the threshold, whatever the logit of the best span is', () => {
    const best = (noAnswer: number, nullThreshold: number) =>
      rankAnswers([asked(noAnswer)], { ...options, nullThreshold }).answers[0].place === undefined;
    expect([best(-2, -2.75), best(-3, -2.75), best(0.1, 0), best(-0.1, 0)]).toEqual([true, false, true, false]);
  });

  it('has the score that the temperature is fitted by', () => {
    const context = asked(0.7);
    const { logSum } = rankAnswers([context], { ...options, temperature: 1 / 0.4 });
    expect(logSumOf({ right: [], windows: windowsOf(context), nullLogit: 0.7 }, 0.4, 30)).toBeCloseTo(logSum, 9);
    const without = rankAnswers([context], { ...options, handleImpossibleAnswer: false, temperature: 1 / 0.4 });
    expect(logSumOf({ right: [], windows: windowsOf(context) }, 0.4, 30)).toBeCloseTo(without.logSum, 9);
  });
});

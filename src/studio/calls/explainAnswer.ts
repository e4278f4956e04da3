/**
 * `ask`: the answers of the question answering pipeline, with what they are found in: the windows over the context, and of each
 * piece the probability that an answer starts or ends there.
 */
import { z } from 'zod';
import type { Answer } from '../../pipelines/answers.js';
import { QuestionAsker } from '../../pipelines/questionAsker.js';
import { forEachSpan } from '../../tasks/questionAnswering/answerSearch.js';
import { bestWindows } from '../../tasks/questionAnswering/answerWindows.js';
import { type AskedContext, nullLogitOf, windowsOf } from '../../tasks/questionAnswering/rankAnswers.js';
import { ANSWER_CLASSES, withModelOf } from '../modelRole.js';
import { studioCall } from '../studioCall.js';

export interface AskInput {
  /** A model with a head for start and end. */
  readonly model: string;
  readonly question: string;
  readonly context: string;
  /** Answers, the best first. Default 5. */
  readonly topK?: number;
  /** Tokens of a row, question and context together. Default: what the model folder says. */
  readonly maxLength?: number;
  /** Pieces that neighbouring windows share. Default: what the model folder says. */
  readonly docStride?: number;
}

/** A window over the context. Pieces are counted in the context; both ends are exclusive. */
export interface ShownWindow {
  readonly from: number;
  readonly to: number;
  /** Pieces that are judged in this window, since it shows the most around them. */
  readonly judgedFrom: number;
  readonly judgedTo: number;
  /** What speaks for "no answer" here: the start and end logit of [CLS]; of ELECTRA's own head its classifier's logit. */
  readonly nullLogit: number;
}

export interface AskOutput {
  /** As `question-answering` gives them with `topK` and "no answer" allowed, "no answer" itself left out. */
  readonly answers: readonly Answer[];
  /** UTF-16 offsets of every piece, [start₀, end₀, start₁, …]. */
  readonly offsets: readonly number[];
  /** Of each piece the probability that the answer starts (ends) there: summed over all spans of all windows that do. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly windows: readonly ShownWindow[];
  /** The probability that there is no answer. */
  readonly nullScore: number;
  /** "No answer" is the answer where this is above the threshold. */
  readonly noAnswerScore: number;
  /** The threshold that belongs to the model, 0 where nobody fitted one. */
  readonly nullThreshold: number;
  /** Word pieces of an answer, at most. */
  readonly maxAnswerLength: number;
}

export const explainAnswer = studioCall<AskInput, AskOutput>({
  input: z.strictObject({
    model: z.string(),
    question: z.string(),
    context: z.string(),
    topK: z.number().int().min(1).max(20).optional(),
    maxLength: z.number().int().min(5).optional(),
    docStride: z.number().int().min(0).optional(),
  }),
  run: (models, { model: id, question, context, topK = 5, ...options }, signal) =>
    withModelOf(models, id, ANSWER_CLASSES, async (model) => {
      const asker = new QuestionAsker(model);
      // One more: "no answer" may be among them.
      const settings = { ...options, topK: topK + 1, handleImpossibleAnswer: true };
      const found = await asker.explained({ question, context }, settings, signal && { signal });
      const { contexts, ranking, options: ranked } = found;
      const [asked] = contexts;
      const { temperature, maxAnswerLength, nullThreshold } = ranked;
      return {
        answers: found.answers.filter(({ answer }) => answer !== '').slice(0, topK),
        offsets: Array.from(asked.pieces.offsets),
        ...pieceProbabilities(asked, maxAnswerLength, (logit) => Math.exp(logit / temperature - ranking.logSum)),
        windows: shownWindows(asked),
        nullScore: Math.exp(ranking.nullTerm - ranking.logSum),
        noAnswerScore: ranking.noAnswerScore ?? ranking.nullLogit,
        nullThreshold,
        maxAnswerLength,
      };
    }),
});

/** P(start) and P(end) of each piece: sums of the probabilities of all spans that begin (end) with it. */
function pieceProbabilities(asked: AskedContext, maxAnswerLength: number, probability: (logit: number) => number) {
  const starts = new Array<number>(asked.pieces.length).fill(0);
  const ends = starts.slice();
  for (const window of windowsOf(asked)) {
    forEachSpan(window, maxAnswerLength, (first, last, logit) => {
      const p = probability(logit);
      starts[first] += p;
      ends[last] += p;
    });
  }
  return { starts, ends };
}

function shownWindows(asked: AskedContext): ShownWindow[] {
  const judges = bestWindows(asked.rows, asked.pieces.length);
  return asked.rows.map(({ from, to }, window) => {
    const judgedFrom = Math.max(from, judges.indexOf(window));
    const judgedTo = Math.max(judgedFrom, judges.lastIndexOf(window) + 1);
    return { from, to, judgedFrom, judgedTo, nullLogit: nullLogitOf([{ ...asked, logits: [asked.logits[window]] }]) };
  });
}

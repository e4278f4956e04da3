/** Settings that question answering has beside those of every task. */
import { z } from 'zod';
import { QUESTION_ANSWERING_HEADS, type QuestionAnsweringHead } from '../../models/heads.js';
import { count } from '../../settings/fieldTypes.js';
import { USUAL_OVERLAP } from './answerWindows.js';

/** Word pieces of an answer, at most. */
export const USUAL_ANSWER = 30;

export const QUESTION_ANSWERING_FIELDS = {
  qaHead: z
    .enum(QUESTION_ANSWERING_HEADS)
    .optional()
    .describe(
      "question-answering: how answers are found. standard: two logits a token, start and end apart, as transformers has it; joint: ELECTRA's own, the end given the start, and a classifier that says whether there is an answer. Default standard.",
    ),
  docStride: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe(
      `question-answering: pieces of a long context that neighbouring windows share (an overlap, not a step). Default ${USUAL_OVERLAP}, at most half of a window.`,
    ),
  maxAnswerLength: count()
    .optional()
    .describe(`question-answering: word pieces of an answer, at most. Default ${USUAL_ANSWER}.`),
  emptyWindows: z
    .enum(['noAnswer', 'leaveOut'])
    .optional()
    .describe(
      'question-answering: windows that do not show the answer. noAnswer: [CLS] is their answer, and of the joint head they have none; leaveOut: they are not trained on. Default noAnswer.',
    ),
  noAnswerShare: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'question-answering: the share of questions without an answer that the model is to meet; the margin by which "no answer" must win is fitted for it. Default: as in the dev data.',
    ),
  misplacedAnswers: z
    .enum(['refuse', 'leaveOut'])
    .optional()
    .describe(
      'question-answering: training questions whose answer does not stand at its offset. refuse: an error lists them; leaveOut: they are not trained on. Default refuse.',
    ),
};

const schema = z.object(QUESTION_ANSWERING_FIELDS);

export interface QuestionAnsweringSettings {
  readonly qaHead: QuestionAnsweringHead;
  readonly docStride?: number;
  readonly maxAnswerLength: number;
  readonly emptyWindows: 'noAnswer' | 'leaveOut';
  readonly noAnswerShare?: number;
  readonly misplacedAnswers: 'refuse' | 'leaveOut';
}

/** Those among a run's settings, which were checked, with their defaults. */
export function questionAnsweringSettings(settings: Readonly<Record<string, unknown>>): QuestionAnsweringSettings {
  const {
    qaHead = 'standard',
    docStride,
    maxAnswerLength = USUAL_ANSWER,
    emptyWindows = 'noAnswer',
    noAnswerShare,
    misplacedAnswers = 'refuse',
  } = schema.parse(settings);
  return {
    ...{ qaHead, maxAnswerLength, emptyWindows, misplacedAnswers },
    ...(docStride !== undefined && { docStride }),
    ...(noAnswerShare !== undefined && { noAnswerShare }),
  };
}

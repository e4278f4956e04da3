/** What `question-answering` takes and gives. */

export interface QuestionInput {
  readonly question: string;
  /** Where the answer is looked for; of several, all are, and their answers are ranked together. */
  readonly context: string | readonly string[];
}

export interface Answer {
  /** `context.slice(start, end)`, always; empty for "no answer". */
  readonly answer: string;
  /** UTF-16 offsets in the context. */
  readonly start: number;
  readonly end: number;
  /** Probability among all spans of all windows of all contexts, 0 to 1: those of different answers compare, and add up to at most 1. */
  readonly score: number;
  /**
   * Start logit + end logit, which answers are ranked by; of "no answer" that of [CLS]. Of ELECTRA's own head
   * ln P(start) + ln P(end | start), and of "no answer" the logit of its classifier. Not with `scoring: 'hf'`.
   */
  readonly logit?: number;
  /** Number of the window of the context that it was found in, from 0. */
  readonly window?: number;
  /** Better places than the last of the list that overlap this answer, and so do not stand by themselves; where there are any. */
  readonly duplicates?: number;
  /** Where several contexts were given: which. */
  readonly contextIndex?: number;
  /** With `handleImpossibleAnswer`: the probability that there is no answer. */
  readonly nullScore?: number;
  /** With `codePoints`: the offsets in Unicode code points, as Python counts. */
  readonly codePointStart?: number;
  readonly codePointEnd?: number;
}

export const SCORINGS = ['all', 'hf'] as const;

export interface QuestionAnsweringOptions {
  /** So many answers at most, the best first, as a list. Default: the best alone. */
  readonly topK?: number;
  /** Word pieces of an answer, at most. Default: what the model folder says, else 15. */
  readonly maxAnswerLength?: number;
  /** Whether "no answer", the empty text, may be the answer, as in SQuAD 2.0. Default: whether there is a `nullThreshold`, in the model folder one other than 0. */
  readonly handleImpossibleAnswer?: boolean;
  /** "No answer" is the answer when its logit is larger than that of the best span by more than this; of ELECTRA's own head when it is larger than this. Default: what the model folder says, else 0. */
  readonly nullThreshold?: number;
  /** Logits are divided by it before they become probabilities. Default: what the model folder says, else 1. */
  readonly temperature?: number;
  /** Whether answers are widened to whole words. Default: what the model folder says, else true. */
  readonly alignToWords?: boolean;
  /** Whether a Korean answer loses a particle at its end: 1989년 instead of 1989년에. Default false. */
  readonly dropParticle?: boolean;
  /** Two answers are one when they share more than this fraction of the shorter, 0 to 1. Default 0.5; 1: only the very same place. */
  readonly overlapThreshold?: number;
  /** Whether answers of the same words count once, wherever they stand. Default false. */
  readonly mergeTexts?: boolean;
  /** Whether answers have their offsets in code points too. Default false. */
  readonly codePoints?: boolean;
  /** Pieces of the context that neighbouring windows of a long one share (an overlap, not a step). Default: what the model folder says, else 128, at most half of a window. */
  readonly docStride?: number;
  /** Tokens of a row, question and context together. Default: what the model folder says, else 384; at most what the model takes. */
  readonly maxLength?: number;
  /** Pieces of a question beyond so many are cut off. Default: nothing is, and one longer than half of a row is an error. */
  readonly maxQuestionLength?: number;
  /** `all`: one ranking over all windows. `hf`: as transformers 4.53 scores, window by window (transformersScoring.ts). Default all. */
  readonly scoring?: (typeof SCORINGS)[number];
}

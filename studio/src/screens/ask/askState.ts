/** What the address says of this screen, checked. */
import type { ScreenState } from '../../app/address.js';
import { SAMPLES } from './samples.js';

export interface AskScreenState {
  readonly question: string;
  readonly text: string;
  readonly isSample: boolean;
  /** Undefined: the model's own. */
  readonly threshold?: number;
  /** Tokens of a row; undefined: as the model was trained. */
  readonly windowLength?: number;
}

/** Choices of a window's length, beside the model's own. */
export const WINDOW_LENGTHS = [256, 128, 64];

/** The slider of the lead over "no answer" that an answer must have, in logits: the threshold with its sign turned. */
export const LEADS = { min: -20, max: 20, step: 0.5 };

/** An address may hold a long text, but a model in the page should not be asked for an hour. */
const MOST_CHARACTERS = 40_000;

export function askScreenState(state: ScreenState, language: 'en' | 'ko'): AskScreenState {
  const sample = SAMPLES[language];
  const text = state.text?.slice(0, MOST_CHARACTERS).trim() || undefined;
  const threshold = state.threshold === undefined ? Number.NaN : Number(state.threshold);
  const length = Number(state.window);
  return {
    question: state.q?.slice(0, 400).trim() || (text === undefined ? sample.questions[0] : ''),
    text: text ?? sample.text,
    isSample: text === undefined,
    ...(Number.isFinite(threshold) && { threshold: Math.max(-LEADS.max, Math.min(threshold, -LEADS.min)) }),
    ...(WINDOW_LENGTHS.includes(length) && { windowLength: length }),
  };
}

/** A part of a text that holds an answer: its sentence, cut in three. */
export interface AnswerInSentence {
  readonly before: string;
  readonly answer: string;
  readonly after: string;
}

/** The sentence around `start` to `end`; an answer over several sentences has all of them. */
export function inSentence(text: string, start: number, end: number, language: string): AnswerInSentence {
  let [from, to] = [0, text.length];
  for (const { segment, index } of new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)) {
    if (index <= start) from = index;
    if (index + segment.length >= end) {
      to = index + segment.length;
      break;
    }
  }
  return {
    before: text.slice(from, start).trimStart(),
    answer: text.slice(start, end),
    after: text.slice(end, to).trimEnd(),
  };
}

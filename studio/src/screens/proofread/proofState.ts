/** What the address says of this screen, checked; texts with slips of the pen; and writing a word into a text. */
import type { ScreenState } from '../../app/address.js';

/** Words that are spelled right and are wrong: a dictionary finds none of them. */
export const SAMPLES: Readonly<Record<'en' | 'ko', string>> = {
  en: 'The library opened in the spring of 1902. At first only a few people new about it, but soon readers came from every part of the city. They sat at long tables, or on the stares when there was no room, and stayed until the lights went out. In winter an old women passed warm stones around, and from the highest window you could sea the mountains. Nobody would belief how quiet it was.',
  ko: '배우들의 연기가 정말 좋았다. 음악도 좋았고 이야기도 정말 최고였을. 조금 지루한 장면도 있었지만 마지막에는 눈물이 났다. 친구는 이 영화를 다시 보고 싶다고 물을 말했다. 나에게도 다시 보고 심은 영화였다.',
};

const USUAL_THRESHOLD = 0.5;
/** In the samples, with the models in the box; the Korean pair is smaller, and doubts less. */
const SAMPLE_THRESHOLDS = { en: USUAL_THRESHOLD, ko: 0.35 } as const;

/** A model in the page should not be asked for an hour. */
const MOST_CHARACTERS = 20_000;

export interface ProofScreenState {
  readonly text: string;
  readonly isSample: boolean;
  /** Doubt from which words are underlined, 0 to 1. */
  readonly threshold: number;
}

export function proofScreenState(state: ScreenState, language: 'en' | 'ko'): ProofScreenState {
  const given = state.text?.slice(0, MOST_CHARACTERS) ?? '';
  const isSample = given.trim() === '';
  const threshold = Number(state.threshold ?? Number.NaN);
  return {
    text: isSample ? SAMPLES[language] : given,
    isSample,
    threshold:
      threshold >= 0.01 && threshold <= 0.99 ? threshold : isSample ? SAMPLE_THRESHOLDS[language] : USUAL_THRESHOLD,
  };
}

/** How many right words are marked from which doubt on, as measured: [rate, doubt], rates rising. */
export type Thresholds = readonly (readonly [rate: number, doubt: number])[];

/** Of every hundred right words one: what the pipeline takes, too. */
const USUAL_RATE = 0.01;

/** The measured rate that the reader has chosen, as its index. */
export function chosenRate(thresholds: Thresholds, given: string | undefined): number {
  const rate = Number(given ?? USUAL_RATE);
  const distances = thresholds.map(([each]) => Math.abs(Math.log(each / (rate > 0 ? rate : USUAL_RATE))));
  return distances.indexOf(Math.min(...distances));
}

/** Writes a word over `start` to `end`; "" takes the word away, with the space before it. */
export function withWord(text: string, { start, end }: { start: number; end: number }, word: string): string {
  const before = text.slice(0, start);
  return (word === '' ? before.trimEnd() : before) + word + text.slice(end);
}

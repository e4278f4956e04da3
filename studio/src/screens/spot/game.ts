/** The rules of the game: which sentence comes when, who marks what, and the points. */
import type { SpotRound, SpotWord } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';
import { SENTENCES } from './sentences.js';

export const ROUNDS = 10;
/** The first rounds of the first game lie in the page, so that play starts before engine and model are there. */
export const BUILT_ROUNDS = 3;

/**
 * Seeds of the rounds that lie in the page. Chosen by people who read what a few seeds gave, so that the first sentences can
 * be solved: no replacement that fits as well as the original. What was drawn, and every doubt, is the models' own.
 */
const FIRST_SEEDS: Readonly<Record<Language, readonly number[]>> = { en: [220, 201, 116], ko: [4, 229, 5] };

/** What is asked of the models for a round: the same for all who play the same game. */
export interface RoundRequest {
  readonly text: string;
  readonly seed: number;
}

/**
 * @param game   from 1; each game has other sentences until all were seen, and other replacements
 * @param round  0 to 9
 */
export function requestOf(language: Language, game: number, round: number): RoundRequest {
  const sentences = SENTENCES[language];
  const number = (game - 1) * ROUNDS + round;
  return { text: sentences[number % sentences.length], seed: FIRST_SEEDS[language][number] ?? number };
}

/** Numbers of the words that were replaced. */
export function fakesOf({ words }: SpotRound): number[] {
  return [...words.keys()].filter((index) => words[index].original !== undefined);
}

/** The model marks the words that it doubts most, as many as were replaced; of equal ones the first. */
export function modelMarks(round: SpotRound): number[] {
  return [...round.words.keys()]
    .sort((a, b) => round.words[b].doubt - round.words[a].doubt || a - b)
    .slice(0, fakesOf(round).length);
}

/** A point for each mark on a word that was replaced. */
export function hits(words: readonly SpotWord[], marks: readonly number[]): number {
  return marks.filter((index) => words[index].original !== undefined).length;
}

/** At most so many marks: one more takes the place of the oldest; one that is there is taken back. */
export function toggledMark(marks: readonly number[], index: number, most: number): number[] {
  if (marks.includes(index)) return marks.filter((each) => each !== index);
  return [...marks, index].slice(-most);
}

/** A round that is over. */
export interface PlayedRound {
  readonly fakes: number;
  readonly you: number;
  readonly model: number;
}

/** As the address holds them: `321-422` are two rounds, 3 replaced, 2 and 1 found; 4 replaced, 2 and 2 found. */
export function playedText(rounds: readonly PlayedRound[]): string {
  return rounds.map(({ fakes, you, model }) => `${fakes}${you}${model}`).join('-');
}

/** What the address says; nothing where it says what cannot be. */
export function parsePlayed(text = ''): PlayedRound[] {
  const rounds = text.split('-').map((part) => {
    const [fakes, you, model] = /^[2-4][0-4][0-4]$/.test(part) ? [...part].map(Number) : [0, 1, 1];
    return { fakes, you, model };
  });
  const isPossible = rounds.length <= ROUNDS && rounds.every(({ fakes, you, model }) => you <= fakes && model <= fakes);
  return isPossible ? rounds : [];
}

export function totals(rounds: readonly PlayedRound[]): PlayedRound {
  const sum = (value: (round: PlayedRound) => number) => rounds.reduce((total, round) => total + value(round), 0);
  return { fakes: sum(({ fakes }) => fakes), you: sum(({ you }) => you), model: sum(({ model }) => model) };
}

/** The characters that a vocabulary holds by themselves: at a word's start and, with `##`, inside one. */

import type { NormalizationSettings } from './normalization.js';
import { isAlwaysAlone } from './words.js';

export interface Alphabet {
  /** By code point. */
  readonly letters: readonly string[];
  /** Those that also have a `##` form, by code point. */
  readonly continuing: readonly string[];
  /** Part of the text that the letters make up, 0 to 1. */
  readonly coverage: number;
  /** What all letters of the text would take, with the `##` forms that were met. */
  readonly placesOfAll: number;
}

interface LetterCount {
  readonly letter: string;
  count: number;
  /** Met inside a word. */
  isInside: boolean;
}

/** Rarer letters that make up so little of a text together may be left out, if each is rarer than `RARE` as well. */
const LEFT_OUT_SHARE = 0.0005;
const RARE = 1e-5;

/** Part of a vocabulary that the alphabet takes without a look at how rare its letters are. */
const FREE_PART = 0.25;

/**
 * Chooses an alphabet. A letter takes one place, and another one for its `##` form.
 *
 * Without a limit: every letter while the alphabet takes no more than a quarter of the room, and beyond that those that make
 * up 99.95 % of the text; in short texts all. When not even those fit, the most frequent ones. A letter that was met at the
 * start of words only gets its `##` form all the same, as other texts will have it inside a word; but these forms take no
 * more than half of what is left, the most frequent letters first, so that there is room for words.
 * @param counts  words and how often each was met
 * @param room    places for the alphabet
 * @param limit   letters to keep, the most frequent ones, whether they fit or not
 */
export function chooseAlphabet(
  counts: ReadonlyMap<string, number>,
  room: number,
  settings: NormalizationSettings,
  limit?: number,
): Alphabet {
  const byFrequency = countLetters(counts).sort((a, b) => b.count - a.count || byCodePoint(a.letter, b.letter));
  const kept = limit === undefined ? withinRoom(byFrequency, room) : byFrequency.slice(0, limit);
  const inside = kept.filter(({ isInside }) => isInside);
  const left = Math.max(0, room - kept.length - inside.length);
  const further = kept
    .filter(({ letter, isInside }) => !isInside && !isAlwaysAlone(letter, settings))
    .slice(0, Math.ceil(left / 2));
  return {
    letters: sorted(kept),
    continuing: sorted([...inside, ...further]),
    coverage: numMet(kept) / numMet(byFrequency),
    placesOfAll: byFrequency.reduce((sum, { isInside }) => sum + (isInside ? 2 : 1), 0),
  };
}

const numMet = (letters: readonly LetterCount[]): number => letters.reduce((sum, { count }) => sum + count, 0);

/** Every letter with its count. */
export function countLetters(counts: ReadonlyMap<string, number>): LetterCount[] {
  const letters = new Map<string, LetterCount>();
  for (const [word, count] of counts) {
    let isInside = false;
    for (const letter of word) {
      const known = letters.get(letter);
      if (known === undefined) letters.set(letter, { letter, count, isInside });
      else {
        known.count += count;
        known.isInside ||= isInside;
      }
      isInside = true;
    }
  }
  return [...letters.values()];
}

function withinRoom(byFrequency: readonly LetterCount[], room: number): LetterCount[] {
  const total = numMet(byFrequency);
  const kept: LetterCount[] = [];
  let places = 0;
  let covered = 0;
  for (const letter of byFrequency) {
    places += letter.isInside ? 2 : 1;
    const mayBeLeftOut = total - covered <= LEFT_OUT_SHARE * total && letter.count < RARE * total;
    if (places > room || (mayBeLeftOut && places > FREE_PART * room)) break;
    kept.push(letter);
    covered += letter.count;
  }
  return kept;
}

function sorted(letters: readonly LetterCount[]): string[] {
  return letters.map(({ letter }) => letter).sort(byCodePoint);
}

const byCodePoint = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;

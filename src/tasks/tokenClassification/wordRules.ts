/**
 * What a word is in tagged data, learned from them: "so-called", "U.S." and "1,200" are one each in the Penn Treebank, and
 * "Rockwell's" is two. A tokenizer cuts them all at punctuation; of such a word training labels the first piece alone, so in a text
 * the pieces must be put together again before they are judged.
 */
import type { Sentence } from './sentences.js';

/** Can be kept as JSON. */
export interface WordRules {
  /** Shapes that are one word: letters as `a`, digits as `0`, such as `a-a` and `0,0`. */
  readonly shapes: readonly string[];
  /** Words in lower case that are one although their shape is not, such as `corp.`. */
  readonly words: readonly string[];
  /** And those that are several although their shape is one. */
  readonly apart: readonly string[];
}

/** In the field `pleiad` of config.json. */
export const WORD_RULES_FIELD = 'wordRules';

/** Runs of letters and digits, and every other sign by itself: where any tokenizer cuts. */
const UNIT = /[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu;
/** Units of a word, at most. */
const MOST_UNITS = 8;
/** Words of their own rule that are kept, the most frequent: they stand in config.json. */
const MOST_WORDS = 400;
/** A word seen once is no rule. */
const LEAST_COUNT = 2;

const shapeOf = (word: string) => word.replace(/[\p{L}\p{M}]+/gu, 'a').replace(/\p{N}+/gu, '0');
const unitsIn = (word: string) => word.match(UNIT)?.length ?? 0;

/** How often a string, or a shape, was one word, and how often several side by side. */
interface Evidence {
  one: number;
  several: number;
}

/** The rules by which sentences were cut into words: what more often is one word than several that follow each other. */
export function learnWordRules(sentences: readonly Pick<Sentence, 'words'>[]): WordRules {
  const byShape = new Map<string, Evidence>();
  const byWord = new Map<string, Evidence>();
  const evidence = (map: Map<string, Evidence>, key: string) => {
    const known = map.get(key) ?? { one: 0, several: 0 };
    map.set(key, known);
    return known;
  };
  for (const { words } of sentences) {
    for (const word of words) {
      const count = unitsIn(word);
      if (count < 2 || count > MOST_UNITS || /\s/.test(word)) continue;
      evidence(byShape, shapeOf(word)).one++;
      evidence(byWord, word.toLowerCase()).one++;
    }
  }
  for (const { words } of sentences) {
    forEachRun(words, (run) => {
      const shape = byShape.get(shapeOf(run));
      if (!shape) return;
      shape.several++;
      const word = byWord.get(run.toLowerCase());
      if (word) word.several++;
    });
  }
  const isOne = ({ one, several }: Evidence) => one > several && one >= LEAST_COUNT;
  const shapes = new Set([...byShape].filter(([, found]) => isOne(found)).map(([shape]) => shape));
  const others = [...byWord]
    .filter(([word, found]) => isOne(found) !== shapes.has(shapeOf(word)) && found.one + found.several >= LEAST_COUNT)
    .sort(([a, x], [b, y]) => y.one + y.several - x.one - x.several || (a < b ? -1 : 1))
    .slice(0, MOST_WORDS);
  return {
    shapes: [...shapes].sort(),
    words: others.filter(([, found]) => isOne(found)).map(([word]) => word),
    apart: others.filter(([, found]) => !isOne(found) && found.several > 0).map(([word]) => word),
  };
}

const ENDS_IN_LETTER = /[\p{L}\p{M}\p{N}]$/u;
const BEGINS_WITH_LETTER = /^[\p{L}\p{M}\p{N}]/u;

/** Two to four words that follow each other, written as one. Between two letters or digits a text has a space, so no run goes on there. */
function forEachRun(words: readonly string[], visit: (run: string) => void): void {
  for (let first = 0; first < words.length; first++) {
    let run = words[first];
    for (let last = first + 1; last < Math.min(first + 4, words.length); last++) {
      if (ENDS_IN_LETTER.test(words[last - 1]) && BEGINS_WITH_LETTER.test(words[last])) break;
      run += words[last];
      visit(run);
    }
  }
}

/** Where a unit of a text lies. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Which units of a text go on with the word of the unit before: the longest words that the rules know, from left to right.
 * @param units  words as a tokenizer cuts them, in the order of the text
 */
export function joinedUnits(text: string, units: readonly Place[], rules: WordRules): boolean[] {
  const [shapes, words, apart] = [rules.shapes, rules.words, rules.apart].map((list) => new Set(list));
  const isWord = (string: string) => {
    const lower = string.toLowerCase();
    return words.has(lower) || (shapes.has(shapeOf(string)) && !apart.has(lower));
  };
  const continues = units.map(() => false);
  let first = 0;
  while (first < units.length) {
    let end = first + 1; // of the stretch without spaces
    while (end < units.length && end - first < MOST_UNITS && units[end].start === units[end - 1].end) end++;
    while (end - first > 1 && !isWord(text.slice(units[first].start, units[end - 1].end))) end--;
    for (let unit = first + 1; unit < end; unit++) continues[unit] = true;
    first = end;
  }
  return continues;
}

/** Rules that a model's run has written down. */
export function wordRulesOf(pleiad: Readonly<Record<string, unknown>> | undefined): WordRules | undefined {
  const kept = pleiad?.[WORD_RULES_FIELD] as Partial<WordRules> | undefined;
  const lists = [kept?.shapes, kept?.words, kept?.apart];
  return lists.every((list) => Array.isArray(list)) ? (kept as WordRules) : undefined;
}

import { describe, expect, it } from 'vitest';
import { joinedUnits, learnWordRules, type WordRules, wordRulesOf } from './wordRules.js';

const sentences = (...texts: string[]) => texts.map((text) => ({ words: text.split(' ') }));
const TREEBANK = learnWordRules(
  sentences(
    "the so-called plan of Rockwell 's U.S. unit , a well-known one .",
    "it did n't sell 1,200 shares , did n't it ?",
    "the U.S. plan 's 3,400 shares are IBM Corp. 's .",
    "a buy-out by Apple Corp. , they say , is n't Ford 's .",
    "that 's the company 's and Mr. Smith 's .",
    'they say so .',
    'it sold .',
    'shares fell .',
  ),
);

/** The words of a text by the rules. */
function wordsOf(text: string, rules: WordRules): string[] {
  const units = [...text.matchAll(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu)].map(({ index, 0: own }) => ({
    start: index,
    end: index + own.length,
  }));
  const continues = joinedUnits(text, units, rules);
  return units.flatMap((unit, i) => {
    if (continues[i]) return [];
    let last = i;
    while (continues[last + 1]) last++;
    return [text.slice(unit.start, units[last].end)];
  });
}

describe('rules of words', () => {
  it('put together what is one word in the data, seen or not, and leave the rest as it is cut', () => {
    expect(wordsOf("A left-wing firm's 5,600 shares, the U.K. says.", TREEBANK)).toEqual(
      "A left-wing firm 's 5,600 shares , the U.K. says .".split(' '),
    );
  });

  it('know words whose shape is that of several: Corp. is one, "say." is two', () => {
    expect(TREEBANK.words).toContain('corp.');
    expect(wordsOf('Exxon Corp. did, they say.', TREEBANK)).toEqual('Exxon Corp. did , they say .'.split(' '));
  });

  it('never reach over a space, and change nothing where the data cut as a tokenizer does', () => {
    expect(wordsOf('left - wing', TREEBANK)).toEqual(['left', '-', 'wing']);
    const fine = learnWordRules(sentences('New York - based', 'a well - known one'));
    expect(wordsOf('Boston-based', fine)).toEqual(['Boston', '-', 'based']);
    expect(fine).toEqual({ shapes: [], words: [], apart: [] });
  });

  it('are what was kept, or none', () => {
    expect(wordRulesOf({ wordRules: JSON.parse(JSON.stringify(TREEBANK)) })).toEqual(TREEBANK);
    expect(wordRulesOf({ wordRules: { shapes: 'a-a' } })).toBeUndefined();
    expect(wordRulesOf(undefined)).toBeUndefined();
  });
});

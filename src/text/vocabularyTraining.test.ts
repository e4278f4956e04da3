import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { VocabularyTrainer } from './vocabularyTraining.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
// The corpus of Sennrich et al. (arXiv 1508.07909), figure 1.
const SENNRICH = `${'low '.repeat(5)}${'lower '.repeat(2)}${'newest '.repeat(6)}${'widest '.repeat(3)}`;

function trained(text: string, options: Parameters<VocabularyTrainer['train']>[0]): string[] {
  const trainer = new VocabularyTrainer();
  trainer.add(text);
  return trainer.train(options);
}

/** The same algorithm without bookkeeping: counts every pair anew for each merge. */
function trainedSlowly(counts: Map<string, number>, size: number, minFrequency: number): string[] {
  const byCodePoint = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;
  const letters = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort(byCodePoint);
  const tokens = [...SPECIAL, ...letters, ...letters.map((letter) => `##${letter}`)];
  const words = [...counts].map(([word, count]) => ({
    count,
    ids: [...word].map((c, i) => tokens.indexOf(i ? `##${c}` : c)),
  }));
  while (tokens.length < size) {
    const pairs = new Map<string, number>();
    for (const { ids, count } of words)
      for (let i = 0; i + 1 < ids.length; i++) {
        const key = `${ids[i]} ${ids[i + 1]}`;
        pairs.set(key, (pairs.get(key) ?? 0) + count);
      }
    const best = [...pairs]
      .map(([key, count]) => ({ count, pair: key.split(' ').map(Number) }))
      .sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1])[0];
    if (!best || best.count < Math.max(1, minFrequency)) break;
    const [left, right] = best.pair;
    const token = tokens[left] + tokens[right].slice(2);
    if (!tokens.includes(token)) tokens.push(token);
    const id = tokens.indexOf(token);
    for (const word of words) {
      for (let i = 0; i + 1 < word.ids.length; i++) {
        if (word.ids[i] === left && word.ids[i + 1] === right) word.ids.splice(i, 2, id);
      }
    }
  }
  return tokens;
}

describe('VocabularyTrainer', () => {
  it('merges the most frequent pairs of a published example', () => {
    const vocabulary = trained(SENNRICH, { size: 30 });
    const alphabet = [...'delnorstw'].filter((letter) => 'deilnorstw'.includes(letter));
    expect(vocabulary.slice(0, 5)).toEqual(SPECIAL);
    for (const letter of alphabet) expect(vocabulary).toContain(letter);
    // Counts: e·s and s·t 9 (##e before ##s), w·e 8, then l·o and o·w 7 each.
    const merges = vocabulary.filter((token) => !SPECIAL.includes(token) && token.replace('##', '').length > 1);
    expect(merges.slice(0, 4)).toEqual(['##es', '##est', 'lo', 'low']);
  });

  it('gives what counting all pairs anew each time gives', () => {
    const words = fc.array(
      fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b', 'c', '한'), minLength: 1, maxLength: 8 }), fc.nat(6)),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 60 }), fc.nat(3), (list, size, minFrequency) => {
        const counts = new Map(list.map(([word, count]) => [word, count + 1]));
        const trainer = new VocabularyTrainer();
        trainer.merge(counts);
        expect(trainer.train({ size, minFrequency })).toEqual(trainedSlowly(counts, size, minFrequency));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of the text or on who counted', () => {
    const lines = [
      'the chef cooked the meal',
      'The chef ate, the meal.',
      'cooking a meal is the art of the chef',
      '한글 한국 한국어',
    ];
    const one = new VocabularyTrainer();
    for (const line of lines) one.add(line);
    const first = new VocabularyTrainer();
    const second = new VocabularyTrainer();
    first.add(lines[3]);
    first.add(lines[1]);
    second.add(`${lines[2]}\n${lines[0]}`);
    first.merge(structuredClone(second.wordCounts()));
    expect(new Map(first.wordCounts())).toEqual(new Map(one.wordCounts()));
    expect(first.train({ size: 80 })).toEqual(one.train({ size: 80 }));
  });

  it('counts normalised words', () => {
    const trainer = new VocabularyTrainer();
    trainer.add(`Café CAFE\u0301, ${'한'.normalize('NFD')} 한 漢字 😀a \u0301`);
    expect(Object.fromEntries(trainer.wordCounts())).toEqual({
      ...{ café: 2, ',': 1, 한: 2, 漢: 1, 字: 1, '😀a': 1 },
      '\u0301': 1,
    });
    const stripped = new VocabularyTrainer({ stripAccents: true });
    stripped.add('Café CAFE\u0301 \u0301');
    expect(Object.fromEntries(stripped.wordCounts())).toEqual({ cafe: 2 });
    const cased = new VocabularyTrainer({ lowercase: false });
    cased.add('Café café');
    expect(Object.fromEntries(cased.wordCounts())).toEqual({ Café: 1, café: 1 });
  });

  it('keeps the most frequent characters only', () => {
    const vocabulary = trained('aaaa aaa bbb bb c zzzzzz', { size: 50, alphabetLimit: 2, minFrequency: 1 });
    expect(vocabulary).toContain('a');
    expect(vocabulary).toContain('z');
    expect(vocabulary.join('')).not.toMatch(/[bc]/);
  });

  it('does not merge pairs below the minimum frequency', () => {
    expect(trained('ab ab ab cd', { size: 50, minFrequency: 3 })).toContain('ab');
    expect(trained('ab ab ab cd', { size: 50, minFrequency: 3 })).not.toContain('cd');
    expect(trained('ab ab ab cd', { size: 50, minFrequency: 1 })).toContain('cd');
  });

  it('stops at the size, reporting progress', () => {
    const seen: number[] = [];
    const vocabulary = trained(SENNRICH, { size: 26, onProgress: (numTokens) => seen.push(numTokens) });
    expect(vocabulary).toHaveLength(26);
    expect(new Set(vocabulary).size).toBe(26);
    expect(seen.at(-1)).toBe(26);
  });

  it('makes a vocabulary that tokenizes its own text without [UNK]', () => {
    const trainer = new VocabularyTrainer();
    const text = 'Whether the chef cooked or ate the meal, 요리사는 한국 음식을 요리했다.';
    trainer.add(text);
    const tokenizer = WordPieceTokenizer.fromVocabulary(trainer.train({ size: 200 }));
    expect([...tokenizer.encodeIds(text)]).not.toContain(tokenizer.unkId);
  });

  it('forgets rare words beyond the cap and keeps frequent ones', () => {
    const trainer = new VocabularyTrainer({ maxDistinctWords: 100 });
    for (let i = 0; i < 5000; i++) trainer.add(`word${i} common frequent`);
    const counts = trainer.wordCounts();
    expect(counts.size).toBeLessThanOrEqual(100);
    expect(counts.get('common')).toBe(5000);
  });

  it('cuts words too long to be tokenized as the tokenizer does, or leaves them out', () => {
    const cutting = new VocabularyTrainer();
    cutting.add(`${'x'.repeat(5_000_050)} short`);
    expect(Object.fromEntries(cutting.wordCounts())).toEqual({
      ['x'.repeat(100)]: 50_000,
      ['x'.repeat(50)]: 1,
      short: 1,
    });
    const trainer = new VocabularyTrainer({ cutLongWords: false });
    trainer.add(`${'x'.repeat(5_000_000)} short`);
    expect([...trainer.wordCounts().keys()]).toEqual(['short']);
  });

  it('refuses an empty corpus and a size without room, saying what to do', () => {
    expect(() => trained(' \n', { size: 100 })).toThrow(DataError);
    expect(() => trained('abc def', { size: 8 })).toThrow(/vocabulary size is 8.*alone are 15; raise the size/);
    expect(() => trained('abc', { size: 0, minFrequency: -1, alphabetLimit: 0 })).toThrow(SettingsError);
    expect(() => trained('abc', { size: 0, minFrequency: -1, alphabetLimit: 0 })).toThrow(/3 settings are wrong/);
    expect(() => trained('abc', { size: 99, specialTokens: ['[UNK]', '[UNK]'] })).toThrow(/twice/);
  });
});

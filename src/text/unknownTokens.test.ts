import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from './tokenizer.js';
import type { TokenizerOptions } from './tokenizerSettings.js';
import { countUnknown, unknownWarning, unknownWarningText } from './unknownTokens.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const of = (tokens: string, settings?: TokenizerOptions) =>
  WordPieceTokenizer.fromVocabulary([...SPECIAL, ...tokens.split(' ')], settings);

function judged(text: string, tokenizer: WordPieceTokenizer) {
  return unknownWarning(countUnknown([text], tokenizer), tokenizer, { texts: [text] });
}

const ENGLISH = of('the cook ate meal a house . , 3');

describe('a text that the vocabulary does not know', () => {
  it.each<[string, string, WordPieceTokenizer, RegExp, RegExp]>([
    [
      'of another script',
      '요리사는 집에서 식사를 했다. the',
      ENGLISH,
      /4 of 6 tokens are \[UNK\] \(67 %\): they are mostly in Hangul script, of which the vocabulary has nothing/,
      /pleiad vocab/,
    ],
    ['in Cyrillic', 'Повар съел обед', ENGLISH, /3 of 3 .* Cyrillic script/, /made of such text/],
    ['in Chinese', '厨师吃饭', ENGLISH, /4 of 4 .* Han script/, /made of such text/],
    [
      'cased, under a tokenizer that lower-cases',
      'The Cook ate',
      of('The Cook ate'),
      /the tokenizer lower-cases the text, and the vocabulary is cased/,
      /--cased/,
    ],
    [
      'of capitals, under one that does not',
      'THE COOK',
      of('the cook', { lowercase: false }),
      /keeps upper case and accents, and the vocabulary is lower case/,
      /--uncased/,
    ],
    [
      'with accents that are removed',
      'é à ô',
      of('é à ô', { lowercase: true, stripAccents: true }),
      /accents are treated otherwise|lower-cases the text/,
      /--cased|strip_accents/,
    ],
    [
      'of Hangul that is torn',
      '집 밥 물',
      of('집 밥 물', { nfc: false, tearHangul: true, lowercase: true, stripAccents: true }),
      /treated otherwise than in the vocabulary|lower-cases/,
      /tokenizer\.json|--cased|strip_accents/,
    ],
    [
      'of endless words',
      `the ${'a'.repeat(101)}`,
      of('the meal', { cutLongWords: false }),
      /1 of 2 tokens is \[UNK\] \(50 %\): they are words of more than 100 characters/,
      /out of the text/,
    ],
    [
      'with signs that are not in it',
      'the € the € the meal',
      ENGLISH,
      /2 of 6 tokens are \[UNK\] \(33 %\): the vocabulary has no € of the text/,
      /made of such text/,
    ],
    [
      'of other words in its own letters',
      'zebra',
      of('z a'),
      /of another language, casing or normalisation|has no/,
      /made of such text/,
    ],
  ])('%s is warned about with the likely cause', (_, text, tokenizer, message, advice) => {
    const warning = judged(text, tokenizer)!;
    expect(warning.message).toMatch(message);
    expect(warning.advice).toMatch(advice);
    expect(unknownWarningText(warning)).toBe(`${warning.message}. ${warning.advice}`);
  });

  it('is not a text with few such words, or none, or with [UNK] written in it', () => {
    expect(judged(`${'the cook '.repeat(50)}€ €`, ENGLISH)).toBeUndefined();
    expect(judged(`${'the cook '.repeat(50)}€ € € €`, ENGLISH)?.unknown).toBe(4); // 4 of 104
    expect(judged('the cook', ENGLISH)).toBeUndefined();
    expect(judged('', ENGLISH)).toBeUndefined();
    expect(judged('the [UNK] ate [MASK]', ENGLISH)).toBeUndefined();
  });

  it('is told in general where only counts are known', () => {
    const warning = unknownWarning({ unknown: 1200, tokens: 20_000 }, ENGLISH, { what: 'the training text' })!;
    expect(warning.message).toBe(
      '1,200 of 20,000 tokens of the training text are [UNK] (6.0 %): the vocabulary does not know the text; most likely it is of another language, casing or normalisation',
    );
  });
});

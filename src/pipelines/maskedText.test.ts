import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { isCandidate } from './candidates.js';
import { filledText, findMasks } from './maskedText.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const LETTERS = ['a', 'b', 'é', 'E', '中', '国', '한', '국', 'か', '̈'];
const WORDS = [
  'un',
  'able',
  'ab',
  '##ba',
  '##ab',
  '한국',
  'the',
  '##s',
  '.',
  ',',
  "'",
  '(',
  ')',
  '[',
  ']',
  'MASK',
  'mask',
  '',
];
const ALL = [...LETTERS, ...LETTERS.map((letter) => `##${letter}`), ...WORDS];

/** A tokenizer over some of the words. */
const tokenizers = fc
  .record({
    words: fc.uniqueArray(fc.constantFrom(...ALL), { minLength: 8, maxLength: ALL.length }),
    lowercase: fc.boolean(),
    handleChineseChars: fc.boolean(),
    tearHangul: fc.boolean(),
  })
  .map(({ words, ...settings }) => WordPieceTokenizer.fromVocabulary([...SPECIAL, ...words], settings));

/** A text with one to three masks, at its edges, within words and side by side too. */
const masked = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...LETTERS, ...WORDS, ' ', ' ', '\n', '[UNK]') },
      fc.constant('[MASK]'),
    ),
    {
      minLength: 1,
      maxLength: 7,
    },
  )
  .map((parts) => parts.join(''))
  .filter((text) => text.split('[MASK]').length >= 2 && text.split('[MASK]').length <= 4);

const encoded = (tokenizer: WordPieceTokenizer, text: string) => [...tokenizer.encode(text).ids];

/** Every text that has a space, or nothing, or no space any more, on each side of what was filled in. */
function* allTexts(
  tokenizer: WordPieceTokenizer,
  segments: readonly string[],
  ids: readonly number[],
): Generator<string> {
  const parts = segments.flatMap((segment, i) => {
    if (i === 0) return [segment];
    const token = tokenizer.idToToken(ids[i - 1]);
    return [tokenizer.isContinuation(ids[i - 1]) ? token.slice(2) : token, segment];
  });
  let texts = [''];
  for (const part of parts) {
    texts = texts.flatMap((text) => [text + part, `${text} ${part}`, text.trimEnd() + part]);
  }
  yield* new Set(texts);
}

describe('the text of a filling', () => {
  it('encodes to the filling again, wherever any text does', () => {
    let attained = 0;
    fc.assert(
      fc.property(tokenizers, masked, fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), (tokenizer, text, draws) => {
        const candidates = [...tokenizer.tokens.keys()].filter((id) => isCandidate(tokenizer, id));
        fc.pre(candidates.length > 0);
        const row = findMasks(tokenizer, text);
        const ids = row.positions.map((_, i) => candidates[draws[i % 3] % candidates.length]);
        const wanted = [...row.ids];
        row.positions.forEach((position, mask) => {
          wanted[position] = ids[mask];
        });
        const filled = filledText(tokenizer, row, ids);
        if (encoded(tokenizer, filled).join() === wanted.join()) {
          attained++;
          return;
        }
        const segments = [0, ...row.offsets.map(([, end]) => end)].map((from, i) =>
          text.slice(from, row.offsets[i]?.[0] ?? text.length),
        );
        for (const other of allTexts(tokenizer, segments, ids)) {
          expect(encoded(tokenizer, other), JSON.stringify({ text, filled, other })).not.toEqual(wanted);
        }
      }),
      { numRuns: 2000 },
    );
    // Most fillings can be written; the others are such as "##s" at the beginning.
    expect(attained).toBeGreaterThan(400);
  });

  const tokenizer = WordPieceTokenizer.fromVocabulary([
    ...SPECIAL,
    ...[
      'the',
      'little',
      'house',
      'un',
      '##ing',
      'able',
      '.',
      ',',
      '(',
      ')',
      '中',
      '国',
      '한국',
      '##어',
      'john',
      "'",
      's',
    ],
  ]);
  const fill = (text: string, ...tokens: string[]) =>
    filledText(
      tokenizer,
      findMasks(tokenizer, text),
      tokens.map((token) => tokenizer.tokenToId(token)!),
    );

  it.each([
    // Case masks-side-by-side: two whole words stand apart, and what is within a word is told from the rest of it.
    ['the [MASK][MASK] house', ['little', 'the'], 'the little the house'],
    ['un[MASK]able', ['##ing'], 'uning able'],
    ['un[MASK]able', ['little'], 'un little able'],
    ['[MASK][MASK][MASK]', ['the', 'little', 'house'], 'the little house'],
    ['[MASK]house', ['the'], 'the house'],
    ['the[MASK]', ['house'], 'the house'],
    ['the [MASK] [MASK].', ['house', '##ing'], 'the houseing.'],
    // Nothing is added where nothing is needed.
    ['the ([MASK]), the', ['house'], 'the (house), the'],
    ['john[MASK]s', ["'"], "john's"],
    ['the [MASK][MASK]', ['house', '.'], 'the house.'],
    ['the house[MASK] the', [','], 'the house, the'],
    ['中[MASK]', ['国'], '中国'],
    ['[MASK][MASK]', ['中', '国'], '中国'],
    ['中[MASK]国', ['the'], '中the国'],
    ['[MASK] 한국[MASK] the', ['the', '##어'], 'the 한국어 the'],
    ['한국 [MASK]the', ['##어'], '한국어 the'],
  ])('%s with %j is %s', (text, tokens, expected) => {
    expect(fill(text, ...tokens)).toBe(expected);
  });
});

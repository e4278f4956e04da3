/** Added tokens against the tokenizers package, on the tokenizer.json that we write for it. */
import fc from 'fast-check';
import { Tokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { type AddedTokenInput, addedToken } from './addedTokens.js';
import { type NormalizationSettings, normalize, PUBLISHED_NORMALIZATION } from './normalization.js';
import { type TokenizerOptions, WordPieceTokenizer } from './tokenizer.js';

const PIECES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'aAbcdxé-_.<>[]漢字한😀', ...'abx'].map(
  (piece, i, all) => (all.indexOf(piece) < i ? `##${piece}` : piece),
);

function make(added: readonly AddedTokenInput[], settings: TokenizerOptions = {}): WordPieceTokenizer {
  const behind = added.map(({ content }) => content).filter((content) => !PIECES.includes(content));
  const options = { ...PUBLISHED_NORMALIZATION, ...settings, addedTokens: added, wordPieceSize: PIECES.length };
  return WordPieceTokenizer.fromVocabulary([...PIECES, ...behind], options);
}

const theirs = (tokenizer: WordPieceTokenizer) => Tokenizer.fromString(JSON.stringify(tokenizer.toTokenizerJson()));
const contentsOf = (tokenizer: WordPieceTokenizer, text: string) =>
  tokenizer.encode(text, { addSpecialTokens: false }).tokens;

/** Strings that mean something in a regular expression, or are otherwise apt to be taken for something else. */
const CONTENTS = [
  ...[
    'e-bike',
    '<e1-start>',
    '[E-1]',
    '.',
    '.*',
    'a|b',
    '(?:a)',
    '[a-c]',
    '{a}',
    'a{2}',
    '\\w',
    '\\',
    '$',
    '^',
    '&&',
    '--',
  ],
  ...[
    '/a/',
    '[^a]',
    'a&&b',
    '\\p{L}',
    '\\u0061',
    '😀',
    '👨‍👩‍👧',
    '漢字',
    'a b',
    '한글',
    '__',
    '##x',
    'é',
    '\n',
    '\t',
    'C++',
    '~!@#%',
  ],
];

describe('an added token', () => {
  it.each(CONTENTS)('is found as it is written, whatever its letters mean elsewhere: %j', (content) => {
    for (const special of [true, false]) {
      const tokenizer = make([{ content, special, normalized: false }]);
      expect(contentsOf(tokenizer, `${content}b${content}`)).toEqual([content, 'b', content]);
      expect(contentsOf(tokenizer, 'c')).toEqual(['c']);
    }
  });

  it('of several that begin at one place is the longest, in whatever order they were added', () => {
    for (const contents of [
      ['<e', '<e-', '<e-1>'],
      ['<e-1>', '<e-', '<e'],
      ['<e-', '<e-1>', '<e'],
    ]) {
      const tokenizer = make(contents.map((content) => ({ content, special: true })));
      expect(contentsOf(tokenizer, '<e-1><e-a<ea')).toEqual(['<e-1>', '<e-', 'a', '<e', 'a']);
    }
  });

  it('is never found in half a character', () => {
    const tokenizer = make([
      { content: '\ude00', special: true },
      { content: '\ud83d', special: true },
    ]);
    expect(contentsOf(tokenizer, '😀')).toEqual(['😀']);
  });

  it('that is normalized is met in every spelling that normalises to its own, and points at the raw text', () => {
    const tokenizer = make([{ content: 'Zorvex' }, { content: 'e-bike' }]);
    const text = 'ZORVEX zo\u0301rvex\u200bZor\u200bvex E-Bike';
    const { tokens, offsets } = tokenizer.encode(text, { addSpecialTokens: false });
    expect(tokens).toEqual(['Zorvex', 'Zorvex', 'Zorvex', 'e-bike']);
    const slices = tokens.map((_, i) => text.slice(offsets[2 * i], offsets[2 * i + 1]));
    expect(slices).toEqual(['ZORVEX', 'zo\u0301rvex', 'Zor\u200bvex', 'E-Bike']);
    expect(contentsOf(make([{ content: 'Ab' }], { lowercase: false }), 'Ab ab')).toEqual(['Ab', 'a', '##b']);
  });

  it('that is special is no piece of a corpus, a word is', () => {
    const tokenizer = make([
      { content: '<S>', special: true },
      { content: 'Zorvex' },
      { content: 'Q', normalized: false },
    ]);
    const tokens = Array.from(tokenizer.encodeIds('<S> zorvexQ'), (id) => tokenizer.idToToken(id));
    expect(tokens).toEqual(['<', '[UNK]', '>', 'Zorvex', 'Q']);
    expect(tokenizer.specialIds.has(tokenizer.tokenToId('<S>')!)).toBe(true);
    expect(tokenizer.specialIds.has(tokenizer.tokenToId('Zorvex')!)).toBe(false);
  });

  it('behind the vocabulary is no piece of a longer word', () => {
    const tokenizer = make([{ content: 'ax', singleWord: true }]);
    expect(contentsOf(tokenizer, 'ax axb')).toEqual(['ax', 'a', '##x', '##b']);
  });

  it('that takes whitespace along points at itself alone', () => {
    const tokenizer = make([{ content: '[MASK]', special: true, lstrip: true, rstrip: true }]);
    expect([...tokenizer.encode('a  [MASK]  b', { addSpecialTokens: false }).offsets]).toEqual([0, 1, 3, 9, 11, 12]);
  });
});

describe('added tokens of any kind, in any text', () => {
  const letters = fc.constantFrom(...'aAbBcxXéÉ-_.<>[]漢字한😀 \n\u200b\u0301', 'ab', 'a-b', 'Ax');
  const words = (maxLength: number, minLength = 0) =>
    fc.array(letters, { minLength, maxLength }).map((parts) => parts.join(''));
  const flags = { special: fc.boolean(), normalized: fc.boolean(), singleWord: fc.boolean() };
  const token = fc.record({ content: words(3, 1), ...flags, lstrip: fc.boolean(), rstrip: fc.boolean() });
  const tokens = fc.uniqueArray(token, { minLength: 1, maxLength: 5, selector: ({ content }) => content });
  /** The peer aborts on a token that normalises to nothing, and of two that normalise alike it finds either by chance. */
  const isPeers = (added: AddedTokenInput[], chosen: TokenizerOptions) => {
    const all = { ...PUBLISHED_NORMALIZATION, ...chosen };
    const found = added.map(({ content, normalized }) =>
      normalized ? normalize(content, all as NormalizationSettings) : content,
    );
    return found.every((literal, i) => literal !== '' && found.indexOf(literal) === i);
  };
  const settings = fc.record({ lowercase: fc.boolean(), handleChineseChars: fc.boolean(), cleanText: fc.boolean() });

  it('give the ids and offsets of the tokenizers package', async () => {
    await fc.assert(
      fc.asyncProperty(
        tokens,
        settings,
        fc.array(words(12), { minLength: 3, maxLength: 8 }),
        async (added, chosen, texts) => {
          fc.pre(isPeers(added, chosen));
          const tokenizer = make(added, chosen);
          const peer = theirs(tokenizer);
          for (const text of texts) {
            const ours = tokenizer.encode(text, { addSpecialTokens: false, offsets: 'codePoint' });
            const expected = await peer.encode(text, null, { addSpecialTokens: false });
            const message = JSON.stringify({ text, added, chosen });
            expect([...ours.ids], message).toEqual(expected.getIds());
            const strips = added.some(({ lstrip, rstrip }) => lstrip || rstrip);
            if (!strips) expect([...ours.offsets], message).toEqual(expected.getOffsets().flat());
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('give corpora the same pieces as texts in which special tokens are not looked for', () => {
    fc.assert(
      fc.property(tokens, settings, words(30), (added, chosen, text) => {
        const tokenizer = make(added, chosen);
        const { ids } = tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
        expect(tokenizer.encodeIds(text)).toEqual(ids);
        const wordsAlone = make(
          added.map(addedToken).filter(({ special }) => !special),
          chosen,
        );
        const tokensOf = (some: WordPieceTokenizer, list: ArrayLike<number>) =>
          Array.from(list, (id) => some.idToToken(id));
        const plain = wordsAlone.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
        expect(tokensOf(tokenizer, ids)).toEqual(tokensOf(wordsAlone, plain.ids));
      }),
      { numRuns: 150 },
    );
  });
});

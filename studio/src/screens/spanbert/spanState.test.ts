import { expect, it } from 'vitest';
import { SENTENCES, sentenceWords, spanScreenState, spanText } from './spanState.js';

const TEXT = SENTENCES.en;

it('begins with the example of the paper: x6 to x9 hidden, x5 and x10 at the edges', () => {
  const { words, span, piece, place } = spanScreenState({}, TEXT);
  expect(words.slice(span.first, span.last + 1).map(({ text }) => text)).toEqual(['the', 'laws', 'of', 'your']);
  expect([words[span.first - 1].text, words[span.last + 1].text]).toEqual(['know', 'country']);
  expect([piece, place]).toEqual([0, undefined]);
});

it('says in the address what it reads from it', () => {
  const { span } = spanScreenState({ span: '2-3', piece: '1', place: '4' }, TEXT);
  expect(span).toEqual({ first: 1, last: 2 });
  expect(spanText(span)).toBe('2-3');
});

it('takes whatever an address holds', () => {
  for (const span of ['9-2', '0-99', 'x', '-', '1e9-3', '']) {
    const { first, last } = spanScreenState({ span }, TEXT).span;
    expect(first).toBeGreaterThanOrEqual(0);
    expect(last).toBeGreaterThanOrEqual(first);
    expect(last).toBeLessThan(10);
  }
  expect(spanScreenState({ text: ' ', piece: '-1', place: '0', throws: '1e9' }, TEXT)).toMatchObject({
    text: TEXT,
    piece: 0,
    place: 1,
    throws: 0,
  });
  expect(spanScreenState({ text: 'one' }, TEXT).span).toEqual({ first: 0, last: 0 });
});

it('takes signs for themselves and Korean by its spaces', () => {
  expect(sentenceWords('“Ja,” 법을 안다.').map(({ text }) => text)).toEqual(['“', 'Ja', ',', '”', '법을', '안다', '.']);
});

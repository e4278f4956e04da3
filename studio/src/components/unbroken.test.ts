import { expect, it } from 'vitest';
import { sentenceWords } from '../screens/spanbert/spanState.js';
import { unbroken } from './unbroken.js';

it('keeps a word and its signs together', () => {
  const words = sentenceWords('“Yes”, she said.');
  const runs = unbroken(words).map(({ from, to }) =>
    words
      .slice(from, to)
      .map(({ text }) => text)
      .join(''),
  );
  expect(runs).toEqual(['“Yes”,', 'she', 'said.']);
  expect(unbroken([])).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SENTENCES } from './sentences.js';

const TEXT = new URL('../../../../examples/text/', import.meta.url);

test('every English sentence stands in a book of examples/text', () => {
  const books = readdirSync(TEXT)
    .filter((name) => name.endsWith('.gz'))
    .map((name) =>
      gunzipSync(readFileSync(new URL(name, TEXT)))
        .toString('utf8')
        .replace(/\s+/g, ' '),
    );
  expect(SENTENCES.en.filter((sentence) => !books.some((book) => book.includes(sentence)))).toEqual([]);
});

test('there are enough sentences for a game, each once', () => {
  for (const sentences of Object.values(SENTENCES)) {
    expect(sentences.length).toBeGreaterThan(20);
    expect(new Set(sentences).size).toBe(sentences.length);
  }
});

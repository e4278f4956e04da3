import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CHAPTERS } from './chapters.js';
import { TOUR } from './tour.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('the book', () => {
  test('tells the ideas in the order of a study note', () => {
    expect(CHAPTERS.map(({ id }) => id)).toEqual([
      ...['generator', 'softmax', 'drawing', 'discriminator', 'losses', 'sharing', 'halves'],
      ...['span-masks', 'boundaries', 'position', 'layers', 'span-losses', 'answers'],
    ]);
  });

  test.each(CHAPTERS.map(({ id, line, file }) => [id, line, file]))(
    'the line of chapter %s runs: it stands in its file',
    (_, line, file) => {
      expect(existsSync(ROOT + file), file).toBe(true);
      expect(readFileSync(ROOT + file, 'utf8')).toContain(line);
    },
  );

  test('every text is there in both languages, with its stresses closed', () => {
    for (const { id, title, text, spoken } of CHAPTERS) {
      for (const language of ['ko', 'en'] as const) {
        for (const words of [title, text, spoken]) expect(words[language].text.length, id).toBeGreaterThan(1);
        expect(text[language].text.split('*').length % 2, `${id} ${language}`).toBe(1);
      }
      expect(/[가-힣]/.test(text.ko.text), id).toBe(true);
    }
  });

  test('the tour is done by touching a figure and turning the page', () => {
    const view = (state: Record<string, string>, ...did: string[]) => ({ state, did: new Set(did) });
    expect(TOUR.map((step) => step.done(view({}, 'hid')))).toEqual([true, false]);
    expect(TOUR.map((step) => step.done(view({ chapter: 'softmax' })))).toEqual([false, true]);
  });
});

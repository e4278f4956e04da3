/** Texts, labels and names are written as text: nothing of the page, the shared page or the library's reports makes markup of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const studio = fileURLToPath(new URL('../../studio/', import.meta.url));
const sources = ['src', 'share'].flatMap((folder) =>
  readdirSync(join(studio, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(studio, folder, name)),
);

/** What takes a string and makes elements, styles or code of it. */
const MAKES_MARKUP =
  /dangerouslySetInnerHTML|(inner|outer)HTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|document\.write|DOMParser|srcdoc|\beval\(|new Function\(|javascript:/;

it('no source of the page makes markup or code of a string', () => {
  expect(sources.length).toBeGreaterThan(150);
  const found = sources.filter((path) => MAKES_MARKUP.test(readFileSync(path, 'utf8')));
  expect(found).toEqual([]);
});

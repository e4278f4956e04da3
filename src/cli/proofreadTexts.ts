/** What `pleiad proofread` reads: files, folders of text, a text, or standard input, in paragraphs that know where they stand. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { DataError, SettingsError } from '../errors/errors.js';
import { readTextFile } from './textFile.js';

/** A text with its name; one that came in no file is called -. */
export interface ReadText {
  readonly name: string;
  readonly text: string;
}

/** Files of a folder that are text to read. */
const TEXT_FILE = /\.(txt|text|md|markdown|rst|adoc|tex)(\.gz)?$/i;

/**
 * @param words  files, folders, or one text of several words
 * @throws SettingsError for a word that is none of these; DataError when there is nothing to read
 */
export async function textsToProofread(words: readonly string[], given: string | undefined): Promise<ReadText[]> {
  if (given !== undefined && words.length > 0) throw new SettingsError(['files and --text are both given; give one']);
  if (given !== undefined) return [{ name: '-', text: given }];
  if (words.length === 0) {
    if (process.stdin.isTTY)
      throw new SettingsError(['there is no text; give files, folders, --text, or standard input']);
    return [{ name: '-', text: await readStream(process.stdin) }];
  }
  const [only] = words;
  if (words.length === 1 && /\S\s+\S/.test(only) && !statOf(only)) return [{ name: '-', text: only }];
  return readPaths(words);
}

/** @throws SettingsError for a word that is no path; DataError when a folder has no text in it */
export async function readPaths(paths: readonly string[]): Promise<ReadText[]> {
  const missing = paths.filter((path) => !statOf(path));
  if (missing.length > 0) {
    throw new SettingsError(
      missing.map((path) => `${path} is no file or folder here; expected one, or --text with a text`),
    );
  }
  const files = paths.flatMap((path) => (statOf(path)!.isDirectory() ? filesIn(path) : [path]));
  return Promise.all(files.map(async (name) => ({ name, text: await readTextFile('the text', name) })));
}

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false });

function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const isHidden = (name: string) =>
    name.split(/[\\/]/).some((part) => part.startsWith('.') || part === 'node_modules');
  const found = names.filter(
    (name) => TEXT_FILE.test(name) && !isHidden(name) && statSync(join(folder, name)).isFile(),
  );
  if (found.length > 0) return found.map((name) => join(folder, name));
  throw new DataError(`${folder} has no files of text`, {
    subject: folder,
    found: names.slice(0, 10),
    expected: 'files that end in .txt, .md, .rst, .adoc or .tex',
    advice: 'Give the files themselves',
  });
}

export interface Paragraph {
  readonly text: string;
  /** Of its first UTF-16 unit in the whole text. */
  readonly start: number;
}

/** Text without what is no prose, each character of that a space: code of Markdown, addresses of the web and of mail. */
export function prose({ name, text }: ReadText): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  const isMarkdown = /\.(md|markdown)(\.gz)?$/i.test(name);
  const withoutCode = isMarkdown ? text.replace(/^(```|~~~)[\s\S]*?^\1|`[^`\n]+`|\]\([^)\n]*\)/gm, blank) : text;
  return withoutCode.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+|\b\S+@\S+\.\S+/gi, blank);
}

/** The stretches between blank lines. */
export function paragraphsOf(text: string): Paragraph[] {
  return [...text.matchAll(/\S[\s\S]*?(?=\n[ \t\r]*\n|$(?![\s\S]))/g)].map(({ 0: paragraph, index }) => ({
    text: paragraph,
    start: index,
  }));
}

/** Turns offsets of a text into lines and columns, both from 1, columns in UTF-16 units. */
export class Lines {
  readonly #starts: number[];

  constructor(text: string) {
    this.#starts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map(({ 0: end, index }) => index + end.length)];
  }

  placeOf(offset: number): { readonly line: number; readonly column: number } {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low] + 1 };
  }
}

/** Short texts to ask a server about: random words, or those of a file. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../src/errors/errors.js';
import type { WordPieceTokenizer } from '../src/text/tokenizer.js';
import { median } from './report.js';

/** Pieces of the longest text that is taken, [CLS] and [SEP] included. */
export const MOST_PIECES = 32;

export interface Workload {
  readonly name: string;
  readonly texts: readonly string[];
  readonly pieces: PieceCounts;
}

/** Of the texts, [CLS] and [SEP] included. */
export interface PieceCounts {
  readonly least: number;
  readonly median: number;
  readonly mean: number;
  readonly most: number;
  /** Texts of the file that were longer than `MOST_PIECES`, and are not asked about. */
  readonly leftOut: number;
}

export function workloadOf(name: string, all: readonly string[], tokenizer: WordPieceTokenizer): Workload {
  const counted = all.map((text) => ({ text, count: tokenizer.encode(text).ids.length }));
  const taken = counted.filter(({ count }) => count <= MOST_PIECES);
  if (taken.length === 0) throw new DataError(`${name} has no text of up to ${MOST_PIECES} pieces`, { subject: name });
  const counts = taken.map(({ count }) => count);
  const pieces = {
    least: Math.min(...counts),
    median: median(counts),
    mean: Math.round((10 * counts.reduce((sum, count) => sum + count, 0)) / counts.length) / 10,
    most: Math.max(...counts),
    leftOut: all.length - taken.length,
  };
  return { name, texts: taken.map(({ text }) => text), pieces };
}

const WORDS =
  'the a of and to in is was he for it with as his on be at by had not are but from or have an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three'.split(
    ' ',
  );

/** Texts of 4 to 30 words, each of them one piece: 6 to 32 pieces with [CLS] and [SEP]. The same on every run. */
export function randomTexts(count = 256): string[] {
  let state = 1;
  const next = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 4 + next(27) }, () => WORDS[next(WORDS.length)]).join(' '),
  );
}

interface SquadFile {
  readonly data: readonly {
    readonly paragraphs: readonly { readonly qas: readonly { readonly question: string }[] }[];
  }[];
}

/** The questions of a file in SQuAD's form (`.json`, `.json.gz`), or else its lines; in an order that mixes what stands together. */
export function textsOfFile(path: string): string[] {
  const bytes = readFileSync(path);
  const content = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const texts = /\.json(\.gz)?$/.test(path) ? questionsOf(JSON.parse(content) as SquadFile) : content.split('\n');
  const given = texts.map((text) => text.trim()).filter((text) => text !== '');
  // A step that has no divisor in common with the count meets each once.
  const step = [617, 619].find((prime) => given.length % prime !== 0)!;
  return given.map((_, i) => given[(i * step) % given.length]);
}

function questionsOf({ data }: SquadFile): string[] {
  return data.flatMap(({ paragraphs }) => paragraphs.flatMap(({ qas }) => qas.map(({ question }) => question)));
}

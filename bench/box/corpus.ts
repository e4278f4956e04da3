/**
 * The text that models in the box have seen, without what is held out from all of them. English: held out are the last 8 articles of
 * `enwiki-articles`, the last 1,000 Leipzig sentences, the last two books by name; of task data it takes the paragraphs of
 * SQuAD that are for training. Korean: held out are the last file of petitions and what of NSMC is for testing; of task data it takes
 * the reviews, without their labels. Nothing of what is for measuring alone.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const HELD_OUT = { articles: 8, sentences: 1000, books: 2 };
/** Paragraphs of a stretch of a book, of which every third is taken: prose of another time must not outweigh the rest. */
const STRETCH = 40;
const EVERY = 3;
const SQUAD = ['squad1-train-head', 'squad1-train-sample', 'squad2-train-part'];

/** Documents by file, to train on and held out. */
interface Corpus {
  readonly train: Readonly<Record<string, readonly string[]>>;
  readonly heldOut: Readonly<Record<string, readonly string[]>>;
}

/** Makes each corpus of the folder with text-en/, text-ko/, squad/ and so on. */
export const CORPORA = { english: englishCorpus, korean: koreanCorpus } as const;
export type CorpusName = keyof typeof CORPORA;

const textsIn =
  (data: string) =>
  (...path: string[]): string => {
    const bytes = readFileSync(join(data, ...path));
    return (path.at(-1)!.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  };

/** @param data  the folder with text-en/ and squad/ and so on */
export function englishCorpus(data: string): Corpus {
  const read = textsIn(data);
  const articles = nonEmpty(read('text-en/enwiki-articles.txt.gz').split(/\n\s*\n/));
  const numbered = read('text-en/eng_wikipedia_2016_10K-sentences.part.txt.gz').split('\n');
  const sentences = nonEmpty(numbered.map((line) => line.replace(/^\d+\t/, '')));
  const wikitext = read('text-en/wikitext2-raw-test.part.txt').replace(/ @(.)@ /g, '$1');
  const books = readdirSync(join(data, 'text-en/books')).sort();
  const bookTexts = books.map((name) => read('text-en/books', name).trim());
  const stretches = bookTexts.slice(0, -HELD_OUT.books).flatMap((text) =>
    inGroups(
      text.split('\n').filter((line) => line.trim() !== ''),
      STRETCH,
    ),
  );
  return {
    train: {
      enwiki: articles.slice(0, -HELD_OUT.articles),
      leipzig: sentences.slice(0, -HELD_OUT.sentences),
      wikitext: [wikitext],
      squad: paragraphs(SQUAD.map((name) => read(`squad/${name}.json.gz`))),
      books: stretches.filter((_, index) => index % EVERY === 0),
    },
    heldOut: {
      enwiki: articles.slice(-HELD_OUT.articles),
      leipzig: sentences.slice(-HELD_OUT.sentences),
      books: bookTexts.slice(-HELD_OUT.books),
    },
  };
}

const PETITIONS = ['2019-04', '2019-05', '2019-06', '2019-07', '2019-08'];
/** Shorter reviews say little beyond a cheer. */
const LEAST_REVIEW = 20;

/** @param data  the folder with text-ko/ and nsmc/ */
export function koreanCorpus(data: string): Corpus {
  const read = textsIn(data);
  const petitions = PETITIONS.map((month) => read(`text-ko/petitions_${month}.txt.gz`).trim());
  const reviews = ['1', '2'].flatMap((part) =>
    read(`nsmc/ratings_train_part${part}.txt.gz`)
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[1]),
  );
  return {
    train: {
      kaist: read('text-ko/ud-korean-kaist-dev-test.txt').trim().split('\n'),
      nsmc: reviews.filter((review) => review !== undefined && review.length >= LEAST_REVIEW),
      petitions: petitions.slice(0, -1),
    },
    heldOut: { petitions: petitions.slice(-1) },
  };
}

/** Writes `train/` and `held-out/`, a file a source, a blank line between documents. */
export function writeCorpus({ train, heldOut }: Corpus, out: string): void {
  for (const [folder, sources] of Object.entries({ train, 'held-out': heldOut })) {
    mkdirSync(join(out, folder), { recursive: true });
    for (const [name, documents] of Object.entries(sources)) {
      writeFileSync(join(out, folder, `${name}.txt`), `${documents.join('\n\n')}\n`);
    }
  }
}

function paragraphs(files: readonly string[]): string[] {
  const contexts = new Set<string>();
  for (const file of files) {
    const { data } = JSON.parse(file) as { data: { paragraphs: { context: string }[] }[] };
    for (const article of data) for (const { context } of article.paragraphs) contexts.add(context.trim());
  }
  return [...contexts];
}

const nonEmpty = (texts: readonly string[]) => texts.map((text) => text.trim()).filter((text) => text !== '');

function inGroups(lines: readonly string[], size: number): string[] {
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, i) =>
    lines.slice(i * size, (i + 1) * size).join('\n'),
  );
}

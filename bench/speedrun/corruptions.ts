/**
 * Sentences with words that one fixed generator replaced, by which every discriminator of a comparison is judged: against its own
 * generator each would have another task, the harder the better that generator is. Words are replaced, not pieces, so that
 * vocabularies of any size can read them: the pieces of a replaced word are what a discriminator should find.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isCandidate } from '../../src/pipelines/candidates.js';
import { logProbabilities } from '../../src/pipelines/maskedLanguageModel.js';
import type { Model } from '../../src/pretrained/model.js';
import { requireTokenizer } from '../../src/pretrained/requireTokenizer.js';
import { RandomStream } from '../../src/random/philox.js';
import type { WordPieceTokenizer } from '../../src/text/tokenizer.js';

export interface CorruptedSentence {
  readonly text: string;
  /** UTF-16 offsets of each replaced word in `text`, and what stood there. */
  readonly replaced: readonly { readonly start: number; readonly end: number; readonly original: string }[];
}

/** Part of the words that are masked; some get their own word back. */
const MASKED = 0.15;
/** Words of letters, longer than one: replaced initials and numbers say nothing of language. */
const WORD = /^\p{L}{2,}$/u;

/**
 * Masks words that are one piece to the generator, all of a sentence at once, and writes draws of it in their places.
 * @returns the sentences of which a word was replaced, in order; what becomes of one does not depend on the others
 */
export async function corruptSentences(
  generator: Model,
  sentences: readonly string[],
  { seed }: { readonly seed: number },
): Promise<CorruptedSentence[]> {
  const tokenizer = requireTokenizer(generator);
  const rows = sentences.map((text) => {
    const { ids, offsets, wordIds } = tokenizer.encode(text, {
      truncation: 'longestFirst',
      maxLength: generator.maxLength,
    });
    const random = new RandomStream(seed, 'masking', numberOf(text));
    const places = [...ids.keys()]
      .filter((i) => wordIds[i] >= 0 && wordIds[i] !== wordIds[i - 1] && wordIds[i] !== wordIds[i + 1])
      .map((i) => ({ position: i, start: offsets[2 * i], end: offsets[2 * i + 1] }))
      .filter(({ start, end }) => WORD.test(text.slice(start, end)) && random.uniform() < MASKED);
    const masked = Int32Array.from(ids);
    for (const { position } of places) masked[position] = tokenizer.maskId;
    return { text, places, ids: masked, positions: places.map(({ position }) => position) };
  });
  const asked = rows.filter(({ places }) => places.length > 0);
  const isWord = tokenizer.tokens.map((token, id) => isCandidate(tokenizer, id) && WORD.test(token));
  const predicted = await logProbabilities(generator, asked);
  return asked.flatMap(({ text, places }, row) => {
    const draws = new RandomStream(seed, 'proposals', numberOf(text));
    const words = predicted[row].map((distribution) => tokenizer.tokens[draw(distribution, isWord, draws.uniform())]);
    const sentence = withWords(text, places, words);
    return sentence.replaced.length > 0 ? [sentence] : [];
  });
}

/** 32 bits of its SHA-256: the draws of a sentence are its own. */
const numberOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32LE(0);

/** An id by the probabilities of those that are allowed. @param uniform  0 to below 1 */
function draw(distribution: Float32Array, allowed: readonly boolean[], uniform: number): number {
  const total = distribution.reduce((sum, value, id) => (allowed[id] ? sum + Math.exp(value) : sum), 0);
  let left = uniform * total;
  const drawn = distribution.findIndex((value, id) => {
    if (allowed[id]) left -= Math.exp(value);
    return allowed[id] && left < 0;
  });
  return drawn < 0 ? allowed.lastIndexOf(true) : drawn;
}

/** Writes words in their places, with a capital where one stood. */
function withWords(
  text: string,
  places: readonly { readonly start: number; readonly end: number }[],
  words: readonly string[],
): CorruptedSentence {
  let result = '';
  let read = 0;
  const replaced: CorruptedSentence['replaced'][number][] = [];
  places.forEach(({ start, end }, i) => {
    const original = text.slice(start, end);
    const word = /^\p{Lu}/u.test(original) ? words[i][0].toUpperCase() + words[i].slice(1) : words[i];
    result += text.slice(read, start);
    read = end;
    if (word.toLowerCase() === original.toLowerCase()) {
      result += original;
      return;
    }
    replaced.push({ start: result.length, end: result.length + word.length, original });
    result += word;
  });
  return { text: result + text.slice(read), replaced };
}

/** The sentence as it was. */
export function originalOf({ text, replaced }: CorruptedSentence): string {
  return [...replaced]
    .reverse()
    .reduce((whole, { start, end, original }) => whole.slice(0, start) + original + whole.slice(end), text);
}

/** A sentence in pieces, [CLS] and [SEP] around them, and which are of a replaced word; undefined for those two. */
export function labelledPieces(
  tokenizer: WordPieceTokenizer,
  { text, replaced }: CorruptedSentence,
  maxLength: number,
): { ids: Int32Array; labels: (boolean | undefined)[] } {
  const { ids, offsets, wordIds } = tokenizer.encode(text, { truncation: 'longestFirst', maxLength });
  const labels = [...wordIds].map((word, i) =>
    word < 0 ? undefined : replaced.some(({ start, end }) => offsets[2 * i] < end && offsets[2 * i + 1] > start),
  );
  return { ids: Int32Array.from(ids), labels };
}

/** From source this file lies in bench/speedrun/, compiled in dist/bench/speedrun/. */
function committedFile(): string {
  const names = ['./corruptions.jsonl', '../../../bench/speedrun/corruptions.jsonl'];
  const paths = names.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? paths[0];
}

/** Those of the repository: `bench corruptions` made them of held-out Leipzig sentences with pleiad-en's generator. */
export function readCorruptions(path = committedFile()): CorruptedSentence[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as CorruptedSentence);
}

/**
 * Sentences of words as rows of pieces: the first piece of each word carries its tag, the others none. Where characters are
 * tagged, each piece carries the tag of its first.
 */

import { pieceWindows } from '../../text/pieceWindows.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { type PaddedRows, padRows, type TokenRow } from '../tokenRows.js';
import type { Sentence, TaggedSentence } from './sentences.js';

/** No label, no piece. */
const NONE = -1;

export interface TaggedRow extends TokenRow {
  /** Label of each position, −1 where none is learned. */
  readonly labels: Int32Array;
}

export interface TaggingBatch extends PaddedRows {
  /** [B·S]: the label, 0 where none is learned. */
  readonly labels: Int32Array;
  /** [B·S]: 1 where a label is learned, else 0. */
  readonly labelWeights: Float32Array;
}

/** What a file has a tag for: words, or, as KLUE's, every character of a text, spaces among them. */
export type TaggedUnits = 'words' | 'characters';

/** How sentences become rows. */
export interface RowOptions {
  readonly tokenizer: WordPieceTokenizer;
  /** Longest row in tokens, special ones included. */
  readonly length: number;
  readonly units: TaggedUnits;
}

/** Characters are tagged where every word is one and some are spaces. */
export function unitsOf(sentences: readonly Pick<Sentence, 'words'>[]): TaggedUnits {
  const isOne = (word: string) => word.length === (word.codePointAt(0)! > 0xffff ? 2 : 1);
  const areSingle = sentences.every(({ words }) => words.every(isOne));
  return areSingle && sentences.some(({ words }) => words.includes(' ')) ? 'characters' : 'words';
}

/** The pieces of a sentence, without special tokens. */
export interface SentencePieces {
  readonly ids: ArrayLike<number>;
  /** Of each word its first piece; −1 of a word that has none. Of characters those that begin a piece have one. */
  readonly firsts: Int32Array;
  /** Words of which a tokenizer leaves nothing, such as control characters; they are read as [UNK]. */
  readonly emptied: number;
}

/** The pieces of words, or of characters: these are read together, as the text that they are. */
export function piecesOf(
  words: readonly string[],
  { tokenizer, units }: Pick<RowOptions, 'tokenizer' | 'units'>,
): SentencePieces {
  return units === 'words' ? piecesOfWords(words, tokenizer) : piecesOfCharacters(words, tokenizer);
}

/**
 * Each word is tokenized by itself, with the casing of the tokenizer. A word of which nothing is left stands as [UNK], so that
 * it can have a tag; one of spaces has no piece.
 */
function piecesOfWords(words: readonly string[], tokenizer: WordPieceTokenizer): SentencePieces {
  const ids: number[] = [];
  const firsts = new Int32Array(words.length).fill(NONE);
  let emptied = 0;
  for (const [i, word] of words.entries()) {
    if (word.trim() === '') continue;
    firsts[i] = ids.length;
    const own = tokenizer.encodeIds(word);
    if (own.length > 0) for (const id of own) ids.push(id);
    else {
      ids.push(tokenizer.unkId);
      emptied++;
    }
  }
  return { ids, firsts, emptied };
}

function piecesOfCharacters(characters: readonly string[], tokenizer: WordPieceTokenizer): SentencePieces {
  const { ids, offsets } = tokenizer.encode(characters.join(''), {
    addSpecialTokens: false,
    parseSpecialTokens: false,
  });
  const starting = new Map<number, number>(); // by offset, the first piece there
  for (let piece = ids.length - 1; piece >= 0; piece--) starting.set(offsets[2 * piece], piece);
  let at = 0;
  const firsts = Int32Array.from(characters, (character) => {
    const piece = starting.get(at) ?? NONE;
    at += character.length;
    return piece;
  });
  return { ids, firsts, emptied: 0 };
}

const framed = ({ clsId, sepId }: WordPieceTokenizer, ids: readonly number[]): TokenRow => {
  const all = Int32Array.of(clsId, ...ids, sepId);
  return { ids: all, typeIds: new Int32Array(all.length) };
};

export interface EncodedSentences {
  readonly rows: TaggedRow[];
  /** Sentences that lost their end, and how many words these lost. */
  readonly cut: { readonly sentences: number; readonly words: number };
  /** Words that are read as [UNK] because nothing is left of them. */
  readonly emptied: number;
}

/** Rows to learn from: of a sentence that is too long the end is cut off. */
export function encodeSentences(
  sentences: readonly TaggedSentence[],
  labels: readonly string[],
  options: RowOptions,
): EncodedSentences {
  const { tokenizer, length } = options;
  const index = new Map(labels.map((label, i) => [label, i]));
  const cut = { sentences: 0, words: 0 };
  let emptiedWords = 0;
  const rows = sentences.map(({ words, tags }): TaggedRow => {
    const { ids, firsts, emptied } = piecesOf(words, options);
    emptiedWords += emptied;
    const kept = Array.from(ids).slice(0, length - 2);
    const row = framed(tokenizer, kept);
    const ofRow = new Int32Array(row.ids.length).fill(NONE);
    const lost = firsts.reduce((count, first) => count + (first >= kept.length ? 1 : 0), 0);
    if (lost > 0) {
      cut.sentences++;
      cut.words += lost;
    }
    for (const [i, first] of firsts.entries()) {
      if (first !== NONE && first < kept.length) ofRow[first + 1] = index.get(tags[i]) ?? NONE;
    }
    return { ...row, labels: ofRow };
  });
  return { rows, cut, emptied: emptiedWords };
}

/** Some rows as a batch. @param length  tokens of a row with its padding. Default: as many as the longest needs */
export function taggingBatch(rows: readonly TaggedRow[], padId: number, length?: number): TaggingBatch {
  const padded = padRows(rows, padId, length);
  const labels = new Int32Array(padded.inputIds.length);
  const labelWeights = new Float32Array(labels.length);
  for (const [row, { labels: own }] of rows.entries()) {
    for (const [position, label] of own.entries()) {
      if (label === NONE) continue;
      labels[row * padded.length + position] = label;
      labelWeights[row * padded.length + position] = 1;
    }
  }
  return { ...padded, labels, labelWeights };
}

/** A part of a sentence that a model can take, and the words that are judged in it. */
export interface WindowRow extends TokenRow {
  /** Where these words have their first pieces in the row. */
  readonly firstPieces: Int32Array;
  /** Numbers of these words among the words of all sentences. */
  readonly words: Int32Array;
}

/** Every word of all sentences in one row: the one that shows most around it. */
export function windowRows(
  sentences: readonly Pick<Sentence, 'words'>[],
  options: RowOptions,
): { rows: WindowRow[]; numWords: number } {
  const { tokenizer, length } = options;
  const rows: WindowRow[] = [];
  let before = 0; // words of the sentences so far
  for (const { words } of sentences) {
    const { ids, firsts } = piecesOf(words, options);
    const numbers = [...firsts.keys()];
    for (const { from, to, keepFrom, keepTo } of pieceWindows(ids.length, length - 2)) {
      const judged = numbers.filter((word) => firsts[word] >= keepFrom && firsts[word] < keepTo);
      if (judged.length === 0) continue;
      rows.push({
        ...framed(tokenizer, Array.from(ids).slice(from, to)),
        firstPieces: Int32Array.from(judged, (word) => firsts[word] - from + 1),
        words: Int32Array.from(judged, (word) => before + word),
      });
    }
    before += words.length;
  }
  return { rows, numWords: before };
}

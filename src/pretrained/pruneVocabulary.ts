/** A model with fewer word pieces: the rows of pieces that a text never needs are left out, all others stay as they are. */
import type { LoadedTensor } from '../checkpoint/loadTensors.js';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { SettingsError } from '../errors/errors.js';
import { settingName } from '../settings/settingNames.js';
import { isPiece } from '../text/pieces.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';

export interface PruneOptions {
  /** Pieces at most, the most frequent ones of the text; default all that occur in it. */
  readonly size?: number;
  /** Longest row in tokens: positions beyond it are left out. Default as long as it was. */
  readonly length?: number;
}

/**
 * The ids that stay, rising: special and added tokens, single characters (so that every word that had pieces keeps some), and
 * the pieces of the text.
 * @param counts  of each id in the text
 * @throws SettingsError when `size` leaves no room for what must stay
 */
export function keptIds(tokenizer: WordPieceTokenizer, counts: Float64Array, size?: number): number[] {
  const { tokens, specialIds, settings } = tokenizer;
  const added = new Set(settings.addedTokens.map(({ content }) => content));
  const isCharacter = (token: string) => [...token.replace(/^##(?=.)/u, '')].length === 1;
  const must = (id: number) => specialIds.has(id) || added.has(tokens[id]) || isCharacter(tokens[id]);
  const ids = [...tokens.keys()].filter((id) => isPiece(tokens, id));
  const always = ids.filter(must);
  if (size !== undefined && size < always.length) {
    throw new SettingsError([
      `${settingName('size')} is ${size}; expected ${always.length} and more, for special tokens and single characters`,
    ]);
  }
  const others = ids.filter((id) => !must(id) && counts[id] > 0).sort((a, b) => counts[b] - counts[a] || a - b);
  return [...always, ...others.slice(0, size === undefined ? undefined : size - always.length)].sort((a, b) => a - b);
}

/** The tokenizer of these ids alone, in their order. */
export function prunedTokenizer(tokenizer: WordPieceTokenizer, kept: readonly number[]): WordPieceTokenizer {
  const { settings, tokens, maxLength } = tokenizer;
  const { wordPieceSize, ...others } = settings;
  const pieces = wordPieceSize === undefined ? {} : { wordPieceSize: kept.filter((id) => id < wordPieceSize).length };
  return WordPieceTokenizer.fromVocabulary(
    kept.map((id) => tokens[id]),
    { ...others, ...pieces },
    { maxLength },
  );
}

/** Tensors with a row for each piece: the word table, and the bias of what predicts words. */
const OF_PIECES = /(^|\.)(word_embeddings\.weight|generator_lm_head\.bias|cls\.predictions\.bias)$/;
const OF_POSITIONS = /(^|\.)position_embeddings\.weight$/;

export interface PrunedModel {
  readonly model: ModelDescription;
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
}

/** @throws SettingsError when `length` is longer than the model's rows */
export function prunedModel({ model, tensors }: PrunedModel, kept: readonly number[], length?: number): PrunedModel {
  const { maxPositionEmbeddings } = model.config;
  if (length !== undefined && length > maxPositionEmbeddings) {
    throw new SettingsError([`${settingName('length')} is ${length}; expected ${maxPositionEmbeddings} or less`]);
  }
  const positions = length ?? maxPositionEmbeddings;
  const all = Array.from({ length: positions }, (_, i) => i);
  const cut = new Map(
    [...tensors].map(([name, tensor]) => {
      if (OF_PIECES.test(name)) return [name, rowsOf(tensor, kept)];
      // A span boundary head has positions of its own.
      return [name, OF_POSITIONS.test(name) && !name.startsWith('sbo.') ? rowsOf(tensor, all) : tensor];
    }),
  );
  const config = { ...model.config, vocabSize: kept.length, maxPositionEmbeddings: positions };
  return { model: { ...model, config }, tensors: cut };
}

function rowsOf({ shape, data }: LoadedTensor, ids: readonly number[]): LoadedTensor {
  const size = shape.slice(1).reduce((product, each) => product * each, 1);
  const rows = new Float32Array(ids.length * size);
  ids.forEach((id, row) => rows.set(data.subarray(id * size, (id + 1) * size), row * size));
  return { shape: [ids.length, ...shape.slice(1)], data: rows };
}

/** Where the tokenizer is that a word stands for. */

import { statSync } from 'node:fs';
import { type FetchModelOptions, fetchModel } from '../hub/fetchModel.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { hasTokenizer, loadTokenizer, loadTokenizerIfThere } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { innerPlace, memberOf, resolveCheckpoint, resolveModelFolder } from './modelPlaces.node.js';

/**
 * Finds a tokenizer: in a folder, in one of its files, with a model of a checkpoint or run, or with a model on the hub, of
 * which no weights are fetched.
 * @returns what `loadTokenizer` takes, and complains about where there is none
 * @throws HubError when there is neither a folder nor a model of that name
 */
export async function locateTokenizer(
  place: string,
  options: Omit<FetchModelOptions, 'formats' | 'also' | 'clock'> = {},
): Promise<string> {
  if (statSync(place, { throwIfNoEntry: false })?.isFile()) return place;
  const { folder: given, hub } = await fetchModel(place, { ...options, formats: [] });
  const found = hub || hasTokenizer(given) ? given : innerPlace(given);
  const folder = hasTokenizer(found) ? found : memberOf(found, ['discriminator', 'model', 'generator']);
  const isItself = hasTokenizer(folder) || !resolveCheckpoint(folder);
  return isItself ? folder : resolveModelFolder(folder, 'discriminator', 'model', 'generator');
}

type LocateOptions = Omit<FetchModelOptions, 'formats' | 'also' | 'clock'> & TokenizerOverrides;

/**
 * The tokenizer of a model, without its weights.
 * @param place  a folder with tokenizer files, a checkpoint, a run, or a name on the hub
 * @throws DataError when there is none, or its casing is not clear
 */
export async function tokenizerFromPretrained(place: string, options: LocateOptions = {}): Promise<WordPieceTokenizer> {
  return loadTokenizer(await locateTokenizer(place, options), options);
}

export interface TokenizerChoice {
  /** Where the tokenizer comes from, when not from the model's own files: as `tokenizerFromPretrained`, or one in hand. */
  readonly tokenizer?: string | WordPieceTokenizer;
}

/** The tokenizer of a model's folder, where that has one, or another that was asked for instead. */
export async function tokenizerFor(
  folder: string,
  { tokenizer, ...options }: TokenizerChoice & LocateOptions,
): Promise<WordPieceTokenizer | undefined> {
  if (tokenizer === undefined) return loadTokenizerIfThere(folder, options);
  // A revision is that of the model.
  const { revision: _, ...elsewhere } = options;
  return typeof tokenizer === 'string' ? tokenizerFromPretrained(tokenizer, elsewhere) : tokenizer;
}

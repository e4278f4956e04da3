/** Where the tokenizer is that a word stands for. */

import { statSync } from 'node:fs';
import { type FetchModelOptions, fetchModel } from '../hub/fetchModel.node.js';
import { hasTokenizer } from '../text/tokenizer.node.js';
import { innerPlace, resolveCheckpoint, resolveModelFolder } from './modelPlaces.node.js';

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
  const folder = hub || hasTokenizer(given) ? given : innerPlace(given);
  const isItself = hasTokenizer(folder) || !resolveCheckpoint(folder);
  return isItself ? folder : resolveModelFolder(folder, 'discriminator', 'model', 'generator');
}

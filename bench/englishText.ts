/** The English text that `speedrun` and `arms` train on. */
import { join } from 'node:path';
import { prepareText } from './box/build.js';

const VOCABULARY_SIZE = 8192;

/**
 * Makes corpus, vocabulary and shards in OUT/text, each where it is not there yet.
 * @param data  the folder with text-en/, squad/ and so on
 * @returns the folders of the corpus, with train/ and held-out/, and of the shards
 */
export function prepareEnglishText({ data, out }: { readonly data: string; readonly out: string }): {
  readonly corpus: string;
  readonly shards: string;
} {
  const text = join(out, 'text');
  const corpus = join(text, 'corpus');
  const { shards } = prepareText({
    data,
    language: 'english',
    corpus,
    out: text,
    vocabularySize: VOCABULARY_SIZE,
  });
  return { corpus, shards };
}

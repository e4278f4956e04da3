/** Texts as shards in memory: what `prepareCorpus` does with files, for a text that a page or a program has at hand. */
import { DataError } from '../errors/errors.js';
import { PieceBuffer } from '../text/pieceBuffer.js';
import { absentIds } from '../text/pieces.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { isHeldOut } from './prepare/tokenizeUnit.js';
import { memoryShards, type Shards, type TokenDocument } from './shards.js';

export interface TextShardsOptions {
  /** Part of the documents that is held out for evaluation, chosen by a hash of each, 0 to below 1. Default 0.05. */
  readonly heldOutFraction?: number;
}

/**
 * Tokenizes documents for training in memory.
 * @param texts  one document each
 * @throws DataError when there is no text to train on
 */
export function textShards(
  texts: Iterable<string>,
  tokenizer: WordPieceTokenizer,
  { heldOutFraction = 0.05 }: TextShardsOptions = {},
): Shards {
  const train: TokenDocument[] = [];
  const heldOut: TokenDocument[] = [];
  for (const text of texts) {
    const document = tokenize(text, tokenizer);
    if (document.ids.length > 0) (isHeldOut(text, heldOutFraction) ? heldOut : train).push(document);
  }
  if (train.length === 0) {
    throw new DataError(
      heldOut.length > 0 ? `all ${heldOut.length} documents are held out` : 'no document has any token',
      {
        subject: 'texts',
        expected: 'documents to train on',
        advice: 'Give more documents, or a smaller heldOutFraction',
      },
    );
  }
  const { vocabSize, padId, unkId, clsId, sepId, maskId } = tokenizer;
  const specialIds = { padId, unkId, clsId, sepId, maskId };
  const tokenizerHash = tokenizer.hash();
  return memoryShards({ train, heldOut, vocabSize, specialIds, absentIds: absentIds(tokenizer.tokens), tokenizerHash });
}

function tokenize(text: string, tokenizer: WordPieceTokenizer): TokenDocument {
  const pieces = new PieceBuffer();
  tokenizer.appendIds(text, pieces);
  return { ids: pieces.ids.slice(0, pieces.length), wordStarts: pieces.wordStarts.slice(0, pieces.length) };
}

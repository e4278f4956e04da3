/** The same gap in two sentences: how probable each piece is in the one and in the other. */
import { z } from 'zod';
import { isCandidate } from '../../pipelines/candidates.js';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import { cutAround, findMasks, mostProbable } from '../../pipelines/maskedText.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { studioCall } from '../studioCall.js';

export interface ComparedPiece {
  readonly piece: string;
  /** Natural logarithms of its probabilities in the first and in the second sentence. */
  readonly first: number;
  readonly second: number;
}

export const gapComparison = studioCall({
  input: z.object({
    model: z.string(),
    role: z.enum(['generator', 'model']),
    /** Each with a mask; of several the first counts. */
    first: z.string().max(2000),
    second: z.string().max(2000),
    /** So many of the most probable pieces of each sentence. */
    count: z.int().min(1).max(400),
  }),
  /** @throws DataError when a sentence has no mask */
  run: (models, { model: id, role, first, second, count }): Promise<{ pieces: readonly ComparedPiece[] }> =>
    models.withModel(id, role, async (model) => {
      const tokenizer = requireTokenizer(model);
      const gaps = [first, second].map((text) => findMasks(tokenizer, text));
      const rows = gaps.map(({ ids, positions }) =>
        cutAround({ ids, positions: positions.slice(0, 1) }, model.maxLength),
      );
      const [[inFirst], [inSecond]] = await logProbabilities(model, rows);
      const isWord = gaps.every(({ text, offsets: [[start]] }) => !/[\p{L}\p{N}]/u.test(text.charAt(start - 1)));
      // Between spaces stands a word; after half a word, what continues it.
      const allows = (piece: number) =>
        isCandidate(tokenizer, piece) &&
        /[\p{L}\p{N}]/u.test(tokenizer.idToToken(piece)) &&
        !(isWord && tokenizer.isContinuation(piece));
      const ids = new Set([inFirst, inSecond].flatMap((row) => mostProbable(row, count, allows)));
      const pieces = [...ids].map((piece) => ({
        piece: tokenizer.idToToken(piece),
        first: inFirst[piece],
        second: inSecond[piece],
      }));
      return { pieces };
    }),
});

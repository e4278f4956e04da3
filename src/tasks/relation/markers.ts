/**
 * Entity markers: pieces before and after each entity, so that an encoder sees which two are asked about (Baldini Soares et
 * al., arXiv 1906.03158, §3.2). Punctuation marks them, which an encoder has met in training (Zhou & Chen, arXiv 2102.01373):
 * pieces that no text uses have embeddings that were never trained and are nearly the same. SpanBERT's released model of TACRED
 * cannot be used, because nobody kept which of its pieces mean what; here they stand in config.json.
 */
import { z } from 'zod';
import { CheckpointError, DataError } from '../../errors/errors.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

/** Pieces before and after an entity. */
export interface EntityMarkers {
  readonly head: readonly [before: string, after: string];
  readonly tail: readonly [before: string, after: string];
}

const schema = z.object({
  head: z.tuple([z.string(), z.string()]),
  tail: z.tuple([z.string(), z.string()]),
});

/** The field of config.json's `pleiad` that they are kept in. */
export const MARKERS_FIELD = 'relationMarkers';

/** @throws DataError when the vocabulary has no pieces to mark with */
export function chooseMarkers(tokenizer: WordPieceTokenizer): EntityMarkers {
  if (['@', '#'].every((sign) => tokenizer.tokenToId(sign) !== undefined))
    return { head: ['@', '@'], tail: ['#', '#'] };
  const unused = tokenizer.tokens.filter((token) => /^\[unused\d+\]$/.test(token));
  const [a, b, c, d] = unused;
  if (d !== undefined) return { head: [a, b], tail: [c, d] };
  throw new DataError('the vocabulary has no pieces to mark entities with', {
    subject: 'the vocabulary',
    found: unused.length,
    expected: 'the signs @ and #, or four pieces such as [unused1]',
    advice: 'Start from a model whose vocabulary has them: those of BERT and ELECTRA do',
  });
}

/** The markers that a model's config.json has; undefined where it has none. */
export function keptMarkers(pleiad: Readonly<Record<string, unknown>> | undefined): EntityMarkers | undefined {
  return schema.safeParse(pleiad?.[MARKERS_FIELD]).data;
}

/** @throws CheckpointError when the model was not fine-tuned for relations, or its vocabulary has other pieces */
export function markersOf(
  pleiad: Readonly<Record<string, unknown>> | undefined,
  source: string,
  tokenizer: WordPieceTokenizer,
): EntityMarkers {
  const markers = keptMarkers(pleiad);
  if (!markers) {
    throw new CheckpointError(`${source} does not say which pieces mark its entities`, {
      subject: source,
      expected: `config.json with pleiad.${MARKERS_FIELD}, as fine-tuning for relations writes it`,
      advice: 'Fine-tune it first: pleiad finetune --task relation',
    });
  }
  const missing = [...markers.head, ...markers.tail].find((piece) => tokenizer.tokenToId(piece) === undefined);
  if (missing === undefined) return markers;
  throw new CheckpointError(`${source} marks entities with ${missing}, which its vocabulary does not have`, {
    subject: source,
    found: missing,
    expected: 'the tokenizer that it was fine-tuned with',
  });
}

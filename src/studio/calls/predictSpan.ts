/** `span`: what a masked LM and a span boundary head say of a span of words, at its own places and at wrong ones. */
import { z } from 'zod';
import { boundariesOf } from '../../data/masking/spanTargets.js';
import { DataError } from '../../errors/errors.js';
import { isCandidate } from '../../pipelines/candidates.js';
import { cutAround, mostProbable } from '../../pipelines/maskedText.js';
import { predictSpans } from '../../pipelines/spanPrediction.js';
import type { Model, RowSpan } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { MASKED_LM_CLASSES, withModelOf } from '../modelRole.js';
import { studioCall } from '../studioCall.js';

export interface SpanInput {
  /** A masked LM, best one with a span boundary head. */
  readonly model: string;
  readonly text: string;
  /** UTF-16 offsets; words that they touch belong to the span. */
  readonly start: number;
  readonly end: number;
  /** Candidates of each list. Default 5. */
  readonly topK?: number;
}

export interface SpanCandidate {
  /** The word piece, with `##` where it continues a word. */
  readonly token: string;
  readonly id: number;
  /** Probability among the whole vocabulary, 0 to 1. */
  readonly score: number;
}

/** A masked piece and what the masked LM says of it, from its own hidden state. */
export interface MaskedPiece {
  readonly token: string;
  readonly id: number;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  /** The most probable first. */
  readonly candidates: readonly SpanCandidate[];
  /** Probability of the piece that stood there. */
  readonly score: number;
}

/** What the boundary head says at one place of a span. */
export interface PlacePrediction {
  readonly candidates: readonly SpanCandidate[];
  /** Of each masked piece, the probability of what stood there, were it at this place. */
  readonly scores: readonly number[];
}

export interface SpanOutput {
  /** UTF-16 offsets of the span, widened to whole words. */
  readonly start: number;
  readonly end: number;
  readonly masked: readonly MaskedPiece[];
  /** The pieces x_{s−1} and x_{e+1}; with [CLS] or [SEP] there, offsets are empty. Absent where nothing is predicted from boundaries. */
  readonly boundaries?: { readonly left: BoundaryPiece; readonly right: BoundaryPiece };
  /** By place in the span, p₁ first, as many as the head has position embeddings. */
  readonly places?: readonly PlacePrediction[];
  /** Why there is no boundary prediction: the model has no such head, or the span touches an edge of the text. */
  readonly missing?: 'head' | 'edge';
}

export interface BoundaryPiece {
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

export const predictSpan = studioCall<SpanInput, SpanOutput>({
  input: z.strictObject({
    model: z.string(),
    text: z.string(),
    start: z.number().int().min(0),
    end: z.number().int().min(0),
    topK: z.number().int().min(1).max(50).optional(),
  }),
  run: (models, input) => withModelOf(models, input.model, MASKED_LM_CLASSES, (model) => spanPredictions(model, input)),
});

/**
 * Masks the words of a span and asks both heads. The boundary head sees the tokens beside the span and a place in it
 * (h₀ = [x_{s−1}; x_{e+1}; p_{i−s+1}], arXiv 1907.10529 §3.2), so all its places are asked at once, those beyond the span too.
 * @throws DataError when no word is in the span
 */
export async function spanPredictions(
  model: Model,
  { text, start, end, topK = 5 }: Omit<SpanInput, 'model'>,
): Promise<SpanOutput> {
  const tokenizer = requireTokenizer(model);
  const { ids, offsets, wordIds } = tokenizer.encode(text, { parseSpecialTokens: false });
  const touched = [...ids.keys()].filter((i) => offsets[2 * i] < end && offsets[2 * i + 1] > start);
  if (touched.length === 0) {
    throw new DataError(`no word stands at ${start} to ${end} of the text`, {
      subject: 'span',
      found: [start, end],
      expected: `a span with at least one word, from 0 to ${text.length}`,
    });
  }
  let first = touched[0];
  let last = touched[touched.length - 1];
  while (wordIds[first - 1] === wordIds[first]) first--;
  while (wordIds[last + 1] === wordIds[last]) last++;
  const pieces = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const masked = ids.slice().fill(tokenizer.maskId, first, last + 1);
  const row = cutAround({ ids: masked, positions: pieces }, model.maxLength);
  const boundary = boundaryOf(model, tokenizer, row);
  const [{ mlm, sbo }] = await predictSpans(model, [{ ...row, ...(boundary.span && { span: boundary.span }) }]);

  const candidates = (logProbabilities: Float32Array): SpanCandidate[] =>
    mostProbable(logProbabilities, topK, (id) => isCandidate(tokenizer, id)).map((id) => ({
      token: tokenizer.idToToken(id),
      id,
      score: Math.exp(logProbabilities[id]),
    }));
  const pieceAt = (i: number): BoundaryPiece => ({
    token: tokenizer.idToToken(ids[i]),
    start: offsets[2 * i],
    end: offsets[2 * i + 1],
  });
  return {
    start: offsets[2 * first],
    end: offsets[2 * last + 1],
    masked: pieces.map((i, place) => ({
      ...pieceAt(i),
      id: ids[i],
      candidates: candidates(mlm[place]),
      score: Math.exp(mlm[place][ids[i]]),
    })),
    ...(boundary.span && {
      // In the whole text: the row may be cut.
      boundaries: {
        left: pieceAt(first + boundary.left - row.positions[0]),
        right: pieceAt(first + boundary.right - row.positions[0]),
      },
      places: sbo.map((logProbabilities) => ({
        candidates: candidates(logProbabilities),
        scores: pieces.map((i) => Math.exp(logProbabilities[ids[i]])),
      })),
    }),
    ...(boundary.missing && { missing: boundary.missing }),
  };
}

type Boundary =
  | { readonly span: RowSpan; readonly left: number; readonly right: number; readonly missing?: undefined }
  | { readonly span?: undefined; readonly missing: 'head' | 'edge' };

/** The span as the boundary head is asked about it: at every place that it has a position embedding for. */
function boundaryOf(
  { description: { spanBoundary } }: Model,
  tokenizer: WordPieceTokenizer,
  { ids, positions }: { readonly ids: ArrayLike<number>; readonly positions: readonly number[] },
): Boundary {
  if (!spanBoundary) return { missing: 'head' };
  const [start, end] = [positions[0], positions[positions.length - 1]];
  const found = boundariesOf(start, end, ids, tokenizer, spanBoundary);
  if (!found) return { missing: 'edge' };
  const offsets = Array.from({ length: spanBoundary.maxSpanTargets }, (_, place) => place);
  return { span: { start, end: end + 1, offsets }, ...found };
}

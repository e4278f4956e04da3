/** A batch with its masks drawn: what pre-training objectives read. */

/** Rows of one length. */
export interface MaskedBatch {
  readonly batchSize: number;
  readonly length: number;
  /** The original tokens, [B·S]. */
  readonly inputIds: Int32Array;
  /** The tokens that a masked language model reads, [B·S]. */
  readonly maskedInputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
  /** 1 for a token, 0 for padding, [B·S]. */
  readonly attentionMask: Int32Array;
  /** The masked slots of all rows, as row·S + position, [M]. */
  readonly maskedPositions: Int32Array;
  /** The original tokens at the slots, [M]. */
  readonly maskedIds: Int32Array;
  /** 1, or 0 for a slot that is padding, [M]. */
  readonly maskedWeights: Float32Array;
  /** For the span boundary objective. */
  readonly spanTargets?: SpanTargets;
  /** For next-sentence prediction. */
  readonly nextSentence?: NextSentenceLabels;
}

/** Tokens of masked spans, to be predicted from the tokens beside their span; N of them. */
export interface SpanTargets {
  /** Boundary tokens, as row·S + position, int32 [N] each; 0 in padding. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Place in the span, from 0, [N]. */
  readonly offsets: Int32Array;
  /** The token that stood there, [N]. */
  readonly ids: Int32Array;
  /** 1, or 0 for padding, [N]. */
  readonly weights: Float32Array;
}

export interface NextSentenceLabels {
  /** 0 where the second segment follows the first, 1 where it is from elsewhere, [B]. */
  readonly labels: Int32Array;
  /** 1, or 0 for a row that has no second segment, [B]. */
  readonly weights: Float32Array;
}

/** What fills and scores spans: a masked LM and, where the model has one, its span boundary head, run together. */
import { boundariesOf } from '../data/masking/spanTargets.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import { type Model, offsetsOf, type RowOptions, type RowSpan } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingWith } from '../settings/settingNames.js';
import { distributions, MASKED_LM_OUTPUTS } from './maskedLanguageModel.js';

/** A row of tokens with what is asked of it. */
export interface SpanRequest {
  readonly ids: Int32Array;
  /** Positions to predict with the masked LM; at least one. */
  readonly positions: readonly number[];
  /** A span to predict from its boundaries, which it has: `spanWithBoundaries` says so. */
  readonly span?: RowSpan;
}

/** Log-probabilities of every token, float32 [V] each. */
export interface SpanPrediction {
  /** Of each position asked for. */
  readonly mlm: readonly Float32Array[];
  /** Of each token of the span that is asked about; empty where no span was given. */
  readonly sbo: readonly Float32Array[];
}

/** What a span is looked at for. Only to fill one can the masked LM be asked alone. */
export type SpanPurpose = 'fill' | 'score';

function otherwise(purpose: SpanPurpose): string {
  return purpose === 'fill' ? `; or ask the masked LM alone: ${settingWith('by', ['mlm'])}` : '';
}

/** What runs: both heads where the model has both, so that one program serves every question. */
export function spanOutputs({ description: { spanBoundary } }: Model): RowOptions {
  return spanBoundary ? { outputs: ['logits', 'boundaryLogits'], atPositions: true } : MASKED_LM_OUTPUTS;
}

/** @throws CheckpointError when the model has no span boundary head */
export function requireSpanBoundary(
  { description: { spanBoundary }, source }: Model,
  purpose: SpanPurpose,
): SpanBoundaryConfig {
  if (spanBoundary) return spanBoundary;
  throw new CheckpointError(`${source} has no span boundary head`, {
    subject: source,
    expected: 'a model trained with objective spanbert',
    advice: `Give a model with one, which \`pleiad pretrain --objective spanbert\` trains${otherwise(purpose)}`,
  });
}

/**
 * A span that the boundary head can predict.
 * @param first  its first position
 * @throws DataError when the position table has no row for its last token, or nothing stands beside it and the model
 *         was never trained on that
 */
export function spanWithBoundaries(
  model: Model,
  ids: Int32Array,
  first: number,
  pieces: number,
  purpose: SpanPurpose = 'fill',
): RowSpan {
  const settings = requireSpanBoundary(model, purpose);
  if (pieces > settings.maxSpanTargets) {
    throw new DataError(
      `the span is ${pieces} pieces long; the span boundary head has positions for ${settings.maxSpanTargets}`,
      {
        subject: 'pieces',
        found: pieces,
        expected: `at most ${settings.maxSpanTargets} pieces`,
        advice: `Take a shorter one${otherwise(purpose)}`,
      },
    );
  }
  const { clsId, sepId } = requireTokenizer(model);
  if (boundariesOf(first, first + pieces - 1, ids, { clsId, sepId }, settings)) {
    return { start: first, end: first + pieces };
  }
  const where = ids[first - 1] === clsId || ids[first - 1] === sepId ? 'before' : 'after';
  throw new DataError(`there is no text ${where} the span, and the model was trained without such spans`, {
    subject: 'text',
    expected: 'at least one token on both sides of the span',
    advice: `Give more text${otherwise(purpose)}. A model that \`pleiad pretrain --edge-spans special\` trained takes [CLS] and [SEP] for boundaries`,
  });
}

export async function predictSpans(model: Model, requests: readonly SpanRequest[]): Promise<SpanPrediction[]> {
  const predictions: SpanPrediction[] = requests.map(() => ({ mlm: [], sbo: [] }));
  const rows = requests.map(({ ids, positions, span }) => ({ ids, positions, ...(span && { spans: [span] }) }));
  await model.forEachRow(rows, spanOutputs(model), (row, { logits, boundaryLogits }) => {
    const { positions, span } = requests[row];
    predictions[row] = {
      mlm: distributions(logits, positions.length),
      sbo: span ? distributions(boundaryLogits, offsetsOf(span).length) : [],
    };
  });
  return predictions;
}

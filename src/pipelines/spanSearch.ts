/**
 * The best fillings of gaps, by two judges that see different things. With x_1 … x_k the pieces of a gap and c the text
 * around it:
 *
 *   masked LM        log p(x) = Σ_i log p(x_i | c, x_1 … x_{i−1}, the rest masked)
 *   span boundaries  log p(x) = Σ_i log p(x_i | y_i),  y_i from the tokens beside the gap and i alone
 *   both             their mean
 *
 * The masked LM is asked from left to right. Any order would make a distribution over fillings; one order for all of them
 * makes their probabilities comparable, which "the surest mask first" (fillMask.ts) does not. The boundary head knows
 * nothing of a gap's other pieces, so its best fillings are found exactly; the others by beam search.
 */
import type { Model, RowSpan } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { isCandidate } from './candidates.js';
import { mostProbable } from './maskedText.js';
import { predictSpans } from './spanPrediction.js';

export const SPAN_JUDGES = ['mlm', 'sbo', 'both'] as const;
export type SpanJudge = (typeof SPAN_JUDGES)[number];

/** A row with all pieces of its gap masked. */
export interface GapRow {
  readonly ids: Int32Array;
  /** First position of the gap. */
  readonly first: number;
  readonly pieces: number;
  /** The gap, where the boundary head is to be asked. */
  readonly span?: RowSpan;
}

/** What both heads say of a gap with all its pieces masked, log-probabilities float32 [V] each. */
export interface GapPrediction {
  /** Of the first piece. */
  readonly mlm: Float32Array;
  /** Of every piece; empty without a boundary. */
  readonly sbo: readonly Float32Array[];
}

/** A filling, or the beginning of one, with its log-probability by each head. */
export interface ScoredIds {
  readonly ids: readonly number[];
  readonly mlm: number;
  /** Undefined without a boundary. */
  readonly sbo?: number;
}

/** Log-probability by a judge; of two fillings of one gap, the higher is the better. */
export function judged({ mlm, sbo = Number.NaN }: Omit<ScoredIds, 'ids'>, judge: SpanJudge): number {
  if (judge === 'mlm') return mlm;
  return judge === 'sbo' ? sbo : (mlm + sbo) / 2;
}

export async function predictGaps(model: Model, rows: readonly GapRow[]): Promise<GapPrediction[]> {
  const requests = rows.map(({ ids, first, span }) => ({ ids, positions: [first], span }));
  return (await predictSpans(model, requests)).map(({ mlm: [mlm], sbo }) => ({ mlm, sbo }));
}

/** A search under way. */
export interface SpanSearch {
  readonly row: GapRow;
  readonly prediction: GapPrediction;
  readonly judge: SpanJudge;
}

/**
 * Searches all at once, so that the model runs full batches.
 * @param width  beams of each search, and fillings that it gives, the best first
 */
export async function searchSpans(
  model: Model,
  searches: readonly SpanSearch[],
  width: number,
): Promise<ScoredIds[][]> {
  const tokenizer = requireTokenizer(model);
  let beams: ScoredIds[][] = searches.map(({ row }) => [{ ids: [], mlm: 0, sbo: row.span && 0 }]);
  const longest = searches.reduce((most, { row }) => Math.max(most, row.pieces), 0);
  for (let piece = 0; piece < longest; piece++) {
    const asked = searches.flatMap(({ row, judge }, i) =>
      piece > 0 && piece < row.pieces && judge !== 'sbo' ? beams[i].map((beam) => ({ row, beam })) : [],
    );
    const answers = (
      await predictSpans(
        model,
        asked.map(({ row, beam }) => nextPiece(row, beam.ids)),
      )
    ).values();
    beams = searches.map((search, i) => {
      const { row, prediction, judge } = search;
      if (piece >= row.pieces) return beams[i];
      const grown = beams[i].flatMap((beam) => {
        const mlm = judge === 'sbo' ? undefined : piece === 0 ? prediction.mlm : answers.next().value!.mlm[0];
        return extend(tokenizer, beam, { mlm, sbo: prediction.sbo[piece] }, judge, width);
      });
      return best(grown, judge, width);
    });
  }
  return completeMlm(model, searches, beams);
}

/** Asks the masked LM for the piece that follows those already there. */
function nextPiece({ ids, first }: GapRow, filled: readonly number[]) {
  const row = ids.slice();
  row.set(filled, first);
  return { ids: row, positions: [first + filled.length] };
}

function extend(
  tokenizer: WordPieceTokenizer,
  beam: ScoredIds,
  { mlm, sbo }: { mlm?: Float32Array; sbo?: Float32Array },
  judge: SpanJudge,
  width: number,
): ScoredIds[] {
  const scores = judge === 'both' ? mlm!.map((value, id) => (value + sbo![id]) / 2) : judge === 'mlm' ? mlm! : sbo!;
  const isFirst = beam.ids.length === 0;
  // A gap begins a word, as masked spans do.
  const allows = (id: number) => isCandidate(tokenizer, id) && !(isFirst && tokenizer.isContinuation(id));
  return mostProbable(scores, width, allows).map((id) => ({
    ids: [...beam.ids, id],
    mlm: mlm ? beam.mlm + mlm[id] : Number.NaN,
    sbo: sbo && beam.sbo! + sbo[id],
  }));
}

function best(beams: readonly ScoredIds[], judge: SpanJudge, count: number): ScoredIds[] {
  return [...beams].sort((a, b) => judged(b, judge) - judged(a, judge)).slice(0, count);
}

/** The masked LM's opinion of what was found without it. */
async function completeMlm(
  model: Model,
  searches: readonly SpanSearch[],
  found: readonly ScoredIds[][],
): Promise<ScoredIds[][]> {
  const open = searches.flatMap(({ row, prediction, judge }, i) =>
    judge === 'sbo' ? found[i].map(({ ids }) => ({ row, prediction, ids })) : [],
  );
  const scores = (await mlmScores(model, open)).values();
  return found.map((fillings, i) =>
    searches[i].judge === 'sbo'
      ? fillings.map((filling) => ({ ...filling, mlm: sum(scores.next().value!) }))
      : [...fillings],
  );
}

/** Log-probability of each piece of given fillings by the masked LM, from left to right. */
export async function mlmScores(
  model: Model,
  fillings: readonly { row: GapRow; prediction: GapPrediction; ids: readonly number[] }[],
): Promise<number[][]> {
  const requests = fillings.flatMap(({ row, ids }) => ids.slice(1).map((_, i) => nextPiece(row, ids.slice(0, i + 1))));
  const answers = (await predictSpans(model, requests)).values();
  return fillings.map(({ prediction, ids }) =>
    ids.map((id, i) => (i === 0 ? prediction.mlm[id] : answers.next().value!.mlm[0][id])),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * What could stand in a gap of several word pieces, and how well the text around a span predicts what stands there: by the
 * masked LM, by SpanBERT's span boundary head, and by both (spanSearch.ts says what each computes).
 *
 * Scores are mean log-probabilities a piece, in nats. A total would not do for gaps of unknown length: each length has a
 * distribution of its own that sums to 1, a longer gap divides it among more fillings, so its best total is nearly always
 * lower, and one piece would always win. The mean is what the losses measure. Neither head says how long a gap is; the mean
 * compares how well the pieces are predicted, no more.
 */
import { DataError, SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { joinParts } from './joinedText.js';
import { cutAround, findMasks, type MaskedText, shortened } from './maskedText.js';
import { requireSpanBoundary, type SpanPurpose, spanOutputs, spanWithBoundaries } from './spanPrediction.js';
import {
  type GapRow,
  judged,
  mlmScores,
  predictGaps,
  type ScoredIds,
  SPAN_JUDGES,
  type SpanJudge,
  searchSpans,
} from './spanSearch.js';

export { SPAN_JUDGES, type SpanJudge } from './spanSearch.js';

/** By each judge; where only the masked LM is asked, by it alone. */
export type SpanScores = { readonly mlm: number } & { readonly [K in 'sbo' | 'both']?: number };

/** A gap filled. */
export interface SpanFilling {
  /** The text with the gap filled, with a space added where a word would run into another. */
  readonly text: string;
  /** What stands in the gap. */
  readonly filling: string;
  /** Its word pieces, with `##` where they continue a word. */
  readonly tokens: string[];
  readonly ids: number[];
  /** Mean log-probability of its pieces, nats. */
  readonly scores: SpanScores;
  /** Natural logarithm of its probability among all fillings of as many pieces. */
  readonly logProbabilities: Omit<SpanScores, 'both'>;
}

export interface FillSpanResult {
  readonly text: string;
  readonly gap: {
    /** UTF-16 offsets in the text. */
    readonly start: number;
    readonly end: number;
    /** Pieces that were tried. */
    readonly minPieces: number;
    readonly maxPieces: number;
  };
  /** The best fillings by each judge, the best first. */
  readonly fillings: { readonly [K in SpanJudge]?: SpanFilling[] };
}

export interface FillSpanOptions {
  /** Pieces of the gap, or their least and most. Default: as many as the text has [MASK] in a row. */
  readonly pieces?: number | readonly [least: number, most: number];
  /**
   * Whose best fillings are wanted. Default all. `['mlm']` needs no span boundary head, knows no longest gap, and may be
   * asked about gaps at a text's edge.
   */
  readonly by?: readonly SpanJudge[];
  /** Fillings by each judge. Default 5. */
  readonly topK?: number;
}

/** A piece of a span, with its log-probability by both heads, nats. */
export interface ScoredPiece {
  readonly token: string;
  readonly id: number;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  /** From the span's boundaries. */
  readonly sbo: number;
  /** By the masked LM, knowing the pieces before it. */
  readonly mlm: number;
}

export interface SpanScore {
  readonly text: string;
  /** The span widened to whole pieces, UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  readonly tokens: ScoredPiece[];
  /** Means over the pieces, nats. */
  readonly scores: Required<SpanScores>;
}

export interface SpanFiller {
  readonly tokenizer: WordPieceTokenizer;
  /**
   * @throws DataError        when a text has no gap or several, its gap is longer than the model's positions, or nothing
   *                          stands beside it
   * @throws CheckpointError  when the boundary head is asked for and there is none
   * @throws SettingsError    when an option is out of range
   */
  fill(text: string, options?: FillSpanOptions): Promise<FillSpanResult>;
  fill(texts: readonly string[], options?: FillSpanOptions): Promise<FillSpanResult[]>;
  /**
   * How well the text around a span predicts it.
   * @param span  UTF-16 offsets; pieces that it touches belong to it
   * @throws as `fill`
   */
  scoreSpan(text: string, span: { readonly start: number; readonly end: number }): Promise<SpanScore>;
  /** Releases the model, with an engine that is its own. */
  release(): Promise<void>;
}

/** Beams of a search, at least. */
const LEAST_WIDTH = 10;

/**
 * @param model  a SpanBERT, or, to fill by the masked LM alone, any masked language model
 * @throws CheckpointError when its weights do not fit its config
 */
export async function fillSpan(model: Model): Promise<SpanFiller> {
  const tokenizer = requireTokenizer(model);
  await model.prepare(spanOutputs(model));
  function fill(text: string, options?: FillSpanOptions): Promise<FillSpanResult>;
  function fill(texts: readonly string[], options?: FillSpanOptions): Promise<FillSpanResult[]>;
  async function fill(input: string | readonly string[], options: FillSpanOptions = {}) {
    const settings = checkOptions(options, tokenizer.vocabSize);
    return typeof input === 'string' ? (await fillAll(model, [input], settings))[0] : fillAll(model, input, settings);
  }
  return {
    tokenizer,
    fill,
    scoreSpan: (text, span) => scoreSpan(model, text, span),
    release: () => model.release(),
  };
}

interface FillSettings {
  readonly pieces?: readonly [number, number];
  readonly by: readonly SpanJudge[];
  readonly topK: number;
}

function checkOptions({ pieces, by = SPAN_JUDGES, topK = 5 }: FillSpanOptions, vocabSize: number): FillSettings {
  const problems: string[] = [];
  const range = typeof pieces === 'number' ? ([pieces, pieces] as const) : pieces;
  const [least, most] = range ?? [1, 1];
  if (!(Number.isInteger(least) && Number.isInteger(most) && least >= 1 && most >= least)) {
    problems.push(
      `${settingName('pieces')} is ${least === most ? least : `${least} to ${most}`}; expected whole numbers of at least 1`,
    );
  }
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= vocabSize)) {
    problems.push(`${settingName('topK')} is ${topK}; expected 1 to ${vocabSize}, the size of the vocabulary`);
  }
  const unknown = by.filter((judge) => !SPAN_JUDGES.includes(judge));
  if (unknown.length > 0 || by.length === 0) {
    problems.push(
      `${settingName('by')} is ${by.length ? unknown.join(', ') : 'empty'}; expected some of ${SPAN_JUDGES.join(', ')}`,
    );
  }
  if (problems.length) throw new SettingsError(problems);
  return { pieces: range, by, topK };
}

/** A text's gap: one run of masks. */
interface Gap extends MaskedText {
  readonly start: number;
  readonly end: number;
}

function findGap(model: Model, text: string): Gap {
  const masked = findMasks(requireTokenizer(model), text);
  const { positions, offsets } = masked;
  const first = positions[0];
  const numGaps = positions.filter((position, i) => i === 0 || position !== positions[i - 1] + 1).length;
  if (numGaps > 1) {
    throw new DataError(`the text has ${numGaps} gaps: ${JSON.stringify(shortened(text))}`, {
      subject: 'text',
      found: numGaps,
      expected: 'one gap, written as one mask or several in a row',
      advice: 'Fill one gap after another, or use fill-mask',
    });
  }
  return { ...masked, positions: [first], start: offsets[0][0], end: offsets.at(-1)![1] };
}

/** The row in which a gap is so many masks long, cut to what the model can take. */
function gapRow(model: Model, gap: Gap, pieces: number, asksBoundary: boolean): GapRow {
  const written = gap.offsets.length;
  const [at] = gap.positions;
  const masks = new Int32Array(pieces).fill(requireTokenizer(model).maskId);
  const whole = Int32Array.of(...gap.ids.subarray(0, at), ...masks, ...gap.ids.subarray(at + written));
  return rowAround(model, whole, at, pieces, asksBoundary ? 'fill' : undefined);
}

/** @param purpose  what boundaries are asked for; without, none are */
function rowAround(
  model: Model,
  whole: Int32Array,
  at: number,
  pieces: number,
  purpose: SpanPurpose | undefined,
): GapRow {
  const span = Array.from({ length: pieces }, (_, i) => at + i);
  const { ids, positions } = cutAround({ ids: whole, positions: span }, model.maxLength);
  const boundary = purpose ? spanWithBoundaries(model, ids, positions[0], pieces, purpose) : undefined;
  return { ids, first: positions[0], pieces, span: boundary };
}

async function fillAll(
  model: Model,
  texts: readonly string[],
  { pieces, by, topK }: FillSettings,
): Promise<FillSpanResult[]> {
  const asksBoundary = by.some((judge) => judge !== 'mlm');
  if (asksBoundary) requireSpanBoundary(model, 'fill');
  const gaps = texts.map((text) => {
    const gap = findGap(model, text);
    const [minPieces, maxPieces] = pieces ?? [gap.offsets.length, gap.offsets.length];
    return { gap, minPieces, maxPieces };
  });
  const rows = gaps.flatMap(({ gap, minPieces, maxPieces }, of) =>
    Array.from({ length: maxPieces - minPieces + 1 }, (_, i) => ({
      of,
      row: gapRow(model, gap, minPieces + i, asksBoundary),
    })),
  );
  const predictions = await predictGaps(
    model,
    rows.map(({ row }) => row),
  );
  const searches = by.flatMap((judge) =>
    rows.map(({ of, row }, i) => ({ of, row, prediction: predictions[i], judge })),
  );
  const found = await searchSpans(model, searches, Math.max(topK, LEAST_WIDTH));
  return gaps.map(({ gap, minPieces, maxPieces }, of) => {
    const best = (judge: SpanJudge) =>
      searches
        .flatMap((search, i) => (search.of === of && search.judge === judge ? found[i] : []))
        .map((filling) => spanFilling(requireTokenizer(model), gap, filling))
        .sort((a, b) => b.scores[judge]! - a.scores[judge]!)
        .slice(0, topK);
    return {
      text: gap.text,
      gap: { start: gap.start, end: gap.end, minPieces, maxPieces },
      fillings: Object.fromEntries(by.map((judge) => [judge, best(judge)])),
    };
  });
}

function spanFilling(tokenizer: WordPieceTokenizer, { text, start, end }: Gap, found: ScoredIds): SpanFilling {
  const { ids, mlm, sbo } = found;
  const filling = tokenizer.decode(ids);
  return {
    text: joinParts(tokenizer, [{ text: text.slice(0, start) }, { text: filling }, { text: text.slice(end) }]).text,
    filling,
    tokens: ids.map((id) => tokenizer.idToToken(id)),
    ids: [...ids],
    scores: meanScores(found, ids.length),
    logProbabilities: { mlm, ...(sbo !== undefined && { sbo }) },
  };
}

function meanScores(totals: Omit<ScoredIds, 'ids'>, pieces: number): SpanScores {
  const mean = (judge: SpanJudge) => judged(totals, judge) / pieces;
  return { mlm: mean('mlm'), ...(totals.sbo !== undefined && { sbo: mean('sbo'), both: mean('both') }) };
}

async function scoreSpan(
  model: Model,
  text: string,
  { start, end }: { start: number; end: number },
): Promise<SpanScore> {
  requireSpanBoundary(model, 'score');
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= text.length)) {
    throw new SettingsError([
      `the span is ${start} to ${end}; expected a start from 0 and an end after it, at most ${text.length}, the length of the text`,
    ]);
  }
  const tokenizer = requireTokenizer(model);
  const { ids, offsets } = tokenizer.encode(text, { parseSpecialTokens: false });
  const touched = [...ids.keys()].filter((i) => offsets[2 * i] < end && offsets[2 * i + 1] > start);
  if (touched.length === 0) {
    throw new DataError(`the span ${start} to ${end} holds no token: ${JSON.stringify(text.slice(start, end))}`, {
      subject: 'span',
      expected: 'a span with at least one word',
    });
  }
  const [first] = touched;
  const spanIds = [...ids.subarray(first, first + touched.length)];
  const masked = ids.slice().fill(tokenizer.maskId, first, first + touched.length);
  const row = rowAround(model, masked, first, touched.length, 'score');
  const [prediction] = await predictGaps(model, [row]);
  const [mlm] = await mlmScores(model, [{ row, prediction, ids: spanIds }]);
  const tokens = spanIds.map((id, i) => ({
    token: tokenizer.idToToken(id),
    id,
    start: offsets[2 * touched[i]],
    end: offsets[2 * touched[i] + 1],
    sbo: prediction.sbo[i][id],
    mlm: mlm[i],
  }));
  const total = (head: 'sbo' | 'mlm') => tokens.reduce((sum, token) => sum + token[head], 0);
  const scores = meanScores({ mlm: total('mlm'), sbo: total('sbo') }, tokens.length) as Required<SpanScores>;
  return { text, start: tokens[0].start, end: tokens.at(-1)!.end, tokens, scores };
}

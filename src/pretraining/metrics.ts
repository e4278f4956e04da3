/** What is measured in pre-training and on held-out text, from the sums that an objective's graphs return. */

import { defined } from '../training/defined.js';
import { average, type LossSpec, type LossTotals, lossMetrics, totalLoss } from '../training/objective.js';

/**
 * The losses that pre-training objectives are made of: masked slots; tokens of the main encoder's own loss in ELECTRA and
 * its comparisons; tokens predicted from span boundaries; rows asked whether their second sentence follows the first.
 */
export type LossName = 'mlm' | 'disc' | 'sbo' | 'nsp';

/** Tokens that were replaced, those of them that were found, and all that were said to be replaced. */
export const DETECTION_COUNTERS = ['replaced', 'truePositives', 'predictedPositives'] as const;

const KNOWN: readonly string[] = ['mlm', 'disc', 'sbo', 'nsp'] satisfies LossName[];

/** The losses of an objective with their weights. */
export function lossesOf(weights: Readonly<Record<string, number>>): LossSpec[] {
  return Object.entries(weights).map(([name, weight]) => ({ name, per: name === 'nsp' ? 'row' : 'token', weight }));
}

/** Averages over tokens; what an objective does not have is left out. */
export type LossMetrics = {
  /** Nats a masked slot. */
  readonly mlmLoss?: number;
  readonly mlmAccuracy?: number;
  /** The same in bits, the unit of the released SpanBERT code. */
  readonly mlmBits?: number;
  /** Nats a token, without its weight: of the discriminator, or of the main encoder in the paper's comparisons. */
  readonly discLoss?: number;
  readonly discAccuracy?: number;
  /** Nats a token predicted from the boundaries of its span. */
  readonly sboLoss?: number;
  readonly sboAccuracy?: number;
  readonly sboBits?: number;
  /** Nats a row with two segments. */
  readonly nspLoss?: number;
  readonly nspAccuracy?: number;
  /** Share of all tokens that differ from the original. */
  readonly replacedRate?: number;
  /** What is minimised: the sum of all losses times their weights. */
  readonly totalLoss: number;
};

/** Nats as bits. */
export function bits(nats: number | undefined): number | undefined {
  return nats === undefined ? undefined : nats / Math.LN2;
}

const lossOf = (totals: LossTotals, loss: LossName) => average(totals, `${loss}LossSum`, totals.count(loss));

/** Whether the second loss is replaced-token detection, and not a masked language model's. */
export function detects(totals: LossTotals): boolean {
  return totals.sum('truePositives') !== undefined;
}

function accuracyOf(totals: LossTotals, loss: LossName): number | undefined {
  // A detector is right or wrong about every token, also where only the masked ones are in its loss.
  const overTokens = loss === 'disc' && detects(totals);
  return average(totals, `${loss}Correct`, overTokens ? totals.tokens : totals.count(loss));
}

export function pretrainingMetrics(losses: readonly LossSpec[], totals: LossTotals): LossMetrics {
  const mlmLoss = lossOf(totals, 'mlm');
  const sboLoss = lossOf(totals, 'sbo');
  return defined({
    mlmLoss,
    mlmAccuracy: accuracyOf(totals, 'mlm'),
    mlmBits: bits(mlmLoss),
    discLoss: lossOf(totals, 'disc'),
    discAccuracy: accuracyOf(totals, 'disc'),
    sboLoss,
    sboAccuracy: accuracyOf(totals, 'sbo'),
    sboBits: bits(sboLoss),
    nspLoss: lossOf(totals, 'nsp'),
    nspAccuracy: accuracyOf(totals, 'nsp'),
    replacedRate: average(totals, 'replaced', totals.tokens),
    ...otherLosses(losses, totals),
    totalLoss: totalLoss(losses, totals),
  });
}

/** `<loss>Loss` and `<loss>Accuracy` of losses that an objective added. */
function otherLosses(losses: readonly LossSpec[], totals: LossTotals): Record<string, number> {
  const { totalLoss: _, ...others } = lossMetrics(
    losses.filter(({ name }) => !KNOWN.includes(name)),
    totals,
  );
  return others;
}

/** H(r) over the tokens that the discriminator's loss is taken over: what telling nothing apart costs. */
export function replacedEntropy(totals: LossTotals): number | undefined {
  const tokens = totals.count('disc');
  return detects(totals) && tokens > 0 ? binaryEntropy((totals.sum('replaced') ?? 0) / tokens) : undefined;
}

/** Share of all tokens that the second loss is taken over. */
export function discShare(totals: LossTotals): number | undefined {
  return totals.tokens === 0 ? undefined : totals.count('disc') / totals.tokens;
}

/** Share of the tokens said to be replaced that are, and of the replaced tokens that were found; 0 when there are none. */
export function precisionAndRecall(totals: LossTotals): { precision?: number; recall?: number } {
  const found = totals.sum('truePositives');
  if (found === undefined) return {};
  const share = (of: number) => (of > 0 ? found / of : 0);
  return { precision: share(totals.sum('predictedPositives') ?? 0), recall: share(totals.sum('replaced') ?? 0) };
}

/** What is known on text that was never trained on. */
export type HeldOutMetrics = {
  /** Nats a masked slot, of an objective that has a generator beside its main encoder. */
  readonly generatorLoss?: number;
  readonly generatorAccuracy?: number;
  /** exp(generatorLoss) */
  readonly generatorPerplexity?: number;
  /** Nats a predicted token, where the main encoder is a masked language model. */
  readonly mlmLoss?: number;
  readonly mlmAccuracy?: number;
  readonly mlmPerplexity?: number;
  readonly mlmBits?: number;
  /**
   * Share of all tokens that `mlmLoss` is taken over, where the main encoder reads text that a generator changed. It is 1
   * for `all-tokens-mlm`, which may copy most of them: no baseline of predicted tokens can be compared with that loss.
   */
  readonly mlmShare?: number;
  /** Nats a token predicted from the boundaries of its span. */
  readonly sboLoss?: number;
  readonly sboAccuracy?: number;
  readonly sboPerplexity?: number;
  readonly sboBits?: number;
  /** Nats a row with two segments; ln 2 is chance. */
  readonly nspLoss?: number;
  readonly nspAccuracy?: number;
  /**
   * Nats: what a predictor loses that knows how frequent pieces are in the training text and nothing else. The baseline of
   * every loss of predicted pieces.
   */
  readonly unigramCrossEntropy?: number;
  /** Nats: entropy of the held-out text under its own frequencies. A property of the text, compared with nothing. */
  readonly unigramEntropy?: number;
  readonly replacedRate?: number;
  /** Nats a token. */
  readonly discriminatorLoss?: number;
  /** H(r) of the replaced rate: what a discriminator that tells nothing apart loses. */
  readonly replacedEntropy?: number;
  /** Area under the ROC curve; 0.5 is chance. */
  readonly rtdAuc?: number;
  readonly rtdPrecision?: number;
  readonly rtdRecall?: number;
  /** As minimised in training; picks the best checkpoint. */
  readonly totalLoss: number;
};

/** What `mlmLoss` can be compared with: nothing, where it is also taken over tokens that may be copied. */
export function mlmBaseline({ mlmShare = 0, unigramCrossEntropy }: Partial<HeldOutMetrics>): number | undefined {
  return mlmShare < 1 ? unigramCrossEntropy : undefined;
}

/** H(p) = −p ln p − (1−p) ln(1−p), nats. */
export function binaryEntropy(p: number): number {
  const term = (x: number) => (x > 0 ? -x * Math.log(x) : 0);
  return term(p) + term(1 - p);
}

/**
 * Area under the ROC curve: the probability that a positive scores above a negative, equal scores counting half (the
 * Mann-Whitney statistic; Hanley & McNeil 1982). Exact, with ties.
 * @param scores  any order
 * @param labels  1 for positive, 0 for negative
 * @returns       undefined when one class is absent
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | undefined {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let tied = 0;
    for (; end < order.length && scores[order[end]] === scores[order[start]]; end++) tied += labels[order[end]];
    rankSum += tied * ((start + end + 1) / 2); // ranks start+1 … end, all at their mean
    positives += tied;
    start = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

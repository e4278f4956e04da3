/** What is measured in training and on held-out text, from the sums that an objective's graph returns. */
import type { Tensors } from '../engine/engine.js';
import { addCounts, LOSSES, type LossCounts, type LossName, type LossWeights } from './objective.js';

/** Averages over tokens; what an objective does not have is left out. */
export interface LossMetrics {
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
}

const DETECTION_SUMS = ['replaced', 'truePositives', 'predictedPositives'] as const;
type SumName = `${LossName}LossSum` | `${LossName}Correct` | (typeof DETECTION_SUMS)[number];
const SUMS: readonly SumName[] = [
  ...LOSSES.flatMap((loss) => [`${loss}LossSum`, `${loss}Correct`] as const),
  ...DETECTION_SUMS,
];

/** Nats as bits. */
export function bits(nats: number | undefined): number | undefined {
  return nats === undefined ? undefined : nats / Math.LN2;
}

/** Adds up the outputs of runs and the counts they are over. */
export class LossMeter {
  readonly #sums = new Map<SumName, number>();
  #counts: LossCounts = {};
  #tokens = 0;

  /** @param tokens  what is no padding */
  add(outputs: Tensors, counts: LossCounts, tokens: number): void {
    for (const name of SUMS) {
      const value = outputs[name]?.data[0];
      if (value === undefined) continue;
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    }
    this.#counts = addCounts(this.#counts, counts);
    this.#tokens += tokens;
  }

  /**
   * All that was added up, as numbers: those of several meters, added up, are the totals of one meter that saw everything.
   */
  get totals(): number[] {
    const sums = SUMS.flatMap((name) => [this.#sums.get(name) ?? 0, this.#sums.has(name) ? 1 : 0]);
    return [...sums, ...LOSSES.map((loss) => this.#counts[loss] ?? 0), this.#tokens];
  }

  static of(totals: ArrayLike<number>): LossMeter {
    const meter = new LossMeter();
    for (const [i, name] of SUMS.entries()) if (totals[2 * i + 1] > 0) meter.#sums.set(name, totals[2 * i]);
    const counts = 2 * SUMS.length;
    meter.#counts = Object.fromEntries(LOSSES.map((loss, i) => [loss, totals[counts + i]]));
    meter.#tokens = totals[counts + LOSSES.length];
    return meter;
  }

  get tokens(): number {
    return this.#tokens;
  }

  merge(other: LossMeter): void {
    for (const [name, value] of other.#sums) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    this.#counts = addCounts(this.#counts, other.#counts);
    this.#tokens += other.#tokens;
  }

  /** Whether every sum is a finite number. */
  get isFinite(): boolean {
    return [...this.#sums.values()].every(Number.isFinite);
  }

  get isEmpty(): boolean {
    return this.#sums.size === 0;
  }

  /** Whether the second loss is replaced-token detection, and not a masked language model's. */
  get detects(): boolean {
    return this.#sums.has('truePositives');
  }

  /** H(r) over the tokens that the discriminator's loss is taken over: what telling nothing apart costs. */
  get replacedEntropy(): number | undefined {
    const { disc = 0 } = this.#counts;
    return this.detects && disc > 0 ? binaryEntropy((this.#sums.get('replaced') ?? 0) / disc) : undefined;
  }

  /** Share of all tokens that the second loss is taken over. */
  get discShare(): number | undefined {
    const { disc } = this.#counts;
    return disc === undefined || this.#tokens === 0 ? undefined : disc / this.#tokens;
  }

  /** A sum over how many there were; undefined when the objective has no such sum. */
  #average(name: SumName, count = 0): number | undefined {
    const sum = this.#sums.get(name);
    return sum === undefined || count === 0 ? undefined : sum / count;
  }

  #loss(loss: LossName): number | undefined {
    return this.#average(`${loss}LossSum`, this.#counts[loss]);
  }

  #accuracy(loss: LossName): number | undefined {
    // A detector is right or wrong about every token, also where only the masked ones are in its loss.
    const overTokens = loss === 'disc' && this.detects;
    return this.#average(`${loss}Correct`, overTokens ? this.#tokens : this.#counts[loss]);
  }

  metrics(weights: LossWeights): LossMetrics {
    const losses = LOSSES.map((name) => [name, this.#loss(name)] as const).filter(
      (loss): loss is readonly [LossName, number] => loss[1] !== undefined,
    );
    // A lone loss is minimised as it is: weights say how several are balanced.
    const totalLoss =
      losses.length > 1
        ? losses.reduce((sum, [name, loss]) => sum + (weights[name] ?? 1) * loss, 0)
        : (losses[0]?.[1] ?? Number.NaN);
    return defined({
      mlmLoss: this.#loss('mlm'),
      mlmAccuracy: this.#accuracy('mlm'),
      mlmBits: bits(this.#loss('mlm')),
      discLoss: this.#loss('disc'),
      discAccuracy: this.#accuracy('disc'),
      sboLoss: this.#loss('sbo'),
      sboAccuracy: this.#accuracy('sbo'),
      sboBits: bits(this.#loss('sbo')),
      nspLoss: this.#loss('nsp'),
      nspAccuracy: this.#accuracy('nsp'),
      replacedRate: this.#average('replaced', this.#tokens),
      totalLoss,
    });
  }

  /** Share of the tokens said to be replaced that are, and of the replaced tokens that were found; 0 when there are none. */
  precisionAndRecall(): { precision?: number; recall?: number } {
    const found = this.#sums.get('truePositives');
    if (found === undefined) return {};
    const share = (of: number) => (of > 0 ? found / of : 0);
    return {
      precision: share(this.#sums.get('predictedPositives') ?? 0),
      recall: share(this.#sums.get('replaced') ?? 0),
    };
  }
}

/** Without the entries that are undefined, so that a line of a log holds what there is. */
export function defined<T extends object>(values: T): { [K in keyof T]: T[K] } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** What is known on text that was never trained on. */
export interface HeldOutMetrics {
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
}

/** What `mlmLoss` can be compared with: nothing, where it is also taken over tokens that may be copied. */
export function mlmBaseline({ mlmShare = 0, unigramCrossEntropy }: HeldOutMetrics): number | undefined {
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

/**
 * What a pre-training step costs on several machines, from a few measured numbers:
 *
 *   step = compute(rows of a rank) + update + copies + exchange + meetings
 *
 * Compute and update are those of one rank. Gradients are added up as rings do it: each rank sends and receives
 * 2·(N−1)/N of them (Patarasuk & Yuan 2009), in buckets whose messages each cost the network's latency. All are times in
 * milliseconds; nothing overlaps, as an engine gives all gradients at once, when the backward pass is over.
 */

/** a + b·x through measured points, least squares. */
export interface Line {
  readonly start: number;
  readonly slope: number;
}

export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  return { start: y - slope * x, slope };
}

/** Measured on one machine. */
export interface RankCosts {
  /** Forward and backward, feeds and bookkeeping, over the rows of a micro-batch. */
  readonly compute: Line;
  /** Of all weights, after the norm. */
  readonly updateMs: number;
  /** Squares of all gradients: ranks share it. */
  readonly normMs: number;
  readonly gradientBytes: number;
  /** Between the engine and what is exchanged, there and back. */
  readonly copyMs: number;
}

export interface Network {
  /** Of one rank, in each direction at once. */
  readonly bytesPerMs: number;
  /** Until a message is there that carries next to nothing. */
  readonly latencyMs: number;
}

export interface StepCosts {
  readonly computeMs: number;
  readonly updateMs: number;
  readonly exchangeMs: number;
  readonly totalMs: number;
}

/** Bytes of a bucket, as in src/training/arenaExchange.ts. */
export const BUCKET_BYTES = 4 << 20;
/** Counts, losses and the norm are agreed on in every step, and whether to stop: each goes to rank 0 and back. */
const MEETINGS = 4;

/** Adding up gradients over N ranks, without the copies. */
export function ringMs(gradientBytes: number, ranks: number, { bytesPerMs, latencyMs }: Network): number {
  if (ranks === 1) return 0;
  const buckets = Math.ceil(gradientBytes / BUCKET_BYTES);
  const messages = 2 * (ranks - 1);
  return (messages / ranks) * (gradientBytes / bytesPerMs) + buckets * messages * latencyMs;
}

/**
 * @param rowsOfStep  of all ranks together
 * @param mostRows    of a micro-batch
 */
export function stepCosts(
  costs: RankCosts,
  { ranks, rowsOfStep, mostRows, network }: { ranks: number; rowsOfStep: number; mostRows: number; network: Network },
): StepCosts {
  const rows = rowsOfStep / ranks;
  const microBatches = Math.ceil(rows / mostRows);
  const computeMs = microBatches * costs.compute.start + rows * costs.compute.slope;
  const updateMs = costs.updateMs + costs.normMs / ranks;
  const exchangeMs =
    ranks === 1 ? 0 : costs.copyMs + ringMs(costs.gradientBytes, ranks, network) + MEETINGS * 2 * network.latencyMs;
  return { computeMs, updateMs, exchangeMs, totalMs: computeMs + updateMs + exchangeMs };
}

/**
 * The network that two ranks of one machine have, from times of exchanges of several sizes.
 * @param measured  bytes (at most a bucket, or whole buckets) and milliseconds, copies included
 * @param copyMsPerByte  what of it are copies
 */
export function fitNetwork(
  measured: readonly { readonly bytes: number; readonly ms: number }[],
  copyMsPerByte: number,
): Network {
  // With two ranks a ring's 2·(N−1)/N is 1, and a bucket is two messages: ms = 2·latency·buckets + bytes/bandwidth.
  // Divided by buckets it is a line over the bytes of a bucket.
  const points = measured.map(({ bytes, ms }) => {
    const buckets = Math.ceil(bytes / BUCKET_BYTES);
    return [bytes / buckets, (ms - bytes * copyMsPerByte) / buckets] as const;
  });
  const { start, slope } = fitLine(points);
  return { bytesPerMs: 1 / Math.max(slope, 1e-12), latencyMs: Math.max(0, start) / 2 };
}

/** A link by its speed; TCP reaches a good part of it. */
export function ethernet(gigabits: number, latencyMs: number, efficiency = 0.8): Network {
  return { bytesPerMs: (efficiency * gigabits * 1e9) / 8 / 1000, latencyMs };
}

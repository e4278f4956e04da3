/**
 * How the rows of a step are divided among ranks. A step has batchSize × accumulation rows however many ranks there are,
 * so that the same settings mean the same training on one machine and on many.
 */
import { SettingsError } from '../errors/errors.js';
import type { TrainingSettings } from './trainingSettings.js';

/** A rank's place among the ranks. */
export interface Place {
  readonly rank: number;
  readonly size: number;
}

/** What each rank computes of a step; equal on all, or they would wait for one another. */
export interface StepShare extends Place {
  /** Rows of a micro-batch. */
  readonly rows: number;
  /** Micro-batches of a step on each rank. */
  readonly microBatches: number;
}

/**
 * Divides batchSize × accumulation rows equally: each rank takes them in as few equal micro-batches as batchSize allows.
 * @throws SettingsError when the rows cannot be divided among so many ranks
 */
export function stepShare(
  { batchSize, accumulation }: Pick<TrainingSettings, 'batchSize' | 'accumulation'>,
  { rank, size }: Place = { rank: 0, size: 1 },
): StepShare {
  const rowsOfStep = batchSize * accumulation;
  const rowsOfRank = rowsOfStep / size;
  if (!Number.isInteger(rowsOfRank)) {
    throw new SettingsError([
      `a step has ${rowsOfStep} rows (batchSize ${batchSize} × accumulation ${accumulation}), which ${size} ranks cannot share equally; start ${nearestDivisors(rowsOfStep, size)} ranks, or change accumulation`,
    ]);
  }
  let microBatches = Math.ceil(rowsOfRank / batchSize);
  while (rowsOfRank % microBatches !== 0) microBatches++;
  return { rank, size, rows: rowsOfRank / microBatches, microBatches };
}

/** The greatest number that divides both. */
export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The numbers next to `size`, below and above, that divide `rows`: "3 or 6". */
function nearestDivisors(rows: number, size: number): string {
  let below = Math.min(size, rows);
  while (rows % below !== 0) below--;
  let above = size;
  while (above < rows && rows % above !== 0) above++;
  return size < rows ? `${below} or ${above}` : String(below);
}

/**
 * The number of a micro-batch's first row among the rows of its step. The ranks take turns: their first micro-batches lie
 * before the second ones, so that the rows of all, put together, are those of one rank in order.
 */
export function firstRowOf({ rank, size, rows }: Omit<StepShare, 'microBatches'>, microBatch: number): number {
  return (microBatch * size + rank) * rows;
}

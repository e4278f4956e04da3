/** The objective that settings describe, for a corpus. */
import type { Shards } from '../data/shards.js';
import { modelConfigs } from './modelConfigs.js';
import { definitionOf } from './objectives.js';
import type { PretrainingObjective } from './pretrainingObjective.js';
import type { PretrainingSettings } from './settings.js';

/**
 * @param tableRows  rows of the word table, where the run began with one that was padded beyond the vocabulary
 * @throws SettingsError with everything that contradicts itself
 */
export function objectiveOf(
  settings: PretrainingSettings,
  shards: Shards,
  tableRows = shards.vocabSize,
): PretrainingObjective {
  const vocabSize = Math.max(tableRows, shards.vocabSize);
  const { discriminator, generator } = modelConfigs(settings, { vocabSize, padTokenId: shards.specialIds.padId });
  return definitionOf(settings).build(settings, {
    encoder: discriminator,
    generator,
    vocabSize,
    unigramCounts: () => padded(shards.unigramCounts('train'), vocabSize),
    ...absent(shards, vocabSize),
  });
}

/** Padding occurs nowhere. */
function padded(counts: Float64Array, rows: number): Float64Array {
  if (counts.length === rows) return counts;
  const all = new Float64Array(rows);
  all.set(counts);
  return all;
}

/** Nothing where every row stands for a piece, so that the graph is what it always was. */
function absent({ vocabSize, absentIds = new Set() }: Shards, rows: number): { absentIds?: ReadonlySet<number> } {
  if (absentIds.size === 0 && rows === vocabSize) return {};
  const padding = Array.from({ length: rows - vocabSize }, (_, i) => vocabSize + i);
  return { absentIds: new Set([...absentIds, ...padding]) };
}

/** The objective that settings describe, for a corpus. */
import type { Shards } from '../data/shards.js';
import { createObjective } from './electra.js';
import type { PretrainingObjective } from './pretrainingObjective.js';
import { modelConfigs, type PretrainingSettings, trainsBert } from './settings.js';
import { spanBoundaryOf } from './spanBertSettings.js';
import { createSpanBert } from './spanbert.js';

/**
 * @param tableRows  rows of the word table, where the run began with one that was padded beyond the vocabulary
 * @throws SettingsError with everything that contradicts itself
 */
export function objectiveOf(
  settings: PretrainingSettings,
  shards: Shards,
  tableRows = shards.vocabSize,
): PretrainingObjective {
  const { specialIds } = shards;
  const vocabSize = Math.max(tableRows, shards.vocabSize);
  const { discriminator, generator } = modelConfigs(settings, { vocabSize, padTokenId: specialIds.padId });
  const { objective, generatorKind } = settings;
  if (objective === 'spanbert' || (objective === 'mlm' && trainsBert(settings))) {
    // A BERT's masked LM is SpanBERT without its boundary head.
    const name = objective;
    return createSpanBert({ ...settings, name, encoder: discriminator, spanBoundary: spanBoundaryOf(settings) });
  }
  const unigramCounts = generatorKind === 'unigram' ? padded(shards.unigramCounts('train'), vocabSize) : undefined;
  return createObjective({
    ...settings,
    objective,
    discriminator,
    generator,
    unigramCounts,
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

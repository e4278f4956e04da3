/** The objective that settings describe, for a corpus. */
import type { Shards } from '../data/shards.js';
import { createObjective } from '../objectives/electra.js';
import type { PretrainingObjective } from '../objectives/objective.js';
import { createSpanBert } from '../objectives/spanbert.js';
import { modelConfigs, type PretrainingSettings, trainsBert } from './settings.js';
import { spanBoundaryOf } from './spanBertSettings.js';

/** @throws SettingsError with everything that contradicts itself */
export function objectiveOf(settings: PretrainingSettings, shards: Shards): PretrainingObjective {
  const { vocabSize, specialIds } = shards;
  const { discriminator, generator } = modelConfigs(settings, { vocabSize, padTokenId: specialIds.padId });
  const { objective, generatorKind } = settings;
  if (objective === 'spanbert' || (objective === 'mlm' && trainsBert(settings))) {
    // A BERT's masked LM is SpanBERT without its boundary head.
    const name = objective;
    return createSpanBert({ ...settings, name, encoder: discriminator, spanBoundary: spanBoundaryOf(settings) });
  }
  const unigramCounts = generatorKind === 'unigram' ? shards.unigramCounts('train') : undefined;
  return createObjective({ ...settings, objective, discriminator, generator, unigramCounts });
}

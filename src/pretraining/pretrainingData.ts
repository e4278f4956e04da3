/** Training and held-out batches from shards: blocks, masked by a scheme, in the form that objectives take. */
import { type Blocks, createBatchSource } from '../data/batches.js';
import type { SegmentMode } from '../data/blocks.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import { createMasking, type MaskingSettings, tagKindsOf } from '../data/masking/createMasking.js';
import { maskBatch } from '../data/masking/maskBatch.js';
import type { MaskingScheme } from '../data/masking/scheme.js';
import type { Shards } from '../data/shards.js';
import type { TagKind } from '../data/tags.js';
import { unigramCrossEntropy, unigramEntropy } from '../data/unigram.js';
import { DataError } from '../errors/errors.js';
import type { EncoderConfig } from '../models/config.js';
import { Permutation, RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { EVALUATION_SEED } from '../training/evaluation.js';
import { equalDivision, type TrainingData } from '../training/stepFeeds.js';
import { firstRowOf, type Place, stepShare } from '../training/stepShare.js';
import type { HeldOutData } from './heldOut.js';
import { modelConfigs } from './modelConfigs.js';
import { definitionOf } from './objectives.js';
import { changesShape, maskProbAt, progressAt, RowPositions, rowsAt, shapeAt, stagesOf } from './runSchedule.js';
import type { PretrainingSettings } from './settings.js';

/**
 * @throws SettingsError when random tokens are to be as frequent as in the text and there is none
 * @throws DataError     when the scheme needs tags and the training text has none of the kind
 */
export function maskingScheme(settings: MaskingSettings, shards: Shards): MaskingScheme {
  for (const kind of tagKindsOf(settings.masking)) requireTags(shards, kind);
  return createMasking(settings, () => shards.unigramCounts('train'));
}

function requireTags({ source, train: { tags } }: Shards, kind: TagKind): void {
  if (tags?.counts[kind]) return;
  throw new DataError(
    `${source} has ${tags ? `tags, but none of kind ${kind}` : 'no tags'}; masking ${kind} needs them`,
    {
      subject: source,
      expected: `at least one ${kind} in the training text`,
      advice: `Prepare JSONL that has them with \`pleiad prepare --tags\`, or give a tag file (${settingName('tags')})`,
    },
  );
}

/** Masked slots that a row of the run has room for. */
export function slotsPerRow(settings: PretrainingSettings): number {
  // Which tokens are shown does not matter here.
  return createMasking({ ...settings, randomTokens: 'uniform' }, () => []).maxSlots(settings.length);
}

/**
 * Masks rows and finds what is to be predicted of them; the number of slots is fixed by the number of rows, so that an
 * engine sees the same shapes each time.
 */
function masked(
  blocks: Blocks,
  scheme: MaskingScheme,
  { shards, settings, seed }: { shards: Shards; settings: PretrainingSettings; seed: number },
): MaskedBatch {
  const { specialIds, vocabSize, absentIds } = shards;
  const slots = blocks.batchSize * scheme.maxSlots(blocks.blockLength);
  const batch = maskBatch(blocks, scheme, { seed, specialIds, vocabSize, absentIds, slots });
  return definitionOf(settings).complete?.(batch, settings, specialIds) ?? batch;
}

function segmentMode({ segments, nextSentence }: PretrainingSettings): SegmentMode {
  return nextSentence ? 'nextSentence' : segments;
}

/**
 * The rows of a rank's share of each step.
 * @param place  by default the only rank
 * @throws DataError when there is less text than one micro-batch of all ranks takes; SettingsError when the rows of a
 *         step cannot be divided among the ranks
 */
export function trainingData(
  shards: Shards,
  settings: PretrainingSettings,
  place: Place = { rank: 0, size: 1 },
): TrainingData<MaskedBatch> {
  const { seed } = settings;
  const segments = segmentMode(settings);
  const sources = stagesOf(settings).map(({ length }) => {
    // Throws where a number of micro-batches that the run comes to cannot be shared.
    const batchSize = rowsAt(settings, length);
    const shares = accumulations(settings).map((accumulation) => stepShare({ batchSize, accumulation }, place));
    const most = shares.reduce((rows, share) => Math.max(rows, share.rows), 0);
    return createBatchSource({ shards, length, batchSize: most, segments, seed, worldSize: place.size });
  });
  const schemeAt = schemes(shards, settings);
  const positions = new RowPositions(settings);
  const shareOf = (step: number, totalSteps: number) => stepShare(shapeAt(settings, step, totalSteps), place);
  // Micro-batches follow one another: 2 of 4 rows are the rows of 1 of 8, and so are those of 2 ranks.
  const batch = (step: number, microBatch: number, totalSteps = Number.POSITIVE_INFINITY) => {
    const { stage } = shapeAt(settings, step, totalSteps);
    const share = shareOf(step, totalSteps);
    const first = positions.at(step, totalSteps) + firstRowOf(share, microBatch);
    const scheme = schemeAt(progressAt(step, totalSteps));
    return masked(sources[stage].from(first, share.rows), scheme, { shards, settings, seed });
  };
  refuseNothingMasked((step) => batch(step, 0), shards, settings);
  if (!changesShape(settings)) return { batch };
  const { discriminator } = modelConfigs(settings, { vocabSize: shards.vocabSize, padTokenId: 0 });
  return {
    batch,
    division: (step, totalSteps) => equalDivision(shareOf(step, totalSteps)),
    length: (step, totalSteps) => shapeAt(settings, step, totalSteps).length,
    cost: costs(settings, discriminator),
  };
}

/** The numbers of micro-batches that a run comes to. */
function accumulations({ accumulation, accumulationStart = accumulation }: PretrainingSettings): number[] {
  const [least, most] = [accumulation, accumulationStart].sort((a, b) => a - b);
  return Array.from({ length: most - least + 1 }, (_, i) => least + i);
}

/** Masking at each rate that a run comes to; what is particular to a rate is made once. */
function schemes(shards: Shards, settings: PretrainingSettings): (progress: number) => MaskingScheme {
  const made = new Map<number, MaskingScheme>();
  return (progress) => {
    const maskProb = maskProbAt(settings, progress);
    const scheme = made.get(maskProb) ?? maskingScheme({ ...settings, maskProb }, shards);
    made.set(maskProb, scheme);
    return scheme;
  };
}

/**
 * What a step costs beside the dearest, by the matrix products of its layers: 8H² + 4HF + 4SH a token (models/flops.ts). Tokens
 * are the same at every length, as good as.
 */
function costs(settings: PretrainingSettings, { hiddenSize: H, intermediateSize: F }: EncoderConfig) {
  const costAt = (progress: number) => {
    const { length, batchSize, accumulation } = shapeAt(settings, progress, 1);
    return accumulation * batchSize * length * (2 * H + F + length);
  };
  const begins = stagesOf(settings).map((stage) => stage.begins);
  const dearest = Math.max(...[...begins, 1].map(costAt));
  return (progress: number) => costAt(progress) / dearest;
}

/** Steps whose rows are looked at for a masked token: a few rows may well have none. */
const STEPS_LOOKED_AT = 4;

/** Where words stay whole and all are longer than the budget, as in text without spaces, nothing would ever be masked. */
function refuseNothingMasked(
  batch: (step: number) => MaskedBatch,
  { source }: Shards,
  { masking, maskProb, length }: PretrainingSettings,
) {
  for (let step = 0; step < STEPS_LOOKED_AT; step++) {
    if (batch(step).maskedWeights.some((weight) => weight > 0)) return;
  }
  throw new DataError(
    `masking ${masking.join(', ')} masks nothing of ${source}: no word of the first ${STEPS_LOOKED_AT} batches fits in ${maskProb} of a row of ${length} tokens`,
    {
      subject: source,
      found: 'words of more pieces than may be masked in a row',
      expected: 'words that fit in the budget of a row',
      advice: 'Use masking span or random, longer rows (length), a higher maskProb, or a vocabulary with longer pieces',
    },
  );
}

/** The same blocks in the same order with the same masks for every run of a length; undefined when there are none. */
export function heldOutData(shards: Shards, settings: PretrainingSettings): HeldOutData | undefined {
  const { length, batchSize } = settings;
  const seed = EVALUATION_SEED;
  const source = createBatchSource({
    shards,
    split: 'heldOut',
    length,
    batchSize,
    segments: segmentMode(settings),
    seed,
    requireFullBatch: false,
  });
  const { numBlocks } = source;
  if (numBlocks === 0) return undefined;
  const order = new Permutation(numBlocks, new RandomStream(seed, 'evaluation'));
  // The same rate in every evaluation of a run.
  const scheme = maskingScheme({ ...settings, maskProb: maskProbAt(settings, 1) }, shards);
  const unigram = unigramFigures(shards);
  return {
    numBatches: Math.ceil(numBlocks / batchSize),
    batchSize,
    batch(index) {
      const rows = Math.min(batchSize, numBlocks - index * batchSize);
      const blocks = Array.from({ length: rows }, (_, row) => order.at(index * batchSize + row));
      return masked(source.rows(blocks), scheme, { shards, settings, seed });
    },
    ...unigram,
  };
}

/** What word frequencies alone reach on the held-out text. */
function unigramFigures(
  shards: Shards,
): Pick<HeldOutData, 'unigramEntropy' | 'unigramCrossEntropy' | 'unigramAccuracy'> {
  const heldOut = shards.unigramCounts('heldOut');
  const isTrained = shards.train.numTokens > 0;
  const train = isTrained ? shards.unigramCounts('train') : heldOut;
  const mostFrequent = train.reduce((best, count, id) => (count > train[best] ? id : best), 0);
  return {
    unigramEntropy: unigramEntropy(heldOut),
    ...(isTrained && { unigramCrossEntropy: unigramCrossEntropy(heldOut, train) }),
    unigramAccuracy: heldOut[mostFrequent] / shards.heldOut.numTokens,
  };
}

/** Prunes a model, or both of a pair, by the text that it is for; says what that costs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { familyOf } from '../checkpoint/modelFolder.js';
import { createEngine } from '../engine/chooseEngine.node.js';
import { DataError } from '../errors/errors.js';
import { requireNewFolder, writeNewFolder } from '../files/newFolder.node.js';
import { architectureFor } from '../models/heads.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { type Conversion, sharedNames, writeModel } from './convert.node.js';
import { Model } from './model.js';
import { innerPlace, membersOf, resolveCheckpoint } from './modelPlaces.node.js';
import { type LoadPretrainedOptions, loadPretrained, type Pretrained, type StoredDtype } from './pretrained.node.js';
import { keptIds, type PruneOptions, prunedModel, prunedTokenizer } from './pruneVocabulary.js';

export interface PruneModelOptions
  extends PruneOptions,
    Pick<LoadPretrainedOptions, 'half' | 'revision' | 'lowercase' | 'onHubEvent' | 'signal' | 'task'> {
  /** Text that the model is for: pieces that it never needs are left out. */
  readonly texts: readonly string[];
  /** Default f32. */
  readonly dtype?: StoredDtype;
}

/** What is lost on the texts that were kept for measuring: every twentieth. */
export interface PruneLoss {
  readonly texts: number;
  /** Tokens of all of them, before and after: words that lose their piece are spelled by smaller ones. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** Tokens that became [UNK] and were not. */
  readonly newUnknown: number;
  /** 1 − cosine of the mean of the last hidden states before and after: its mean and the largest. */
  readonly meanDistance: number;
  readonly largestDistance: number;
}

export interface PruneResult {
  readonly models: readonly Conversion[];
  readonly piecesBefore: number;
  readonly pieces: number;
  readonly loss: PruneLoss;
  readonly report: ModelLoadReport;
}

/** Every so many texts are for measuring, and say nothing of what stays. */
const MEASURED = 20;
const MOST_MEASURED = 200;

/**
 * @param place  a model, or a run, checkpoint or folder with both models of a pair, which are pruned alike
 * @throws SettingsError for a folder that is not empty, or a size that is too small; DataError without text or tokenizer
 */
export async function pruneModel(place: string, out: string, options: PruneModelOptions): Promise<PruneResult> {
  const { texts, size, length, dtype = 'f32', half, ...loading } = options;
  requireNewFolder(out);
  const inner = innerPlace(place);
  const isPair = half === undefined && (membersOf(inner).length > 1 || isPairRun(inner));
  const halves = isPair ? (['discriminator', 'generator'] as const) : [half];
  const loaded: Pretrained[] = [];
  for (const each of halves) {
    loaded.push(
      await loadPretrained(place, { ...loading, ...(each && { half: each, ...(isPair && { roles: [each] }) }) }),
    );
  }
  const [main] = loaded;
  const { tokenizer } = main;
  if (!tokenizer) throw new DataError(`${place} has no tokenizer, whose pieces could be counted`, { subject: place });
  const [measuring, counting] = [
    texts.filter((_, i) => i % MEASURED === MEASURED - 1),
    texts.filter((_, i) => i % MEASURED !== MEASURED - 1),
  ];
  if (measuring.length === 0) {
    throw new DataError(`there are ${texts.length} texts, too few to prune by`, {
      subject: 'texts',
      found: texts.length,
      expected: `${MEASURED} and more, a paragraph each`,
      advice: 'Give the text that the model is for',
    });
  }
  const kept = keptIds(tokenizer, countsOf(tokenizer, counting), size);
  const smaller = prunedTokenizer(tokenizer, kept);
  const pruned = loaded.map((each) => ({ ...each, ...prunedModel(each, kept, length), tokenizer: smaller }));
  const loss = await lossOf(main, pruned[0], measuring.slice(0, MOST_MEASURED), length);
  const names = pruned.length === 2 ? sharedNames(pruned[0], pruned[1]) : [];
  const shared = names.length > 0 ? { folder: 'discriminator' as const, names } : undefined;
  const models = await writeNewFolder(out, async (unfinished) => {
    if (!isPair) return [await writeModel(unfinished, pruned[0], { dtype, signal: options.signal })];
    return [
      await writeModel(join(unfinished, 'discriminator'), pruned[0], { dtype, signal: options.signal }),
      // In f32 each half is a folder that others load: only int8 shares.
      await writeModel(
        join(unfinished, 'generator'),
        pruned[1],
        { dtype, signal: options.signal },
        dtype === 'int8' ? shared : undefined,
      ),
    ];
  });
  return { models, piecesBefore: tokenizer.vocabSize, pieces: kept.length, loss, report: main.report };
}

function isPairRun(place: string): boolean {
  const checkpoint = resolveCheckpoint(place);
  return checkpoint !== undefined && membersOfCheckpoint(checkpoint) > 1;
}

function membersOfCheckpoint(checkpoint: string): number {
  return ['discriminator', 'generator'].filter((role) => existsSync(join(checkpoint, role))).length;
}

function countsOf(tokenizer: WordPieceTokenizer, texts: readonly string[]): Float64Array {
  const counts = new Float64Array(tokenizer.vocabSize);
  for (const text of texts) for (const id of tokenizer.encodeIds(text)) counts[id]++;
  return counts;
}

async function lossOf(
  before: Pretrained,
  after: Pretrained,
  texts: readonly string[],
  length?: number,
): Promise<PruneLoss> {
  const most = Math.min(length ?? Number.POSITIVE_INFINITY, before.model.config.maxPositionEmbeddings, 128);
  const rows = (tokenizer: WordPieceTokenizer) => texts.map((text) => tokenizer.encode(text, { maxLength: most }).ids);
  const unknown = (tokenizer: WordPieceTokenizer) =>
    texts.reduce((sum, text) => sum + tokenizer.encodeIds(text).filter((id) => id === tokenizer.unkId).length, 0);
  const total = (tokenizer: WordPieceTokenizer) =>
    texts.reduce((sum, text) => sum + tokenizer.encodeIds(text).length, 0);
  const [one, other] = [await meansOf(before, rows(before.tokenizer!)), await meansOf(after, rows(after.tokenizer!))];
  const distances = one.map((vector, i) => 1 - cosine(vector, other[i]));
  return {
    texts: texts.length,
    tokensBefore: total(before.tokenizer!),
    tokensAfter: total(after.tokenizer!),
    newUnknown: unknown(after.tokenizer!) - unknown(before.tokenizer!),
    meanDistance: distances.reduce((sum, distance) => sum + distance, 0) / distances.length,
    largestDistance: distances.reduce((most, distance) => Math.max(most, distance), 0),
  };
}

/** The mean of the last hidden states of each row. */
async function meansOf({ model, tensors }: Pretrained, rows: readonly Int32Array[]): Promise<Float64Array[]> {
  const engine = await createEngine({ purpose: 'serving' });
  const { hiddenSize } = model.config;
  const description = {
    config: model.config,
    architecture: architectureFor(familyOf(model.architecture), 'encoder'),
    pooler: false,
  };
  const running = new Model({ description, tensors, engine, close: () => engine.close() });
  const means: Float64Array[] = [];
  try {
    await running.forEachRow(
      rows.map((ids) => ({ ids })),
      { outputs: ['lastHiddenState'] },
      (row, { lastHiddenState }) => {
        const mean = new Float64Array(hiddenSize);
        lastHiddenState.forEach((value, i) => {
          mean[i % hiddenSize] += value;
        });
        means[row] = mean;
      },
    );
  } finally {
    await running.release();
  }
  return means;
}

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

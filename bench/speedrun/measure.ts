/**
 * What a pair of generator and discriminator is measured by, whoever trained it: the loss of the generator at masks that never change,
 * and how well the discriminator ranks the words of `corruptions.jsonl`. One engine, in fp32, judges all.
 */
import { existsSync, readFileSync } from 'node:fs';
import { writeFileDurably } from '../../src/files/durableFile.node.js';
import { MASKED_LANGUAGE_MODELS } from '../../src/pipelines/fillMaskPipeline.js';
import { loadModelFor } from '../../src/pipelines/load.node.js';
import { distributions, MASKED_LM_OUTPUTS, type MaskedRow } from '../../src/pipelines/maskedLanguageModel.js';
import { proofreadPipeline } from '../../src/pipelines/proofread/pipeline.js';
import { requireTokenizer } from '../../src/pretrained/requireTokenizer.js';
import { RandomStream } from '../../src/random/philox.js';
import type { WordPieceTokenizer } from '../../src/text/tokenizer.js';
import { rankAuc } from '../box/rankAuc.js';
import { type CorruptedSentence, labelledPieces } from './corruptions.js';

/** Rows as short as the first half of the short recipe has them: later positions would be strange to one side alone. */
const ROW = 64;
const MASKED = 0.15;
/** A row of fewer pieces says little. */
const LEAST_PIECES = 8;

/** A row of held-out text in which pieces are asked for. */
export interface HeldOutRow {
  /** [CLS] and [SEP] included, nothing masked. */
  readonly ids: readonly number[];
  readonly positions: readonly number[];
}

/** Cuts paragraphs, a line each, into rows and draws 15 % of the pieces of each, at least one; a pure function of its arguments. */
export function heldOutRows(text: string, tokenizer: WordPieceTokenizer, seed: number): HeldOutRow[] {
  const size = ROW - 2;
  const parts = text.split(/\n+/).flatMap((line) => {
    const ids = [...tokenizer.encode(line, { addSpecialTokens: false }).ids];
    return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));
  });
  return parts
    .filter(({ length }) => length >= LEAST_PIECES)
    .map((pieces, row) => {
      const random = new RandomStream(seed, 'evaluation', row);
      const drawn = pieces
        .map((id, i) => ({ id, position: i + 1, key: random.uniform() }))
        .filter(({ id }) => !tokenizer.specialIds.has(id))
        .sort((a, b) => a.key - b.key)
        .slice(0, Math.max(1, Math.round(MASKED * pieces.length)));
      const positions = drawn.map(({ position }) => position).sort((a, b) => a - b);
      return { ids: [tokenizer.clsId, ...pieces, tokenizer.sepId], positions };
    })
    .filter(({ positions }) => positions.length > 0);
}

/** The rows of a comparison: made the first time, read from then on. */
export async function keptHeldOutRows(path: string, make: () => HeldOutRow[]): Promise<HeldOutRow[]> {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as HeldOutRow[];
  const rows = make();
  await writeFileDurably(path, [`${JSON.stringify(rows)}\n`]);
  return rows;
}

/** Folders of two models, each with its tokenizer. */
export interface PairFolders {
  readonly generator: string;
  readonly discriminator: string;
}

export interface PairMeasures {
  /** Nats a masked piece. */
  readonly loss: number;
  /** Part of the masked pieces that are the most probable ones. */
  readonly accuracy: number;
  /** Of pieces of replaced words against all others. */
  readonly auc: number;
}

export interface MeasuringOptions {
  readonly heldOut: readonly HeldOutRow[];
  readonly corruptions: readonly CorruptedSentence[];
  readonly threads?: number;
}

export async function measurePair(
  { generator, discriminator }: PairFolders,
  { heldOut, corruptions, threads }: MeasuringOptions,
): Promise<PairMeasures> {
  const loading = { engine: 'onnxruntime', precision: 'fp32', ...(threads !== undefined && { threads }) } as const;
  const masked = await measureGenerator(generator, heldOut, loading);
  return { ...masked, auc: await measureDiscriminator(discriminator, corruptions, loading) };
}

type Loading = NonNullable<Parameters<typeof loadModelFor>[2]>;

async function measureGenerator(folder: string, rows: readonly HeldOutRow[], loading: Loading) {
  await using model = await loadModelFor(MASKED_LANGUAGE_MODELS, folder, loading);
  const { maskId } = requireTokenizer(model);
  const asked = rows.map(({ ids, positions }): MaskedRow => {
    const masked = Int32Array.from(ids);
    for (const position of positions) masked[position] = maskId;
    return { ids: masked, positions };
  });
  let [lossSum, right, slots] = [0, 0, 0];
  await model.forEachRow(asked, MASKED_LM_OUTPUTS, (row, { logits }) => {
    const { ids, positions } = rows[row];
    distributions(logits, positions.length).forEach((distribution, i) => {
      const own = distribution[ids[positions[i]]];
      lossSum -= own;
      if (distribution.every((value) => value <= own)) right++;
      slots++;
    });
  });
  return { loss: lossSum / slots, accuracy: right / slots };
}

async function measureDiscriminator(folder: string, sentences: readonly CorruptedSentence[], loading: Loading) {
  await using model = await loadModelFor(proofreadPipeline.wants, folder, loading);
  const tokenizer = requireTokenizer(model);
  const rows = sentences.map((sentence) => labelledPieces(tokenizer, sentence, ROW));
  const [replaced, original]: [number[], number[]] = [[], []];
  await model.forEachRow(rows, { outputs: ['logits'] }, (row, { logits }) => {
    rows[row].labels.forEach((label, i) => {
      if (label !== undefined) (label ? replaced : original).push(logits[i]);
    });
  });
  return rankAuc(replaced, original);
}

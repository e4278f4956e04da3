/** From a text to a run: documents, vocabulary, shards, pre-training, all within the run's folder. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareCorpus } from '../data/prepare/prepareCorpus.node.js';
import { isHeldOut } from '../data/prepare/tokenizeUnit.js';
import { trainVocabulary } from '../data/prepare/trainVocabulary.node.js';
import type { TokenSplit } from '../data/shards.js';
import { openShards } from '../data/shards.node.js';
import { makeFolder } from '../files/durableFile.node.js';
import { pretrainToFolder } from '../pretraining/loadStart.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../text/tokenizer.node.js';
import type { TrainingEvent } from '../training/events.js';
import { documentsOf } from './documents.js';
import { chooseProbes } from './probes.js';
import { PROBES_FILE, type TrainingOrder } from './trainingOrder.js';

export interface TrainOptions {
  readonly signal: AbortSignal;
  readonly threads?: number;
}

/** Text that is held out, of a run of the Studio. */
const HELD_OUT_FRACTION = 0.1;

/**
 * Trains as ordered and tells how it goes.
 * @throws as `pretrainToFolder`, `prepareCorpus` and `trainVocabulary`
 */
export async function* trainAsOrdered(
  order: TrainingOrder,
  { signal, threads }: TrainOptions,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { out } = order;
  const running = { signal };
  const engine = threads === undefined ? {} : { threads };
  if (order.kind === 'resume') {
    const { more } = order;
    yield* pretrainToFolder({ out, resume: true, ...(more !== undefined && { more }) }, running);
    return;
  }
  const data = order.kind === 'data' ? order.data : await prepareText(order, signal);
  await writeProbes(data, out, order.kind === 'text' ? documentsOf(order.text).filter(isOut) : []);
  yield* pretrainToFolder({ ...order.settings, ...engine, data, out }, running);
}

/** @returns the folder of the shards */
async function prepareText(
  { out, text, vocabularySize }: Extract<TrainingOrder, { kind: 'text' }>,
  signal: AbortSignal,
): Promise<string> {
  const texts = join(out, 'text');
  makeFolder(texts);
  const file = join(texts, 'text.txt');
  // A blank line between documents is what `prepareCorpus` parts them by.
  writeFileSync(file, documentsOf(text).join('\n\n'));
  const { tokenizer } = await trainVocabulary({ inputs: [file], size: vocabularySize });
  const vocabulary = join(out, 'vocabulary');
  await saveTokenizer(tokenizer, vocabulary);
  const shards = join(out, 'shards');
  const heldOut = { heldOutFraction: HELD_OUT_FRACTION, workers: 0 };
  await prepareCorpus({ inputs: [file], tokenizerDir: vocabulary, out: shards, signal, ...heldOut });
  return shards;
}

/** As `prepareCorpus` chooses. */
const isOut = (document: string) => isHeldOut(document, HELD_OUT_FRACTION);

/**
 * Sentences of the held-out text, kept beside the run.
 * @param known  documents that are held out, as they were written; where there are none, the tokens are made text again
 */
async function writeProbes(data: string, out: string, known: readonly string[]): Promise<void> {
  const shards = await openShards(data, { verify: [] });
  try {
    const tokenizer = loadTokenizer(shards.tokenizerFolder);
    const texts = known.length > 0 ? known : textsOf(shards.heldOut, tokenizer);
    const probes = chooseProbes(texts, (word) => tokenizer.encodeIds(word).length === 1);
    makeFolder(out);
    writeFileSync(join(out, PROBES_FILE), `${JSON.stringify(probes, null, 2)}\n`);
  } finally {
    shards.close();
  }
}

/** Tokens of held-out text that are looked at for sentences. */
const MOST_TOKENS = 20_000;

/** Documents as sentences again, as far as a vocabulary keeps them. */
function textsOf(split: TokenSplit, tokenizer: WordPieceTokenizer): string[] {
  const texts: string[] = [];
  for (let i = 0; i < split.numDocuments; i++) {
    const [start, end] = [split.documentOffsets[i], Math.min(split.documentOffsets[i + 1], MOST_TOKENS)];
    if (end <= start) break;
    const ids = new Int32Array(end - start);
    split.read(start, end, ids, new Uint8Array(end - start), 0);
    texts.push(...sentencesOf(tokenizer.decode(ids)));
  }
  return texts;
}

/** In lower case nothing but punctuation says where a sentence ends; a decoded text has a space before it. */
function sentencesOf(text: string): string[] {
  return text.replace(/ ([.,;:?!])/g, '$1').split(/(?<=[.?!]) /);
}

/** What a masking scheme does, made visible: to one text, and on average over many. */

import { createBatchSource } from '../data/batches.js';
import { type MaskingName, tagKindsOf } from '../data/masking/createMasking.js';
import { maskBatch } from '../data/masking/maskBatch.js';
import { MASK_ACTIONS } from '../data/masking/scheme.js';
import { MAX_SPAN_TARGETS, mergedSpans, textBeside } from '../data/masking/spans.js';
import { MaskCounter, type MaskStatistics } from '../data/masking/statistics.js';
import { splitBlankLines } from '../data/prepare/tokenizeUnit.js';
import { memoryShards, type Shards, type TokenDocument } from '../data/shards.js';
import { type TagSpan, tokenSpans, writeTags } from '../data/tags.js';
import { DataError, SettingsError } from '../errors/errors.js';
import type { maskingFields } from '../pretraining/maskingSettings.js';
import { maskingScheme } from '../pretraining/pretrainingData.js';
import {
  type PretrainingInput,
  type PretrainingSettings,
  resolvePretrainingSettings,
} from '../pretraining/settings.js';
import { settingName } from '../settings/settingNames.js';
import { absentIds } from '../text/pieces.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { wordVocabulary } from '../text/wordVocabulary.js';

/** As for pre-training; `span` is the default scheme and 80/10/10 the default actions. */
export type MaskingInput = Partial<Pick<PretrainingInput, keyof typeof maskingFields | 'seed'>> & {
  /** Positions in a block, [CLS] and [SEP] included. Default 512. */
  readonly length?: number;
};

export interface ShowMaskOptions extends MaskingInput {
  /** Default: one whose tokens are the words of the text. */
  readonly tokenizer?: WordPieceTokenizer;
  /** Each epoch masks a text anew. Default 0. */
  readonly epoch?: number;
  /** Entities and phrases of the text, in UTF-16 units of it, for the schemes `entity` and `phrase`. */
  readonly tagSpans?: readonly TagSpan[];
}

/** A masked span x_s..x_e. Positions count from [CLS], which is 0, so that x_1 is the first token of the text. */
export interface ShownSpan {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  /** The boundary x_{s-1}, or null where [CLS] or [SEP] stands there. */
  readonly left: number | null;
  /** The boundary x_{e+1}, or null where [CLS] or [SEP] stands there. */
  readonly right: number | null;
}

export interface ShownToken {
  readonly position: number;
  readonly action: keyof typeof MASK_ACTIONS;
  /**
   * What the span boundary objective predicts the token from: the encoder's outputs at these positions and the position
   * embedding of its place in the span, counted from 1. Absent where it predicts nothing: see `textBeside` and
   * `MAX_SPAN_TARGETS`.
   */
  readonly boundaryLeft?: number;
  readonly boundaryRight?: number;
  readonly spanPosition?: number;
}

export interface ShownMask {
  /** The block as it was, special tokens included. */
  readonly tokens: string[];
  /** The block as the model sees it. */
  readonly shown: string[];
  readonly spans: ShownSpan[];
  readonly masked: ShownToken[];
  /** Tokens of the text that this block has no room for. */
  readonly omitted: number;
}

/**
 * Masks the first block of a text as pre-training would.
 * @throws SettingsError with everything that is wrong with the settings
 * @throws DataError     when there is no token to mask, or no tags and the scheme needs them
 */
export function showMask(text: string, options: ShowMaskOptions = {}): ShownMask {
  const { tokenizer = wordVocabulary(text), epoch = 0, tagSpans = [], ...input } = options;
  const settings = maskingSettings(input);
  checkTagSpans(text, settings.masking, tagSpans);
  const document = tokenize(text, tokenizer, tagSpans);
  const shards = shardsOf([document], tokenizer, 'the text');
  refuseNothing(shards);
  const scheme = maskingScheme(settings, shards);
  const { length, seed } = settings;
  const source = createBatchSource({ shards, length, batchSize: 1, segments: 'single', seed, trim: true });
  const blocks = source.rows([0], epoch);
  const n = blocks.lengths[0];
  const { specialIds, vocabSize, absentIds } = shards;
  const batch = maskBatch(blocks, scheme, { seed, specialIds, vocabSize, absentIds });
  const token = (id: number) => tokenizer.idToToken(id);
  const spans = spansOf({ ids: blocks.inputIds, n, specialIds }, batch.rows[0].positions);
  return {
    tokens: Array.from(blocks.inputIds.subarray(0, n), token),
    shown: Array.from(batch.maskedInputIds.subarray(0, n), token),
    spans,
    masked: Array.from(batch.rows[0].positions, (position, slot) => ({
      position,
      action: ACTION_NAMES[batch.rows[0].actions[slot]],
      ...targetOf(position, spans),
    })),
    omitted: document.ids.length - (n - 2),
  };
}

function refuseNothing({ source, train }: Shards): void {
  if (train.numTokens === 0)
    throw new DataError(`there is nothing to mask: ${source} has no token`, { subject: source });
}

const ACTION_NAMES = (Object.keys(MASK_ACTIONS) as (keyof typeof MASK_ACTIONS)[]).sort(
  (a, b) => MASK_ACTIONS[a] - MASK_ACTIONS[b],
);

function spansOf(block: Parameters<typeof textBeside>[0], positions: Int32Array): ShownSpan[] {
  const spans = mergedSpans(positions);
  return Array.from({ length: spans.length / 2 }, (_, i) => {
    const [start, end] = [spans[2 * i], spans[2 * i + 1]];
    const { left = null, right = null } = textBeside(block, start, end);
    return { start, end, left, right };
  });
}

function targetOf(position: number, spans: readonly ShownSpan[]): Partial<ShownToken> {
  const span = spans.find(({ start, end }) => position >= start && position <= end)!;
  const spanPosition = position - span.start + 1;
  if (span.left === null || span.right === null || spanPosition > MAX_SPAN_TARGETS) return {};
  return { boundaryLeft: span.left, boundaryRight: span.right, spanPosition };
}

export interface MaskStatisticsOptions extends MaskingInput {
  /** How often each block is masked. Default 1. */
  readonly epochs?: number;
}

/**
 * What a scheme does on average to the training text of shards, in blocks of a single sequence.
 * @throws SettingsError with everything that is wrong with the settings
 * @throws DataError     when there is no block, or no tags and the scheme needs them
 */
export function maskStatistics(shards: Shards, options: MaskStatisticsOptions = {}): MaskStatistics {
  const { epochs = 1, ...input } = options;
  const settings = maskingSettings(input);
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw new SettingsError([`${settingName('epochs')} is ${epochs}; expected a whole number of at least 1`]);
  }
  refuseNothing(shards);
  const { length, seed } = settings;
  const { specialIds, vocabSize, absentIds } = shards;
  const scheme = maskingScheme(settings, shards);
  const source = createBatchSource({ shards, length, batchSize: 1, segments: 'single', seed });
  const counter = new MaskCounter();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let index = 0; index < source.numBlocks; index++) {
      const blocks = source.rows([index], epoch);
      const { rows } = maskBatch(blocks, scheme, { seed, specialIds, vocabSize, absentIds });
      const { inputIds: ids, wordStarts, lengths } = blocks;
      counter.add({ ids, n: lengths[0], blockLength: length, wordStarts, specialIds, vocabSize }, rows[0]);
    }
  }
  return counter.result();
}

/**
 * Text in memory as shards: documents are separated by blank lines, as `pleiad prepare` reads plain text.
 * @param source  what to call it in messages
 */
export function textShards(text: string, tokenizer: WordPieceTokenizer, source = 'the text'): Shards {
  const documents = [...splitBlankLines(text)].map((document) => tokenize(document, tokenizer, []));
  return shardsOf(documents, tokenizer, source);
}

function shardsOf(train: readonly TokenDocument[], tokenizer: WordPieceTokenizer, source: string): Shards {
  const { padId, unkId, clsId, sepId, maskId, vocabSize } = tokenizer;
  const specialIds = { padId, unkId, clsId, sepId, maskId };
  const absent = absentIds(tokenizer.tokens);
  const tokenizerHash = tokenizer.hash();
  return { ...memoryShards({ train, vocabSize, specialIds, absentIds: absent, tokenizerHash }), source };
}

function tokenize(text: string, tokenizer: WordPieceTokenizer, tagSpans: readonly TagSpan[]): TokenDocument {
  // As pre-training reads text: a special token that is written out in it is text.
  const encoding = tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
  const { ids, wordIds, offsets } = encoding;
  const wordStarts = Uint8Array.from(wordIds, (word, i) => (word === wordIds[i - 1] ? 0 : 1));
  if (tagSpans.length === 0) return { ids, wordStarts };
  const tags = new Uint8Array(ids.length);
  writeTags(tags, tokenSpans(tagSpans, offsets));
  return { ids, wordStarts, tags };
}

function checkTagSpans(text: string, masking: readonly MaskingName[], spans: readonly TagSpan[]): void {
  const missing = tagKindsOf(masking)
    .filter((needed) => !spans.some(({ kind }) => kind === needed))
    .map(
      (kind) =>
        `${settingName('masking')} ${kind} needs to know where the text has any; give their places in it, as ${settingName(kind)} 4:9`,
    );
  const outside = spans
    .filter(
      ({ start, end }) =>
        !(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= text.length),
    )
    .map(
      ({ kind, start, end }) =>
        `${settingName(kind)} ${start}:${end} is not in the text, which has ${text.length} characters; expected 0 <= start < end`,
    );
  const problems = [...missing, ...outside];
  if (problems.length > 0) throw new SettingsError(problems);
}

/** Checks the settings as those of pre-training, with the actions of a masked language model. */
function maskingSettings({ length = 512, ...input }: MaskingInput): PretrainingSettings {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  return resolvePretrainingSettings({
    masking: 'span',
    ...given,
    length,
    // What a mask does not depend on; no rate that falls over a run.
    recipe: 'none',
    objective: 'mlm',
    model: { maxPositionEmbeddings: Math.max(512, Number(length) || 0) },
    data: '-',
    out: '-',
    steps: 1,
  });
}

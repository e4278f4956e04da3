/**
 * What a pair of models says of each word of a text: how much the discriminator doubts it, and, for words that it doubts or that
 * are made of several pieces, what the generator would have written there.
 */
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { isCandidate } from '../candidates.js';
import type { RowWatch } from '../definition.js';
import { distributions, MASKED_LM_OUTPUTS } from '../maskedLanguageModel.js';
import { mostProbable } from '../maskedText.js';
import { textWindows } from '../windows.js';
import type { SpellingNeighbours } from './spelling.js';
import { type TextWord, wordsOf } from './words.js';

export interface Proposal {
  /** In the case of the word that it would stand for. */
  readonly text: string;
  /** Probability by the generator, 0 to 1. */
  readonly score: number;
}

/** What the generator says at a word. */
export interface Alternatives {
  /** log P of the word as it stands: of its pieces, each with all of them masked. */
  readonly own: number;
  /** log P of the most probable other word. */
  readonly best: number;
  /** log P of the most probable word that is one slip away; undefined where there is none. */
  readonly nearest?: number;
  readonly proposals: readonly Proposal[];
}

export interface WordEvidence extends TextWord {
  /** Of its pieces the largest logit of having been replaced. */
  readonly logit: number;
  /** Undefined for words that the generator was not asked about. */
  readonly alternatives?: Alternatives;
}

/** Of the words of a text, the doubted part that the generator is asked about, beside words of several pieces. */
const ASKED_PART = 0.25;
/** Tokens that the generator reads around a word, on each side. */
const CONTEXT = 48;
/** Probable words that are looked through for proposals. */
const MOST_CANDIDATES = 40;
/** What being one slip away adds to a proposal's log probability when proposals are ranked. */
const SLIP_BONUS = 5;
/** Stands for a probability that is too small to matter. */
export const LEAST = -20;

export interface EvidenceOptions extends RowWatch {
  /** Proposals for a word, at most. */
  readonly topK: number;
}

export async function gatherEvidence(
  texts: readonly string[],
  discriminator: Model,
  { generator, spelling }: { readonly generator?: Model; readonly spelling: SpellingNeighbours },
  options: EvidenceOptions,
): Promise<WordEvidence[][]> {
  const tokenizer = requireTokenizer(discriminator);
  const encodings = texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false }));
  const logits = await pieceLogits(texts, discriminator, options);
  const doubted = encodings.map((encoding, i) =>
    wordsOf(texts[i], encoding)
      .filter(({ from, to }) => from < to)
      .map((word) => ({ ...word, logit: Math.max(...logits[i].slice(word.from, word.to)) })),
  );
  if (!generator) return doubted;
  const asked = doubted.flatMap((words, text) =>
    toAsk(words).map((word) => ({ word, text, encoding: encodings[text] })),
  );
  const answers = await ask(asked, generator, tokenizer, { spelling, ...options });
  const byWord = new Map(asked.map(({ word }, i) => [word, answers[i]]));
  return doubted.map((words) =>
    words.map((word) => ({ ...word, ...(byWord.has(word) && { alternatives: byWord.get(word) }) })),
  );
}

/** Logits of each piece of each text, read in windows where a text is long. */
async function pieceLogits(texts: readonly string[], model: Model, watch: RowWatch): Promise<number[][]> {
  const tokenizer = requireTokenizer(model);
  const windows = texts.flatMap((text, index) =>
    textWindows(tokenizer, text, model.maxLength)
      .filter(({ keepFrom, keepTo }) => keepFrom < keepTo)
      .map((window) => ({ ...window, index })),
  );
  const kept: number[][] = windows.map(() => []);
  const rows = windows.map(({ encoding }) => ({ ids: encoding.ids }));
  await model.forEachRow(rows, { outputs: ['logits'], ...watch }, (row, { logits }) => {
    const { keepFrom, keepTo } = windows[row];
    kept[row] = [...logits.subarray(keepFrom, keepTo)];
  });
  const joined: number[][] = texts.map(() => []);
  windows.forEach(({ index }, row) => joined[index].push(...kept[row]));
  return joined;
}

type DoubtedWord = TextWord & { readonly logit: number };

function toAsk(words: readonly DoubtedWord[]): DoubtedWord[] {
  const byDoubt = [...words].sort((a, b) => b.logit - a.logit);
  const least = byDoubt[Math.ceil(words.length * ASKED_PART) - 1]?.logit ?? 0;
  return words.filter(({ text, logit, from, to }) => /\p{L}/u.test(text) && (logit >= least || to - from > 1));
}

interface Asked {
  readonly word: DoubtedWord;
  readonly encoding: Encoding;
}

async function ask(
  asked: readonly Asked[],
  generator: Model,
  tokenizer: WordPieceTokenizer,
  { spelling, topK, ...watch }: EvidenceOptions & { readonly spelling: SpellingNeighbours },
): Promise<Alternatives[]> {
  const side = Math.min(CONTEXT, Math.floor((generator.maxLength - 3) / 2));
  // The word as one mask, for what else could stand there; and where it has several pieces, all of them masked.
  const rows = asked.flatMap((each, index) => {
    const pieces = each.word.to - each.word.from;
    const isLong = pieces > 1 && pieces <= side;
    return [{ index, masks: 1 }, ...(isLong ? [{ index, masks: pieces }] : [])].map((row) => ({
      ...row,
      ...maskedRow(each, row.masks, side, tokenizer),
    }));
  });
  const whole: Float32Array[] = new Array(asked.length);
  const own: number[] = asked.map(() => LEAST);
  await generator.forEachRow(rows, { ...MASKED_LM_OUTPUTS, ...watch }, (row, { logits }) => {
    const { index, masks, positions } = rows[row];
    const { word, encoding } = asked[index];
    const found = distributions(logits, positions.length);
    if (masks === 1) whole[index] = found[0].slice();
    if (masks === word.to - word.from) {
      own[index] = found.reduce((sum, distribution, i) => sum + distribution[encoding.ids[word.from + i]], 0);
    }
  });
  return asked.map(({ word, encoding }, i) =>
    alternatives(word, encoding, { distribution: whole[i], own: own[i] }, tokenizer, { spelling, topK }),
  );
}

function maskedRow({ word, encoding: { ids } }: Asked, masks: number, side: number, tokenizer: WordPieceTokenizer) {
  const before = ids.subarray(Math.max(0, word.from - side), word.from);
  const after = ids.subarray(word.to, word.to + side - masks + 1);
  const row = Int32Array.from([
    tokenizer.clsId,
    ...before,
    ...Array<number>(masks).fill(tokenizer.maskId),
    ...after,
    tokenizer.sepId,
  ]);
  return { ids: row, positions: Array.from({ length: masks }, (_, i) => 1 + before.length + i) };
}

function alternatives(
  word: DoubtedWord,
  { ids }: Encoding,
  { distribution, own }: { distribution: Float32Array; own: number },
  tokenizer: WordPieceTokenizer,
  { spelling, topK }: { spelling: SpellingNeighbours; topK: number },
): Alternatives {
  const written = tokenizer.settings.lowercase ? word.text.toLowerCase() : word.text;
  const self = word.to - word.from === 1 ? ids[word.from] : -1;
  const isWord = (id: number) =>
    id !== self &&
    isCandidate(tokenizer, id) &&
    !tokenizer.isContinuation(id) &&
    /^\p{L}+$/u.test(tokenizer.idToToken(id));
  const probable = mostProbable(distribution, MOST_CANDIDATES, isWord);
  const near = spelling.of(written).filter(({ id }) => id !== self);
  const slips = new Set(near.map(({ id }) => id));
  const value = (id: number) => distribution[id] + (slips.has(id) ? SLIP_BONUS : 0);
  const ranked = [...new Set([...probable, ...slips])].sort((a, b) => value(b) - value(a)).slice(0, topK);
  const nearest = near.reduce((most, { id }) => Math.max(most, distribution[id]), Number.NEGATIVE_INFINITY);
  return {
    own: Math.max(LEAST, own),
    best: probable.length > 0 ? distribution[probable[0]] : LEAST,
    ...(near.length > 0 && { nearest: Math.max(LEAST, nearest) }),
    proposals: ranked.map((id) => ({
      text: inCaseOf(word.text, tokenizer.idToToken(id)),
      score: Math.exp(distribution[id]),
    })),
  };
}

/** A proposal begins as large as the word did. */
function inCaseOf(written: string, proposal: string): string {
  const first = written[0];
  if (first === first.toLowerCase()) return proposal;
  const isAllUpper = written.length > 1 && written === written.toUpperCase();
  return isAllUpper ? proposal.toUpperCase() : proposal[0].toUpperCase() + proposal.slice(1);
}

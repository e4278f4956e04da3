/**
 * Six sentences that a model never reads while it learns, each once with a gap and once with a wrong word in it. Predicted again
 * every so often, they show what a curve does not: at first any word will do, then frequent ones, then such as fit.
 */
import { fillMask } from '../pipelines/fillMask.js';
import { type DetectedToken, replacedTokenDetection } from '../pipelines/replacedTokenDetection.js';
import type { Model } from '../pretrained/model.js';
import type { ProbeSentence } from './studioApi.js';

/** What a model says of one of the sentences. */
export interface ProbePrediction {
  /** Words for the gap, the most probable first. */
  readonly candidates: readonly { readonly token: string; readonly score: number }[];
  /** The tokens of the sentence with the wrong word; empty where no discriminator is trained. */
  readonly doubts: readonly DetectedToken[];
}

export const NUMBER_OF_PROBES = 6;
const SHOWN_CANDIDATES = 4;
/** Words of a sentence, between spaces. */
const WORDS = { least: 6, most: 14 };
const MOST_CHARACTERS = 90;
/** A word to hide: letters alone, so that no punctuation is hidden with it. */
const WHOLE_WORD = /^\p{L}{3,}$/u;
/** Speech is cut in its middle more often than not. */
const WHOLE_SENTENCE = /^[^"“”‘’'()[\]]+[.?!]$/u;
const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

/**
 * Chooses sentences of held-out documents, evenly over all that are fit; the same for the same texts.
 * @param isPiece  whether a word is one piece of the vocabulary: only such a word can be guessed by one mask
 */
export function chooseProbes(heldOut: readonly string[], isPiece: (word: string) => boolean): ProbeSentence[] {
  const fit = [...new Set(heldOut.flatMap(sentencesOf))].filter((sentence) => hiddenWord(sentence, isPiece) >= 0);
  const whole = fit.filter((sentence) => WHOLE_SENTENCE.test(sentence));
  const chosen = evenly(whole.length >= NUMBER_OF_PROBES ? whole : fit, NUMBER_OF_PROBES);
  return chosen.map((sentence, i) => {
    const words = sentence.split(' ');
    const hidden = hiddenWord(sentence, isPiece);
    const replaced = replacedWord(words, hidden);
    const intruder = intruderFor(words, words[replaced], [...chosen.slice(i + 1), ...chosen.slice(0, i)]);
    return {
      masked: words.with(hidden, '[MASK]').join(' '),
      answer: words[hidden],
      wrong: words.with(replaced, intruder).join(' '),
      intruder,
      original: words[replaced],
    };
  });
}

function sentencesOf(text: string): string[] {
  return [...SENTENCES.segment(text)]
    .map(({ segment }) => segment.replace(/\s+/g, ' ').trim())
    .filter((sentence) => {
      const words = sentence.split(' ').length;
      return words >= WORDS.least && words <= WORDS.most && sentence.length <= MOST_CHARACTERS;
    });
}

/** The last fit word of the sentence's second half: what stands before it says most of what may come. */
function hiddenWord(sentence: string, isPiece: (word: string) => boolean): number {
  const words = sentence.split(' ');
  const isFit = (word: string, i: number) => i >= words.length / 2 && WHOLE_WORD.test(word) && isPiece(word);
  return words.findLastIndex(isFit);
}

/** The word to replace: one of the first half, as long as possible, as short words pass anywhere. */
function replacedWord(words: readonly string[], hidden: number): number {
  const candidates = words.map((word, i) => ({ word, i })).filter(({ i }) => i > 0 && i !== hidden);
  const fit = candidates.filter(({ word }) => WHOLE_WORD.test(word));
  const all = fit.length > 0 ? fit : candidates;
  return all.reduce((best, each) => (each.word.length > best.word.length ? each : best)).i;
}

/** A word of another sentence that this one does not have, nearly as long as the one that it replaces. */
function intruderFor(words: readonly string[], original: string, others: readonly string[]): string {
  const own = new Set(words.map((word) => word.toLowerCase()));
  const pool = others
    .flatMap((sentence) => sentence.split(' ').slice(1))
    .filter((word) => WHOLE_WORD.test(word) && !own.has(word.toLowerCase()) && word === word.toLowerCase());
  const distance = (word: string) => Math.abs(word.length - original.length);
  return pool.reduce((best, word) => (distance(word) < distance(best) ? word : best), pool[0] ?? original);
}

function evenly<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]);
}

/** @param discriminator  undefined where none is trained */
export async function predictProbes(
  probes: readonly ProbeSentence[],
  generator: Model | undefined,
  discriminator: Model | undefined,
): Promise<ProbePrediction[]> {
  const filler = generator && (await fillMask(generator));
  const detector = discriminator && (await replacedTokenDetection(discriminator));
  const filled = await filler?.fill(
    probes.map(({ masked }) => masked),
    { topK: SHOWN_CANDIDATES },
  );
  const detected = await detector?.detect(probes.map(({ wrong }) => wrong));
  return probes.map((_, i) => ({
    candidates: (filled?.[i].masks[0]?.candidates ?? []).map(({ token, score }) => ({ token, score })),
    doubts: detected?.[i] ?? [],
  }));
}

/**
 * Questions about long texts: how time and memory grow with the words. A text is made of paragraphs of the data, the one that
 * the question is about in its last place, where a model that reads only the beginning cannot find the answer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type QuietOptions, quietTurns } from './quietTurns.js';
import { median, peakMemoryMiB, rounded } from './report.js';

export type Pair = readonly [question: string, context: string];

/** What answers questions, of which only the answers are wanted. */
export interface LongSide {
  readonly name: string;
  answer(pairs: readonly Pair[], batch: number): Promise<{ readonly ms: number; readonly answers: readonly string[] }>;
}

export interface LongMeasurement {
  readonly side: string;
  readonly words: number;
  /** Milliseconds a question, median. */
  readonly ms: number;
  readonly msPer1000Words: number;
  /** Largest resident size while it was asked; undefined where the system cannot say. */
  readonly peakMiB?: number;
  /** Questions whose answer came from their own paragraph, of all. */
  readonly found: number;
  readonly questions: number;
  /** Cores that other processes kept busy meanwhile, median. */
  readonly othersCores: number;
}

/** A side that does not answer, and why. */
export interface LongRefusal {
  readonly side: string;
  readonly words: number;
  readonly error: string;
}

/** @returns texts of so many words, each ending in the paragraph of its question */
export function longPairs(pairs: readonly Pair[], words: number, count: number): Pair[] {
  const contexts = [...new Set(pairs.map(([, context]) => context))];
  const step = Math.max(1, Math.floor(pairs.length / count));
  return Array.from({ length: count }, (_, i): Pair => {
    const [question, own] = pairs[(i * step) % pairs.length];
    const before: string[] = [];
    let left = words - wordsOf(own).length;
    const first = contexts.indexOf(own) + 1;
    for (let at = 0; left > 0; at++) {
      const context = contexts[(first + at) % contexts.length];
      if (context === own) continue;
      const taken = wordsOf(context).slice(0, left);
      before.push(taken.join(' '));
      left -= taken.length;
    }
    return [question, [...before, own].join('\n')];
  });
}

const wordsOf = (text: string) => text.split(/\s+/).filter(Boolean);

/** Asks one question a turn, each about another text; the first, which plans the shapes, does not count. */
export async function measureLong(
  side: LongSide,
  pairs: readonly Pair[],
  words: number,
  quiet: Omit<QuietOptions, 'turns'>,
): Promise<LongMeasurement | LongRefusal> {
  try {
    const [first, ...others] = pairs;
    await side.answer([first], 1);
    const isReset = resetPeak();
    let at = 0;
    const { counted, othersCores } = await quietTurns({ ...quiet, turns: others.length }, async () => {
      const pair = others[at++ % others.length];
      const { ms, answers } = await side.answer([pair], 1);
      return { ms, isFound: lastParagraph(pair).includes(letters(answers[0])) };
    });
    const ms = median(counted.map((turn) => turn.ms));
    return {
      side: side.name,
      words,
      ms: rounded(ms),
      msPer1000Words: rounded((1000 * ms) / words),
      ...(isReset && { peakMiB: peakMemoryMiB() }),
      found: counted.filter(({ isFound }) => isFound).length,
      questions: counted.length,
      othersCores: othersCores.median,
    };
  } catch (error) {
    return { side: side.name, words, error: (error as Error).message.split('\n')[0] };
  }
}

const lastParagraph = ([, context]: Pair) => letters(context.slice(context.lastIndexOf('\n') + 1));

/** transformers.js decodes tokens, so that case and spaces are lost. */
export const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Has the largest resident size of this process counted from now on (proc(5), clear_refs). @returns whether it can be */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return /^VmHWM:/m.test(readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return false;
  }
}

export function describeLong(measurements: readonly (LongMeasurement | LongRefusal)[]): string[] {
  return measurements.map((each) => {
    if ('error' in each) return `${each.words} words, ${each.side}: no answer (${each.error})`;
    const { words, side, ms, msPer1000Words, peakMiB, found, questions } = each;
    const memory = peakMiB === undefined ? '' : `, at most ${peakMiB} MiB`;
    return `${words} words, ${side}: ${ms} ms a question, ${msPer1000Words} ms per 1000 words${memory}, ${found} of ${questions} answers from the right paragraph`;
  });
}

/** Settings of what changes over a run: a part of those of pre-training. */
import { z } from 'zod';
import { count, fraction, fractionBelowOne } from '../settings/fieldTypes.js';
import { settingName } from '../settings/settingNames.js';

/** A stretch of a run with rows of one length. */
export interface LengthStage {
  /** Tokens in a row, special ones included. */
  readonly length: number;
  /** Of all steps, above 0; all together are 1. */
  readonly share: number;
}

/** "64:0.5,128" is a list. */
const stageWords = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
  z.array(z.union([z.string().regex(/^\d+(:[\d.]+(e-?\d+)?)?$/), z.number().int()])).min(1),
) as unknown as z.ZodType<(string | number)[], string | readonly (string | number)[]>;

export const scheduleFields = {
  maskProbEnd: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Fraction of tokens that is masked at the end of the run, above 0: from `maskProb` on it changes in a straight line over all steps (arXiv 2305.15096: 0.3 to 0.15). Held-out text is masked at this rate. Default: as `maskProb`.',
    ),
  lengthStages: stageWords
    .optional()
    .describe(
      'Rows of several lengths, one after another, as LENGTH:SHARE of the steps; the last takes the rest and is `length`: 64:0.5,128 has rows of 64 tokens in the first half. A step has the same number of tokens in all. Default: `length` alone.',
    ),
  accumulationStart: count()
    .optional()
    .describe(
      'Micro-batches of the first step, whose number changes in a straight line to `accumulation` (cramming, arXiv 2212.14034). Default: as `accumulation`.',
    ),
  averageDecay: fractionBelowOne()
    .default(0)
    .describe(
      'Decay of an average of the weights that is kept beside them, evaluated, and what a model folder holds; 0 to below 1, such as 0.999 (GPT-BERT, arXiv 2410.24159). 0: the weights themselves. Default 0.',
    ),
  accumulationRamp: fraction()
    .default(0.6)
    .describe(
      'With `accumulationStart`: the part of the run after which `accumulation` is reached, 0 to 1. Default 0.6.',
    ),
};

/**
 * Stages as given, the share of the last filled in.
 * @returns problems beside what was understood, one sentence each
 */
export function parseLengthStages(words: readonly (string | number)[]): { stages: LengthStage[]; problems: string[] } {
  const name = settingName('lengthStages');
  const parts = words.map((word) => String(word).split(':').map(Number));
  const problems: string[] = [];
  const stages: LengthStage[] = [];
  let left = 1;
  for (const [i, [length, share]] of parts.entries()) {
    const isLast = i === parts.length - 1;
    if (length < 8) problems.push(`${name} has a length of ${length}; expected 8 or more`);
    if (!isLast && share === undefined)
      problems.push(`${name} has no share for length ${length}; expected ${length}:SHARE, for instance ${length}:0.5`);
    const own = isLast ? (share ?? left) : (share ?? 0);
    stages.push({ length, share: own });
    left = Number((left - own).toFixed(9));
  }
  if (problems.length > 0) return { stages, problems };
  if (stages.some(({ share }) => !(share > 0)) || left !== 0)
    problems.push(
      `${name} is ${words.join(',')}; expected shares above 0 that are 1 together, the last of which can be left out`,
    );
  const lengths = stages.map(({ length }) => length);
  if (lengths.some((length, i) => i > 0 && length <= lengths[i - 1]))
    problems.push(`${name} is ${words.join(',')}; expected lengths that grow`);
  return { stages, problems };
}

/** A resolved setting as it is given: stages as words. */
export function asGiven(name: string, value: unknown): unknown {
  if (name !== 'lengthStages' || value === undefined) return value;
  return (value as readonly LengthStage[]).map(({ length, share }) => `${length}:${share}`);
}

interface Scheduled {
  readonly length: number;
  readonly lengthStages?: readonly LengthStage[];
  readonly accumulation: number;
  readonly accumulationStart?: number;
}

/** Settings of what changes over a run that are each in range and do not go together. */
export function scheduleContradictions(s: Scheduled, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const longest = s.lengthStages?.at(-1)?.length;
  refuse(
    longest !== undefined && longest !== s.length,
    `${settingName('length')} is ${s.length} and ${settingName('lengthStages')} ends with ${longest}; give one, or the same`,
  );
  refuse(
    given.has('accumulationRamp') && s.accumulationStart === undefined,
    `${settingName('accumulationRamp')} is set and ${settingName('accumulationStart')} is not; the number of micro-batches does not change`,
  );
  return problems;
}

/**
 * Settings that every training has, whatever is learned: zod fields in groups, their defaults and their contradictions. What
 * is learned adds its own fields among them, in the order in which help lists them.
 */
import { z } from 'zod';
import { ENGINE_NAMES, PRECISION_NAMES } from '../engine/engineNames.js';
import { DURATION_EXPECTED, parseDuration } from '../settings/durations.js';
import { count, fraction, fractionBelowOne, style } from '../settings/fieldTypes.js';
import { settingName, settingWith } from '../settings/settingNames.js';

export const runFields = {
  out: z.string().min(1).optional().describe('Run folder to write.'),
  resume: z.boolean().default(false).describe('Go on from the newest whole checkpoint in `out`. Default false.'),
  seed: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe('Seed of all randomness, 0 to 2^53-1. Default 0.'),
};

/** How long a training takes. */
export const limitFields = {
  steps: count().optional().describe('Number of optimizer steps.'),
  time: z
    .string()
    .optional()
    .describe(
      'Time budget, from the beginning of the run: a number and ms, s, m or h, such as "10m". Alone, the first steps are timed and the number of steps is set and recorded; with steps, training stops at whichever comes first.',
    ),
  more: z
    .string()
    .optional()
    .describe(
      'With `resume`: train so much longer than the run has, such as "1h", counted from where it stands. The learning rate rises to where it would be in a run of that length.',
    ),
  moreSteps: count().optional().describe('With `resume`: train so many steps more, counted from where the run stands.'),
};

/** Schedule and optimizer; the peak learning rate has another default for everything that is learned. */
export const optimizerFields = {
  schedule: z
    .enum(['linear', 'cosine', 'polynomial', 'constant'])
    .default('linear')
    .describe('How the learning rate falls after warm-up. Default linear.'),
  power: z.number().positive().optional().describe('Exponent of the polynomial schedule, above 0. Default 1.'),
  scheduleStyle: style()
    .default('corrected')
    .describe('corrected warms up, then decays; reference does both at once, as the released code. Default corrected.'),
  warmupSteps: z.number().int().min(0).optional().describe('Steps of warm-up, from 0. Default: by `warmupFraction`.'),
  warmupFraction: fraction()
    .optional()
    .describe('Warm-up as a fraction of all steps, at most 10000 of them. Default 0.1.'),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe('Decoupled weight decay, from 0; biases and layer norms have none. Default 0.01.'),
  adamBeta1: fractionBelowOne().default(0.9).describe('Decay of the first moment, 0 to below 1. Default 0.9.'),
  adamBeta2: fractionBelowOne().default(0.999).describe('Decay of the second moment, 0 to below 1. Default 0.999.'),
  adamEpsilon: z
    .number()
    .positive()
    .default(1e-6)
    .describe('Added to the root of the second moment, above 0. Default 1e-6.'),
  biasCorrection: style()
    .default('corrected')
    .describe(
      "corrected divides Adam's moments by 1 - beta^t, reference does not, as the released code. Default corrected.",
    ),
  clipNorm: z
    .number()
    .min(0)
    .default(1)
    .describe('Greatest norm of all gradients together; 0 switches clipping off. Default 1.'),
};

export const evaluationFields = {
  evaluateEvery: count()
    .optional()
    .describe('Steps between evaluations on held-out text. Default a tenth of all steps, at most 1000.'),
};

export const checkpointFields = {
  checkpointEvery: count()
    .optional()
    .describe('Steps between checkpoints. Default a tenth of all steps, at most 1000.'),
  keepCheckpoints: count().default(2).describe('Newest checkpoints to keep, besides the best. Default 2.'),
  logEvery: count().default(10).describe('Steps between log lines. Default 10.'),
};

export const engineFields = {
  device: z
    .enum(['cpu', 'cuda', 'webgpu'])
    .default('cpu')
    .describe('Where to compute; cuda and webgpu were never run by the authors. Default cpu.'),
  engine: z
    .enum(ENGINE_NAMES)
    .default('auto')
    .describe(
      'What computes. auto: onednn where it is installed and measured to be faster, else onnxruntime. Default auto.',
    ),
  precision: z
    .enum(PRECISION_NAMES)
    .default('auto')
    .describe(
      'Of the operands of matrix products; all else is float32. auto: bf16 where the engine has it and is faster for it. Default auto.',
    ),
  threads: count()
    .optional()
    .describe('Threads of the engine. Default: all of the machine; under mpirun, a share of them for each rank.'),
};

/** All of them, for whoever takes them as they stand. */
export const trainingFields = {
  ...runFields,
  ...limitFields,
  ...optimizerFields,
  ...evaluationFields,
  ...checkpointFields,
  ...engineFields,
};

/** Where the types alone do not say enough. */
export const TRAINING_EXPECTED: Readonly<Record<string, string>> = {
  out: 'the folder to write',
  time: DURATION_EXPECTED,
  more: DURATION_EXPECTED,
};

export type TrainingFields = z.output<z.ZodObject<typeof trainingFields>>;

/** The defaults that no field can state alone. What is given goes over them. */
export const TRAINING_DEFAULTS = { power: 1, warmupFraction: 0.1 } as const;

/** `time` and `more` in milliseconds, where they are durations. */
export function durationsOf({ time, more }: Pick<TrainingFields, 'time' | 'more'>): {
  timeMs?: number;
  moreMs?: number;
} {
  const [timeMs, moreMs] = [time, more].map((text) => (text === undefined ? undefined : parseDuration(text)));
  return { ...(time !== undefined && { timeMs }), ...(more !== undefined && { moreMs }) };
}

type ResolvedFields = TrainingFields & { readonly timeMs?: number; readonly moreMs?: number };

/**
 * Settings of a training that are each in range and do not go together.
 * @param given        names of the settings that were given
 * @param needsLimit   whether `steps` or `time` must be given; not where something else limits the training, such as epochs
 */
export function trainingContradictions(
  s: ResolvedFields,
  given: ReadonlySet<string>,
  { needsLimit = true }: { readonly needsLimit?: boolean } = {},
): string[] {
  return [...limitProblems(s, given, needsLimit), ...scheduleProblems(s, given)];
}

function limitProblems(s: ResolvedFields, given: ReadonlySet<string>, needsLimit: boolean): string[] {
  const problems: string[] = [];
  if (s.time !== undefined && s.timeMs === undefined) {
    problems.push(`${settingName('time')} is "${s.time}"; expected ${DURATION_EXPECTED}`);
  }
  if (s.more !== undefined && s.moreMs === undefined) {
    problems.push(
      `${settingName('more')} is "${s.more}"; expected ${DURATION_EXPECTED}; steps have a setting of their own`,
    );
  }
  for (const name of ['more', 'moreSteps'] as const) {
    if (s[name] === undefined || s.resume) continue;
    const instead = name === 'more' ? 'time' : 'steps';
    problems.push(
      `${settingName(name)} is ${s[name]} and ${settingName('resume')} is not set; it counts from where a run stands: add ${settingWith('resume', true)}, or give ${settingName(instead)}`,
    );
  }
  if (needsLimit && !given.has('steps') && !given.has('time')) {
    problems.push(
      `neither ${settingName('steps')} nor ${settingName('time')} is set; give one, for instance ${settingWith('steps', 10000)} or ${settingWith('time', '10m')}`,
    );
  }
  return problems;
}

function scheduleProblems(s: ResolvedFields, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  refuse(
    given.has('warmupSteps') && given.has('warmupFraction'),
    `${settingName('warmupSteps')} and ${settingName('warmupFraction')} are both set; give one`,
  );
  refuse(
    s.steps !== undefined && s.warmupSteps !== undefined && s.warmupSteps > s.steps,
    `${settingName('warmupSteps')} is ${s.warmupSteps} and ${settingName('steps')} is ${s.steps}; expected at most as many steps of warm-up as there are steps`,
  );
  refuse(
    given.has('power') && s.schedule !== 'polynomial',
    `${settingName('power')} is set and ${settingName('schedule')} is ${s.schedule}; only polynomial has a power`,
  );
  return problems;
}

/** Settings that a resumed run may change: they do not decide what it computes. */
export const CHANGEABLE_ON_RESUME = [
  'out',
  'resume',
  'steps',
  'time',
  'more',
  'moreSteps',
  'evaluateEvery',
  'checkpointEvery',
  'keepCheckpoints',
  'logEvery',
  'device',
  'engine',
  'precision',
  'threads',
] as const satisfies readonly (keyof TrainingFields)[];

/**
 * Settings of pre-training: one schema for the command line, YAML and JSON files and library calls. All problems are
 * reported at once.
 */
import { z } from 'zod';
import { ENGINE_NAMES, engineProblems, PRECISION_NAMES } from '../engine/engineNames.js';
import { SettingsError } from '../errors/errors.js';
import {
  type EncoderConfig,
  encoderConfig,
  encoderConfigProblems,
  generatorConfig,
  SIZES,
  type SizeName,
} from '../models/config.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { expectation, shownValue } from '../settings/expectation.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { StartSizes } from '../training/start.js';
import { OBJECTIVES } from './electra.js';
import {
  maskingContradictions,
  maskingDefaults,
  maskingFields,
  type ResolvedMasking,
  SCHEME_FIELDS,
} from './maskingSettings.js';
import { spanBertContradictions, spanBertFields } from './spanBertSettings.js';
import {
  beginningContradictions,
  sizeOfStart,
  startContradictions,
  startFields,
  startSettings,
} from './startSettings.js';

const fraction = () => z.number().min(0).max(1);
const count = () => z.number().int().min(1);
const style = () => z.enum(['corrected', 'reference']);

/** Fields of a size, as `model` and `generator` take them. */
const sizeOverrides = z
  .strictObject({
    embeddingSize: count(),
    hiddenSize: count(),
    numHiddenLayers: count(),
    numAttentionHeads: count(),
    intermediateSize: count(),
    maxPositionEmbeddings: count(),
    typeVocabSize: count(),
    layerNormEps: z.number().positive(),
    hiddenDropoutProb: fraction(),
    attentionProbsDropoutProb: fraction(),
    initializerRange: z.number().positive(),
  })
  .partial();

/** Everything that can be pre-trained. */
export const PRETRAINING_OBJECTIVES = [...OBJECTIVES, 'spanbert'] as const;
export type PretrainingObjectiveName = (typeof PRETRAINING_OBJECTIVES)[number];

/**
 * What may be given. Only one of `steps` and `time` has no default; where a run reads and writes folders, `data` and `out` are
 * needed too (`folderProblems`).
 */
export const pretrainingSchema = z.strictObject({
  data: z.string().min(1).optional().describe('Folder of token shards, as `pleiad prepare` writes it.'),
  out: z.string().min(1).optional().describe('Run folder to write.'),
  resume: z.boolean().default(false).describe('Go on from the newest whole checkpoint in `out`. Default false.'),
  seed: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe('Seed of all randomness, 0 to 2^53-1. Default 0.'),

  objective: z
    .enum(PRETRAINING_OBJECTIVES)
    .default('electra')
    .describe('What is learned: ELECTRA, one of the comparisons of its paper (§3.4), or SpanBERT. Default electra.'),
  ...startFields,

  size: z
    .enum(Object.keys(SIZES) as [SizeName, ...SizeName[]])
    .optional()
    .describe(
      'Named size of the discriminator, or of the lone encoder. Default small; with `from`, the one that its model is of, or the next smaller one, for all defaults by size.',
    ),
  model: sizeOverrides.default({}).describe('Fields of the size to change, for instance hiddenSize=256. Default none.'),
  generator: sizeOverrides
    .default({})
    .describe(
      'Fields of the generator to change after its fractions are applied, as for `model`; or, with `from`, the name, folder or file of its generator. Default none.',
    ),
  generatorSizeFraction: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      "Width of the generator as a fraction of the discriminator's, 0 to 1. Default by size: 1/4, 1/3 or 1/2; 1 for objective two-stage.",
    ),
  generatorLayerFraction: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("Layers of the generator as a fraction of the discriminator's, 0 to 1. Default 1."),
  generatorKind: z
    .enum(['model', 'uniform', 'unigram'])
    .default('model')
    .describe('Where replacements come from: a trained generator, any token, or tokens by frequency. Default model.'),
  sharing: z
    .enum(['embeddings', 'none', 'encoder'])
    .optional()
    .describe(
      'What generator and discriminator share; encoder needs equal sizes. With none, the embeddings of the generator are as wide as itself, as released; `generator.embeddingSize` sets another width. Default embeddings; none for objective two-stage, which freezes the generator.',
    ),

  ...maskingFields,

  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('Divides the generator logits before sampling, above 0. Default 1.'),
  proposals: z
    .enum(['sample', 'argmax'])
    .default('sample')
    .describe('Whether the generator samples a replacement or takes the most probable token. Default sample.'),
  disallowCorrect: z.boolean().default(false).describe('Never propose the original token. Default false.'),
  mlmWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('Weight of the loss of masked tokens (the generator loss), from 0. Default 1.'),
  discWeight: z.number().min(0).default(50).describe('Weight λ of the discriminator loss, from 0. Default 50.'),

  ...spanBertFields,

  initialization: z
    .enum(['local', 'corrected', 'reference'])
    .optional()
    .describe(
      'How weights start. local: heads attend to neighbours; corrected: all from one normal; reference: as released, projections and the last layer Glorot-uniform. Default local; with `from`, corrected for what is new.',
    ),

  length: z.number().int().min(8).default(128).describe('Tokens in a row, special ones included, from 8. Default 128.'),
  segments: z
    .enum(['pair', 'single'])
    .optional()
    .describe(
      'Rows of two neighbouring segments (one in a tenth of the rows), or always of one. Default pair; single for spanbert without `nextSentence`.',
    ),
  batchSize: count()
    .optional()
    .describe('Rows of a micro-batch: what is in memory at once. Default by size: 32, or 16 for large.'),
  accumulation: count()
    .optional()
    .describe(
      'Micro-batches of a step, whose gradients are added up; under mpirun the ranks share its rows (`batchSize` times this). Default by size: 1, small 4, base 8, large 128 (spanbert 16).',
    ),

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
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe('Peak learning rate. Default by size: tiny and mini 4e-4, small 5e-4, else 2e-4; spanbert large 1e-4.'),
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
  adamBeta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the first moment, 0 to below 1. Default 0.9.'),
  adamBeta2: z
    .number()
    .min(0)
    .lt(1)
    .default(0.999)
    .describe('Decay of the second moment, 0 to below 1. Default 0.999.'),
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
  hiddenDropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Dropout of hidden states, 0 to below 1. Default 0: short runs do not overfit.'),
  attentionDropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Dropout of attention weights, 0 to below 1. Default 0.'),

  evaluateEvery: count()
    .optional()
    .describe('Steps between evaluations on held-out text. Default a tenth of all steps, at most 1000.'),
  evaluateBatches: count()
    .default(16)
    .describe('Batches of held-out text in an evaluation. Default 16, or as many as there are.'),
  checkpointEvery: count()
    .optional()
    .describe('Steps between checkpoints. Default a tenth of all steps, at most 1000.'),
  keepCheckpoints: count().default(2).describe('Newest checkpoints to keep, besides the best. Default 2.'),
  logEvery: count().default(10).describe('Steps between log lines. Default 10.'),
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
});

/** What a user gives: everything with a default may be left out. */
export interface PretrainingInput extends Omit<z.input<typeof pretrainingSchema>, 'generator'> {
  /** Fields of the generator; with `from`, the generator to go on with: a name on the hub, a folder or a file. */
  generator?: string | z.input<typeof sizeOverrides>;
}
type Parsed = z.output<typeof pretrainingSchema>;

/** Settings with every default that depends on others filled in. */
export interface PretrainingSettings extends Omit<Parsed, keyof ResolvedMasking>, ResolvedMasking {
  /** Where the weights of the generator come from, when `generator` names that. */
  readonly generatorFrom?: string;
  /** Whose names the parameters of `mlm` carry: a BERT's that it goes on from, else ELECTRA's. */
  readonly family?: ModelFamily;
  readonly size: SizeName;
  readonly initialization: 'local' | 'corrected' | 'reference';
  readonly generatorSizeFraction: number;
  readonly sharing: 'embeddings' | 'none' | 'encoder';
  readonly segments: 'pair' | 'single';
  readonly batchSize: number;
  readonly accumulation: number;
  readonly learningRate: number;
  readonly power: number;
  readonly warmupFraction: number;
  /** `time` in milliseconds. */
  readonly timeMs?: number;
  /** `more` in milliseconds. */
  readonly moreMs?: number;
}

interface SizeDefaults {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly accumulation: number;
}

const BY_SIZE: Readonly<Record<SizeName, SizeDefaults>> = {
  tiny: { learningRate: 4e-4, batchSize: 32, accumulation: 1 },
  mini: { learningRate: 4e-4, batchSize: 32, accumulation: 1 },
  // Global batches and rates from here on: ELECTRA paper, table 6.
  small: { learningRate: 5e-4, batchSize: 32, accumulation: 4 },
  'small++': { learningRate: 5e-4, batchSize: 32, accumulation: 4 },
  base: { learningRate: 2e-4, batchSize: 32, accumulation: 8 },
  large: { learningRate: 2e-4, batchSize: 16, accumulation: 128 },
};

/**
 * Where SpanBERT differs: a large run took 256 rows a step at 1e-4 (arXiv 1907.10529 §4.2). The authors' base run took
 * 2,048 at 5e-4; of the 256 here, 2e-4 is that rate over √8.
 */
const SPANBERT_BY_SIZE: Readonly<Partial<Record<SizeName, SizeDefaults>>> = {
  large: { learningRate: 1e-4, batchSize: 16, accumulation: 16 },
};

export type SettingName = keyof PretrainingInput;
const SETTING_NAMES = Object.keys(pretrainingSchema.shape) as SettingName[];

/**
 * Checks settings and fills in defaults.
 * @param start  sizes of the models that the run begins with, once they are known
 * @throws SettingsError naming every problem: types, ranges, unknown names with the nearest known one, contradictions
 */
export function resolvePretrainingSettings(input: unknown, start?: StartSizes): PretrainingSettings {
  const { fields, generatorFrom } = withoutGeneratorName(input);
  const parsed = pretrainingSchema.safeParse(fields, { reportInput: true });
  const shapeProblems = parsed.success ? [] : describeIssues(parsed.error.issues);
  // What did not parse is left out, so that contradictions among the rest are reported in the same message.
  const usable = parsed.success ? parsed.data : salvage(fields, parsed.error.issues);
  const bad = badNames(parsed.error?.issues ?? []);
  const given = givenNames(typeof input === 'object' && input !== null ? input : {}, bad);
  const named = usable && { ...usable, ...(generatorFrom !== undefined && { generatorFrom }) };
  const settings = named && withDefaults(named, given, start);
  const problems = [
    ...shapeProblems,
    ...(settings ? contradictions(settings, given, bad, start !== undefined) : []),
    ...(named && start ? startContradictions(named, start, given) : []),
  ];
  if (problems.length) throw new SettingsError(problems);
  return settings!;
}

/** Settings of a run that reads its shards from a folder and is written to one. */
export type FolderSettings = PretrainingSettings & { readonly data: string; readonly out: string };

/** What is missing for a run that reads and writes folders, one sentence each. */
export function folderProblems(input: Partial<PretrainingInput>): string[] {
  const missing = (['data', 'out'] as const).filter((name) => input[name] === undefined);
  return missing.map((name) => `${settingName(name)} is missing; expected ${EXPECTED[name]}`);
}

/** A word for the generator is where it comes from; all else must be its fields. */
function withoutGeneratorName(input: unknown): { fields: unknown; generatorFrom?: string } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { fields: input };
  const { generator, ...fields } = input as Record<string, unknown>;
  if (typeof generator !== 'string' || generator === '') return { fields: input };
  return { fields, generatorFrom: generator };
}

/** Settings that are out of range; of `model` and `generator` the fields, as "model.hiddenSize". */
function badNames(issues: readonly z.core.$ZodIssue[]): Set<string> {
  const outOfRange = issues.filter(({ code }) => code !== 'unrecognized_keys');
  return new Set(outOfRange.map(({ path }) => (hasFields(path[0]) ? path.join('.') : String(path[0]))));
}

/** The settings that were given and parsed; where masking did not, nothing can be said of what belongs to a scheme. */
function givenNames(input: object, bad: ReadonlySet<string>): Set<string> {
  const unclear = new Set<string>([...bad, ...(bad.has('masking') ? SCHEME_FIELDS : [])]);
  return new Set(Object.keys(input).filter((name) => !unclear.has(name)));
}

function withDefaults(
  parsed: Parsed & Pick<PretrainingSettings, 'generatorFrom'>,
  given: ReadonlySet<string>,
  start: StartSizes | undefined,
): PretrainingSettings {
  const { objective } = parsed;
  const size = parsed.size ?? (start ? sizeOfStart(start) : 'small');
  const isSpanBert = objective === 'spanbert';
  const replacesAsBert = isSpanBert || objective === 'mlm';
  const masking = parsed.masking ?? (isSpanBert ? ['span'] : ['random']);
  return {
    ...BY_SIZE[size],
    ...(isSpanBert && SPANBERT_BY_SIZE[size]),
    ...maskingDefaults({ masking }),
    masking,
    generatorSizeFraction: objective === 'two-stage' ? 1 : SIZES[size].generatorSizeFraction,
    sharing: objective === 'two-stage' ? 'none' : 'embeddings',
    maskProb: isSpanBert ? 0.15 : SIZES[size].maskProb,
    maskKeepProb: replacesAsBert ? 0.1 : 0.15,
    maskRandomProb: replacesAsBert ? 0.1 : 0,
    segments: isSpanBert && !parsed.nextSentence ? 'single' : 'pair',
    power: 1,
    warmupFraction: 0.1,
    initialization: parsed.from === undefined ? 'local' : 'corrected',
    ...withoutUndefined(parsed),
    size,
    ...(start && startSettings(parsed, start, given)),
    ...(parsed.time !== undefined && { timeMs: parseDuration(parsed.time) }),
    ...(parsed.more !== undefined && { moreMs: parseDuration(parsed.more) }),
  };
}

function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "90s", "10m", "1.5h" or "500ms" in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  if (!match) return undefined;
  const ms = Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
  return ms > 0 ? ms : undefined;
}

/** What parsed of settings that did not all parse, the rest at its default; undefined when nothing can be said. */
function salvage(input: unknown, issues: readonly z.core.$ZodIssue[]): Parsed | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const good: Record<string, unknown> = { ...input };
  for (const issue of issues) {
    const [name, field] = issue.path as string[];
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (name === undefined) for (const key of unknown) delete good[key];
    else if (!hasFields(name) || (field === undefined && unknown.length === 0)) delete good[name];
    else good[name] = without(good[name] as object, field === undefined ? unknown : [field]);
  }
  const retried = pretrainingSchema.safeParse(good);
  return retried.success ? retried.data : undefined;
}

function without(values: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

const TIME_EXPECTED = 'a positive number and ms, s, m or h, for instance "10m"';

/** Where the schema alone does not say enough. */
const EXPECTED: Readonly<Record<string, string>> = {
  '': 'names and values',
  data: 'a folder of token shards, as `pleiad prepare` writes it',
  out: 'the folder to write',
  time: TIME_EXPECTED,
  more: TIME_EXPECTED,
  model: 'fields of the size with their values, for instance hiddenSize',
  generator:
    'fields of the generator with their values, for instance hiddenSize; or, going on from a model, where its generator is',
};

/** One sentence a setting, however many of its limits a value breaks. */
function describeIssues(issues: readonly z.core.$ZodIssue[]): string[] {
  return [...new Set(issues.flatMap(describeIssue))];
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = at ? Object.keys(sizeOverrides.shape) : SETTING_NAMES;
    return issue.keys.map((key) => unknownName(key, at, known));
  }
  const [name, index] = issue.path;
  if (typeof index === 'number') {
    return [
      `${settingName(String(name))} has ${shownValue(issue.input)}; expected ${expectation(fieldAt([name]), 'element')}`,
    ];
  }
  const found = issue.input === undefined ? 'is missing' : `is ${shownValue(issue.input)}`;
  const where = at ? settingName(at) : 'the object of settings';
  return [`${where} ${found}; expected ${EXPECTED[at] ?? expectation(fieldAt(issue.path))}`];
}

function fieldAt([name, field]: readonly PropertyKey[]): z.ZodType {
  return field !== undefined && hasFields(name)
    ? sizeOverrides.shape[field as keyof typeof sizeOverrides.shape]
    : pretrainingSchema.shape[name as SettingName];
}

function hasFields(name: PropertyKey): name is 'model' | 'generator' {
  return name === 'model' || name === 'generator';
}

function unknownName(key: string, at: string, known: readonly string[]): string {
  const where = at ? settingName(`${at}.${key}`) : key;
  if (at && (key === 'vocabSize' || key === 'padTokenId')) return `${where} cannot be set; it comes from the tokenizer`;
  const nearest = nearestName(key, known);
  return nearest
    ? `${where} is not a setting; did you mean ${nearest}?`
    : `${where} is not a setting; known are ${known.join(', ')}`;
}

/** The known name within a third of a name's letters in edit distance, the closest first. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(name), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.max(1, Math.ceil(name.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * Settings that are each in range and do not go together.
 * @param bad         settings that stand at their default because what was given is out of range: nothing is said about
 *                    those
 * @param knowsSizes  whether the sizes of models that `from` names are in; without, nothing is said about sizes
 */
function contradictions(
  s: PretrainingSettings,
  given: ReadonlySet<string>,
  bad: ReadonlySet<string>,
  knowsSizes: boolean,
): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  if (s.time !== undefined && s.timeMs === undefined) {
    problems.push(`${settingName('time')} is "${s.time}"; expected ${TIME_EXPECTED}`);
  }
  if (s.more !== undefined && s.moreMs === undefined) {
    problems.push(
      `${settingName('more')} is "${s.more}"; expected ${TIME_EXPECTED}; steps have a setting of their own`,
    );
  }
  for (const name of ['more', 'moreSteps'] as const) {
    const instead = name === 'more' ? 'time' : 'steps';
    refuse(
      s[name] !== undefined && !s.resume,
      `${settingName(name)} is ${s[name]} and ${settingName('resume')} is not set; it counts from where a run stands: add ${settingWith('resume', true)}, or give ${settingName(instead)}`,
    );
  }
  refuse(
    !given.has('steps') && !given.has('time'),
    `neither ${settingName('steps')} nor ${settingName('time')} is set; give one, for instance ${settingWith('steps', 10000)} or ${settingWith('time', '10m')}`,
  );
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
  for (const [own, field] of [
    ['hiddenDropout', 'hiddenDropoutProb'],
    ['attentionDropout', 'attentionProbsDropoutProb'],
  ] as const) {
    refuse(
      given.has(own) && s.model[field] !== undefined,
      `${settingName(own)} is ${s[own]} and ${settingName(`model.${field}`)} is ${s.model[field]}; give one`,
    );
  }
  refuse(
    s.objective !== 'spanbert' && s.mlmWeight === 0 && s.discWeight === 0,
    `${settingName('mlmWeight')} and ${settingName('discWeight')} are both 0; nothing would be learned`,
  );
  problems.push(
    ...engineProblems(s),
    ...maskingContradictions(s, given),
    ...generatorContradictions(s, given),
    ...spanBertContradictions(s, given),
    ...beginningContradictions(s, given),
    ...(bad.has('size') || (s.from !== undefined && !knowsSizes) ? [] : modelProblems(s)),
  );
  const wordings = [...bad].map((name) => settingName(name));
  return problems.filter((problem) => !wordings.some((name) => mentions(problem, name)));
}

/** Whether a name stands in a text as a whole, not as a part of another. */
function mentions(text: string, name: string): boolean {
  const rest = text.split(name);
  return rest.slice(1).some((after, i) => !/[\w.-]$/.test(rest[i]) && !/^(?:[\w-]|\.\w)/.test(after));
}

const GENERATOR_SETTINGS = [
  'generator',
  'generatorSizeFraction',
  'generatorLayerFraction',
  'generatorKind',
  'sharing',
  'temperature',
  'proposals',
  'disallowCorrect',
] as const;

function hasGenerator({ objective }: PretrainingSettings): boolean {
  return objective !== 'mlm' && objective !== 'spanbert';
}

function generatorContradictions(s: PretrainingSettings, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  if (!hasGenerator(s)) {
    for (const name of GENERATOR_SETTINGS) {
      if (given.has(name))
        problems.push(
          `${settingName(name)} is set and ${settingName('objective')} is ${s.objective}, which has no generator`,
        );
    }
  }
  if (s.objective === 'two-stage' && s.sharing !== 'none') {
    problems.push(
      `${settingName('sharing')} is ${s.sharing} and ${settingName('objective')} is two-stage, which freezes the generator; expected none`,
    );
  }
  if (s.generatorKind !== 'model') {
    if (s.objective === 'two-stage')
      problems.push(
        `${settingName('generatorKind')} is ${s.generatorKind} and ${settingName('objective')} is two-stage, which trains a model first`,
      );
    if (s.sharing === 'encoder')
      problems.push(
        `${settingName('generatorKind')} is ${s.generatorKind} and ${settingName('sharing')} is encoder; there is no generator encoder to share`,
      );
  }
  return problems;
}

function modelProblems(s: PretrainingSettings): string[] {
  // Sizes do not depend on the vocabulary: any will do for checking them.
  const { discriminator, generator } = modelConfigs(s, { vocabSize: 1, padTokenId: 0 });
  const ofModel = encoderConfigProblems(discriminator);
  const problems = ofModel.map((problem) => `${settingName('model')}: ${problem}`);
  if (s.objective === 'spanbert' && discriminator.embeddingSize !== discriminator.hiddenSize) {
    const { embeddingSize, hiddenSize } = discriminator;
    problems.push(
      `${settingName('model.embeddingSize')} is ${embeddingSize} and hiddenSize is ${hiddenSize}; ${settingName('objective')} spanbert trains a BERT, which has no embedding projection: expected ${hiddenSize}`,
    );
  }
  if (hasGenerator(s) && s.generatorKind === 'model') {
    // What was derived from a model that is wrong is no news; what was given for the generator itself is.
    const given = (key: keyof EncoderConfig) => ofModel.length === 0 || key in s.generator;
    const ofGenerator = encoderConfigProblems(generator).filter((problem) => {
      const [field] = problem.split(' ') as [keyof EncoderConfig];
      return given(field) && (field !== 'hiddenSize' || given('numAttentionHeads'));
    });
    problems.push(...ofGenerator.map((problem) => `${settingName('generator')}: ${problem}`));
    const compared = (key: keyof EncoderConfig) => given(key) || !FROM_HEADS.includes(key);
    problems.push(...sharingProblems(s, discriminator, generator, compared));
    const { maxPositionEmbeddings: positions } = generator;
    if (s.length > positions && positions < discriminator.maxPositionEmbeddings) {
      problems.push(
        `${settingName('length')} is ${s.length} and maxPositionEmbeddings of the generator is ${positions}; expected a length of at most that`,
      );
    }
  }
  if (s.length > discriminator.maxPositionEmbeddings) {
    problems.push(
      `${settingName('length')} is ${s.length} and maxPositionEmbeddings is ${discriminator.maxPositionEmbeddings}; expected a length of at most that, or a larger ${settingName('model.maxPositionEmbeddings')}`,
    );
  }
  return problems;
}

/** Sizes of a generator that follow from the model's heads, where they are not given. */
const FROM_HEADS: readonly (keyof EncoderConfig)[] = ['hiddenSize', 'numAttentionHeads', 'intermediateSize'];
const ENCODER_SIZES = [
  'hiddenSize',
  'numHiddenLayers',
  'numAttentionHeads',
  'intermediateSize',
  'embeddingSize',
] as const;
const EMBEDDING_SIZES = ['embeddingSize', 'maxPositionEmbeddings', 'typeVocabSize'] as const;

function sharingProblems(
  s: PretrainingSettings,
  discriminator: EncoderConfig,
  generator: EncoderConfig,
  compared: (key: keyof EncoderConfig) => boolean,
): string[] {
  const equal = (keys: readonly (keyof EncoderConfig)[], why: string) =>
    keys
      .filter((key) => compared(key) && discriminator[key] !== generator[key])
      .map(
        (key) =>
          `${why} needs equal sizes: ${key} is ${discriminator[key]} in the model and ${generator[key]} in the generator`,
      );
  if (s.sharing === 'encoder') return equal(ENCODER_SIZES, `${settingName('sharing')} encoder`);
  if (s.objective === 'two-stage')
    return equal(ENCODER_SIZES, `${settingName('objective')} two-stage, which copies the generator,`);
  if (s.sharing !== 'embeddings') return [];
  const problems = equal(EMBEDDING_SIZES, `${settingName('sharing')} embeddings`);
  if (s.from === undefined) return problems;
  return problems.map((problem) => `${problem}; ${settingWith('sharing', 'none')} keeps the embeddings of both`);
}

/**
 * The configs of both halves for a vocabulary. Where there is one encoder alone, it is the discriminator's; a SpanBERT's
 * embeddings are as wide as its hidden states at every size.
 * @param vocabSize   of the tokenizer that made the shards
 * @param padTokenId  its padding token
 */
export function modelConfigs(
  s: PretrainingSettings,
  { vocabSize, padTokenId }: { vocabSize: number; padTokenId: number },
): { discriminator: EncoderConfig; generator: EncoderConfig } {
  const size = encoderConfig(s.size, vocabSize);
  const discriminator: EncoderConfig = {
    ...size,
    ...(trainsBert(s) && { embeddingSize: s.model.hiddenSize ?? size.hiddenSize }),
    padTokenId,
    hiddenDropoutProb: s.hiddenDropout,
    attentionProbsDropoutProb: s.attentionDropout,
    ...s.model,
  };
  const fractions = { sizeFraction: s.generatorSizeFraction, layerFraction: s.generatorLayerFraction };
  const generator = generatorConfig(discriminator, fractions);
  // A generator of the same width is the same network, also where the feed-forward width was overridden.
  const sameWidth = s.generatorSizeFraction === 1 && { intermediateSize: discriminator.intermediateSize };
  // Embeddings of its own are as wide as the generator, as with `untied_generator_embeddings` in google-research/electra:
  // a table wider than what reads it would cost more and need a projection. Two stages copy the generator, so there all
  // sizes are those of the model.
  const hiddenSize = s.generator.hiddenSize ?? generator.hiddenSize;
  const ownTable = s.sharing === 'none' && s.objective !== 'two-stage' && { embeddingSize: hiddenSize };
  return { discriminator, generator: { ...generator, ...sameWidth, ...ownTable, ...s.generator } };
}

/** Whether the model is a BERT, whose embeddings are as wide as its hidden states. */
export function trainsBert({ objective, family }: Pick<PretrainingSettings, 'objective' | 'family'>): boolean {
  return objective === 'spanbert' || family === 'bert';
}

/** Settings that a resumed run may change; all others decide what it computes. */
const CHANGEABLE: readonly SettingName[] = [
  'data',
  'tags',
  'out',
  'resume',
  'steps',
  'time',
  'more',
  'moreSteps',
  'evaluateEvery',
  'evaluateBatches',
  'checkpointEvery',
  'keepCheckpoints',
  'logEvery',
  'device',
  'engine',
  'precision',
  'threads',
];

/** The settings that a resumed run must not change and has, one sentence each with both values. */
export function changedSettings(before: PretrainingSettings, now: PretrainingSettings): string[] {
  const changed = (a: unknown, b: unknown, name: string) =>
    JSON.stringify(a) === JSON.stringify(b)
      ? []
      : [`${settingName(name)} was ${JSON.stringify(a)} when the run began and is ${JSON.stringify(b)} now`];
  const names = SETTING_NAMES.filter((name) => !CHANGEABLE.includes(name));
  return [
    ...names.flatMap((name) => changed(before[name], now[name], name)),
    ...changed(before.generatorFrom, now.generatorFrom, 'generator'),
  ];
}

/** A setting as a command line shows it. */
export interface SettingDescription {
  readonly name: SettingName;
  readonly description: string;
  /** `list`: one or several of the choices, separated by commas on a command line. */
  readonly type: 'text' | 'number' | 'boolean' | 'choice' | 'list' | 'fields';
  readonly choices?: readonly string[];
}

/** Every setting, in the order of the schema. */
export function describeSettings(): SettingDescription[] {
  return SETTING_NAMES.map((name) => {
    const field: z.ZodType = pretrainingSchema.shape[name];
    const inner = unwrapped(field);
    const description = field.description ?? inner.description ?? '';
    if (inner instanceof z.ZodEnum) return { name, description, type: 'choice', choices: inner.options.map(String) };
    if (inner instanceof z.ZodArray && inner.element instanceof z.ZodEnum) {
      return { name, description, type: 'list', choices: inner.element.options.map(String) };
    }
    if (inner instanceof z.ZodBoolean) return { name, description, type: 'boolean' };
    if (inner instanceof z.ZodNumber) return { name, description, type: 'number' };
    return { name, description, type: inner instanceof z.ZodString ? 'text' : 'fields' };
  });
}

function unwrapped(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodPipe) return unwrapped(field.out as z.ZodType);
  return field instanceof z.ZodDefault || field instanceof z.ZodOptional
    ? unwrapped(field.unwrap() as z.ZodType)
    : field;
}

/**
 * Turns the words of a command line into values: "5e-4" where a number is expected, "true", and "hiddenSize=64,…" for
 * `model` and `generator`. What cannot be turned stays a word, for `resolvePretrainingSettings` to complain about.
 */
export function settingsFromWords(words: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const types = new Map<string, SettingDescription['type']>(describeSettings().map(({ name, type }) => [name, type]));
  const convert = (type: SettingDescription['type'] | undefined, word: unknown): unknown => {
    if (typeof word !== 'string') return word;
    if (type === 'number') return numberOr(word);
    if (type === 'boolean') return word === 'true' ? true : word === 'false' ? false : word;
    if (type === 'fields' && FIELDS.test(word)) {
      return Object.fromEntries(
        word.split(',').map((pair) => [pair.split('=')[0].trim(), numberOr(pair.split('=')[1] ?? '')]),
      );
    }
    return word;
  };
  return Object.fromEntries(Object.entries(words).map(([name, word]) => [name, convert(types.get(name), word)]));
}

/** "hiddenSize=64,…"; a folder's name may have a "=" too, after other signs than these. */
const FIELDS = /^\s*\w*\s*=/;

function numberOr(word: string): number | string {
  return word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : word;
}

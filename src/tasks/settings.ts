/** Settings of fine-tuning: one schema for the command line, YAML and JSON files and library calls. */
import { z } from 'zod';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { familyOf } from '../checkpoint/modelFolder.js';
import { engineProblems } from '../engine/engineNames.js';
import { SettingsError } from '../errors/errors.js';
import { changedSettings } from '../settings/changedSettings.js';
import { count, fractionBelowOne } from '../settings/fieldTypes.js';
import { nearestName } from '../settings/nearestName.js';
import { parseSettings, withoutMentions } from '../settings/parseSettings.js';
import { settingName } from '../settings/settingNames.js';
import { defined } from '../training/defined.js';
import type { FolderSettings } from '../training/runFolder.node.js';
import {
  CHANGEABLE_ON_RESUME,
  checkpointFields,
  engineFields,
  limitFields,
  optimizerFields,
  runFields,
  TRAINING_DEFAULTS,
  TRAINING_EXPECTED,
  trainingContradictions,
} from '../training/trainingFields.js';
import type { RunSettings } from '../training/trainToFolder.node.js';
import { OWN_FIELDS } from './ownFields.js';
import type { Task } from './task.js';
import { ROLES, TASK_NAMES, TASKS, taskNamed } from './tasks.js';

/** A column's name, or its number from 0 in a file without a line of names. */
const column = () => z.union([z.string().min(1), z.number().int().min(0)]).optional();
/** "a,b" on a command line. */
const listOfNames = (value: unknown) =>
  typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value;
/** A file or several, "a.csv,b.csv"; one whose name has a comma is given in a list. */
const files = () =>
  z.preprocess((value: string | readonly string[]) => listOfNames(value), z.array(z.string().min(1)).min(1));

export const fineTuningSchema = z.strictObject({
  task: z
    .string()
    .min(1)
    .describe(`What is learned: ${TASK_NAMES.join(', ')}.`),
  from: z
    .string()
    .min(1)
    .describe('The encoder to start from: a name on the hub, a model folder, a checkpoint, a run, or a file.'),
  revision: z.string().min(1).optional().describe('Branch, tag or commit of `from` on the hub. Default main.'),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe('Where the tokenizer is, for weights that come without one: a folder, or a name on the hub.'),
  train: files().describe(
    "Rows to learn from, with named columns: a CSV, TSV, JSON Lines, JSON or Parquet file, or one of the task's own form such as SQuAD's, gzipped or not; several with commas between.",
  ),
  dev: files()
    .optional()
    .describe('Rows to evaluate on. Default: a tenth of the training rows, which are not trained on then.'),
  maxTrainRows: count()
    .optional()
    .describe(
      'Learns from at most so many of the training rows, drawn by `seed`: for a first look, or to see what more labels bring. Labels are found in all rows. Default: all.',
    ),
  columns: z
    .strictObject(Object.fromEntries(ROLES.map((role) => [role, column()])))
    .default({})
    .describe(
      `Which columns to read, such as text=Review,label=Stars; pair is a second text. Numbers from 0 for a CSV or TSV without a line of names. Default: the usual names. By task: ${TASKS.map(({ name, roles }) => `${name} has ${roles.join(', ')}`).join('; ')}.`,
    ),
  problemType: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What the labels mean: single_label_classification (one a text), multi_label_classification (several a text, as a;b or as a list in JSON) or regression (a number). Default single_label_classification.',
    ),
  labels: z
    .preprocess(listOfNames, z.array(z.string().min(1)).min(2))
    .optional()
    .describe('All labels in order, such as negative,positive. Default: those of the training rows, sorted.'),
  classWeights: z
    .enum(['none', 'balanced'])
    .optional()
    .describe(
      'Weight of the rows of each label in the loss. balanced: rare labels count as much as frequent ones, by rows / (labels × rows of the label). Default none.',
    ),
  ...runFields,
  out: z.string().min(1).describe('Run folder to write.'),

  epochs: z
    .number()
    .positive()
    .optional()
    .describe('How often every training row is learned from. Default 3, of question-answering 2.'),
  steps: count().optional().describe('Number of optimizer steps, instead of `epochs`.'),
  moreSteps: limitFields.moreSteps,
  length: z
    .number()
    .int()
    .min(8)
    .optional()
    .describe(
      'Longest row in tokens, special ones included, from 8; longer texts lose their end, of question-answering are read in windows. Default 128, of question-answering 384.',
    ),
  batchSize: count().default(32).describe('Rows of a micro-batch: what is in memory at once. Default 32.'),
  batchTokens: count()
    .optional()
    .describe(
      'Tokens of a micro-batch, padding included, at most, instead of `batchSize`: many short rows or few long ones, always of similar length. Each step counts alike, however many rows it has.',
    ),
  groupByLength: z
    .boolean()
    .optional()
    .describe(
      'Whether the rows of a step are of similar length, so that little is padded; they are drawn anew each epoch either way. Default true.',
    ),
  accumulation: count()
    .default(1)
    .describe(
      'Micro-batches of a step, whose gradients are added up; under mpirun the ranks share its rows (`batchSize` times this). Default 1.',
    ),

  learningRate: z
    .number()
    .positive()
    .optional()
    .describe(
      'Peak learning rate. Default: of an ELECTRA 3e-4 up to 512 wide, 1e-4 below 1024, else 5e-5; of a BERT 1e-4 up to 512 wide, else 5e-5.',
    ),
  layerRateDecay: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Rate of each layer as a fraction of that of the layer above, above 0, at most 1. Default: of an ELECTRA 0.8, from 1024 wide on 0.9; of a BERT 1, one rate for all.',
    ),
  ...optimizerFields,
  hiddenDropout: fractionBelowOne()
    .default(0.1)
    .describe('Dropout of hidden states and of the classifier, 0 to below 1. Default 0.1.'),
  attentionDropout: fractionBelowOne()
    .default(0.1)
    .describe('Dropout of attention weights, 0 to below 1. Default 0.1.'),

  metric: z
    .string()
    .min(1)
    .optional()
    .describe(
      `What the best checkpoint is chosen by; the first is the default. ${TASKS.flatMap(metricsInWords).join('; ')}.`,
    ),
  ...OWN_FIELDS,
  patience: count()
    .optional()
    .describe('Ends the run after so many evaluations in a row without a better one. Default: never before its end.'),
  evaluateEvery: count().optional().describe('Steps between evaluations. Default: half an epoch.'),
  ...checkpointFields,
  checkpointEvery: count().optional().describe('Steps between checkpoints. Default: as `evaluateEvery`.'),
  ...engineFields,
});

export type FineTuningInput = z.input<typeof fineTuningSchema>;
export type FineTuningSettingName = keyof FineTuningInput;
type Parsed = z.output<typeof fineTuningSchema>;

/** Settings with every default filled in. */
export interface FineTuningSettings
  extends RunSettings,
    FolderSettings,
    Omit<
      Parsed,
      keyof RunSettings | keyof FolderSettings | 'columns' | 'metric' | 'length' | 'layerRateDecay' | 'groupByLength'
    > {
  readonly from: string;
  /** By role. */
  readonly columns: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly layerRateDecay: number;
  readonly groupByLength: boolean;
  /** The model with its labels, as it is trained; undefined until the one that `from` names was read. */
  readonly model?: ModelDescription;
}

/** What is known once data and model are. */
export interface KnownOfRun {
  readonly numRows: number;
  /** Micro-batches of an epoch with `batchTokens`. */
  readonly batchesOfEpoch?: number;
  /** Of the data, where it is not that of the task. */
  readonly defaultMetric?: string;
  readonly model?: ModelDescription;
}

const EXPECTED = {
  ...TRAINING_EXPECTED,
  columns: `${ROLES.join(', ')} with the names of columns, for instance text=Review,label=Stars`,
  labels: 'two or more names with commas between',
  task: `one of ${TASK_NAMES.join(', ')}`,
  train: 'a file of rows with named columns, or of a form that the task knows',
  from: 'the model to start from',
};

/**
 * Checks settings and fills in defaults.
 * @throws SettingsError naming every problem
 */
export function resolveFineTuningSettings(input: unknown, known?: KnownOfRun): FineTuningSettings {
  const { values, problems: ofTypes, given, bad } = parseSettings(fineTuningSchema, input, { expected: EXPECTED });
  const filled = values ?? (ofTypes.length > 0 ? salvaged(input) : undefined);
  const problems = [...ofTypes, ...withoutMentions(filled ? contradictions(filled, given) : [], bad)];
  if (problems.length > 0 || !values) throw new SettingsError(problems);
  const { columns, model, ...settings } = { ...values, model: known?.model };
  const task = taskNamed(values.task);
  const stepsOfEpoch = known && stepsOfRows(values, known);
  const epochs = values.epochs ?? usualEpochs(task);
  const steps = values.steps ?? (stepsOfEpoch && Math.max(1, Math.ceil(epochs * stepsOfEpoch)));
  const evaluateEvery = values.evaluateEvery ?? (stepsOfEpoch && Math.max(1, Math.ceil(stepsOfEpoch / 2)));
  const trained = model && withDropout(model, values);
  return defined({
    ...(model ? defaultsOf(model) : { learningRate: 5e-5, layerRateDecay: 1 }),
    ...TRAINING_DEFAULTS,
    ...defined(settings),
    task: task.name,
    length: values.length ?? task.defaults?.length ?? 128,
    columns: namesOf(columns),
    groupByLength: values.groupByLength ?? true,
    metric: values.metric ?? known?.defaultMetric ?? metricsOf(task, values)[0],
    steps,
    evaluateEvery,
    checkpointEvery: values.checkpointEvery ?? evaluateEvery,
    model: trained,
  }) as FineTuningSettings;
}

/** Steps of an epoch; undefined where they depend on lengths that are not known yet. */
function stepsOfRows(
  { batchSize, batchTokens, accumulation }: Parsed,
  { numRows, batchesOfEpoch }: KnownOfRun,
): number | undefined {
  if (batchTokens === undefined) return numRows / (batchSize * accumulation);
  return batchesOfEpoch && batchesOfEpoch / accumulation;
}

/** How often a task learns from every training row where nothing is said. */
export const usualEpochs = ({ defaults }: Task): number => defaults?.epochs ?? 3;

/** With what is missing made up, so that contradictions among the rest are reported in the same message. */
function salvaged(input: unknown): Parsed | undefined {
  const required = { task: TASK_NAMES[0], from: '-', train: '-', out: '-' };
  const fields = typeof input === 'object' && input !== null ? defined(input) : {};
  return parseSettings(fineTuningSchema, { ...required, ...fields }).values;
}

/** Columns by role, all as names. */
function namesOf(columns: Parsed['columns']): Record<string, string> {
  const entries = Object.entries(columns).filter(([, name]) => name !== undefined);
  return Object.fromEntries(entries.map(([role, name]) => [role, String(name)]));
}

/** Units of hidden states from which on a model counts as large, and up to which as small. */
const LARGE = 1024;
const SMALL = 512;

/**
 * ELECTRA, table 6 of the paper's appendix (small 3e-4, base 1e-4, large 5e-5 with decays of 0.8, 0.8 and 0.9). BERT was
 * fine-tuned at one rate for all layers (arXiv 1810.04805, appendix A.3: 5e-5, 3e-5 or 2e-5); of small ones 1e-4 is better (docs/results.md).
 */
function defaultsOf({ architecture, config: { hiddenSize } }: ModelDescription) {
  if (familyOf(architecture) === 'bert') return { learningRate: hiddenSize <= SMALL ? 1e-4 : 5e-5, layerRateDecay: 1 };
  if (hiddenSize >= LARGE) return { learningRate: 5e-5, layerRateDecay: 0.9 };
  return { learningRate: hiddenSize <= SMALL ? 3e-4 : 1e-4, layerRateDecay: 0.8 };
}

/** A classifier's own dropout in config.json would go over that of the settings. */
function withDropout(model: ModelDescription, { hiddenDropout, attentionDropout }: Parsed): ModelDescription {
  const { classifier_dropout: _, ...otherFields } = model.otherFields ?? {};
  const config = {
    ...model.config,
    hiddenDropoutProb: hiddenDropout,
    attentionProbsDropoutProb: attentionDropout,
  };
  return { ...model, config, otherFields };
}

function contradictions(s: Parsed, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const both = (a: string, b: string) => {
    refuse(given.has(a) && given.has(b), `${settingName(a)} and ${settingName(b)} are both set; give one`);
  };
  both('steps', 'epochs');
  both('batchSize', 'batchTokens');
  refuse(
    s.batchTokens !== undefined && s.groupByLength === false,
    `${settingName('batchTokens')} is ${s.batchTokens} and ${settingName('groupByLength')} is false; rows of a budget of tokens are always of similar length, so leave one out`,
  );
  refuse(
    s.labels !== undefined && new Set(s.labels).size < s.labels.length,
    `${settingName('labels')} has a label twice: ${s.labels?.join(',')}; expected each once`,
  );
  const shared = s.dev?.find((file) => s.train.includes(file));
  refuse(
    shared !== undefined,
    `${settingName('train')} and ${settingName('dev')} are both ${shared}; expected other rows to evaluate on than those to learn from`,
  );
  try {
    problems.push(...taskProblems(taskNamed(s.task), s, given));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
  }
  return [...problems, ...trainingContradictions(s, given, { needsLimit: false }), ...engineProblems(s)];
}

/** "relation: macroF1, …", one line for each meaning that a task's labels can have. */
function metricsInWords({ name, metrics, problemTypes }: Task): string[] {
  if (!problemTypes) return [`${name}: ${metrics.join(', ')}`];
  return Object.entries(problemTypes).map(([type, own]) => `${name}, ${type}: ${own.join(', ')}`);
}

/** What the best checkpoint can be chosen by, the default first. */
function metricsOf({ metrics, problemTypes }: Task, { problemType = '' }: Pick<Parsed, 'problemType'>) {
  return problemTypes?.[problemType] ?? metrics;
}

/** Settings that a task does not have, or not with one another. */
function taskProblems(task: Task, s: Parsed, given: ReadonlySet<string>): string[] {
  const { name, roles, problemTypes } = task;
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const types = Object.keys(problemTypes ?? {});
  for (const role of Object.keys(s.columns)) {
    const nearest = nearestName(role, roles);
    const hint = nearest === undefined ? `${name} has ${roles.join(', ')}` : `did you mean ${nearest}?`;
    refuse(!roles.includes(role), `${settingName(`columns.${role}`)} is not a setting of ${name}; ${hint}`);
  }
  for (const setting of Object.keys(OWN_FIELDS)) {
    const owner = TASKS.find(({ ownSettings }) => ownSettings?.includes(setting))?.name;
    refuse(
      given.has(setting) && !task.ownSettings?.includes(setting),
      `${settingName(setting)} is of ${owner}, and ${settingName('task')} is ${name}; leave it out`,
    );
  }
  const isKnown = s.problemType === undefined || types.includes(s.problemType);
  refuse(
    !isKnown,
    types.length === 0
      ? `${settingName('problemType')} is ${s.problemType} and ${name} has none; leave it out`
      : `${settingName('problemType')} is ${s.problemType}; expected one of ${types.join(', ')}`,
  );
  const metrics = metricsOf(task, s);
  refuse(
    isKnown && s.metric !== undefined && !metrics.includes(s.metric),
    `${settingName('metric')} is ${s.metric}; expected, of ${s.problemType ?? name}, one of ${metrics.join(', ')}`,
  );
  const hasOneLabel = s.problemType === undefined || s.problemType === types[0];
  refuse(
    s.classWeights === 'balanced' && !(task.weighsClasses && hasOneLabel),
    `${settingName('classWeights')} is balanced, which is for one label a row, not for ${s.problemType ?? name}; leave it out`,
  );
  return problems;
}

/** Of a run that is resumed these may be others; all else decides what it computes. */
const CHANGEABLE: readonly string[] = [
  ...CHANGEABLE_ON_RESUME.filter((name) => name !== 'steps'),
  ...['from', 'revision', 'tokenizer', 'train', 'dev', 'columns', 'patience'],
];

/** Settings that a resumed run must not change and has, one sentence each. */
export function changedFineTuning(before: FineTuningSettings, now: FineTuningSettings): string[] {
  const names = Object.keys(fineTuningSchema.shape) as FineTuningSettingName[];
  return changedSettings(
    before,
    now,
    names.filter((name) => !CHANGEABLE.includes(name)),
  );
}

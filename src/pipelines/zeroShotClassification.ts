/**
 * `zero-shot-classification` without training: each label's words stand in a template beside the text, and the model says how
 * well they fit.
 *
 * A discriminator (Xia et al., "Prompting ELECTRA", arXiv 2205.15223) says of each piece how likely it was replaced; a label is
 * the better the less it is doubted. With z the logit of "replaced" (above 0 for replaced), pieces w of a word, words of a label:
 *
 *   score(word)  = mean over its pieces of −z = mean of ln P(original) − ln P(replaced)
 *
 * A masked language model sees [MASK] in the place of each piece:
 *
 *   score(word)  = mean over its pieces of ln P(piece)
 *
 * Both:
 *
 *   score(label) = mean over its words of score(word), less the same beside an empty text where that is asked (`calibrate`)
 *   probabilities: softmax over the labels, or of each label by itself 1 / (1 + e^−score)
 *
 * Calibration takes off what the model thinks of a word before it has read anything (Zhao et al., arXiv 2102.09690): rare words are
 * doubted everywhere.
 */
import { z } from 'zod';
import { SettingsError } from '../errors/errors.js';
import { BOXED } from '../hub/boxedNames.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingName } from '../settings/settingNames.js';
import type { Pipeline, PipelineCall, RowWatch } from './definition.js';
import { type LabelRow, LabelTemplate } from './labelTemplate.js';
import { discriminatorScores, isMaskedLanguageModel, maskedScores, prepareWordScores } from './labelWordScores.js';
import { logSoftmax, sigmoid } from './probabilities.js';

/** Labels that are words themselves, or the words that stand for each: `{ positive: ['great', 'good'], negative: 'terrible' }`. */
export type ZeroShotLabels = readonly string[] | Readonly<Record<string, string | readonly string[]>>;

export interface ZeroShotOptions {
  /** At least two, or one with `multiLabel`. */
  readonly labels?: ZeroShotLabels;
  /** How a text and a word stand together. Default `{text} It was {label}.` */
  readonly template?: string;
  /** Whether labels are judged beside an empty text, too, and scored by the difference. Default false. */
  readonly calibrate?: boolean;
  /** Whether a text may have several labels: each has a probability of its own. Default false. */
  readonly multiLabel?: boolean;
}

/** As transformers names it. */
export interface ZeroShotResult {
  readonly sequence: string;
  /** The most probable first. */
  readonly labels: string[];
  /** Of each label, 0 to 1. They add up to 1, unless `multiLabel`. */
  readonly scores: number[];
}

export interface ZeroShotTypes {
  readonly alias: never;
  readonly input: string;
  readonly options: ZeroShotOptions;
  readonly output: ZeroShotResult;
  readonly call: PipelineCall<string, ZeroShotOptions, ZeroShotResult>;
}

const DEFAULT_TEMPLATE = '{text} It was {label}.';

const words = z.union([z.string(), z.array(z.string()).min(1)]);

export const zeroShotClassification: Pipeline<ZeroShotTypes> = {
  name: 'zero-shot-classification',
  aliases: [],
  summary: 'which of any labels fits a text, without training',
  wants: {
    architectures: ['ElectraForPreTraining', 'ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'],
    roles: ['discriminator', 'model', 'generator'],
    taskOfUnknown: 'preTraining',
  },
  boxed: BOXED.pair,
  input: z.string().describe('a text'),
  options: z.strictObject({
    labels: z
      .union([z.array(z.string()).min(1), z.record(z.string(), words)])
      .optional()
      .describe('a list of labels, or the words of each: { positive: ["great", "good"], negative: "terrible" }'),
    template: z.string().optional(),
    calibrate: z.boolean().optional(),
    multiLabel: z.boolean().optional(),
  }),
  output: z.object({ sequence: z.string(), labels: z.array(z.string()), scores: z.array(z.number()) }),
  async load(model) {
    await prepareWordScores(model);
    return (texts, options, watch) => classify(model, texts, options, watch);
  },
};

interface Label {
  readonly name: string;
  readonly words: readonly string[];
}

async function classify(
  model: Model,
  texts: readonly string[],
  options: ZeroShotOptions,
  watch?: RowWatch,
): Promise<ZeroShotResult[]> {
  const { template: written = DEFAULT_TEMPLATE, calibrate = false, multiLabel = false } = options;
  const labels = labelsOf(options);
  if (multiLabel && !calibrate && isMaskedLanguageModel(model)) {
    throw new SettingsError([
      `${settingName('multiLabel')} needs ${settingName('calibrate')} of a masked language model: the probability of a word among all others says little by itself`,
    ]);
  }
  const template = new LabelTemplate(written, requireTokenizer(model), model.maxLength);
  const all = [...new Set(labels.flatMap((label) => label.words))];
  const rowsOf = (text: string): LabelRow[] => template.rows(text, all);
  const rows = [...texts, ...(calibrate ? [''] : [])].flatMap(rowsOf);
  const scores = await (isMaskedLanguageModel(model) ? maskedScores : discriminatorScores)(model, rows, watch);
  const ofWord = (text: number, word: string) => scores[text * all.length + all.indexOf(word)];
  const ofLabel = (text: number, label: Label) => mean(label.words.map((word) => ofWord(text, word)));
  const withoutText = labels.map((label) => (calibrate ? ofLabel(texts.length, label) : 0));
  return texts.map((sequence, text) => {
    const own = Float64Array.from(labels, (label, i) => ofLabel(text, label) - withoutText[i]);
    const probabilities = multiLabel ? own.map(sigmoid) : logSoftmax(own).map(Math.exp);
    // Equal ones stay in the order in which they were given.
    const order = [...labels.keys()].sort((a, b) => own[b] - own[a]);
    return { sequence, labels: order.map((i) => labels[i].name), scores: order.map((i) => probabilities[i]) };
  });
}

/** @throws SettingsError when there are too few, or one twice */
function labelsOf({ labels, multiLabel = false }: ZeroShotOptions): Label[] {
  if (labels === undefined) {
    throw new SettingsError([`${settingName('labels')} is missing; expected labels such as great and terrible`]);
  }
  const named = Array.isArray(labels)
    ? (labels as readonly string[]).map((name) => ({ name, words: [name] }))
    : Object.entries(labels).map(([name, given]) => ({ name, words: typeof given === 'string' ? [given] : given }));
  const problems = named
    .filter(({ name }, i) => named.findIndex((other) => other.name === name) !== i)
    .map(({ name }) => `${settingName('labels')} has ${JSON.stringify(name)} twice; give it once`);
  const fewest = multiLabel ? 1 : 2;
  if (named.length < fewest) {
    problems.push(
      `${settingName('labels')} has ${named.length} label; expected at least two, or ${settingName('multiLabel')} for one by itself`,
    );
  }
  if (problems.length > 0) throw new SettingsError([...new Set(problems)]);
  return named;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

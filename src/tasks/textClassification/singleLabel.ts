/** One label a text: cross entropy. */
import { int32Tensor } from '../../engine/tensors.js';
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { BATCH } from '../../nn/layers.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { accuracy, f1Score, macroF1, matthewsCorrelation } from '../classificationMetrics.js';
import type { LabelledText } from '../example.js';
import type { TaskNotice } from '../task.js';
import { countLabels, inOrder, misspeltLabels, refuseUnknownLabels, SEPARATOR, splitLabels } from './labels.js';
import type { LabelSource, Problem } from './problem.js';

export const singleLabel: Problem = {
  type: 'single_label_classification',
  metrics: ['accuracy', 'f1', 'macroF1', 'matthews'],
  labelsOf,
  check: refuseUnknownLabels,
  targetOf: ({ label }, labels) => [labels.indexOf(label)],
  labelsOfCell: (label) => [label],
  notices,
  oneClassNotices,
  termsOfRow: () => 1,
  declare: (g) => g.input('labels', 'int32', [BATCH]),
  tensor: (targets) => int32Tensor(Int32Array.from(targets)),
  loss: (g, logits, inputs) => predictionLoss(g, 'label', logits, inputs),
  metricsOf(logits, targets, numLabels) {
    const predicted = argMaxRows(logits, numLabels);
    return {
      loss: meanCrossEntropy(logits, targets, numLabels),
      accuracy: accuracy(predicted, targets),
      // Of the second of two labels, as GLUE counts it.
      ...(numLabels === 2 && { f1: f1Score(predicted, targets, 1) }),
      macroF1: macroF1(predicted, targets, numLabels),
      matthews: matthewsCorrelation(predicted, targets, numLabels),
    };
  },
};

/** More than these are no labels but numbers or texts. */
const MOST_LABELS = 1000;

/**
 * Whole numbers by value, all others by their characters; or those that were given, in that order.
 */
function labelsOf(texts: readonly LabelledText[], { source, column, given, isSaid }: LabelSource): string[] {
  if (given) {
    refuseUnknownLabels(texts, given, `${settingName('labels')} is`);
    return [...given];
  }
  const found = [...new Set(texts.map(({ label }) => label))];
  if (found.length < 2) {
    throw new DataError(`all ${texts.length} rows of ${source} have the label "${found[0]}"`, {
      subject: source,
      found,
      expected: 'two labels or more',
      advice: `There is nothing to learn from one; if another column has the labels, say so by ${settingName('columns')}`,
    });
  }
  const areNumbers = found.every(isNumber);
  if (areNumbers && !isSaid && found.some((label) => !Number.isInteger(Number(label)))) {
    throw new DataError(
      `all labels of ${source} are numbers, such as ${joinFirst(found, 3)} in column "${column}", and not all are whole`,
      {
        subject: source,
        found: found.length,
        expected: 'a problem type: whether they are quantities or names of classes',
        advice: `Add ${settingWith('problemType', 'regression')} to predict a number, or ${settingWith('problemType', singleLabel.type)} to predict one of the ${found.length}`,
      },
    );
  }
  if (found.length > MOST_LABELS || (texts.length >= 20 && found.length > texts.length / 2)) {
    const isJoined = found.filter((label) => label.includes(SEPARATOR)).length > found.length / 2;
    const [reason, type] = areNumbers
      ? ['to predict a number', 'regression' as const]
      : isJoined
        ? [`where ${JSON.stringify(SEPARATOR)} separates labels`, 'multi_label_classification' as const]
        : [];
    throw new DataError(
      `${source} has ${found.length} different labels in ${texts.length} rows, such as ${joinFirst(found, 3)}`,
      {
        subject: source,
        found: found.length,
        expected: 'a few labels, each of many rows',
        advice: `${type ? `Add ${settingWith('problemType', type)} ${reason}; if` : 'If'} another column has the labels, say so by ${settingName('columns')}`,
      },
    );
  }
  return inOrder(found);
}

const isNumber = (label: string) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(label);

function notices(train: readonly LabelledText[], dev: readonly LabelledText[]): TaskNotice[] {
  const counts = countLabels(train.map(({ label }) => label));
  return [...misspeltLabels(counts), ...joinedLabels(counts), ...oneClassNotices(dev, 'dev')];
}

function oneClassNotices(texts: readonly LabelledText[], file: 'dev' | 'data'): TaskNotice[] {
  const [first, ...others] = new Set(texts.map(({ label }) => label));
  if (others.length > 0) return [];
  return [
    {
      code: 'dev-one-class',
      message: `All ${texts.length} ${file === 'dev' ? 'dev rows' : 'rows'} have the label "${first}", so their accuracy says nothing of the other labels`,
      advice: `Evaluate on rows of every label: name another file by ${settingName(file)}.`,
    },
  ];
}

/** Labels that look like several, joined. */
function joinedLabels(counts: ReadonlyMap<string, number>): TaskNotice[] {
  const joined = [...counts.keys()].filter((label) => {
    const parts = splitLabels(label);
    return parts.length > 1 && parts.some((part) => counts.has(part));
  });
  if (joined.length === 0) return [];
  return [
    {
      code: 'labels-joined',
      message: `${joined.length} of the ${counts.size} labels are joined of others, such as "${joined[0]}", and are taken as labels of their own`,
      advice: `Where a text may have several labels, add ${settingWith('problemType', 'multi_label_classification')}.`,
    },
  ];
}

/** The column of each row's largest value, the first of equals. */
export function argMaxRows(values: ArrayLike<number>, width: number): Int32Array {
  return Int32Array.from({ length: values.length / width }, (_, row) => {
    let best = 0;
    for (let k = 1; k < width; k++) if (values[row * width + k] > values[row * width + best]) best = k;
    return best;
  });
}

/** The mean of −log p(label), by row-major logits. */
function meanCrossEntropy(logits: Float64Array, expected: readonly number[], width: number): number {
  let sum = 0;
  for (const [row, label] of expected.entries()) {
    const own = logits.subarray(row * width, (row + 1) * width);
    const max = own.reduce((a, b) => Math.max(a, b));
    sum += max + Math.log(own.reduce((total, value) => total + Math.exp(value - max), 0)) - own[label];
  }
  return sum / expected.length;
}

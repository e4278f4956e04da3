/** Several labels a text, or none: each is a decision of its own, with binary cross entropy. */
import { float32Tensor } from '../../engine/tensors.js';
import { DataError } from '../../errors/errors.js';
import { BATCH } from '../../nn/layers.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import { severalLabelMetrics } from '../classificationMetrics.js';
import type { LabelledText } from '../example.js';
import type { TaskNotice } from '../task.js';
import { countLabels, inOrder, misspeltLabels, refuseUnknownLabels, SEPARATOR, splitLabels } from './labels.js';
import type { LabelSource, Problem } from './problem.js';
import { LABEL_THRESHOLD } from './problemType.js';

export const multiLabel: Problem = {
  type: 'multi_label_classification',
  metrics: ['microF1', 'macroF1', 'allRight'],
  labelsOf,
  check: (texts, labels, known) => refuseUnknownLabels(texts.flatMap(labelByLabel), labels, known),
  targetOf({ label }, labels) {
    const own = new Set(splitLabels(label));
    return labels.map((name) => (own.has(name) ? 1 : 0));
  },
  labelsOfCell: splitLabels,
  notices,
  oneClassNotices: () => [],
  termsOfRow: (numLabels) => numLabels,
  declare: (g, numLabels) => g.input('labels', 'float32', [BATCH, numLabels]),
  tensor: (targets, numLabels) => float32Tensor(targets, [targets.length / numLabels, numLabels]),
  loss(g, logits, { labels, weights }) {
    // −y·log σ(z) − (1 − y)·log(1 − σ(z)) = softplus(z) − y·z
    const terms = g.sub(g.softplus(logits), g.mul(labels, logits)); // [B, labels]
    const sum = g.reduceSum(g.mul(terms, g.reshape(weights, [BATCH, 1])));
    g.output('labelLossSum', sum);
    return sum;
  },
  metricsOf(logits, targets, numLabels) {
    const least = Math.log(LABEL_THRESHOLD / (1 - LABEL_THRESHOLD));
    let sum = 0;
    for (const [i, z] of logits.entries()) sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[i] * z;
    const predicted = logits.map((z) => (z >= least ? 1 : 0));
    return { loss: sum / logits.length, ...severalLabelMetrics(predicted, targets, numLabels) };
  },
};

function labelByLabel(text: LabelledText): LabelledText[] {
  return splitLabels(text.label).map((label) => ({ ...text, label }));
}

function labelsOf(texts: readonly LabelledText[], { source, given }: LabelSource): string[] {
  const each = texts.flatMap(labelByLabel);
  if (given) {
    refuseUnknownLabels(each, given, `${settingName('labels')} is`);
    return [...given];
  }
  const found = inOrder([...new Set(each.map(({ label }) => label))]);
  if (found.length > 1) return found;
  throw new DataError(
    found.length === 0 ? `no row of ${source} has a label` : `${source} has one single label, "${found[0]}"`,
    {
      subject: source,
      found,
      expected: `two labels or more, of a row with several as "a${SEPARATOR}b" or as a list in JSON`,
      advice: `For one label that a text has or has not, write yes or no and leave ${settingName('problemType')} out`,
    },
  );
}

function notices(train: readonly LabelledText[], _: readonly LabelledText[], labels: readonly string[]): TaskNotice[] {
  const rows = train.map(({ label }) => splitLabels(label));
  const counts = countLabels(rows.flat());
  const found = misspeltLabels(counts);
  const always = labels.filter((label) => counts.get(label) === train.length);
  if (always.length > 0) {
    found.push({
      code: 'label-always',
      message: `Every training row has the label "${always[0]}", so there is nothing to learn of it`,
      advice: 'Leave the label out, or add rows without it.',
    });
  }
  if (rows.every((own) => own.length < 2)) {
    found.push({
      code: 'labels-alone',
      message: 'No training row has more than one label',
      advice: `Where that is how it always is, ${settingWith('problemType', 'single_label_classification')} learns more of the same rows; several labels stand as "a${SEPARATOR}b".`,
    });
  }
  return found;
}

/** A number for a text, such as a similarity from 0 to 5: mean squared error. */
import { float32Tensor } from '../../engine/tensors.js';
import { DataError, SettingsError } from '../../errors/errors.js';
import { BATCH } from '../../nn/layers.js';
import { settingName } from '../../settings/settingNames.js';
import { meanSquaredError, pearsonCorrelation, spearmanCorrelation } from '../correlation.js';
import type { LabelledText } from '../example.js';
import type { TaskNotice } from '../task.js';
import type { LabelSource, Problem } from './problem.js';

export const regression: Problem = {
  type: 'regression',
  metrics: ['spearman', 'pearson'],
  labelsOf,
  check: refuseWords,
  targetOf: ({ label }) => [Number(label)],
  labelsOfCell: () => [],
  notices,
  oneClassNotices,
  termsOfRow: () => 1,
  declare: (g) => g.input('labels', 'float32', [BATCH]),
  tensor: (targets) => float32Tensor(targets),
  loss(g, logits, { labels, weights }) {
    const difference = g.sub(g.reshape(logits, [BATCH]), labels);
    const sum = g.reduceSum(g.mul(g.mul(difference, difference), weights));
    g.output('labelLossSum', sum);
    return sum;
  },
  metricsOf(logits, targets) {
    return {
      loss: meanSquaredError(logits, targets),
      ...known('spearman', spearmanCorrelation(logits, targets)),
      ...known('pearson', pearsonCorrelation(logits, targets)),
    };
  },
};

/** Where all numbers are the same there is no correlation. */
const known = (name: string, value: number) => (Number.isNaN(value) ? {} : { [name]: value });

/** The number is called as its column. */
function labelsOf(texts: readonly LabelledText[], { source, column, given }: LabelSource): string[] {
  if (given) {
    throw new SettingsError([
      `${settingName('labels')} is ${given.join(',')} and ${settingName('problemType')} is regression, which has none; leave one out`,
    ]);
  }
  refuseWords(texts);
  if (texts.some(({ label }) => Number(label) !== Number(texts[0].label))) return [column];
  throw new DataError(`all ${texts.length} rows of ${source} have ${texts[0].label} in column "${column}"`, {
    subject: source,
    found: texts[0].label,
    expected: 'numbers that differ',
    advice: `There is nothing to learn from one; if another column has the numbers, say so by ${settingName('columns')}`,
  });
}

function refuseWords(texts: readonly LabelledText[]): void {
  const wrong = texts.find(({ label }) => label === '' || !Number.isFinite(Number(label)));
  if (!wrong) return;
  const withPoint = wrong.label.replace(',', '.');
  const hint = /^[-+]?\d+,\d+$/.test(wrong.label) ? `Write it as ${withPoint}` : 'Mend or remove the row';
  throw new DataError(`${wrong.place} has "${wrong.label}" where a number is expected`, {
    subject: wrong.place,
    found: wrong.label,
    expected: 'a number, such as 3.5',
    advice: `${hint}; where these are names of classes, leave ${settingName('problemType')} out`,
  });
}

/** A new head gives numbers near 0, and a small learning rate takes it a few units from there. */
const FAR = 20;

function notices(train: readonly LabelledText[], dev: readonly LabelledText[]): TaskNotice[] {
  const found: TaskNotice[] = [];
  const numbers = train.map(({ label }) => Number(label));
  const farthest = numbers.reduce((most, number) => (Math.abs(number) > Math.abs(most) ? number : most), 0);
  if (Math.abs(farthest) > FAR) {
    found.push({
      code: 'numbers-far',
      message: `The numbers go as far as ${farthest}, and a new head gives numbers near 0`,
      advice: 'It may not get there: scale them, for instance to 0 to 5, and scale what it predicts back.',
    });
  }
  return [...found, ...oneClassNotices(dev, 'dev')];
}

function oneClassNotices(texts: readonly LabelledText[], file: 'dev' | 'data'): TaskNotice[] {
  if (texts.some(({ label }) => Number(label) !== Number(texts[0].label))) return [];
  return [
    {
      code: 'dev-one-class',
      message: `All ${texts.length} ${file === 'dev' ? 'dev rows' : 'rows'} have the number ${texts[0]?.label}, and no correlation can be measured on them`,
      advice: `Evaluate on rows with different numbers, by another file of ${settingName(file)}.`,
    },
  ];
}

/** Text classification: a label for a text or a pair of texts. */
import type { Table } from '../../data/tables/table.js';
import { SettingsError } from '../../errors/errors.js';
import type { Model } from '../../pretrained/model.js';
import { settingName } from '../../settings/settingNames.js';
import { contentHash } from '../../text/contentHash.js';
import type { Metrics } from '../../training/objective.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView, LabelledText } from '../example.js';
import { holdOutRows } from '../heldOutRows.js';
import type { PreparedTask, PrepareOptions, ReadOptions, Task, TaskData, TaskNotice } from '../task.js';
import {
  BASELINES_FILE,
  type Baselines,
  baselineMetrics,
  classesOf,
  fitBaselines,
  majorityMetrics,
  parseBaselines,
} from './baselines.js';
import { batchOfRows, type ClassificationBatch, encodeRows } from './batches.js';
import {
  argMaxRows,
  CLASSIFICATION_METRICS,
  type ClassificationMetric,
  classificationEvaluation,
  classificationMetrics,
  meanCrossEntropy,
} from './evaluation.js';
import { labelledTexts, labelsOf, ROLES, refuseUnknownLabels } from './examples.js';
import { classifierLogits, labelNames } from './logits.js';
import { classificationObjective } from './objective.js';

export const textClassification: Task<ClassificationBatch> = {
  name: 'text-classification',
  aliases: ['classification', 'sequence-classification'],
  head: 'sequenceClassification',
  roles: ROLES,
  baselinesFile: BASELINES_FILE,
  metrics: CLASSIFICATION_METRICS,
  // A correlation of 0 alone may be chance.
  isConstant: ({ accuracy, majorityAccuracy, matthews }) =>
    matthews === 0 && majorityAccuracy !== undefined && accuracy! <= majorityAccuracy,
  read: (train, dev, options) => new ClassificationData(train, dev, options),
  evaluate,
};

/** Rows of a batch of evaluation. */
const EVALUATION_ROWS = 32;

class ClassificationData implements TaskData<ClassificationBatch> {
  readonly labels: readonly string[];
  readonly hash: string;
  readonly #train: readonly LabelledText[];
  readonly #dev: readonly LabelledText[];
  readonly #heldOut: boolean;

  constructor(train: Table, dev: Table | undefined, { columns, labels }: ReadOptions) {
    const texts = labelledTexts(train, columns);
    this.labels = labelsOf(texts, train.source, labels);
    this.#heldOut = dev === undefined;
    if (dev) {
      [this.#train, this.#dev] = [texts, labelledTexts(dev, columns)];
      refuseUnknownLabels(this.#dev, this.labels, 'the labels of the training data are');
    } else {
      const { train: kept, dev: heldOut } = holdOutRows(texts, ({ text, pair = '' }) => JSON.stringify([text, pair]));
      [this.#train, this.#dev] = [kept, heldOut];
    }
    const content = (rows: readonly LabelledText[]) => rows.map(({ text, pair, label }) => [text, pair, label]);
    this.hash = contentHash(JSON.stringify([this.labels, content(this.#train), content(this.#dev)]));
  }

  get examples(): TaskData<ClassificationBatch>['examples'] {
    const view = ({ label, ...row }: LabelledText): ExampleView => ({ ...row, labels: [label] });
    return { train: this.#train.map(view), dev: this.#dev.map(view) };
  }

  get numRows(): number {
    return this.#train.length;
  }

  prepare(options: PrepareOptions): PreparedTask<ClassificationBatch> {
    const { model, tokenizer, length, layerRateDecay, seed, share, metric } = options;
    const { labels } = this;
    if (metric === 'f1' && labels.length !== 2) {
      throw new SettingsError([
        `${settingName('metric')} is f1, which is of two labels, and there are ${labels.length}; expected macroF1, accuracy or matthews`,
      ]);
    }
    const encode = { tokenizer, length };
    const train = encodeRows(this.#train, labels, encode);
    const dev = encodeRows(this.#dev, labels, encode);
    const baselines = this.#baselines(options.baselines);
    const files = baselines && { [BASELINES_FILE]: `${JSON.stringify(baselines)}\n` };
    return {
      objective: classificationObjective(model, { layerRateDecay, files }),
      data: epochBatches(train.rows, {
        seed,
        share,
        batchOf: (rows, longest) => batchOfRows(rows, tokenizer.padId, longest),
      }),
      evaluation: classificationEvaluation({
        rows: dev.rows,
        numLabels: labels.length,
        padId: tokenizer.padId,
        batchSize: EVALUATION_ROWS,
        metric: metric as ClassificationMetric,
        baselines: baselines && baselineMetrics(baselines, this.#dev),
      }),
      notices: this.#notices(train.truncated, length),
    };
  }

  #baselines(wanted: PrepareOptions['baselines']): Baselines | undefined {
    if (wanted === undefined) return undefined;
    return wanted === 'new' ? fitBaselines(this.#train, this.labels) : parseBaselines(wanted.kept);
  }

  #notices(truncated: number, length: number): TaskNotice[] {
    const notices: TaskNotice[] = [];
    if (this.#heldOut) {
      notices.push({
        code: 'dev-held-out',
        message: `There are no dev data, so ${this.#dev.length} of the training rows are held out to evaluate on`,
        advice: `Name a file of dev data by ${settingName('dev')} to train on all.`,
      });
    }
    if (truncated > 0) {
      notices.push({
        code: 'texts-cut',
        message: `${truncated} of ${this.numRows} training texts are longer than ${length} tokens and lose their end`,
        advice: `A larger ${settingName('length')} keeps more, and takes longer.`,
      });
    }
    return notices;
  }
}

async function evaluate(
  model: Model,
  data: Table,
  { columns, baselines }: Parameters<typeof textClassification.evaluate>[2],
): Promise<Metrics> {
  const texts = labelledTexts(data, columns);
  const labels = labelNames(model);
  refuseUnknownLabels(texts, labels, 'the labels of the model are');
  const { logits, width } = await classifierLogits(model, texts);
  const expected = classesOf(texts, labels);
  return {
    rows: texts.length,
    loss: meanCrossEntropy(logits, expected, width),
    ...classificationMetrics(argMaxRows(logits, width), expected, width),
    ...(baselines === undefined ? majorityMetrics(expected) : baselineMetrics(parseBaselines(baselines), texts)),
  };
}

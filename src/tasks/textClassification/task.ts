/** Text classification: for a text or a pair of texts a label, several labels, or a number. */
import type { Table } from '../../data/tables/table.js';
import { SettingsError } from '../../errors/errors.js';
import type { Model } from '../../pretrained/model.js';
import { settingName } from '../../settings/settingNames.js';
import { contentHash } from '../../text/contentHash.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodedOnce } from '../encodedOnce.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView, LabelledText } from '../example.js';
import { cutNotice, heldOutNotice } from '../notices.js';
import type { Evaluated } from '../report/report.js';
import { rowEvaluation } from '../rowEvaluation.js';
import type { EncodedRows, PreparedTask, PrepareOptions, ReadOptions, Task, TaskData, TaskNotice } from '../task.js';
import { tokensOf } from '../tokenRows.js';
import { trainAndDevRows } from '../trainAndDevRows.js';
import {
  BASELINES_FILE,
  type Baselines,
  baselineMetrics,
  fitBaselines,
  majorityMetrics,
  parseBaselines,
  targetsOf,
} from './baselines.js';
import { batchOfRows, type ClassificationBatch, type ClassifiedRow, encodeRows } from './batches.js';
import { balancedWeights, weighedRows } from './classWeights.js';
import { labelColumn, labelledTexts, ROLES } from './examples.js';
import { classifierLogits, labelNames } from './logits.js';
import { classificationObjective } from './objective.js';
import { OFFICIAL_FORMATS } from './officialFormats.js';
import type { Problem } from './problem.js';
import { PROBLEMS, problemOf } from './problems.js';
import { PROBLEM_TYPES, type ProblemType, problemTypeOf } from './problemType.js';
import { classifierSections } from './report.js';

export const textClassification: Task<ClassificationBatch> = {
  name: 'text-classification',
  aliases: ['classification', 'sequence-classification'],
  head: 'sequenceClassification',
  formats: OFFICIAL_FORMATS,
  roles: ROLES,
  baselinesFile: BASELINES_FILE,
  // A correlation of 0 alone may be chance.
  isConstant: ({ accuracy, majorityAccuracy, matthews }) =>
    matthews === 0 && majorityAccuracy !== undefined && accuracy! <= majorityAccuracy,
  metrics: problemOf(PROBLEM_TYPES[0]).metrics,
  problemTypes: Object.fromEntries(PROBLEMS.map(({ type, metrics }) => [type, metrics])),
  weighsClasses: true,
  read: (train, dev, options) => new ClassificationData(train, dev, options),
  evaluate,
};

/** Rows of a batch of evaluation. */
const EVALUATION_ROWS = 32;

class ClassificationData implements TaskData<ClassificationBatch> {
  readonly labels: readonly string[];
  readonly hash: string;
  readonly configFields?: Readonly<Record<string, unknown>>;
  readonly #problem: Problem;
  readonly #train: readonly LabelledText[];
  readonly #dev: readonly LabelledText[];
  readonly #heldOut: boolean;
  readonly #encode = encodedOnce((tokenizer, length) =>
    encodeRows(this.#train, this.labels, { tokenizer, length, problem: this.#problem }),
  );

  constructor(train: Table, dev: Table | undefined, { columns, labels, problemType, limit }: ReadOptions) {
    const type = (problemType ?? PROBLEM_TYPES[0]) as ProblemType;
    this.#problem = problemOf(type);
    if (problemType !== undefined) this.configFields = { problem_type: type };
    const texts = labelledTexts(train, columns, type);
    this.labels = this.#problem.labelsOf(texts, {
      source: train.source,
      column: labelColumn(train, columns),
      given: labels,
      isSaid: problemType !== undefined,
    });
    this.#heldOut = dev === undefined;
    const sides = trainAndDevRows(texts, dev && labelledTexts(dev, columns, type), {
      textOf: ({ text, pair = '' }) => JSON.stringify([text, pair]),
      limit,
    });
    [this.#train, this.#dev] = [sides.train, sides.dev];
    this.#problem.check(this.#dev, this.labels, 'the labels of the training data are');
    const content = (rows: readonly LabelledText[]) => rows.map(({ text, pair, label }) => [text, pair, label]);
    const said = problemType === undefined ? [] : [type];
    this.hash = contentHash(JSON.stringify([this.labels, content(this.#train), content(this.#dev), ...said]));
  }

  get examples(): TaskData<ClassificationBatch>['examples'] {
    const view = ({ label, ...row }: LabelledText): ExampleView => ({
      ...row,
      labels: this.#problem.labelsOfCell(label),
      target: label,
    });
    return { train: this.#train.map(view), dev: this.#dev.map(view) };
  }

  get numRows(): number {
    return this.#train.length;
  }

  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows {
    return { lengths: this.#encode(tokenizer, length).rows.map(tokensOf) };
  }

  prepare(options: PrepareOptions): PreparedTask<ClassificationBatch> {
    const { model, tokenizer, length, layerRateDecay, order, metric } = options;
    const { labels } = this;
    const problem = this.#problem;
    if (metric === 'f1' && labels.length !== 2) {
      throw new SettingsError([
        `${settingName('metric')} is f1, which is of two labels, and there are ${labels.length}; expected macroF1, accuracy or matthews`,
      ]);
    }
    const train = this.#encode(tokenizer, length);
    const weights = options.classWeights && balancedWeights(this.#train, labels);
    const rows = weights ? weighedRows(train.rows, weights) : train.rows;
    const dev = encodeRows(this.#dev, labels, { tokenizer, length, problem });
    const baselines = this.#baselines(options.baselines);
    const ofBaselines = baselines && baselineMetrics(baselines, this.#dev);
    const files = baselines && { [BASELINES_FILE]: `${JSON.stringify(baselines)}\n` };
    const batchOf = (some: readonly ClassifiedRow[], padded?: number) => batchOfRows(some, tokenizer.padId, padded);
    return {
      objective: classificationObjective(model, { layerRateDecay, files }),
      data: epochBatches(rows, { order, batchOf, lengthOf: tokensOf }),
      evaluation: rowEvaluation({
        rows: dev.rows,
        lengthOf: ({ ids }) => ids.length,
        batchOf,
        batchSize: EVALUATION_ROWS,
        width: labels.length,
        metricsOf: (logits, rows) => ({
          ...problem.metricsOf(
            logits,
            rows.flatMap(({ targets }) => targets),
            labels.length,
          ),
          ...ofBaselines,
        }),
        metric,
      }),
      notices: this.#notices(train.truncated, length),
    };
  }

  #baselines(wanted: PrepareOptions['baselines']): Baselines | undefined {
    if (wanted === undefined) return undefined;
    return wanted === 'new' ? fitBaselines(this.#train, this.labels, this.#problem.type) : parseBaselines(wanted.kept);
  }

  #notices(truncated: number, length: number): TaskNotice[] {
    const notices = this.#problem.notices(this.#train, this.#dev, this.labels);
    if (this.#heldOut) notices.push(heldOutNotice(this.#dev.length, 'rows'));
    if (truncated > 0)
      notices.push(
        cutNotice(`${truncated} of ${this.numRows} training texts are longer than ${length} tokens and lose their end`),
      );
    return notices;
  }
}

async function evaluate(
  model: Model,
  data: Table,
  { columns, baselines }: Parameters<typeof textClassification.evaluate>[2],
): Promise<Evaluated> {
  const type = problemTypeOf(model.description);
  const problem = problemOf(type);
  const texts = labelledTexts(data, columns, type);
  const labels = labelNames(model);
  problem.check(texts, labels, 'the labels of the model are');
  const { logits, width } = await classifierLogits(model, texts);
  const targets = targetsOf(texts, labels, type);
  const isSingle = type === 'single_label_classification';
  return {
    rows: texts.length,
    metrics: {
      ...problem.metricsOf(logits, targets, width),
      ...(baselines !== undefined
        ? baselineMetrics(parseBaselines(baselines), texts)
        : isSingle
          ? majorityMetrics(targets)
          : {}),
    },
    sections: classifierSections(type, { texts, labels, logits, targets }),
    notices: problem.oneClassNotices(texts, 'data'),
  };
}

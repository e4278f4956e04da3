/** Relation classification: how two entities of a text are related, if at all. A classifier on [CLS] of the marked text. */
import type { Table } from '../../data/tables/table.js';
import type { Model } from '../../pretrained/model.js';
import { contentHash } from '../../text/contentHash.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { Metrics } from '../../training/objective.js';
import { predictBagOfWords } from '../bagOfWords.js';
import { encodedOnce } from '../encodedOnce.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView, LabelledText } from '../example.js';
import { cutNotice, heldOutNotice } from '../notices.js';
import { classSections, rowsOf } from '../report/classReport.js';
import type { Evaluated, ExampleText } from '../report/report.js';
import { rowEvaluation } from '../rowEvaluation.js';
import type { EncodedRows, PreparedTask, PrepareOptions, ReadOptions, Task, TaskData, TaskNotice } from '../task.js';
import { BASELINES_FILE, type Baselines, fitBaselines, parseBaselines } from '../textClassification/baselines.js';
import { batchOfRows, type ClassificationBatch, type ClassifiedRow } from '../textClassification/batches.js';
import { balancedWeights, weighedRows } from '../textClassification/classWeights.js';
import { labelNames } from '../textClassification/logits.js';
import { classificationObjective } from '../textClassification/objective.js';
import { argMaxRows, singleLabel } from '../textClassification/singleLabel.js';
import { tokensOf } from '../tokenRows.js';
import { trainAndDevRows } from '../trainAndDevRows.js';
import { encodePair, type PairEncoding } from './encodePair.js';
import { type RelationExample, ROLES, relationExamples, type TextSpan } from './examples.js';
import { relationLogits } from './logits.js';
import { chooseMarkers, MARKERS_FIELD } from './markers.js';
import { relationScores } from './relationMetrics.js';
import { SEMEVAL_FORMAT } from './semevalFormat.js';

export const relation: Task<ClassificationBatch> = {
  name: 'relation',
  aliases: ['relation-classification', 'relation-extraction'],
  head: 'sequenceClassification',
  formats: [SEMEVAL_FORMAT],
  roles: ROLES,
  baselinesFile: BASELINES_FILE,
  metrics: ['macroF1', 'microF1', 'accuracy'],
  weighsClasses: true,
  read: (train, dev, options) => new RelationData(train, dev, options),
  evaluate,
};

function viewOf({ text, head, tail, label, place }: RelationExample): ExampleView {
  const wordOf = ({ start, end }: TextSpan) => text.slice(start, end);
  const about = [head, tail].map(({ start, end }) => `${start}-${end}`).join(' ');
  return { text, labels: [label], target: `${label} of ${wordOf(head)} and ${wordOf(tail)}`, about, place };
}

/** Rows of a batch of evaluation. */
const EVALUATION_ROWS = 32;

class RelationData implements TaskData<ClassificationBatch> {
  readonly labels: readonly string[];
  readonly hash: string;
  readonly #train: readonly RelationExample[];
  readonly #dev: readonly RelationExample[];
  readonly #heldOut: boolean;
  readonly #encode = encodedOnce((tokenizer, length) =>
    encodeRows(this.#train, this.labels, { tokenizer, markers: chooseMarkers(tokenizer), length }),
  );

  constructor(train: Table, dev: Table | undefined, { columns, labels, limit }: ReadOptions) {
    const examples = relationExamples(train, columns);
    this.labels = singleLabel.labelsOf(examples, {
      source: train.source,
      column: 'label',
      given: labels,
      isSaid: true,
    });
    this.#heldOut = dev === undefined;
    const sides = trainAndDevRows(examples, dev && relationExamples(dev, columns), {
      textOf: ({ text }) => text,
      limit,
    });
    [this.#train, this.#dev] = [sides.train, sides.dev];
    singleLabel.check(this.#dev, this.labels, 'the labels of the training data are');
    const content = (rows: readonly RelationExample[]) => rows.map(({ place: _, ...row }) => row);
    this.hash = contentHash(JSON.stringify([this.labels, content(this.#train), content(this.#dev)]));
  }

  get examples(): TaskData<ClassificationBatch>['examples'] {
    return { train: this.#train.map(viewOf), dev: this.#dev.map(viewOf) };
  }

  get numRows(): number {
    return this.#train.length;
  }

  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows {
    return { lengths: this.#encode(tokenizer, length).rows.map(tokensOf) };
  }

  prepare(options: PrepareOptions): PreparedTask<ClassificationBatch> {
    const { tokenizer, length, layerRateDecay, order, metric } = options;
    const { labels } = this;
    const markers = chooseMarkers(tokenizer);
    const model = { ...options.model, pleiad: { ...options.model.pleiad, [MARKERS_FIELD]: markers } };
    const train = this.#encode(tokenizer, length);
    const weights = options.classWeights && balancedWeights(this.#train, labels);
    const rows = weights ? weighedRows(train.rows, weights) : train.rows;
    const dev = encodeRows(this.#dev, labels, { tokenizer, markers, length });
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
        metricsOf: (logits, rows) => {
          const targets = rows.map(({ targets: [target] }) => target);
          return { ...metricsOf(logits, targets, labels), ...ofBaselines };
        },
        metric,
      }),
      notices: this.#notices(train.truncated, length),
    };
  }

  #baselines(wanted: PrepareOptions['baselines']): Baselines | undefined {
    if (wanted === undefined) return undefined;
    return wanted === 'new' ? fitBaselines(this.#train.map(wordsOf), this.labels) : parseBaselines(wanted.kept);
  }

  #notices(truncated: number, length: number): TaskNotice[] {
    const notices = singleLabel.notices(this.#train, this.#dev, this.labels);
    if (this.#heldOut) notices.push(heldOutNotice(this.#dev.length, 'rows'));
    if (truncated > 0)
      notices.push(
        cutNotice(
          `${truncated} of ${this.numRows} training texts are longer than ${length} tokens and lose what is farthest from their entities`,
        ),
      );
    return notices;
  }
}

function encodeRows(
  examples: readonly RelationExample[],
  labels: readonly string[],
  options: PairEncoding,
): { rows: ClassifiedRow[]; truncated: number } {
  let truncated = 0;
  const rows = examples.map((example): ClassifiedRow => {
    const { ids, typeIds, isCut } = encodePair(example, options);
    if (isCut) truncated++;
    const label = labels.indexOf(example.label);
    return { ids, typeIds, targets: [label], weight: 1 };
  });
  return { rows, truncated };
}

function metricsOf(logits: Float64Array, targets: readonly number[], labels: readonly string[]): Metrics {
  const predicted = Array.from(argMaxRows(logits, labels.length), (label) => labels[label]);
  const expected = targets.map((target) => labels[target]);
  const { loss } = singleLabel.metricsOf(logits, targets, labels.length);
  return { loss, ...relationScores(predicted, expected) };
}

/** For a bag of words: the text, and apart from it what lies from one entity to the other. */
function wordsOf({ text, head, tail, label, place }: RelationExample): LabelledText {
  const between = text.slice(Math.min(head.start, tail.start), Math.max(head.end, tail.end));
  return { text, pair: between, label, place };
}

function baselineMetrics(baselines: Baselines, examples: readonly RelationExample[]): Metrics {
  const { labels, rows } = baselines;
  const expected = examples.map(({ label }) => label);
  const usual = labels[rows.indexOf(Math.max(...rows))];
  const predicted = Array.from(predictBagOfWords(baselines, examples.map(wordsOf)), (label) => labels[label]);
  const [majority, bag] = [expected.map(() => usual), predicted].map((said) => relationScores(said, expected));
  return {
    majorityMacroF1: majority.macroF1,
    bagOfWordsMacroF1: bag.macroF1,
    majorityAccuracy: majority.accuracy,
    bagOfWordsAccuracy: bag.accuracy,
  };
}

async function evaluate(
  model: Model,
  data: Table,
  { columns, baselines }: Parameters<typeof relation.evaluate>[2],
): Promise<Evaluated> {
  const examples = relationExamples(data, columns);
  const labels = labelNames(model);
  singleLabel.check(examples, labels, 'the labels of the model are');
  const { logits } = await relationLogits(model, examples);
  const targets = examples.map(({ label }) => labels.indexOf(label));
  return {
    rows: examples.length,
    metrics: {
      ...metricsOf(logits, targets, labels),
      ...(baselines !== undefined && baselineMetrics(parseBaselines(baselines), examples)),
    },
    sections: classSections({
      of: 'label',
      labels,
      wanted: targets,
      logits: rowsOf(logits, labels.length),
      exampleOf: (row) => ({ place: examples[row].place, texts: [markedText(examples[row])] }),
    }),
    notices: singleLabel.oneClassNotices(examples, 'data'),
  };
}

function markedText({ text, head, tail }: RelationExample): ExampleText {
  const marks = [{ ...head, kind: 'entity', label: 'e1' } as const, { ...tail, kind: 'entity', label: 'e2' } as const];
  return { text, marks };
}

/** Multiple choice: which of several texts answers a question, or follows another text. */
import type { Table } from '../../data/tables/table.js';
import { SettingsError } from '../../errors/errors.js';
import type { Model } from '../../pretrained/model.js';
import { settingName } from '../../settings/settingNames.js';
import { contentHash } from '../../text/contentHash.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { Metrics } from '../../training/objective.js';
import { encodedOnce } from '../encodedOnce.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView } from '../example.js';
import { firstLargest } from '../firstLargest.js';
import { cutNotice, heldOutNotice } from '../notices.js';
import { classSections } from '../report/classReport.js';
import type { Evaluated, ReportSection } from '../report/report.js';
import { rowEvaluation } from '../rowEvaluation.js';
import type { EncodedRows, PreparedTask, PrepareOptions, ReadOptions, Task, TaskData, TaskNotice } from '../task.js';
import { tokensOf } from '../tokenRows.js';
import { trainAndDevRows } from '../trainAndDevRows.js';
import { batchOfQuestions, type ChoiceBatch, type EncodedQuestion, encodeQuestions } from './batches.js';
import { choiceLogits } from './logits.js';
import { choiceAccuracy, choiceBaselines, choiceLoss } from './metrics.js';
import { choiceObjective } from './objective.js';
import { type AnsweredQuestion, answeredQuestions, ROLES } from './questions.js';

export const multipleChoice: Task<ChoiceBatch> = {
  name: 'multiple-choice',
  aliases: [],
  head: 'multipleChoice',
  roles: ROLES,
  metrics: ['accuracy'],
  read: (train, dev, options) => new ChoiceData(train, dev, options),
  evaluate,
};

function viewOf({ context, question, choices, answer, place }: AnsweredQuestion): ExampleView {
  const text = [context, question].filter((part) => part !== undefined).join(' ');
  const about = JSON.stringify(choices);
  return { text, pair: choices[answer], labels: [String(answer)], target: choices[answer], about, place };
}

/** Questions of a batch of evaluation. */
const EVALUATION_QUESTIONS = 8;

class ChoiceData implements TaskData<ChoiceBatch> {
  /** What is chosen from differs from question to question. */
  readonly labels: readonly string[] = [];
  readonly hash: string;
  readonly #train: readonly AnsweredQuestion[];
  readonly #dev: readonly AnsweredQuestion[];
  readonly #heldOut: boolean;
  readonly #encode = encodedOnce((tokenizer, length) => encodeQuestions(this.#train, { tokenizer, length }));

  constructor(train: Table, dev: Table | undefined, { columns, labels, limit }: ReadOptions) {
    if (labels) {
      throw new SettingsError([
        `${settingName('labels')} is ${labels.join(',')}, and multiple-choice has none but the choices of each question; leave it out`,
      ]);
    }
    const questions = answeredQuestions(train, columns);
    this.#heldOut = dev === undefined;
    const sides = trainAndDevRows(questions, dev && answeredQuestions(dev, columns), {
      textOf: ({ context, question, choices }) => JSON.stringify([context, question, choices]),
      limit,
    });
    [this.#train, this.#dev] = [sides.train, sides.dev];
    const content = (rows: readonly AnsweredQuestion[]) => rows.map(({ place: _, ...row }) => row);
    this.hash = contentHash(JSON.stringify([content(this.#train), content(this.#dev)]));
  }

  get examples(): TaskData<ChoiceBatch>['examples'] {
    return { train: this.#train.map(viewOf), dev: this.#dev.map(viewOf) };
  }

  get numRows(): number {
    return this.#train.length;
  }

  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows {
    const { encoded } = this.#encode(tokenizer, length);
    return { lengths: encoded.map(longestRow), rowsOfExample: this.#numChoices };
  }

  /** The most that a question has. */
  get #numChoices(): number {
    return [...this.#train, ...this.#dev].reduce((most, { choices }) => Math.max(most, choices.length), 2);
  }

  prepare(options: PrepareOptions): PreparedTask<ChoiceBatch> {
    const { model, tokenizer, length, layerRateDecay, order, metric } = options;
    const numChoices = this.#numChoices;
    const train = this.#encode(tokenizer, length);
    const dev = encodeQuestions(this.#dev, { tokenizer, length });
    const batchOf = (rows: readonly EncodedQuestion[], padded?: number) =>
      batchOfQuestions(rows, { numChoices, tokenizer, length: padded });
    const baselines = choiceBaselines(this.#dev);
    return {
      objective: choiceObjective(model, { numChoices, layerRateDecay }),
      data: epochBatches(train.encoded, { order, batchOf, lengthOf: longestRow, rowsOfExample: numChoices }),
      evaluation: rowEvaluation({
        rows: dev.encoded,
        lengthOf: longestRow,
        batchOf,
        batchSize: EVALUATION_QUESTIONS,
        width: numChoices,
        metricsOf: (logits, rows) => ({ ...metricsOf(logits, rows, numChoices), ...baselines }),
        metric,
      }),
      notices: this.#notices(train.truncated, length),
    };
  }

  #notices(truncated: number, length: number): TaskNotice[] {
    const notices: TaskNotice[] = [];
    if (this.#heldOut)
      notices.push(heldOutNotice(this.#dev.length, 'questions', '; questions on one context should be in one file'));
    if (truncated > 0)
      notices.push(
        cutNotice(
          `${truncated} of ${this.numRows} training questions are longer than ${length} tokens with a choice and lose some text`,
        ),
      );
    return notices;
  }
}

/** Tokens of the longest choice. */
const longestRow = ({ rows }: EncodedQuestion) => rows.reduce((most, row) => Math.max(most, tokensOf(row)), 0);

function metricsOf(logits: Float64Array, rows: readonly EncodedQuestion[], numChoices: number): Metrics {
  // Without what fills up.
  const own = rows.map(({ rows: { length } }, i) => logits.subarray(i * numChoices, i * numChoices + length));
  const answers = rows.map(({ answer }) => answer);
  return { loss: choiceLoss(own, answers), accuracy: choiceAccuracy(own.map(firstLargest), answers) };
}

async function evaluate(
  model: Model,
  data: Table,
  { columns }: Parameters<typeof multipleChoice.evaluate>[2],
): Promise<Evaluated> {
  const questions = answeredQuestions(data, columns);
  const logits = await choiceLogits(model, questions);
  const answers = questions.map(({ answer }) => answer);
  return {
    rows: questions.length,
    metrics: {
      loss: choiceLoss(logits, answers),
      accuracy: choiceAccuracy(logits.map(firstLargest), answers),
      ...choiceBaselines(questions),
    },
    sections: choiceSections(questions, logits),
  };
}

/** Choices are classes by their number: a model may prefer a place. */
function choiceSections(questions: readonly AnsweredQuestion[], logits: readonly Float64Array[]): ReportSection[] {
  const most = logits.reduce((count, { length }) => Math.max(count, length), 0);
  return classSections({
    of: 'choice',
    labels: Array.from({ length: most }, (_, number) => String(number)),
    wanted: questions.map(({ answer }) => answer),
    logits,
    exampleOf(row, got) {
      const { place, context, question, choices, answer } = questions[row];
      const named = (name: string, text: string | undefined) => (text === undefined ? [] : [{ name, text }]);
      const texts = [...named('context', context), ...named('question', question)];
      return { place, texts, wanted: choices[answer], got: choices[got] };
    },
  });
}

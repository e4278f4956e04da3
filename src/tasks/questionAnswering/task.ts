/** Extractive question answering: the part of a context that answers a question, or that there is none. */
import { headSettings } from '../../checkpoint/modelFolder.js';
import type { Table } from '../../data/tables/table.js';
import { QUESTION_ANSWERING_FILE } from '../../hub/modelFiles.js';
import type { QuestionAnsweringHead } from '../../models/heads.js';
import type { Model } from '../../pretrained/model.js';
import { contentHash } from '../../text/contentHash.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodedOnce } from '../encodedOnce.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView } from '../example.js';
import type { Evaluated } from '../report/report.js';
import type { EncodedRows, PreparedTask, PrepareOptions, ReadOptions, Task, TaskData } from '../task.js';
import { tokensOf } from '../tokenRows.js';
import { trainAndDevRows } from '../trainAndDevRows.js';
import type { QuestionAnsweringFile } from './answerSettings.js';
import { usualOverlap } from './answerWindows.js';
import { askModel, settingsOfModel } from './askModel.js';
import { type EncodedQuestion, encodeQuestions, type LearnedRows, learnedRows } from './encodedQuestions.js';
import {
  QUESTION_METRICS,
  type QuestionMetric,
  questionEvaluation,
  scorePredictions,
  slidingWindowMetrics,
} from './evaluation.js';
import { QUESTION_ANSWERING_FIELDS, type QuestionAnsweringSettings, questionAnsweringSettings } from './fields.js';
import { MRQA_FORMAT, SQUAD_FORMAT } from './formats.js';
import { shareInsideWords } from './insideWords.js';
import { questionNotices } from './notices.js';
import { batchOfQuestions, type QuestionBatch, questionObjective } from './objective.js';
import { learnableQuestions, type Question, questionsOf, ROLES } from './questions.js';
import { questionSections } from './report.js';
import { fitSlidingWindow, parseSlidingWindow, SLIDING_WINDOW_FILE, type SlidingWindow } from './slidingWindow.js';

export const questionAnsweringTask: Task<QuestionBatch> = {
  name: 'question-answering',
  aliases: ['qa'],
  head: 'questionAnswering',
  formats: [SQUAD_FORMAT, MRQA_FORMAT],
  roles: ROLES,
  baselinesFile: SLIDING_WINDOW_FILE,
  metrics: QUESTION_METRICS,
  defaults: { length: 384, epochs: 2 },
  ownSettings: Object.keys(QUESTION_ANSWERING_FIELDS),
  read: (train, dev, options) => new QuestionData(train, dev, options),
  evaluate,
};

function viewOf({ question, context, place, references }: Question): ExampleView {
  const [answer] = references;
  const labels = [answer === undefined ? 'no answer' : 'answer'];
  return { text: question, pair: context, labels, target: answer ?? 'no answer', place };
}

/** Rows of a batch of evaluation. */
const EVALUATION_ROWS = 32;
/** Of training answers that may begin or end inside a word before answers are no longer widened to words. */
const INSIDE_WORDS = 0.05;

interface EncodedData {
  readonly questions: readonly EncodedQuestion[];
  readonly learned: LearnedRows;
}

class QuestionData implements TaskData<QuestionBatch> {
  readonly labels: readonly string[] = [];
  readonly hash: string;
  readonly #settings: QuestionAnsweringSettings;
  readonly #train: readonly Question[];
  readonly #dev: readonly Question[];
  readonly #heldOut: boolean;
  /** Training questions that were left out. */
  readonly #leftOut: number;
  readonly #encode = encodedOnce((tokenizer, length): EncodedData => {
    const { docStride = usualOverlap(length) } = this.#settings;
    const questions = encodeQuestions(this.#train, { tokenizer, length, docStride });
    return { questions, learned: learnedRows(questions, this.#settings) };
  });

  constructor(train: Table, dev: Table | undefined, { columns, own = {}, limit }: ReadOptions) {
    this.#settings = questionAnsweringSettings(own);
    const { misplacedAnswers } = this.#settings;
    const { questions, leftOut } = learnableQuestions(questionsOf(train, columns), train.source, misplacedAnswers);
    this.#leftOut = leftOut;
    this.#heldOut = dev === undefined;
    const sides = trainAndDevRows(questions, dev && questionsOf(dev, columns), {
      textOf: ({ context }) => context,
      // Questions about one article share what they are about.
      groupOf: ({ article, context }) => article ?? context,
      limit,
    });
    [this.#train, this.#dev] = [sides.train, sides.dev];
    const content = (rows: readonly Question[]) =>
      rows.map(({ id, question, context, answers, references }) => [id, question, context, answers, references]);
    this.hash = contentHash(JSON.stringify([content(this.#train), content(this.#dev)]));
  }

  get numRows(): number {
    return this.#train.length;
  }

  get questionAnsweringHead(): QuestionAnsweringHead {
    return this.#settings.qaHead;
  }

  get examples(): TaskData<QuestionBatch>['examples'] {
    return { train: this.#train.map(viewOf), dev: this.#dev.map(viewOf) };
  }

  /** Windows to learn from: long contexts have several. */
  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows {
    return { lengths: this.#encode(tokenizer, length).learned.rows.map(tokensOf) };
  }

  prepare(options: PrepareOptions): PreparedTask<QuestionBatch> {
    const { model, tokenizer, length, layerRateDecay, order, metric } = options;
    const { docStride = usualOverlap(length), maxAnswerLength, noAnswerShare } = this.#settings;
    const { padId } = tokenizer;
    const { questions, learned } = this.#encode(tokenizer, length);
    const file = {
      maxLength: length,
      stride: docStride,
      maxAnswerLength,
      alignToWords: shareInsideWords(this.#train) < INSIDE_WORDS,
    };
    const unfitted: QuestionAnsweringFile = { nullThreshold: 0, temperature: 1, ...file };
    const baseline = this.#baseline(options.baselines);
    const files = {
      [QUESTION_ANSWERING_FILE]: `${JSON.stringify(unfitted, null, 2)}\n`,
      ...(baseline && { [SLIDING_WINDOW_FILE]: `${JSON.stringify(baseline)}\n` }),
    };
    return {
      objective: questionObjective(model, { layerRateDecay, files }),
      data: epochBatches(learned.rows, {
        order,
        lengthOf: tokensOf,
        batchOf: (rows, padded) => batchOfQuestions(rows, padId, padded),
      }),
      evaluation: questionEvaluation({
        questions: encodeQuestions(this.#dev, { tokenizer, length, docStride }),
        questionAnsweringHead: headSettings(model).questionAnsweringHead,
        padId,
        batchSize: EVALUATION_ROWS,
        metric: metric as QuestionMetric,
        noAnswerShare,
        file,
        baseline,
      }),
      notices: questionNotices({
        train: questions,
        dev: this.#dev,
        heldOut: this.#heldOut,
        leftOut: this.#leftOut,
        learned,
        length,
      }),
    };
  }

  #baseline(wanted: PrepareOptions['baselines']): SlidingWindow | undefined {
    if (wanted === undefined) return undefined;
    return wanted === 'new' ? fitSlidingWindow(this.#train) : parseSlidingWindow(wanted.kept);
  }
}

async function evaluate(
  model: Model,
  data: Table,
  { columns, baselines }: Parameters<typeof questionAnsweringTask.evaluate>[2],
): Promise<Evaluated> {
  const questions = questionsOf(data, columns);
  const file = settingsOfModel(model);
  const { nullThreshold: threshold, temperature, alignToWords } = file;
  const predictions = await askModel(model, questions, file);
  const characters = !alignToWords;
  return {
    rows: questions.length,
    metrics: {
      ...scorePredictions(questions, predictions, { threshold, characters }).metrics,
      ...(baselines !== undefined && slidingWindowMetrics(parseSlidingWindow(baselines), questions, { characters })),
    },
    sections: questionSections(questions, predictions, { threshold, temperature }),
  };
}

/** The tasks on which an encoder is judged by fine-tuning, in the files that their authors published. */
import type { FineTuningInput } from '../src/tasks/settings.js';

export interface TransferTask {
  readonly name: string;
  readonly settings: Pick<FineTuningInput, 'task'> & Partial<FineTuningInput>;
  /** Files under the folder of the data sets. */
  readonly train: readonly string[];
  readonly dev: readonly string[];
  /** What it is judged by: a metric of the task. */
  readonly metric: string;
  /** What costs nothing: metrics that `finetune` reports beside the model's, with the words of the table. */
  readonly baselines: Readonly<Record<string, string>>;
  /** Steps of a run on few rows. */
  readonly leastSteps: number;
  /** Lines of a dev file that are used, its line of names included: the first ones. Default: all. */
  readonly devLines?: number;
}

const LEAST_STEPS = 200;
const classification = {
  settings: { task: 'text-classification' },
  metric: 'accuracy',
  baselines: { majorityAccuracy: 'majority', bagOfWordsAccuracy: 'bag of words' },
  leastSteps: LEAST_STEPS,
};
const tagging = {
  settings: { task: 'token-classification' },
  metric: 'f1',
  baselines: { wordTagF1: "each word's tag" },
  leastSteps: LEAST_STEPS,
};

/** Books are made into questions by `nextSentence.ts`. */
export const NEXT_SENTENCE = { name: 'next sentence', books: 'text-en/books' } as const;

export const TRANSFER_TASKS: readonly TransferTask[] = [
  { name: 'SST-2', ...classification, train: ['glue/SST-2/train.tsv.gz'], dev: ['glue/SST-2/dev.tsv'] },
  {
    name: 'CoLA',
    ...classification,
    metric: 'matthews',
    baselines: {},
    train: ['glue/CoLA/train.tsv'],
    dev: ['glue/CoLA/dev.tsv'],
  },
  { name: 'MRPC', ...classification, train: ['glue/MRPC/train.tsv'], dev: ['glue/MRPC/dev.tsv'] },
  {
    name: 'STS-B',
    ...classification,
    settings: { task: 'text-classification', problemType: 'regression' },
    metric: 'spearman',
    baselines: { bagOfWordsSpearman: 'bag of words' },
    train: ['glue/STS-B/train.tsv'],
    dev: ['glue/STS-B/dev.tsv'],
  },
  { name: 'CoNLL-2000', ...tagging, train: ['conll2000/train.part.txt.gz'], dev: ['conll2000/test.txt'] },
  { name: 'WNUT-17', ...tagging, train: ['wnut17/wnut17train.conll'], dev: ['wnut17/emerging.dev.conll'] },
  {
    name: 'SemEval-8',
    settings: { task: 'relation' },
    metric: 'macroF1',
    baselines: { bagOfWordsMacroF1: 'bag of words' },
    // Nineteen labels, and a head on [CLS] that starts from nothing.
    leastSteps: 800,
    train: ['semeval2010-task8/TRAIN_FILE.TXT.gz'],
    dev: ['semeval2010-task8/TEST_FILE_FULL.TXT'],
  },
  {
    name: NEXT_SENTENCE.name,
    settings: { task: 'multiple-choice', batchSize: 8 },
    metric: 'accuracy',
    baselines: { chanceAccuracy: 'chance', overlapAccuracy: 'shared words' },
    // Four texts a row.
    leastSteps: LEAST_STEPS,
    train: ['train.jsonl'],
    dev: ['dev.jsonl'],
  },
  {
    name: 'NSMC',
    ...classification,
    // Of Korean an English vocabulary has letters alone: many pieces a text.
    settings: { task: 'text-classification', length: 64 },
    devLines: 2001,
    train: ['nsmc/ratings_train_part1.txt.gz'],
    dev: ['nsmc/ratings_test_part.txt.gz'],
  },
  {
    name: 'SQuAD',
    settings: { task: 'question-answering' },
    metric: 'f1',
    baselines: { slidingWindowF1: 'sliding window' },
    leastSteps: 100,
    train: ['head', 'sample', 'val5'].map((part) => `squad/squad1-train-${part}.json.gz`),
    dev: ['squad/xquad-en-dev.json'],
  },
  {
    name: 'KorQuAD',
    settings: { task: 'question-answering', metric: 'characterF1' },
    metric: 'characterF1',
    baselines: { slidingWindowCharacterF1: 'sliding window' },
    leastSteps: 100,
    train: ['korquad/korquad1-train-part.json.gz'],
    dev: ['korquad/korquad1-dev-part.json'],
  },
];

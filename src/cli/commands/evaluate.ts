import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createEngine } from '../../engine/chooseEngine.node.js';
import type { EngineWish } from '../../engine/engineNames.js';
import { CheckpointError, SettingsError } from '../../errors/errors.js';
import { innerPlace, resolveCheckpoint } from '../../pretrained/modelPlaces.node.js';
import { evaluateCheckpoint } from '../../pretraining/evaluateRun.node.js';
import { evaluatePredictions as evaluateFile, evaluateTask, scoreModel } from '../../tasks/evaluateTask.node.js';
import type { Scorer } from '../../tasks/scorer.js';
import { findScorer, SCORERS } from '../../tasks/scorers.js';
import type { Task } from '../../tasks/task.js';
import { taskOfPlace } from '../../tasks/taskOfPlace.node.js';
import { findTask, TASK_NAMES, TASKS, taskNamed } from '../../tasks/tasks.js';
import { COLUMNS_OPTION, columnsOf } from '../columnsOption.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { MODEL_OPTION, modelFolder } from '../modelOption.js';
import { collectProblems, numberAbove, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { REPORT_OPTION, reportFile, showReport } from '../reportView.js';
import { refuseBeside, scorePredictionFile, scriptLines } from '../scriptScores.js';
import { wordsOfTask } from '../taskWords.js';
import { heldOutSummary } from '../trainingView.js';

export const evaluate: CommandDefinition = {
  name: 'evaluate',
  summary: 'Measures a model on held-out data.',
  options: [
    MODEL_OPTION,
    {
      flags: '--data <place>',
      description:
        'of a pre-training run: a folder of token shards, whose held-out split is used; of a fine-tuned model: a file of rows with labels, of tagging a CoNLL file',
    },
    COLUMNS_OPTION,
    {
      flags: '--na-probabilities <file>',
      description:
        'with --predictions: a JSON file of how probable no answer is, by question id, for the best thresholds of SQuAD 2.0',
    },
    {
      flags: '--threshold <number>',
      description: 'from which of these numbers on there is no answer. Default 1; of a model, what was fitted.',
    },
    {
      flags: '--batches <number>',
      description: 'of a pre-training run: at most so many batches. Default: all of the held-out text.',
    },
    {
      flags: '--task <name>',
      description:
        'what to measure: a task, by default what the model was trained for; squad or korquad prints the keys of the official script.',
      choices: ['pretraining', ...new Set([...TASK_NAMES, ...SCORERS.map(({ name }) => name)])],
    },
    {
      flags: '--predictions <file>',
      description:
        'measure the predictions in this file, whoever made them, instead of a model; with --task. Of questions a JSON file of answers by id; of tagging a CoNLL file whose last column is predicted.',
    },
    REPORT_OPTION,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad evaluate --model run/ --data shards/',
    'pleiad evaluate --model reviews/ --data test.csv --report report.html',
    'pleiad evaluate --task squad --predictions answers.json --data dev-v2.0.json',
    'pleiad evaluate --task token-classification --predictions predicted.conll --data test.conll',
  ],

  async run(_words, options, { output }) {
    if (typeof options.predictions === 'string') return evaluatePredictions(options.predictions, options, output);
    const given = collectProblems({
      model: () => modelFolder(options.model),
      data: () => required('--data', options.data, 'a folder of token shards, or a file of rows with labels'),
      batches: () => wholeNumber('--batches', options.batches, 1),
      engine: () => engineOptions(options),
      report: () => reportFile(options),
    });
    const folder = innerPlace(given.model);
    const checkpoint = resolveCheckpoint(folder);
    const place = checkpoint === undefined ? folder : join(checkpoint, 'model');
    const scorer = SCORERS.find(({ name }) => name === options.task);
    if (scorer) return evaluateByScript(scorer, { ...given, place, options, output });
    const named = typeof options.task === 'string';
    const task = named ? findTask(String(options.task)) : taskOfPlace(folder, checkpoint);
    if (task) return evaluateRows(task, { ...given, place, options, output });
    if (!checkpoint) throw noRun(folder);
    if (options.report !== undefined) {
      throw new SettingsError(['--report is for fine-tuned models and for predictions; leave it out']);
    }
    const engine = await createEngine(given.engine);
    try {
      const result = await evaluateCheckpoint(checkpoint, { data: given.data, engine, maxBatches: given.batches });
      output.line(`${result.checkpoint}, on held-out text of ${given.data}:`);
      for (const line of heldOutSummary(result.heldOut)) output.line(line);
      if (!result.isOwnText) {
        output.line(
          result.heldOut.unigramCrossEntropy === undefined
            ? `  (no unigram baseline: ${given.data} has no training text to take frequencies from)`
            : `  (the unigram baseline is by the frequencies of the training text of ${given.data}, which the model was not trained on)`,
        );
      }
      return { json: result };
    } finally {
      await engine.close();
    }
  },
};

interface GivenModel {
  readonly model: string;
  /** The folder of the model itself. */
  readonly place: string;
  readonly data: string;
  readonly engine: EngineWish;
  readonly report?: string;
  readonly options: OptionValues;
  readonly output: Output;
}

async function evaluateRows(task: Task, given: GivenModel): Promise<CommandResult> {
  const { model, place, data, engine, report: path, options, output } = given;
  if (options.batches !== undefined) throw new SettingsError(['--batches is for pre-training runs; leave it out']);
  const columns = columnsOf(options.columns, task.roles);
  const found = await evaluateTask(task, place, { data, columns, ...engine });
  const { rows, metrics } = found;
  output.line(`${place}, on the ${rows} rows of ${data}:`);
  for (const line of wordsOfTask(task).summary(metrics)) output.line(line);
  const report = await showReport(found, { model, data, path }, output);
  return { json: { model: place, rows, ...metrics, report } };
}

/** A model's figures under the keys of an official script. */
async function evaluateByScript(scorer: Scorer, given: GivenModel): Promise<CommandResult> {
  const { model, place, data, engine, report: path, options, output } = given;
  const columns = columnsOf(options.columns, taskNamed(scorer.task).roles);
  const threshold = numberAbove('--threshold', options.threshold, Number.NEGATIVE_INFINITY);
  const { rows, scores, sections } = await scoreModel(scorer, place, { data, columns, threshold, ...engine });
  output.line(`${place}, on the ${rows} rows of ${data}:`);
  for (const line of scriptLines(scores)) output.line(line);
  const found = { task: scorer.task, rows, metrics: scores, sections };
  const report = await showReport(found, { model, data, path }, output);
  return { json: { model: place, rows, ...scores, report } };
}

async function evaluatePredictions(predictions: string, options: OptionValues, output: Output): Promise<CommandResult> {
  const scorer = typeof options.task === 'string' ? findScorer(options.task) : undefined;
  if (scorer) return scorePredictionFile(scorer, predictions, options, output);
  const { task, data, columns, path } = collectProblems({
    task: () => scoredTask(options.task),
    data: () => required('--data', options.data, 'the file that the predictions are of'),
    columns: () => columnsOf(options.columns, typeof options.task === 'string' ? taskNamed(options.task).roles : []),
    others: () => refuseBeside(options, ['model', 'batches']),
    path: () => reportFile(options),
  });
  const found = await evaluateFile(task.name, { data, predictions, columns });
  const { rows, metrics } = found;
  output.line(`${predictions}, on the ${rows} rows of ${data}:`);
  for (const line of wordsOfTask(task).summary(metrics)) output.line(line);
  const report = await showReport(found, { model: predictions, data, path }, output);
  return { json: { predictions, rows, ...metrics, report } };
}

function scoredTask(word: OptionValues[string]): Task {
  const able = [...TASKS.filter(({ score }) => score), ...SCORERS].map(({ name }) => name);
  const task = typeof word === 'string' ? findTask(word) : undefined;
  if (task?.score) return task;
  throw new SettingsError([
    `--task is ${typeof word === 'string' ? word : 'missing'}; expected, with --predictions, ${able.join(' or ')}`,
  ]);
}

function required(flag: string, word: string | boolean | undefined, expected: string): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError([`${flag} is missing; expected ${expected}`]);
}

/** One half of a checkpoint, or a model from elsewhere, is a model and yet not enough. */
function noRun(folder: string): CheckpointError {
  const around = resolve(folder, '..');
  const isHalf = existsSync(join(folder, 'config.json'));
  const advice = existsSync(join(around, 'trainer.json'))
    ? `Give the whole checkpoint: --model ${around}`
    : isHalf
      ? 'A model alone has no objective to be measured by; give the run that it comes from'
      : 'Check the name of the folder';
  return new CheckpointError(`${folder} is ${isHalf ? 'one model' : 'neither a run nor a checkpoint'}`, {
    subject: folder,
    expected: 'a folder that `pleiad pretrain` wrote, which holds both halves',
    advice,
  });
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadPublishedConfig } from '../../checkpoint/modelFolder.node.js';
import { readTrainerFile } from '../../checkpoint/trainerFile.node.js';
import { createEngine } from '../../engine/chooseEngine.node.js';
import type { EngineWish } from '../../engine/engineNames.js';
import { CheckpointError, SettingsError } from '../../errors/errors.js';
import { MODEL_CLASSES } from '../../models/heads.js';
import { innerPlace, resolveCheckpoint } from '../../pretrained/modelPlaces.node.js';
import { evaluateCheckpoint } from '../../pretraining/evaluateRun.node.js';
import { evaluateTask, scoreModel, scorePredictions } from '../../tasks/evaluateTask.node.js';
import type { Scorer } from '../../tasks/scorer.js';
import { findScorer, SCORERS } from '../../tasks/scorers.js';
import type { Task } from '../../tasks/task.js';
import { findTask, TASK_NAMES, TASKS, taskNamed } from '../../tasks/tasks.js';
import { COLUMNS_OPTION, columnsOf } from '../columnsOption.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { MODEL_OPTION, modelFolder } from '../modelOption.js';
import { collectProblems, numberAbove, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
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
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad evaluate --model run/ --data shards/',
    'pleiad evaluate --model reviews/ --data test.csv',
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
    });
    const checkpoint = resolveCheckpoint(innerPlace(given.model));
    const scorer = SCORERS.find(({ name }) => name === options.task);
    if (scorer) return evaluateByScript(scorer, { ...given, checkpoint, options, output });
    const task = taskOf(options.task, checkpoint, given.model);
    if (task) return evaluateRows(task, { ...given, checkpoint, options, output });
    if (!checkpoint) throw noRun(given.model);
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

/** The fine-tuning task: as named, else what the run or the model is of; undefined for pre-training. */
function taskOf(word: OptionValues[string], checkpoint: string | undefined, model: string): Task | undefined {
  if (typeof word === 'string') return findTask(word);
  if (checkpoint) return findTask(readTrainerFile(checkpoint).objective);
  if (!existsSync(join(model, 'config.json'))) return undefined;
  const { architecture, pleiad } = loadPublishedConfig(model);
  // Several tasks may have one head.
  const own = typeof pleiad?.objective === 'string' ? findTask(pleiad.objective) : undefined;
  return own ?? (architecture && TASKS.find(({ head }) => head === MODEL_CLASSES[architecture].task));
}

interface GivenModel {
  readonly model: string;
  readonly checkpoint?: string;
  readonly data: string;
  readonly engine: EngineWish;
  readonly options: OptionValues;
  readonly output: Output;
}

async function evaluateRows(task: Task, given: GivenModel): Promise<CommandResult> {
  const { model, checkpoint, data, engine, options, output } = given;
  if (options.batches !== undefined) throw new SettingsError(['--batches is for pre-training runs; leave it out']);
  const columns = columnsOf(options.columns, task.roles);
  const place = checkpoint === undefined ? model : join(checkpoint, 'model');
  const { rows, ...metrics } = await evaluateTask(task, place, { data, columns, ...engine });
  output.line(`${place}, on the ${rows} rows of ${data}:`);
  for (const line of wordsOfTask(task).summary(metrics)) output.line(line);
  return { json: { model: place, rows, ...metrics } };
}

/** A model's figures under the keys of an official script. */
async function evaluateByScript(scorer: Scorer, given: GivenModel): Promise<CommandResult> {
  const { model, checkpoint, data, engine, options, output } = given;
  const columns = columnsOf(options.columns, taskNamed(scorer.task).roles);
  const threshold = numberAbove('--threshold', options.threshold, Number.NEGATIVE_INFINITY);
  const place = checkpoint === undefined ? model : join(checkpoint, 'model');
  const { rows, scores } = await scoreModel(scorer, place, { data, columns, threshold, ...engine });
  output.line(`${place}, on the ${rows} rows of ${data}:`);
  for (const line of scriptLines(scores)) output.line(line);
  return { json: { model: place, rows, ...scores } };
}

async function evaluatePredictions(predictions: string, options: OptionValues, output: Output): Promise<CommandResult> {
  const scorer = typeof options.task === 'string' ? findScorer(options.task) : undefined;
  if (scorer) return scorePredictionFile(scorer, predictions, options, output);
  const { task, data, columns } = collectProblems({
    task: () => scoredTask(options.task),
    data: () => required('--data', options.data, 'the file that the predictions are of'),
    columns: () => columnsOf(options.columns, typeof options.task === 'string' ? taskNamed(options.task).roles : []),
    others: () => refuseBeside(options, ['model', 'batches']),
  });
  const { rows, ...metrics } = await scorePredictions(task, { data, predictions, columns });
  output.line(`${predictions}, on the ${rows} rows of ${data}:`);
  for (const line of wordsOfTask(task).summary(metrics)) output.line(line);
  return { json: { predictions, rows, ...metrics } };
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

/** `pleiad evaluate --predictions`: a file of predictions against data, in the keys of the official script. */
import { readFileSync } from 'node:fs';
import { parsePythonJson } from '../checkpoint/pythonJson.js';
import { readTable } from '../data/tables/readTable.node.js';
import { DataError, SettingsError } from '../errors/errors.js';
import type { Scorer } from '../tasks/scorer.js';
import { taskNamed } from '../tasks/tasks.js';
import type { Metrics } from '../training/objective.js';
import { columnsOf } from './columnsOption.js';
import type { CommandResult, OptionValues } from './command.js';
import { collectProblems, numberAbove } from './numbers.js';
import type { Output } from './output.js';
import { reportFile, showReport } from './reportView.js';

export async function scorePredictionFile(
  scorer: Scorer,
  path: string,
  options: OptionValues,
  output: Output,
): Promise<CommandResult> {
  const { formats, roles } = taskNamed(scorer.task);
  const { data, threshold, columns, report } = collectProblems({
    data: () => dataOf(options.data),
    threshold: () => numberAbove('--threshold', options.threshold, Number.NEGATIVE_INFINITY),
    columns: () => columnsOf(options.columns, roles),
    others: () => refuseBeside(options, ['model', 'batches']),
    report: () => reportFile(options),
  });
  const table = await readTable(data, { wanted: Object.values(columns), formats });
  const predictions = readJson(path);
  const { naProbabilities } = options;
  const further = naProbabilities === undefined ? {} : { noAnswerProbabilities: readJson(String(naProbabilities)) };
  const { rows, scores, notices, sections } = scorer.score(table, predictions, { columns, further, threshold });
  output.line(`${path}, on the ${rows} rows of ${data}:`);
  for (const line of scriptLines(scores)) output.line(line);
  const found = { task: scorer.task, rows, metrics: scores, sections, notices };
  const shown = await showReport(found, { model: path, data, path: report }, output);
  return { json: { ...scores, warnings: notices, report: shown } };
}

/** @throws SettingsError for options that say of a model, or of a run, what a file of predictions has not */
export function refuseBeside(options: OptionValues, names: readonly string[]): void {
  const given = names.filter((name) => options[name] !== undefined).map((name) => `--${name}`);
  if (given.length === 0) return;
  throw new SettingsError([`--predictions and ${given.join(' and ')} are both given; give one`]);
}

/** A line a figure. */
export function scriptLines(scores: Metrics): string[] {
  const width = Math.max(...Object.keys(scores).map((key) => key.length));
  return Object.entries(scores).map(([key, value]) => `  ${key.padEnd(width)}  ${value}`);
}

function dataOf(word: OptionValues[string]): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError(['--data is missing; expected the file of questions that the predictions are of']);
}

function readJson(path: string): unknown {
  try {
    return parsePythonJson(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new DataError(`${path} cannot be read: ${(cause as Error).message}`, {
      subject: path,
      expected: 'a JSON file of predictions by id',
      advice: 'Check its name, or write it again',
      cause,
    });
  }
}

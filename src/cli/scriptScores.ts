/** `pleiad evaluate --predictions`: a file of predictions against data, in the keys of the official script. */
import { readFileSync } from 'node:fs';
import { parsePythonJson } from '../checkpoint/pythonJson.js';
import { readTable } from '../data/tables/readTable.node.js';
import { DataError, SettingsError } from '../errors/errors.js';
import { findScorer, SCORERS } from '../tasks/scorers.js';
import { taskNamed } from '../tasks/tasks.js';
import type { Metrics } from '../training/objective.js';
import { columnsOf } from './columnsOption.js';
import type { CommandResult, OptionValues } from './command.js';
import { collectProblems, numberAbove } from './numbers.js';
import type { Output } from './output.js';

export async function evaluatePredictions(options: OptionValues, output: Output): Promise<CommandResult> {
  const { scorer, data, threshold } = collectProblems({
    model: () => refuse(options.model !== undefined, '--model and --predictions are both given; give one'),
    scorer: () => scorerOf(options.task),
    data: () => dataOf(options.data),
    threshold: () => numberAbove('--threshold', options.threshold, Number.NEGATIVE_INFINITY),
  });
  const { formats, roles } = taskNamed(scorer.task);
  const columns = columnsOf(options.columns, roles);
  const table = await readTable(data, { wanted: Object.values(columns), formats });
  const predictions = readJson(String(options.predictions));
  const { naProbabilities: path } = options;
  const further = path === undefined ? {} : { noAnswerProbabilities: readJson(String(path)) };
  const { rows, scores, notices } = scorer.score(table, predictions, { columns, further, threshold });
  output.line(`${options.predictions}, on the ${rows} rows of ${data}:`);
  for (const line of scriptLines(scores)) output.line(line);
  for (const { message, advice } of notices) output.line(output.style(`warning: ${message}. ${advice}`, 'yellow'));
  return { json: { ...scores, warnings: notices } };
}

/** A line a figure. */
export function scriptLines(scores: Metrics): string[] {
  const width = Math.max(...Object.keys(scores).map((key) => key.length));
  return Object.entries(scores).map(([key, value]) => `  ${key.padEnd(width)}  ${value}`);
}

function refuse(wrong: boolean, problem: string): void {
  if (wrong) throw new SettingsError([problem]);
}

function scorerOf(word: OptionValues[string]) {
  const scorer = typeof word === 'string' ? findScorer(word) : undefined;
  if (scorer) return scorer;
  const expected = SCORERS.map(({ name }) => name).join(' or ');
  const found = word === undefined ? 'missing' : `${word}, whose predictions cannot be scored from a file`;
  throw new SettingsError([`--task is ${found}; expected ${expected}, whose official script the figures are of`]);
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

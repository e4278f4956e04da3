/** `pleiad classify --zero-shot`: any labels, by a discriminator or a masked language model that was never trained on them. */

import { SettingsError } from '../errors/errors.js';
import { BOXED } from '../hub/boxedNames.js';
import { pipeline } from '../pipelines/pipeline.node.js';
import type { ZeroShotLabels, ZeroShotResult } from '../pipelines/zeroShotClassification.js';
import { type Column, tableLines } from './columns.js';
import type { CommandContext, CommandResult, OptionDefinition, OptionValues } from './command.js';
import { engineOptions } from './engineOptions.js';
import { modelFolder, pipelineOptions } from './modelOption.js';
import { collectProblems, wholeNumber } from './numbers.js';
import type { Output } from './output.js';
import { formatOfTable, progressBeside, resultText, withColumns } from './resultTable.js';
import { isNameOfTable, textsOfTable } from './tableTexts.js';
import { checkText, readTexts } from './textInput.js';
import { warnOfUnknown } from './unknownWarning.js';

const GROUP = 'Zero-shot';

export const ZERO_SHOT_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--zero-shot',
    description: 'classify by any labels, without training: with an ELECTRA discriminator, or a masked language model',
    group: GROUP,
  },
  {
    flags: '--labels <names>',
    description: 'the labels, such as great,terrible; or words for each: positive=great/good,negative=terrible/bad',
    group: GROUP,
  },
  {
    flags: '--template <text>',
    description: 'how a text and a label stand together. Default "{text} It was {label}."',
    group: GROUP,
  },
  {
    flags: '--calibrate',
    description: 'take off what the model thinks of each label beside an empty text',
    group: GROUP,
  },
  { flags: '--multi-label', description: 'a text may have several labels: each has a score of its own', group: GROUP },
];

/** @throws SettingsError when an option of zero-shot is given without it */
export function refuseZeroShotOptions(options: OptionValues): void {
  const given = ['labels', 'template', 'calibrate', 'multiLabel'].filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const flags = given.map((name) => (name === 'multiLabel' ? '--multi-label' : `--${name}`)).join(', ');
  throw new SettingsError([`${flags} ${given.length === 1 ? 'is' : 'are'} given without --zero-shot; give it, too`]);
}

export async function classifyZeroShot(
  words: readonly string[],
  options: OptionValues,
  { output }: CommandContext,
): Promise<CommandResult> {
  const isTable = isNameOfTable(words, options);
  const { model, labels, topK } = collectProblems({
    model: () => modelFolder(options.model, BOXED.pair),
    text: () => isTable || checkText(words, options),
    labels: () => labelsOf(options.labels),
    topK: () => wholeNumber('--top-k', options.topK, 1),
    pair: () => refusePair(options),
  });
  const { table, texts } = isTable
    ? await textsOfTable(words[0], options)
    : { table: undefined, texts: await readTexts(words, options) };
  const status = table ? progressBeside() : output;
  await using classify = await pipeline('zero-shot-classification', {
    model,
    labels,
    ...(typeof options.template === 'string' && { template: options.template }),
    calibrate: options.calibrate === true,
    multiLabel: options.multiLabel === true,
    ...engineOptions(options),
    ...pipelineOptions(options, output),
  });
  const onProgress = ({ done, total }: { done: number; total?: number }) => status.status(`${done} of ${total} texts`);
  const found = (await classify(texts, { onProgress })).map((result) => cut(result, topK));
  status.endStatus();
  if (table && !output.isJson) {
    const values = found.map(({ labels: [label], scores: [score] }) => ({ label, score: Number(score.toFixed(4)) }));
    process.stdout.write(resultText(withColumns(table, ['label', 'score'], values), formatOfTable(words[0])));
    warnOfUnknown(texts, classify.tokenizer, status);
    return {};
  }
  for (const [i, result] of found.entries()) show(result, i > 0, found.length > 1, output);
  const warnings = warnOfUnknown(texts, classify.tokenizer, output);
  return { json: { ...(options.lines || table ? { results: found } : { result: found[0] }), warnings } };
}

/** "great,terrible", or "positive=great/good,negative=terrible". */
function labelsOf(word: OptionValues[string]): ZeroShotLabels {
  if (typeof word !== 'string' || word.trim() === '') {
    throw new SettingsError(['--labels is missing; expected names such as great,terrible']);
  }
  const parts = word.split(',').map((part) => part.trim());
  const pairs = parts.map((part) => /^([^=]*\S)\s*=\s*(\S.*)$/.exec(part));
  if (pairs.every((pair) => pair === null) && parts.every((part) => part !== '' && !part.includes('='))) return parts;
  const isWhole = pairs.every((pair) => pair !== null);
  const wordsOf = (text: string) => text.split('/').map((each) => each.trim());
  const named = isWhole ? pairs.map((pair) => [pair![1], wordsOf(pair![2])] as const) : [];
  const twice = named.find(([name], i) => named.findIndex(([other]) => other === name) !== i);
  if (twice) throw new SettingsError([`--labels has ${JSON.stringify(twice[0])} twice; put its words together with /`]);
  if (isWhole && named.every(([, all]) => all.every(Boolean))) return Object.fromEntries(named);
  throw new SettingsError([
    `--labels is ${JSON.stringify(word)}; expected names such as great,terrible, or words for each such as positive=great/good,negative=terrible`,
  ]);
}

function refusePair({ pair }: OptionValues): void {
  if (pair === undefined) return;
  throw new SettingsError(['--pair is given with --zero-shot, which reads one text; put both into it by --template']);
}

function cut({ sequence, labels, scores }: ZeroShotResult, topK: number | undefined): ZeroShotResult {
  return { sequence, labels: labels.slice(0, topK), scores: scores.slice(0, topK) };
}

const COLUMNS: readonly Column[] = [{ title: 'score', align: 'right' }, { title: 'label' }];

function show(
  { sequence, labels, scores }: ZeroShotResult,
  follows: boolean,
  isOneOfMany: boolean,
  output: Output,
): void {
  if (follows) output.line();
  if (isOneOfMany) output.line(sequence);
  const lines = tableLines(
    COLUMNS,
    labels.map((label, i) => [scores[i].toFixed(3), label]),
  );
  output.line(output.style(lines[0], 'bold'));
  for (const line of lines.slice(1)) output.line(line);
}

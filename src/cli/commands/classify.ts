import { readTable } from '../../data/tables/readTable.node.js';
import { SettingsError } from '../../errors/errors.js';
import type { LoadedPipeline } from '../../pipelines/createPipeline.js';
import { pipeline } from '../../pipelines/pipeline.node.js';
import { hasSeveralLabels, type ScoredLabel } from '../../pipelines/textClassification.js';
import type { TextPair } from '../../pipelines/textInput.js';
import { chooseColumns, textsOf } from '../../tasks/textClassification/examples.js';
import { LABEL_THRESHOLD } from '../../tasks/textClassification/problemType.js';
import { type Column, tableLines } from '../columns.js';
import { COLUMNS_OPTION, columnsOf } from '../columnsOption.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { inParts } from '../inParts.js';
import { LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { formatOfTable, resultText, withColumns } from '../resultTable.js';
import { isNameOfTable } from '../tableTexts.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';
import { classifyZeroShot, refuseZeroShotOptions, ZERO_SHOT_OPTIONS } from '../zeroShot.js';

export const classify: CommandDefinition = {
  name: 'classify',
  summary:
    'Says which label a text has, which several, or which number; of a table, writes its rows with their labels to standard output.',
  arguments: [
    { ...TEXT_ARGUMENT, description: `${TEXT_ARGUMENT.description}; or a CSV, TSV, JSON or Parquet file of rows` },
  ],
  options: [
    ...LOADING_OPTIONS,
    ...ONNX_OPTIONS,
    ...TEXT_OPTIONS,
    { flags: '--pair <text>', description: 'a second text, for a model of pairs' },
    COLUMNS_OPTION,
    { flags: '--top-k <number>', description: 'so many labels of a text, best first. Default: the best one.' },
    ...ZERO_SHOT_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad classify --model run/ "a gorgeous, witty film"',
    'pleiad classify --model run/ reviews.csv > labelled.csv',
    'pleiad classify --model run/ --lines --json < texts.txt',
    'pleiad classify --zero-shot --labels great,terrible --model google/electra-base-discriminator "a gorgeous, witty film"',
  ],

  async run(words, options, context) {
    if (options.zeroShot) return classifyZeroShot(words, options, context);
    const { output } = context;
    const isTable = isNameOfTable(words, options);
    const { model, topK } = collectProblems({
      model: () => modelFolder(options.model),
      text: () => isTable || checkText(words, options),
      topK: () => wholeNumber('--top-k', options.topK, 1),
      pair: () => refusePairOfMany(options, isTable),
      zeroShot: () => refuseZeroShotOptions(options),
    });
    const texts = isTable ? [] : await readTexts(words, options);
    const loading = { ...engineOptions(options), ...pipelineOptions(options, output) };
    await using classifier = await pipeline('text-classification', { model, ...loading });
    if (isTable) return await classifyTable(words[0], classifier, options, output);
    return await classifyTexts(texts, classifier, { options, topK, output });
  },
};

type Classifier = LoadedPipeline<'text-classification'>;

/** All labels of each text, the most probable first. */
function rankedLabels(classifier: Classifier, inputs: readonly (string | TextPair)[]): Promise<ScoredLabel[][]> {
  return classifier(inputs, { threshold: 0 });
}

/** The label of a text; of a model that gives a text several, those of at least 0.5. */
function labelsOf({ model }: Classifier, ranked: ScoredLabel[]): ScoredLabel | ScoredLabel[] {
  return hasSeveralLabels(model) ? ranked.filter(({ score }) => score >= LABEL_THRESHOLD) : ranked[0];
}

function refusePairOfMany({ pair, lines }: OptionValues, isTable: boolean): void {
  if (pair === undefined || !(lines || isTable)) return;
  throw new SettingsError([
    `--pair is given with ${isTable ? 'a table; name its column of second texts: --columns text=…,pair=…' : '--lines; give one text'}`,
  ]);
}

async function classifyTexts(
  texts: readonly string[],
  classifier: Classifier,
  { options, topK, output }: { readonly options: OptionValues; readonly topK?: number; readonly output: Output },
): Promise<CommandResult> {
  const pair = typeof options.pair === 'string' ? options.pair : undefined;
  const inputs = texts.map((text) => (pair === undefined ? text : { text, textPair: pair }));
  const all = await rankedLabels(classifier, inputs);
  const results = all.map((ranked) => (topK === undefined ? labelsOf(classifier, ranked) : ranked.slice(0, topK)));
  for (const [i, ranked] of all.entries()) {
    if (i > 0) output.line();
    if (options.lines) output.line(texts[i]);
    showLabels(topK === undefined ? ranked : ranked.slice(0, topK), output);
  }
  const warnings = warnOfUnknown(texts, classifier.tokenizer, output);
  return { json: { ...(options.lines ? { results } : { result: results[0] }), warnings } };
}

const COLUMNS: readonly Column[] = [{ title: 'score', align: 'right' }, { title: 'label' }];

function showLabels(ranked: readonly ScoredLabel[], output: Output): void {
  const [titles, ...lines] = tableLines(
    COLUMNS,
    ranked.map(({ label, score }) => [score.toFixed(3), label]),
  );
  output.line(output.style(titles, 'bold'));
  for (const line of lines) output.line(line);
}

async function classifyTable(
  path: string,
  classifier: Classifier,
  options: OptionValues,
  output: Output,
): Promise<CommandResult> {
  const given = columnsOf(options.columns, ['text', 'pair']);
  const table = await readTable(path, { wanted: Object.values(given) });
  const columns = chooseColumns(table, given, { needsLabel: false });
  const texts = table.rows.map((row) => textsOf(row, columns));
  const inputs = texts.map(({ text, pair }) => (pair === undefined ? text : { text, textPair: pair }));
  const found = (await inParts(inputs, (some) => rankedLabels(classifier, some))).map((ranked) =>
    labelsOf(classifier, ranked),
  );
  if (output.isJson) return { json: { results: found } };
  const values = found.map((result) => {
    const labels = Array.isArray(result) ? result : [result];
    return {
      label: labels.map(({ label }) => label).join(';'),
      score: labels.map(({ score }) => score.toFixed(4)).join(';'),
    };
  });
  process.stdout.write(resultText(withColumns(table, ['label', 'score'], values), formatOfTable(path)));
  return {};
}

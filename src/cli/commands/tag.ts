import { existsSync } from 'node:fs';
import { readTable } from '../../data/tables/readTable.node.js';
import { SettingsError } from '../../errors/errors.js';
import type { LoadedPipeline } from '../../pipelines/createPipeline.js';
import { pipeline } from '../../pipelines/pipeline.node.js';
import { AGGREGATIONS, type Aggregation } from '../../pipelines/tokenAggregation.js';
import type { TaggedSpan } from '../../pipelines/tokenClassification.js';
import { chooseColumns, textsOf } from '../../tasks/textClassification/examples.js';
import { conll } from '../../tasks/tokenClassification/conll.js';
import { predictSentences } from '../../tasks/tokenClassification/predictions.js';
import { sentencesOf } from '../../tasks/tokenClassification/sentences.js';
import { type Column, tableLines } from '../columns.js';
import { COLUMNS_OPTION, columnsOf } from '../columnsOption.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { inParts } from '../inParts.js';
import { LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems } from '../numbers.js';
import type { Output } from '../output.js';
import { formatOfTable, resultText, withColumns } from '../resultTable.js';
import { isNameOfTable } from '../tableTexts.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const tag: CommandDefinition = {
  name: 'tag',
  summary:
    'Finds the parts of a text that have a label, such as names; of a file of rows, writes them with what was found.',
  arguments: [
    {
      ...TEXT_ARGUMENT,
      description: `${TEXT_ARGUMENT.description}; or a CSV, TSV, JSON or Parquet file of rows; or a CoNLL file (.conll, .iob, .bio)`,
    },
  ],
  options: [
    ...LOADING_OPTIONS,
    ...ONNX_OPTIONS,
    ...TEXT_OPTIONS,
    COLUMNS_OPTION,
    {
      flags: '--aggregation <name>',
      description:
        'how pieces of words become spans: none (each piece alone), simple (neighbours of a type), first, average, max (whole words first, by their first piece, the mean of all, or the surest). Default: first, with words as the training data of the model has them.',
      choices: AGGREGATIONS,
    },
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad tag --model run/ "Ada Lovelace lived in London."',
    'pleiad tag --model run/ reviews.csv --columns text=Review > tagged.csv',
    'pleiad tag --model run/ --lines --json < texts.txt',
    'pleiad tag --model run/ test.conll > predicted.conll',
  ],

  async run(words, options, { output }) {
    const isSentences = isConllFile(words, options);
    const isTable = !isSentences && isNameOfTable(words, options);
    const { model } = collectProblems({
      model: () => modelFolder(options.model),
      text: () => isTable || isSentences || checkText(words, options),
      columns: () => refuseColumnsOfText(options, isTable || isSentences),
    });
    const texts = isTable || isSentences ? [] : await readTexts(words, options);
    const aggregation = options.aggregation as Aggregation | undefined;
    const loading = { ...engineOptions(options), ...pipelineOptions(options, output), aggregation };
    await using tagger = await pipeline('token-classification', { model, ...loading });
    if (isSentences) return await tagSentences(words[0], tagger, options, output);
    if (isTable) return await tagTable(words[0], tagger, options, output);
    return await tagTexts(texts, tagger, options, output);
  },
};

function refuseColumnsOfText({ columns }: OptionValues, isFile: boolean): void {
  if (columns === undefined || isFile) return;
  throw new SettingsError([
    '--columns is given with a text, which has none; give a CSV, TSV, JSON, Parquet or CoNLL file',
  ]);
}

type Tagger = LoadedPipeline<'token-classification'>;

/** Files that cannot be anything else: their words come one by one, and so do their tags. */
function isConllFile(words: readonly string[], { text }: OptionValues): boolean {
  return (
    words.length === 1 && text === undefined && /\.(?:conll\w*|iob2?|bioe?s?)$/i.test(words[0]) && existsSync(words[0])
  );
}

async function tagTexts(
  texts: readonly string[],
  tagger: Tagger,
  { lines }: OptionValues,
  output: Output,
): Promise<CommandResult> {
  const results = await inParts(texts, (some) => tagger(some), 'texts');
  for (const [i, spans] of results.entries()) {
    if (i > 0) output.line();
    if (lines) output.line(texts[i]);
    showSpans(spans, output);
  }
  const warnings = warnOfUnknown(texts, tagger.tokenizer, output);
  const json = lines ? { results: texts.map((text, i) => ({ text, entities: results[i] })) } : { entities: results[0] };
  return { json: { ...json, warnings } };
}

const COLUMNS: readonly Column[] = [
  { title: 'score', align: 'right' },
  { title: 'start', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'label' },
  { title: 'text' },
];

function showSpans(spans: readonly TaggedSpan[], output: Output): void {
  if (spans.length === 0) {
    output.line('(nothing found)');
    return;
  }
  const rows = spans.map(({ entity, text, start, end, score }) => [
    score.toFixed(3),
    `${start}`,
    `${end}`,
    entity,
    text.replace(/\s+/g, ' '),
  ]);
  const [titles, ...lines] = tableLines(COLUMNS, rows);
  output.line(output.style(titles, 'bold'));
  for (const line of lines) output.line(line);
}

/** Each row with a column `entities`: a list, in CSV as JSON. */
async function tagTable(path: string, tagger: Tagger, options: OptionValues, output: Output): Promise<CommandResult> {
  const given = columnsOf(options.columns, ['text']);
  const table = await readTable(path, { wanted: Object.values(given) });
  const { text: column } = chooseColumns(table, given, { needsLabel: false });
  const texts = table.rows.map((row) => textsOf(row, { text: column }).text);
  const found = await inParts(texts, (some) => tagger(some));
  if (output.isJson) return { json: { results: found } };
  const values = found.map((spans) => ({
    entities: spans.map((span) => ({ ...span, score: Number(span.score.toFixed(4)) })),
  }));
  process.stdout.write(resultText(withColumns(table, ['entities'], values), formatOfTable(path)));
  return {};
}

/** The columns of the file and the predicted tag behind them, as conlleval reads it. */
async function tagSentences(
  path: string,
  { model }: Tagger,
  options: OptionValues,
  output: Output,
): Promise<CommandResult> {
  const table = await readTable(path, { formats: [conll] });
  const sentences = sentencesOf(table, columnsOf(options.columns, ['word']));
  const tags = await inParts(sentences, async (some) => (await predictSentences(model, some)).tags, 'sentences');
  if (output.isJson) return { json: { results: sentences.map(({ words }, i) => ({ words, tags: tags[i] })) } };
  const blocks = table.rows.map(({ values }, i) =>
    tags[i]
      .map((own, word) => `${table.columns.map((name) => (values[name] as string[])[word]).join('\t')}\t${own}\n`)
      .join(''),
  );
  process.stdout.write(blocks.join('\n'));
  return {};
}

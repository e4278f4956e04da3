import { once } from 'node:events';

import type { Table } from '../../data/tables/table.js';
import { SettingsError } from '../../errors/errors.js';
import { writeFileDurably } from '../../files/durableFile.node.js';
import { npyHeader } from '../../formats/npy.js';
import type { LoadedPipeline } from '../../pipelines/createPipeline.js';
import { pipeline } from '../../pipelines/pipeline.node.js';
import { cosine, POOLINGS, type Pooling } from '../../pipelines/pooling.js';
import { type Column, tableLines } from '../columns.js';
import { COLUMNS_OPTION } from '../columnsOption.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { formatOfTable, progressBeside, resultText, tableOfTexts } from '../resultTable.js';
import { isNameOfTable, textsOfTable } from '../tableTexts.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

const FORMATS = ['jsonl', 'csv', 'tsv', 'npy'] as const;
type Format = (typeof FORMATS)[number];
const POOLED = POOLINGS.filter((pooling) => pooling !== 'none');

export const embed: CommandDefinition = {
  name: 'embed',
  summary: 'Turns texts into vectors; with --similar-to, ranks them by how near they are to a text.',
  arguments: [
    { ...TEXT_ARGUMENT, description: `${TEXT_ARGUMENT.description}; or a CSV, TSV, JSON or Parquet file of rows` },
  ],
  options: [
    ...LOADING_OPTIONS,
    ...ONNX_OPTIONS,
    ...TEXT_OPTIONS,
    COLUMNS_OPTION,
    {
      flags: '--pooling <name>',
      description:
        'how the vectors of tokens become one: the mean, the largest of each unit, or that of [CLS]. Default mean.',
      choices: POOLED,
    },
    { flags: '--no-normalize', description: 'leave vectors as long as they are. Default: all have length 1.' },
    { flags: '--similar-to <text>', description: 'rank the texts by cosine with this one instead' },
    { flags: '--top-k <number>', description: 'with --similar-to: so many texts, the nearest first. Default all.' },
    {
      flags: '--format <name>',
      description:
        'jsonl: an object a text; csv, tsv: a column for each unit; npy: a matrix for NumPy. Default: by the ending of --out, else that of the table, else jsonl.',
      choices: FORMATS,
    },
    { flags: '--out <file>', description: 'the file to write. Default: standard output.' },
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad embed --model all-minilm/ --lines --file sentences.txt > vectors.jsonl',
    'pleiad embed --model all-minilm/ reviews.csv --columns text=Review --out vectors.npy',
    'pleiad embed --model all-minilm/ --similar-to "how to bake bread" --lines --file titles.txt --top-k 5',
  ],

  async run(words, options, { output }) {
    const isTable = isNameOfTable(words, options);
    const { model, topK, format } = collectProblems({
      model: () => modelFolder(options.model),
      text: () => isTable || checkText(words, options),
      topK: () => wholeNumber('--top-k', options.topK, 1),
      similar: () => checkSimilar(options),
      format: () => formatFor(options, isTable ? words[0] : undefined),
    });
    const { table, texts } = isTable
      ? await textsOfTable(words[0], options)
      : await readTexts(words, options).then((all) => ({ texts: all, table: tableOfTexts('text', all, 'the texts') }));
    await using embedder = await pipeline('feature-extraction', {
      model,
      pooling: (options.pooling ?? 'mean') as Pooled,
      normalize: options.normalize !== false,
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    const work: Work = { embedder, texts, table, options, output };
    const result =
      options.similarTo === undefined ? await writeVectors(work, format) : await rankTexts(work, topK ?? texts.length);
    return result;
  },
};

type Pooled = Exclude<Pooling, 'none'>;

interface Work {
  readonly embedder: LoadedPipeline<'feature-extraction'>;
  readonly texts: readonly string[];
  /** The rows that they come from. */
  readonly table: Table;
  readonly options: OptionValues;
  readonly output: Output;
}

function checkSimilar({ similarTo, topK, out, format }: OptionValues): void {
  if (similarTo === undefined && topK !== undefined) {
    throw new SettingsError(['--top-k is given without --similar-to, which ranks texts; leave it out']);
  }
  if (similarTo !== undefined && (out !== undefined || format === 'npy')) {
    throw new SettingsError([
      `${out === undefined ? '--format npy' : '--out'} is given with --similar-to, which writes no vectors; leave one out`,
    ]);
  }
}

function formatFor({ format, out, similarTo }: OptionValues, table: string | undefined): Format {
  if (typeof format === 'string') return format as Format;
  if (typeof out !== 'string') return table === undefined || similarTo !== undefined ? 'jsonl' : formatOfTable(table);
  const ending = FORMATS.find((name) => out.toLowerCase().endsWith(`.${name}`));
  if (ending) return ending;
  throw new SettingsError([
    `--out is ${JSON.stringify(out)}; expected a name that ends in ${FORMATS.map((name) => `.${name}`).join(', ')}, or --format`,
  ]);
}

/** All vectors, text by text, with what is said meanwhile. */
async function* vectors({ embedder, texts }: Work, status: Output): AsyncGenerator<Float32Array> {
  const onProgress = ({ done }: { done: number }) => status.status(`${done} of ${texts.length} texts`);
  for await (const vector of embedder.stream(texts, { onProgress })) yield vector as Float32Array;
  status.endStatus();
}

async function writeVectors(work: Work, format: Format): Promise<CommandResult> {
  const { embedder, texts, options, output } = work;
  const { hiddenSize } = embedder.model.description.config;
  const out = typeof options.out === 'string' ? options.out : undefined;
  if (output.isJson && out === undefined) {
    const embeddings: number[][] = [];
    for await (const vector of vectors(work, output)) embeddings.push(numbersOf(vector));
    const warnings = warnOfUnknown(texts, embedder.tokenizer, output);
    return { json: { dimensions: hiddenSize, embeddings, warnings } };
  }
  const status = out === undefined ? progressBeside() : output;
  const parts = encoded(work, format, status);
  if (out === undefined) {
    // A slow reader makes the writing wait, not the memory grow.
    for await (const part of parts) if (!process.stdout.write(part)) await once(process.stdout, 'drain');
    warnOfUnknown(texts, embedder.tokenizer, status);
    return {};
  }
  const { bytes } = await writeFileDurably(out, parts);
  output.line(`${out}: ${texts.length} × ${hiddenSize}, ${format}`);
  const warnings = warnOfUnknown(texts, embedder.tokenizer, output);
  return { json: { file: out, format, rows: texts.length, dimensions: hiddenSize, bytes, warnings } };
}

/** The file, part by part. */
async function* encoded(work: Work, format: Format, status: Output): AsyncGenerator<string | Uint8Array> {
  const { texts, table, embedder } = work;
  const { hiddenSize } = embedder.model.description.config;
  if (format === 'npy') yield npyHeader(texts.length, hiddenSize);
  const names = Array.from({ length: hiddenSize }, (_, i) => `v${i}`);
  const columns = [...table.columns, ...(format === 'jsonl' ? ['embedding'] : names)];
  const separated = format === 'csv' || format === 'tsv';
  const titles = separated ? resultText({ ...table, columns, rows: [] }, format) : '';
  if (separated) yield titles;
  let row = 0;
  for await (const vector of vectors(work, status)) {
    const { values, place } = table.rows[row++];
    if (format === 'npy') {
      yield littleEndian(vector);
      continue;
    }
    const numbers = numbersOf(vector);
    const own = separated ? Object.fromEntries(names.map((name, i) => [name, numbers[i]])) : { embedding: numbers };
    const text = resultText({ ...table, columns, rows: [{ place, values: { ...values, ...own } }] }, format);
    // The names stand once, before all rows.
    yield text.slice(titles.length);
  }
}

/** Nine digits say which float32 it is. */
const numbersOf = (vector: Float32Array) => Array.from(vector, (value) => Number(value.toPrecision(9)));

function littleEndian(vector: Float32Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [i, value] of vector.entries()) bytes.setFloat32(4 * i, value, true);
  return new Uint8Array(bytes.buffer);
}

const COLUMNS: readonly Column[] = [{ title: 'cosine', align: 'right' }, { title: 'text' }];

/** The texts nearest to one. */
async function rankTexts(work: Work, topK: number): Promise<CommandResult> {
  const { embedder, texts, table, options, output } = work;
  const source = String(options.similarTo);
  if (source.trim() === '') throw new SettingsError(['--similar-to is empty; expected a text']);
  const to = (await embedder(source)) as Float32Array;
  const format = options.format as Exclude<Format, 'npy'> | undefined;
  const status = format === undefined ? output : progressBeside();
  const all: { row: number; similarity: number }[] = [];
  for await (const vector of vectors(work, status)) all.push({ row: all.length, similarity: cosine(to, vector) });
  const ranked = all.sort((a, b) => b.similarity - a.similarity).slice(0, topK);
  if (format !== undefined && !output.isJson) {
    const rows = ranked.map(({ row, similarity }) => ({
      ...table.rows[row],
      values: { ...table.rows[row].values, similarity: Number(similarity.toFixed(6)) },
    }));
    process.stdout.write(resultText({ ...table, columns: [...table.columns, 'similarity'], rows }, format));
    warnOfUnknown([source, ...texts], embedder.tokenizer, status);
    return {};
  }
  const lines = tableLines(
    COLUMNS,
    ranked.map(({ row, similarity }) => [similarity.toFixed(3), texts[row].replace(/\s+/g, ' ')]),
  );
  output.line(output.style(lines[0], 'bold'));
  for (const line of lines.slice(1)) output.line(line);
  const results = ranked.map(({ row, similarity }) => ({ index: row, text: texts[row], similarity }));
  return { json: { results, warnings: warnOfUnknown([source, ...texts], embedder.tokenizer, output) } };
}

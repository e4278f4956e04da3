/** GLUE's two tasks of one sentence, in the original tsv files: SST-2 and CoLA. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../src/errors/errors.js';
import { Permutation, RandomStream } from '../src/random/philox.js';

export interface LabelledText {
  readonly text: string;
  /** 0 or 1. */
  readonly label: number;
}

export interface SentenceTask {
  readonly name: string;
  readonly train: readonly LabelledText[];
  readonly dev: readonly LabelledText[];
  /** What the task is judged by, and the regularisation chosen by. */
  readonly metric: 'accuracy' | 'matthews';
}

/** Training rows of SST-2 that a probe uses, drawn once for all models; CoLA has about as many in all. */
const SST2_TRAINING_ROWS = 8000;

/** @param folder  with SST-2/ and CoLA/ as GLUE's download has them, .gz or not */
export function readSentenceTasks(folder: string): SentenceTask[] {
  const sst2 = (split: string) => readRows(join(folder, 'SST-2', `${split}.tsv`), { text: 0, label: 1, header: true });
  const cola = (split: string) => readRows(join(folder, 'CoLA', `${split}.tsv`), { text: 3, label: 1, header: false });
  return [
    { name: 'SST-2', train: sample(sst2('train'), SST2_TRAINING_ROWS), dev: sst2('dev'), metric: 'accuracy' },
    { name: 'CoLA', train: cola('train'), dev: cola('dev'), metric: 'matthews' },
  ];
}

interface Columns {
  readonly text: number;
  readonly label: number;
  readonly header: boolean;
}

function readRows(path: string, columns: Columns): LabelledText[] {
  return parseTsv(readPlainOrGzip(path), columns, path);
}

function readPlainOrGzip(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  if (existsSync(`${path}.gz`)) return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8');
  throw new DataError(`${path} is not there, nor ${path}.gz`, {
    subject: path,
    advice: "Give the folder of GLUE's files by --glue",
  });
}

/** Quotes mean nothing in these files. */
export function parseTsv(content: string, { text, label, header }: Columns, path: string): LabelledText[] {
  const lines = content.split(/\r?\n/).filter((line) => line !== '');
  return lines.slice(header ? 1 : 0).map((line, row) => {
    const fields = line.split('\t');
    if (fields.length <= Math.max(text, label) || !/^[01]$/.test(fields[label])) {
      const where = `${path}, line ${row + (header ? 2 : 1)}`;
      throw new DataError(`${where}: ${JSON.stringify(line.slice(0, 80))}`, {
        subject: path,
        expected: `a label 0 or 1 in column ${label + 1} and a sentence in column ${text + 1}`,
      });
    }
    return { text: fields[text], label: Number(fields[label]) };
  });
}

/** Always the same rows. */
function sample<T>(rows: readonly T[], count: number): T[] {
  const order = new Permutation(rows.length, new RandomStream(0, 'evaluation'));
  return Array.from({ length: Math.min(count, rows.length) }, (_, i) => rows[order.at(i)]);
}

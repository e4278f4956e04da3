/** What a file holds: by its ending, and where that leaves several layouts open, by its beginning. */

import { noColumn, notUtf8, type TableEnding, type TableLayout, tableLayout } from './csvRecords.node.js';
import { type EncodedFile, headOf } from './fileStream.node.js';
import { withGuess } from './inputErrors.node.js';
import { parseJsonLine } from './jsonLine.js';
import { JsonRecordLines } from './jsonRecords.node.js';
import { namedFields, partsOf, recordText } from './recordText.js';
import { zeroByte } from './tokenizeUnit.js';

/** `jsonl`: a JSON record a line; `json`: records in any other layout. */
export type InputKind = 'text' | 'jsonl' | 'json' | 'csv' | 'parquet';

export interface InputFormat {
  readonly kind: InputKind;
  /** Name of the list that holds the records of a JSON file, when an object is around it. */
  readonly list?: string;
  /** Of a table. */
  readonly layout?: TableLayout;
}

type Ending = 'text' | 'jsonl' | 'json' | 'parquet' | TableEnding;

const ENDINGS: Readonly<Record<string, Ending>> = {
  txt: 'text',
  text: 'text',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  jsonlines: 'jsonl',
  ldjson: 'jsonl',
  jl: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
};
/** Shown where nothing is found. */
export const KNOWN_ENDINGS = Object.keys(ENDINGS);

/** Of a text that is looked at to see its layout. */
const HEAD_BYTES = 1 << 20;
const TEXT_HEAD_BYTES = 1 << 16;
/** Of a table with tabs: whether it has quotes may show late. */
const TSV_HEAD_BYTES = 1 << 24;

/** @returns undefined for an ending that is not known */
export function endingOf(path: string): { ending: Ending; gzip: boolean } | undefined {
  const gzip = isGzipName(path);
  const word = (gzip ? path.slice(0, -3) : path).split('.').at(-1)!.toLowerCase();
  const ending = Object.hasOwn(ENDINGS, word) ? ENDINGS[word] : undefined;
  return ending && !(gzip && ending === 'parquet') ? { ending, gzip } : undefined;
}

export function isGzipName(path: string): boolean {
  return path.toLowerCase().endsWith('.gz');
}

/** A format, and what is wrong with a file for it: a reason to pass over one that was found in a folder. */
export interface FoundFormat extends InputFormat {
  readonly problem?: string;
  /** What deserves a warning, in words that follow the file's name. */
  readonly note?: string;
  /** The error for a file that was named, where reading on is of no use. */
  readonly error?: unknown;
}

/** @param ending  undefined for one that is not known: plain text, or JSON Lines when it begins so */
export async function formatOf(file: EncodedFile, ending: Ending | undefined, field: string): Promise<FoundFormat> {
  if (ending === 'parquet') return { kind: ending };
  if (ending === 'text') return { kind: ending, ...(await textNote(file)) };
  const { bytes, isWhole } = await headOf(file, ending === 'tsv' ? TSV_HEAD_BYTES : HEAD_BYTES);
  const zero = bytes.indexOf(0);
  if (zero >= 0 && ending !== undefined) throw await withGuess(zeroByte(file.path, zero), [file]);
  const head = new TextDecoder().decode(bytes);
  if (ending === 'csv' || ending === 'tsv') {
    return tableFormat(file, isWhole ? head : head.slice(0, head.lastIndexOf('\n') + 1), ending, field);
  }
  if (ending === undefined) return { kind: isJsonLines(head) ? 'jsonl' : 'text' };
  const format = jsonFormat({ head, bytes, isWhole }, field, ending);
  return { ...format, problem: format.problem ?? firstProblem(format, bytes, field) };
}

/** Nobody names records so on purpose, and their braces and field names would be learned as text. */
async function textNote(file: EncodedFile): Promise<Pick<FoundFormat, 'note'>> {
  const { bytes } = await headOf(file, TEXT_HEAD_BYTES).catch(() => ({ bytes: new Uint8Array(0) }));
  if (!isJsonLines(new TextDecoder().decode(bytes))) return {};
  return {
    note: 'begins as JSON Lines and is read as plain text; name it .jsonl to have the text of its records alone',
  };
}

async function tableFormat(file: EncodedFile, head: string, ending: TableEnding, field: string): Promise<FoundFormat> {
  try {
    const { layout, columns } = await tableLayout(
      head,
      ending,
      ...(field.includes(',') ? [field, ...partsOf(field)] : [field]),
    );
    const error =
      namedFields(field, (name) => columns.includes(name)).length > 0
        ? undefined
        : await missingColumn(file, field, columns);
    return { kind: 'csv', layout, ...(error !== undefined && { error, problem: `no column "${field}"` }) };
  } catch {
    // A first line that is no table's is reported with its place when the file is read.
    return {
      kind: 'csv',
      layout: { delimiter: ending === 'tsv' ? '\t' : ',', headerLine: 1, hasQuotes: true },
      problem: 'no table',
    };
  }
}

/** Names that are not UTF-8 are found by nobody. */
function missingColumn(file: EncodedFile, field: string, columns: readonly string[]): unknown {
  const isText = !columns.some((name) => name.includes('\ufffd'));
  return isText ? noColumn(file.path, field, columns) : withGuess(notUtf8(file.path, 1, field), [file]);
}

/** Whether text begins with a line that is a JSON object, as no prose does. */
export function isJsonLines(head: string): boolean {
  const line = firstLine(head);
  if (!line.startsWith('{')) return false;
  const parsed = parseJsonLine(line);
  return 'value' in parsed && Object.keys(parsed.value as object).length > 0;
}

function firstLine(head: string): string {
  const text = head.replace(/^[\s\ufeff]+/, '');
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}

/** The beginning of a file, as text and as bytes. */
interface Head {
  readonly head: string;
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

function jsonFormat({ head, bytes, isWhole }: Head, field: string, ending: 'json' | 'jsonl'): FoundFormat {
  const line = firstLine(head);
  if (line.startsWith('[')) {
    // A list on a line of its own is what the whole file is, unless lists follow line by line: those have no fields.
    return { kind: 'json' };
  }
  if (!line.startsWith('{')) return { kind: 'jsonl' };
  const parsed = parseJsonLine(line);
  if ('problem' in parsed && !parsed.problem.isUnfinished) return { kind: 'jsonl' };
  const isRecord = 'value' in parsed && !('problem' in recordText(parsed.value, field));
  if (isRecord) return { kind: 'jsonl' };
  const lists = 'value' in parsed && !isOnly(head, line, isWhole) ? [] : listsOf(head, field);
  if (lists === undefined || lists.length === 0) {
    const goesOver = 'problem' in parsed && (ending === 'json' || line.trim() === '{');
    return { kind: goesOver ? 'json' : 'jsonl' };
  }
  const withText = lists.filter((name) => firstProblem({ kind: 'json', list: name }, bytes, field) === undefined);
  // A record of a line that has no text may have lists too; what is wrong with it is reported when it is read.
  if (withText.length === 0 && ending === 'jsonl') return { kind: 'jsonl' };
  const those = withText.length > 0 ? withText : lists;
  const list = those.length === 1 ? those[0] : those.find((name) => name === 'data');
  if (list !== undefined) return { kind: 'json', list };
  return { kind: 'json', problem: `several lists of records: ${those.join(', ')}` };
}

/** Whether there is nothing but this line. */
function isOnly(head: string, line: string, isWhole: boolean): boolean {
  return (
    isWhole &&
    head
      .replace(/^[\s\ufeff]+/, '')
      .slice(line.length)
      .trim() === ''
  );
}

/**
 * Names of the lists of records that the object at the beginning has; undefined when it has the field, and so is a record
 * itself.
 */
function listsOf(head: string, field: string): string[] | undefined {
  const names = [field, ...partsOf(field)].flatMap((name) => [name, name.split('.')[0]]);
  const lists: string[] = [];
  for (const { name, rest } of entriesOf(head)) {
    if (names.includes(name)) return undefined;
    if (/^\[\s*[{"]/.test(rest)) lists.push(name);
  }
  return lists;
}

/** Names in the object at the beginning of a text, each with what follows its colon. */
function* entriesOf(head: string): Generator<{ name: string; rest: string }> {
  const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
  let depth = 0;
  for (const { 0: token, index } of head.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') {
      if (--depth === 0) return;
    } else if (depth === 1) {
      const after = /^\s*:\s*/.exec(head.slice(index + token.length, index + token.length + 100));
      if (!after) continue;
      const from = index + token.length + after[0].length;
      yield { name: JSON.parse(token) as string, rest: head.slice(from, from + 100) };
    }
  }
}

/** What is wrong with the first record, as far as it can be seen. */
function firstProblem(format: InputFormat, head: Uint8Array, field: string): string | undefined {
  const bytes = format.kind === 'json' ? new JsonRecordLines(format.list).push(Uint8Array.from(head)) : head;
  const text = new TextDecoder().decode(bytes);
  const line = firstLine(text);
  if (line === text.trim() && head.length >= HEAD_BYTES) return undefined; // longer than what was read
  const parsed = parseJsonLine(line.replace(/^\ufeff/, ''));
  if ('problem' in parsed) return 'no JSON records';
  const found = recordText(parsed.value, field);
  return 'problem' in found ? `no text in field "${field}"` : undefined;
}

/** Tables of JSON records: one a line, an array of them, or a list in an object, as `{"version": …, "data": […]}`. */
import { DataError } from '../../errors/errors.js';
import { parseJsonLine } from '../prepare/jsonLine.js';
import type { Table, TableRow } from './table.js';

/** @throws DataError naming file and line of what is no JSON record */
export function jsonTable(text: string, source: string): Table {
  const plain = text.replace(/^\ufeff/, '');
  const rows = wholeDocument(plain, source) ?? lines(plain, source);
  const columns = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  return { source, columns, rows };
}

/** Files of records a line: one line that holds a list is a record, and no document. */
const LINES = /\.(?:jsonl|ndjson)(?:\.gz)?$/i;

/** Records of a text that is one JSON value, and no record itself; undefined for all other texts. */
function wholeDocument(text: string, source: string): TableRow[] | undefined {
  if (!/^\s*[[{]/.test(text) || (LINES.test(source) && /^\s*\{/.test(text))) return undefined;
  const parsed = parseJsonLine(text);
  if ('problem' in parsed) return undefined;
  const records = Array.isArray(parsed.value) ? parsed.value : listIn(parsed.value as object);
  return records?.map((record, index) => rowOf(record, `${source}, record ${index + 1}`));
}

/** The list of records in an object, where there is exactly one. */
function listIn(object: object): unknown[] | undefined {
  const lists = Object.values(object).filter((value) => Array.isArray(value) && value.every(isRecord));
  return lists.length === 1 ? lists[0] : undefined;
}

function lines(text: string, source: string): TableRow[] {
  const rows: TableRow[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const place = `${source}:${index + 1}`;
    const parsed = parseJsonLine(line);
    if ('problem' in parsed) {
      const { at, reason } = parsed.problem;
      throw new DataError(`${place}:${at + 1} is not JSON: ${reason}`, {
        subject: source,
        found: index + 1,
        expected: 'one JSON object a line, or an array of them',
        advice: 'Mend the line, or write the file again',
      });
    }
    rows.push(rowOf(parsed.value, place));
  }
  return rows;
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function rowOf(record: unknown, place: string): TableRow {
  if (isRecord(record)) return { values: record as Record<string, unknown>, place };
  throw new DataError(`${place} is no object with named fields`, {
    subject: place,
    found: JSON.stringify(record)?.slice(0, 80),
    expected: 'an object such as {"text": "…", "label": "…"}',
    advice: 'Write each row as a JSON object',
  });
}

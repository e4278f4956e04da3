/**
 * CoNLL files: a word a line with its tags in further columns, sentences parted by blank lines. A sentence becomes a row of
 * a table whose columns are numbered from 0 and hold lists.
 */
import type { Table, TableRow, TextFormat } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';

/** Endings of tables that never hold a word a line. */
const TABLES = /\.(?:csv|jsonl?|ndjson|parquet)$/i;
/** Endings that both kinds of file have. */
const TAB_SEPARATED = /\.(?:tsv|tab)$/i;

export const conll: TextFormat = {
  name: 'CoNLL',
  matches: (text, path) => !TABLES.test(path) && (!TAB_SEPARATED.test(path) || /\n[ \t]*\r?\n\s*\S/.test(text)),
  parse: parseConll,
};

/** A line that begins a document, as in CoNLL-2003. */
const DOCUMENT = /^-DOCSTART-/;

interface Sentence {
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Line by line. */
  readonly cells: string[][];
}

/** @throws DataError naming the line that has more or fewer columns than the first */
function parseConll(text: string, source: string): Table {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const split = splitterOf(lines);
  const numColumns = columnsOf(lines, split);
  const sentences: Sentence[] = [];
  let current: Sentence | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || DOCUMENT.test(line)) {
      current = undefined;
      continue;
    }
    const cells = split(line);
    if (!current && isComment(line, cells, numColumns)) continue;
    if (cells.length !== numColumns) throw raggedLine(source, index + 1, line, cells.length, numColumns);
    if (!current) {
      current = { line: index + 1, cells: [] };
      sentences.push(current);
    }
    current.cells.push(cells);
  }
  const columns = Array.from({ length: numColumns }, (_, column) => String(column));
  const rows = sentences.map(({ line, cells }): TableRow => {
    const values = columns.map((name, column) => [name, cells.map((own) => own[column])] as const);
    return { values: Object.fromEntries(values), place: `${source}:${line}` };
  });
  return { source, columns, rows };
}

/** Where there are tabs, they alone part columns: a word may then hold a space, or be one, as in KLUE's files of characters. */
function splitterOf(lines: readonly string[]): (line: string) => string[] {
  if (lines.some((line) => line.trim() !== '' && line.includes('\t'))) {
    return (line) => line.replace(/[\t ]+$/, '').split('\t');
  }
  return (line) => line.trim().split(/ +/);
}

/** What most lines have: comments and broken lines are few. */
function columnsOf(lines: readonly string[], split: (line: string) => string[]): number {
  const counts = new Map<number, number>();
  for (const line of lines) {
    if (line.trim() === '' || DOCUMENT.test(line)) continue;
    const { length } = split(line);
    counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? 0;
}

/**
 * Before a sentence may stand comments. The word "#" is none: it stands alone in its column, and its line has all others too.
 */
function isComment(line: string, cells: readonly string[], numColumns: number): boolean {
  return line.startsWith('#') && (cells.length !== numColumns || /^#+ +\S/.test(cells[0]));
}

function raggedLine(source: string, line: number, text: string, found: number, expected: number): DataError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new DataError(
    `${source}:${line} has ${found} ${found === 1 ? 'column' : 'columns'}, most lines have ${expected}: ${JSON.stringify(shown)}`,
    {
      subject: `${source}:${line}`,
      found,
      expected: 'a word a line with its tag, and a blank line between sentences',
      advice: 'Mend the line: a word, its tag, and between them a tab or a space',
    },
  );
}

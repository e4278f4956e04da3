/** Files of the field that are tables and do not say so: no line of names, or an ending of plain text. */
import type { TextFormat } from '../../data/tables/table.js';
import { firstRows, tabTable } from '../../data/tables/tabTable.js';

/** Rows that are looked at. */
const ROWS = 50;

/** GLUE's CoLA: where a sentence is from, 0 or 1, a star where its author had one, the sentence; no line of names. */
const cola: TextFormat = {
  name: 'CoLA',
  matches(text, path) {
    const rows = firstRows(text, ROWS);
    const isRow = (cells: string[]) => cells.length === 4 && /^[01]$/.test(cells[1]) && /^\*?$/.test(cells[2]);
    return path.toLowerCase().endsWith('.tsv') && rows.length > 0 && rows.every(isRow);
  },
  parse: (text, source) => tabTable(text, source, ['source', 'label', 'mark', 'sentence']),
};

/** A table with tabs that is called .txt, as NSMC's ratings_train.txt. */
const tabsInTxt: TextFormat = {
  name: 'table with tabs',
  matches(text, path) {
    const [names = [], ...rows] = firstRows(text, ROWS);
    return (
      path.toLowerCase().endsWith('.txt') && names.length > 1 && rows.every((cells) => cells.length === names.length)
    );
  },
  parse: (text, source) => tabTable(text, source),
};

export const OFFICIAL_FORMATS: readonly TextFormat[] = [cola, tabsInTxt];

/** One row as a table, for tests. */
import type { Table } from '../../data/tables/table.js';

export const tableOf = (values: Record<string, unknown>): Table => ({
  source: 'x.jsonl',
  columns: Object.keys(values),
  rows: [{ values, place: 'x.jsonl:1' }],
});

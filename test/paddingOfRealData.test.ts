/** How much of real batches is padding: at most a tenth, of short texts and of long windows; rows of any length are more than half. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTables } from '../src/data/tables/readTable.node.js';
import { epochBatches, type RowOrder } from '../src/tasks/epochBatches.js';
import { taskNamed } from '../src/tasks/tasks.js';
import { padRows, type TokenRow, tokensOf } from '../src/tasks/tokenRows.js';
import { loadTokenizer } from '../src/text/tokenizer.node.js';

const at = (path: string) => fileURLToPath(new URL(`../../shared/${path}`, import.meta.url));
const hasData = existsSync(at('data')) && existsSync(at('models'));
if (!hasData) console.warn('padding of real data is skipped: ../shared is not beside this repository');

const DATA = [
  { name: 'SST-2', task: 'text-classification', file: 'data/glue/SST-2/train.tsv.gz', length: 128 },
  { name: 'SQuAD', task: 'question-answering', file: 'data/squad/squad1-train-sample.json.gz', length: 384 },
];

describe.skipIf(!hasData)('of real data', () => {
  it.each(DATA)('$name, at most a tenth of a batch is padding', async ({ task: name, file, length }) => {
    const task = taskNamed(name);
    const table = await readTables([at(file)], { formats: task.formats });
    const rows = table.rows.slice(0, 12_000);
    const data = task.read({ ...table, rows }, { ...table, rows: table.rows.slice(-20) }, { columns: {} });
    const { lengths } = data.encodedRows(loadTokenizer(at('models/all-minilm-l6-v2')), length);
    const encoded = lengths.map((count) => ({ ids: new Int32Array(count), typeIds: new Int32Array(count) }));
    const padding = (change: Partial<RowOrder>) => {
      const order = { seed: 1, batchSize: 32, accumulation: 1, groupByLength: true, place: { rank: 0, size: 1 } };
      const batchOf = (some: readonly TokenRow[], padded: number) => padRows(some, 0, padded);
      return epochBatches(encoded, { order: { ...order, ...change }, lengthOf: tokensOf, batchOf }).padding();
    };
    expect(padding({})).toBeLessThan(0.1);
    expect(padding({ batchTokens: 4096 })).toBeLessThan(0.08);
    expect(padding({ groupByLength: false })).toBeGreaterThan(0.5);
  });
});

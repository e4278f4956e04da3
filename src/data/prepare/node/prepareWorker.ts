/** Worker thread of `prepareCorpus`: tokenizes the units it is sent, one after another. */

import { parentPort, workerData } from 'node:worker_threads';
import { DataError } from '../../../errors.js';
import { LineError } from '../tokenizeUnit.js';
import type { UnitFailure, UnitRequest } from './unitPool.js';
import { createUnitRunner } from './unitRunner.js';

const run = createUnitRunner(workerData);

parentPort!.on('message', async ({ id, unit, spare }: UnitRequest) => {
  try {
    const result = await run(unit, spare);
    const spent = unit.kind === 'text' ? [unit.bytes.buffer as ArrayBuffer] : [];
    parentPort!.postMessage({ id, result, spent: spent[0] }, [result.buffer, ...spent]);
  } catch (error) {
    parentPort!.postMessage({ id, failure: describe(error) });
  }
});

/** Class and fields of an error do not survive the way between threads, so they travel as data. */
function describe(error: unknown): UnitFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LineError) return { kind: 'line', message, lineInUnit: error.lineInUnit };
  if (error instanceof DataError) {
    const { subject, found, expected, advice } = error;
    return { kind: 'data', message, details: { subject, found, expected }, advice };
  }
  return { kind: 'other', message, stack: error instanceof Error ? error.stack : undefined };
}

/** Worker thread of `prepareCorpus`: tokenizes the units it is sent, one after another. */

import { parentPort, workerData } from 'node:worker_threads';
import { DataError } from '../../../errors.js';
import { LineError } from '../tokenizeUnit.js';
import type { Unit, UnitTokens } from '../unit.js';
import type { UnitFailure } from './unitPool.js';
import { createUnitRunner } from './unitRunner.js';

const run = createUnitRunner(workerData);

parentPort!.on('message', async ({ id, unit }: { id: number; unit: Unit }) => {
  try {
    const result = await run(unit);
    const spent = unit.kind === 'text' ? [unit.bytes.buffer as ArrayBuffer] : [];
    parentPort!.postMessage({ id, result, spent: spent[0] }, [...buffersOf(result), ...spent]);
  } catch (error) {
    parentPort!.postMessage({ id, failure: describe(error) });
  }
});

function buffersOf({ head, train, heldOut }: UnitTokens): ArrayBuffer[] {
  return [head, train, heldOut].flatMap((run) =>
    run ? [run.tokens.buffer as ArrayBuffer, run.wordStarts.buffer as ArrayBuffer] : [],
  );
}

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

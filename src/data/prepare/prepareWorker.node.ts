/** Worker thread of `prepareCorpus`: tokenizes the units it is sent, one after another. */

import { parentPort } from 'node:worker_threads';
import { DataError } from '../../errors/errors.js';
import { RecordError } from './tokenizeUnit.js';
import type { UnitAnswer, UnitFailure, WorkerMessage } from './unitPool.node.js';
import { createUnitRunner, type UnitRunner } from './unitRunner.node.js';

let run: UnitRunner;

parentPort!.on('message', async (message: WorkerMessage) => {
  if (message.kind === 'begin') {
    run = createUnitRunner(message.settings, message.counts);
    return;
  }
  const { id, unit, spare } = message;
  let answer: UnitAnswer;
  try {
    answer = { id, result: await run(unit, spare) };
  } catch (error) {
    answer = { id, failure: describe(error) };
  }
  // Nothing is transferred: the first buffer that is taken from a thread makes V8 throw away all code that it has
  // optimised there so far, since that relies on arrays to stay.
  parentPort!.postMessage(answer);
});

/** Class and fields of an error do not survive the way between threads, so they travel as data. */
function describe(error: unknown): UnitFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RecordError) {
    return { kind: 'record', message, byteInUnit: error.byteInUnit, isExact: error.isExact };
  }
  if (error instanceof DataError) {
    const { subject, found, expected, advice } = error;
    return { kind: 'data', message, details: { subject, found, expected }, advice };
  }
  return { kind: 'other', message, stack: error instanceof Error ? error.stack : undefined };
}

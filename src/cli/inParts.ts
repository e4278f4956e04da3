/** Long work on many inputs, with its progress on standard error: the results may go to a file. */
import { grouped } from './numbers.js';
import { progressBeside } from './resultTable.js';

/** Inputs that run together, between two words of progress. */
const PART = 256;

/** Runs many inputs part by part; a person at the terminal sees how far it is. */
export async function inParts<I, O>(
  inputs: readonly I[],
  run: (inputs: readonly I[]) => Promise<readonly O[]>,
  what = 'rows',
): Promise<O[]> {
  const progress = progressBeside();
  const results: O[] = [];
  for (let from = 0; from < inputs.length; from += PART) {
    results.push(...(await run(inputs.slice(from, from + PART))));
    if (inputs.length > PART) progress.status(`${grouped(results.length)} of ${grouped(inputs.length)} ${what}`);
  }
  progress.endStatus();
  return results;
}

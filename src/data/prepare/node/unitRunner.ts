/** Runs one unit of either kind; the same code in a worker thread and without one. */

import { PieceBuffer } from '../../../text/pieceBuffer.js';
import { loadTokenizer } from '../../../text/tokenizerNode.js';
import { type TokenizeSettings, tokenizeTextUnit, UnitCollector } from '../tokenizeUnit.js';
import type { ParquetUnit, Unit, UnitTokens } from '../unit.js';
import { openParquet, type ParquetText, readParquetTexts } from './parquet.js';

export interface RunnerSettings extends TokenizeSettings {
  readonly tokenizerFolder: string;
}

/** @param spare  a buffer that an earlier result was in */
export type UnitRunner = (unit: Unit, spare?: ArrayBuffer) => Promise<UnitTokens>;

export function createUnitRunner(settings: RunnerSettings): UnitRunner {
  const tokenizer = loadTokenizer(settings.tokenizerFolder);
  const collector = new UnitCollector(
    tokenizer,
    settings.heldOutBelow,
    () => new PieceBuffer(),
    settings.tags !== undefined,
  );
  let parquet: { path: string; opened: ParquetText } | undefined;

  async function runParquet(unit: ParquetUnit, spare?: ArrayBuffer): Promise<UnitTokens> {
    if (parquet?.path !== unit.path) {
      parquet = { path: unit.path, opened: await openParquet(unit.path, settings.field) };
    }
    let textBytes = 0;
    for (const text of await readParquetTexts(parquet.opened, unit.path, settings.field, unit)) {
      collector.add(text);
      textBytes += Buffer.byteLength(text);
    }
    return collector.take({ open: false, textBytes, lines: 0 }, spare);
  }

  return async (unit, spare) => {
    try {
      if (unit.kind === 'parquet') return await runParquet(unit, spare);
      return tokenizeTextUnit(unit, collector, settings, spare);
    } catch (error) {
      collector.reset();
      throw error;
    }
  };
}

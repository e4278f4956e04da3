/** Runs one unit of either kind; the same code in a worker thread and without one. */

import { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { TokenizerSettings } from '../../text/tokenizerSettings.js';
import type { ParquetText } from './parquet.node.js';
import { type TokenizeSettings, tokenizeTextUnit, type UnigramCounts, UnitCollector } from './tokenizeUnit.js';
import type { ParquetUnit, Unit, UnitTokens } from './unit.js';

export interface RunnerSettings extends TokenizeSettings {
  /** The tokenizer, in parts that can be sent to a thread; reading its files again in each would take longer. */
  readonly tokenizer: { readonly tokens: readonly string[]; readonly settings: TokenizerSettings };
}

/** @param spare  a buffer that an earlier result was in */
export type UnitRunner = (unit: Unit, spare?: ArrayBufferLike) => Promise<UnitTokens>;

/** @param counts  where the runner counts the tokens of all its units */
export function createUnitRunner(settings: RunnerSettings, counts: UnigramCounts): UnitRunner {
  const tokenizer = WordPieceTokenizer.fromVocabulary(settings.tokenizer.tokens, settings.tokenizer.settings);
  // Shared, so that a result is seen by the other thread without a copy and without being taken from this one.
  const allocate = (bytes: number) => new SharedArrayBuffer(bytes);
  const hasTags = settings.tags !== undefined;
  const collector = new UnitCollector(tokenizer, settings.heldOutBelow, { counts, allocate, hasTags });
  let parquet: { path: string; opened: ParquetText } | undefined;

  async function runParquet(unit: ParquetUnit, spare?: ArrayBufferLike): Promise<UnitTokens> {
    // Loaded with the first Parquet file: its modules would double the time that a worker takes to start.
    const { openParquet, readParquetTexts } = await import('./parquet.node.js');
    if (parquet?.path !== unit.path) {
      parquet = { path: unit.path, opened: await openParquet(unit.path, settings.field) };
    }
    let textBytes = 0;
    const { texts, recordsWithoutText } = await readParquetTexts(parquet.opened, unit.path, settings.field, unit);
    for (const text of texts) {
      collector.add(text);
      textBytes += Buffer.byteLength(text);
    }
    return collector.take({ open: false, textBytes, recordsWithoutText, replacedCharacters: 0 }, spare);
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

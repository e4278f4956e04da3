/** Some of the text of an input, from the beginnings of files spread over all of it. */

import type { InputFile } from './inputs.node.js';
import { type ReadSettings, readUnits } from './readUnits.node.js';
import { wholeFiles } from './slices.node.js';
import { tokenizeTextUnit, UnitCollector } from './tokenizeUnit.js';
import type { Unit } from './unit.js';

/** Gives the texts of units, found, decoded and checked as for shards, to somebody who is no tokenizer. */
export class UnitTexts {
  readonly #collector: UnitCollector;

  constructor(
    private readonly take: (text: string) => void,
    private readonly settings: ReadSettings,
  ) {
    this.#collector = new UnitCollector({ vocabSize: 1, appendIds: (text: string) => take(text) }, 0);
  }

  /** @throws as `tokenizeTextUnit` */
  async read(unit: Unit): Promise<{ textBytes: number; recordsWithoutText: number; replacedCharacters: number }> {
    if (unit.kind === 'text') return tokenizeTextUnit(unit, this.#collector, this.settings);
    const { openParquet, readParquetTexts } = await import('./parquet.node.js');
    const { field } = this.settings;
    const opened = await openParquet(unit.path, field);
    const { texts, recordsWithoutText } = await readParquetTexts(opened, unit.path, field, unit);
    for (const text of texts) this.take(text);
    const textBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return { textBytes, recordsWithoutText, replacedCharacters: 0 };
  }
}

/** Files that are looked into, and rows of each that is Parquet. */
const MOST_FILES = 8;
const MOST_ROWS = 1000;

export async function sampleTexts(files: readonly InputFile[], settings: ReadSettings): Promise<string[]> {
  const texts: string[] = [];
  const reader = new UnitTexts((text) => texts.push(text), settings);
  const count = Math.min(MOST_FILES, files.length);
  for (let i = 0; i < count; i++) {
    const file = files[Math.floor((i * files.length) / count)];
    for await (const { unit } of readUnits(wholeFiles([file], { documentPer: 'blankLine' }), settings)) {
      const few = unit.kind === 'parquet' && { rowEnd: Math.min(unit.rowEnd, unit.rowStart + MOST_ROWS) };
      await reader.read({ ...unit, ...few });
      break;
    }
  }
  return texts;
}

/** Errors about input, completed with what only another look into the file can tell. */

import { DataError } from '../../errors/errors.js';
import { guessUnreadable } from './encodingGuess.node.js';
import { type EncodedFile, headOf, placeInFile } from './fileStream.node.js';
import { errorInFile, NOT_TEXT_ADVICE, NOT_UTF8_ADVICE, RecordError } from './tokenizeUnit.js';
import type { Unit } from './unit.js';

/** Turns an error about a record of a unit into one about a line of its file. */
export async function withPlace(error: unknown, unit: Unit, file: EncodedFile, field: string): Promise<unknown> {
  if (!(error instanceof RecordError) || unit.kind !== 'text') return error;
  return errorInFile(error, unit.file, await placeInFile(file, unit.offset + error.byteInUnit), field);
}

/** Text looked at around a place, bytes. */
const SAMPLE_BYTES = 1 << 17;

/** Adds to the error for a file that is no UTF-8 what it most likely is. */
export async function withGuess(error: unknown, files: readonly EncodedFile[]): Promise<unknown> {
  if (!(error instanceof DataError) || ![NOT_UTF8_ADVICE, NOT_TEXT_ADVICE].includes(error.advice ?? '')) return error;
  const { subject, found, expected, advice } = error;
  const file = files.find(({ path }) => path === subject);
  if (!file) return error;
  const begin = await headOf(file, SAMPLE_BYTES);
  const offset = typeof found === 'number' && found > SAMPLE_BYTES / 2 ? found - SAMPLE_BYTES / 2 : 0;
  // With an even offset, characters of two bytes stay whole.
  const sample = offset === 0 ? begin : await headOf(file, SAMPLE_BYTES, offset - (offset % 2));
  const guess =
    (await guessUnreadable(file.path, begin.bytes, { begins: true, textToo: offset === 0 })) ??
    (await guessUnreadable(file.path, sample.bytes, { begins: false }));
  if (!guess) return error;
  const message = error.message.slice(0, error.message.length - `. ${advice}`.length);
  return new DataError(`${message}; it looks like ${guess.what}`, {
    subject,
    found,
    expected,
    advice: guess.advice,
    cause: error,
  });
}

/** What `prepare` and `vocab` have in common: options that say how a corpus is read, and what is said of it afterwards. */
import { encodingLabel } from '../data/prepare/encodings.node.js';
import { SettingsError } from '../errors/errors.js';
import type { OptionDefinition } from './command.js';
import { grouped } from './numbers.js';

export const FIELD_OPTION: OptionDefinition = {
  flags: '--field <names>',
  description:
    'field of JSON records, or column of CSV, TSV and Parquet, that holds the text; meta.text for one inside another. Of several, as sentence1,sentence2, those that a file has are one document. Default text.',
};

export const ENCODING_OPTION: OptionDefinition = {
  flags: '--encoding <name>',
  description:
    'encoding of text that is not UTF-8: euc-kr (CP949), shift_jis, gb18030, windows-1252, utf-16le, … Default utf-8.',
};

/** @throws SettingsError for a label that is not known */
export function encodingOption(word: string | boolean | undefined): string | undefined {
  if (word === undefined) return undefined;
  const { problem } = encodingLabel(String(word));
  if (problem) throw new SettingsError([`--${problem}`]);
  return String(word);
}

export interface InputAccount {
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly recordsWithoutText?: number;
  readonly replacedCharacters?: number;
  readonly field: string;
}

/** Files that were not read, records that were left out, characters that were replaced: a line each. */
export function inputLines({ skipped, recordsWithoutText = 0, replacedCharacters = 0, field }: InputAccount): string[] {
  return [
    ...skipped.map(({ path, reason }) => `skipped ${visible(path)}: ${visible(reason)}`),
    ...(recordsWithoutText > 0
      ? [`left out ${counted(recordsWithoutText, 'record')} without a text in "${field}"`]
      : []),
    ...(replacedCharacters > 0 ? [`put U+FFFD in ${counted(replacedCharacters, 'place')} that could not be read`] : []),
  ];
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A name with line ends or controls in it, on one line. */
function visible(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text;
}

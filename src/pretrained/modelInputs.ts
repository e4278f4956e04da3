/** What users give a model to run, checked and turned into rows. */
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { boundariesOf } from '../data/masking/spanTargets.js';
import { DataError } from '../errors/errors.js';
import { MODEL_CLASSES } from '../models/heads.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { ModelRow, RowSpan } from './rowBatches.js';

/** Rows of numbers, of one length or of several; for multiple choice, of each text the rows of its choices. */
export type Rows = readonly ArrayLike<number>[] | readonly (readonly ArrayLike<number>[])[];

export interface ModelInputs {
  /** Token ids, [CLS] and [SEP] included. Shorter rows are filled up with [PAD]. */
  readonly inputIds: Rows;
  /** 1 for a token, 0 for padding. Default 1 for every token given. */
  readonly attentionMask?: Rows;
  /** 0 for the first segment of a pair, 1 for the second. Default 0. */
  readonly tokenTypeIds?: Rows;
  /** Of a model with a span boundary head: spans to predict from the tokens beside them. */
  readonly spans?: readonly TokenSpan[];
}

/** Tokens `start` to `end` (exclusive) of a row. */
export interface TokenSpan extends RowSpan {
  readonly row: number;
}

export interface CheckedInputs {
  readonly rows: readonly ModelRow[];
  /** Rows of each text, where it has several. */
  readonly choices?: number;
}

/** @throws DataError when rows do not fit each other or the model */
export function checkedInputs(
  inputs: ModelInputs,
  positions: readonly (readonly number[])[] | undefined,
  { description, tokenizer }: { readonly description: ModelDescription; readonly tokenizer?: WordPieceTokenizer },
): CheckedInputs {
  const { architecture, config } = description;
  const takesChoices = MODEL_CLASSES[architecture].task === 'multipleChoice';
  const { rows: ids, choices } = flattened('inputIds', inputs.inputIds, takesChoices);
  const beside = (name: 'attentionMask' | 'tokenTypeIds') => {
    const given = inputs[name];
    return given && sameRows(name, flattened(name, given, takesChoices).rows, ids);
  };
  const masks = beside('attentionMask');
  const types = beside('tokenTypeIds');
  checkValues('inputIds', ids, config.vocabSize);
  checkValues('attentionMask', masks ?? [], 2);
  checkValues('tokenTypeIds', types ?? [], config.typeVocabSize);
  checkPositions(positions, ids);
  const spans = spansByRow(inputs.spans ?? [], ids, { description, tokenizer });
  const rows = ids.map((row, i) => ({
    ids: row,
    mask: masks?.[i],
    typeIds: types?.[i],
    positions: positions?.[i],
    spans: spans.get(i),
  }));
  checkLengths(rows, config.maxPositionEmbeddings);
  return { rows, ...(choices !== undefined && { choices }) };
}

/** @throws DataError when a row is empty or longer than the model's positions */
export function checkLengths(rows: readonly ModelRow[], positions: number): void {
  const length = rows.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  if (length > 0 && length <= positions) return;
  throw new DataError(`inputIds has a row of ${length} tokens; expected 1 to ${positions}, the model's positions`, {
    subject: 'inputIds',
    found: length,
  });
}

function checkValues(name: string, rows: readonly ArrayLike<number>[], below: number): void {
  for (const [row, values] of rows.entries()) {
    const at = Array.from(values).findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < below));
    if (at < 0) continue;
    throw new DataError(`${name} has ${values[at]} at position ${at} of row ${row}; expected 0 to ${below - 1}`, {
      subject: name,
      found: values[at],
    });
  }
}

function checkPositions(
  positions: readonly (readonly number[])[] | undefined,
  ids: readonly ArrayLike<number>[],
): void {
  if (!positions) return;
  if (positions.length !== ids.length) {
    throw new DataError(`positions has ${positions.length} lists; expected ${ids.length}, one for each row`, {
      subject: 'positions',
    });
  }
  if (positions.every((row) => row.length === 0)) {
    throw new DataError('positions names none', { subject: 'positions', expected: 'at least one position of a row' });
  }
  for (const [row, values] of positions.entries()) checkValues(`positions[${row}]`, [values], ids[row].length);
}

function flattened(name: string, rows: Rows, takesChoices: boolean): { rows: ArrayLike<number>[]; choices?: number } {
  const isRow = (value: unknown) => ArrayBuffer.isView(value) || (Array.isArray(value) && typeof value[0] !== 'object');
  const expected = takesChoices ? 'of each text the rows of its choices, as many of each' : 'rows of numbers';
  const wrong = () => new DataError(`${name} is not what the model takes; expected ${expected}`, { subject: name });
  if (rows.length === 0) throw wrong();
  if (!takesChoices) {
    if (!rows.every(isRow)) throw wrong();
    return { rows: [...(rows as readonly ArrayLike<number>[])] };
  }
  const texts = rows as readonly (readonly ArrayLike<number>[])[];
  const choices = texts[0].length;
  if (!texts.every((text) => Array.isArray(text) && text.length === choices && text.every(isRow))) throw wrong();
  return { rows: texts.flat(), choices };
}

function sameRows(name: string, rows: ArrayLike<number>[], ids: readonly ArrayLike<number>[]): ArrayLike<number>[] {
  const at = ids.findIndex((row, i) => rows[i]?.length !== row.length);
  if (at < 0 && rows.length === ids.length) return rows;
  const found = at < 0 ? `${rows.length} rows` : `${rows[at]?.length ?? 'no'} values in row ${at}`;
  const expected = at < 0 ? `${ids.length}` : `${ids[at].length}`;
  throw new DataError(`${name} has ${found}; expected ${expected}, as inputIds has`, { subject: name });
}

/** The spans of each row, in the order given. */
function spansByRow(
  spans: readonly TokenSpan[],
  rows: readonly ArrayLike<number>[],
  {
    description: { spanBoundary, architecture },
    tokenizer,
  }: { readonly description: ModelDescription; readonly tokenizer?: WordPieceTokenizer },
): Map<number, RowSpan[]> {
  const byRow = new Map<number, RowSpan[]>();
  if (spans.length === 0) return byRow;
  if (!spanBoundary || !tokenizer) {
    throw new DataError(`this ${architecture} has no ${spanBoundary ? 'tokenizer' : 'span boundary head'}`, {
      subject: 'spans',
      expected: 'a SpanBERT that was trained with a span boundary head, and its tokenizer',
    });
  }
  for (const { row, start, end, offsets } of spans) {
    checkOffsets(offsets, spanBoundary.maxSpanTargets);
    const ids = rows[row];
    const fits =
      ids && Number.isInteger(start) && Number.isInteger(end) && start >= 1 && end > start && end < ids.length;
    const isPredicted =
      fits && end - start <= spanBoundary.maxSpanTargets && boundariesOf(start, end - 1, ids, tokenizer, spanBoundary);
    if (!isPredicted) {
      throw new DataError(`span ${start} to ${end} of row ${row} is none that the model predicts`, {
        subject: 'spans',
        found: { row, start, end },
        expected: `1 to ${spanBoundary.maxSpanTargets} tokens of a row with a token of the text on each side`,
      });
    }
    byRow.set(row, [...(byRow.get(row) ?? []), { start, end, ...(offsets && { offsets }) }]);
  }
  return byRow;
}

function checkOffsets(offsets: readonly number[] | undefined, rows: number): void {
  const wrong = offsets?.find((offset) => !(Number.isInteger(offset) && offset >= 0 && offset < rows));
  if (wrong === undefined && offsets?.length !== 0) return;
  throw new DataError(`a span has ${wrong === undefined ? 'no offset' : `the offset ${wrong}`}`, {
    subject: 'spans',
    found: offsets,
    expected: `offsets from 0 to ${rows - 1}, the rows of the position table`,
  });
}

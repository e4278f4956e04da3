/** What a task's data look like before anything is trained: counts, balance, lengths, what stands on both sides, three examples. */
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { ExampleView } from './example.js';

export interface SetInspection {
  readonly rows: number;
  /** Rows by label, the most frequent first. */
  readonly labels: readonly { readonly label: string; readonly count: number }[];
}

export interface ShownExample {
  readonly place: string;
  /** The pieces that the model sees. */
  readonly pieces: readonly string[];
  /** What it learns to say. */
  readonly target: string;
}

/** Lengths of the training rows in tokens, special ones included. */
export interface LengthInspection {
  readonly median: number;
  /** Nineteen of twenty rows are no longer. */
  readonly percentile95: number;
  readonly longest: number;
  /** Rows that are longer than the chosen length. */
  readonly truncated: number;
}

/** Rows that stand twice. */
export interface RepeatedRows {
  readonly rows: number;
  /** Places of the first few, each with that of its twin. */
  readonly places: readonly (readonly [string, string])[];
}

export interface DataInspection {
  readonly train: SetInspection;
  readonly dev: SetInspection;
  readonly examples: readonly ShownExample[];
  readonly lengths: LengthInspection;
  /** Dev rows whose text is that of a training row: what they score says little. */
  readonly overlap: RepeatedRows;
  /** Training rows that have the text of an earlier one and another label. */
  readonly contradictions: RepeatedRows;
  /** Of the pieces of the training texts, those that are [UNK], 0 to 1. */
  readonly unknownShare: number;
}

const SHOWN_EXAMPLES = 3;
const SHOWN_PLACES = 5;

/** @param length  what training cuts rows to, or windows of them */
export function inspectData(
  { train, dev }: { readonly train: readonly ExampleView[]; readonly dev: readonly ExampleView[] },
  { tokenizer, length }: { readonly tokenizer: WordPieceTokenizer; readonly length: number },
): DataInspection {
  const first = firstByText(train);
  const encoded = train.map(({ text, pair }) => tokenizer.encode(text, { pair }).ids);
  const lengths = encoded.map((ids) => ids.length).sort((a, b) => a - b);
  const at = (share: number) => lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))];
  const pieces = lengths.reduce((sum, value) => sum + value, 0);
  const unknown = encoded.reduce((sum, ids) => sum + ids.filter((id) => id === tokenizer.unkId).length, 0);
  return {
    train: inspectSet(train),
    dev: inspectSet(dev),
    examples: spread(train.length, SHOWN_EXAMPLES).map((row) => ({
      place: train[row].place,
      pieces: [...encoded[row].slice(0, length)].map((id) => tokenizer.tokens[id]),
      target: train[row].target ?? train[row].labels.join(' '),
    })),
    lengths: {
      median: at(0.5),
      percentile95: at(0.95),
      longest: lengths[lengths.length - 1],
      truncated: lengths.filter((value) => value > length).length,
    },
    overlap: repeated(dev, first, () => true),
    contradictions: repeated(
      train,
      firstByText(train, askedOf),
      (row, twin) => answerOf(row) !== answerOf(twin),
      askedOf,
    ),
    unknownShare: unknown / Math.max(1, pieces),
  };
}

function inspectSet(rows: readonly ExampleView[]): SetInspection {
  const counts = new Map<string, number>();
  for (const { labels } of rows) for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count);
  return { rows: rows.length, labels };
}

/** The first, a middle and the last of some rows. */
function spread(rows: number, wanted: number): number[] {
  if (rows <= wanted) return Array.from({ length: rows }, (_, row) => row);
  return Array.from({ length: wanted }, (_, i) => Math.round((i * (rows - 1)) / (wanted - 1)));
}

/** Letter case and spaces make no other text. */
const textOf = ({ text, pair = '' }: ExampleView) =>
  JSON.stringify([text, pair].map((part) => part.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()));
const askedOf = (row: ExampleView) => `${row.about ?? ''} ${textOf(row)}`;
/** Of a number there is no label. */
const answerOf = ({ labels, target }: ExampleView) => (labels.length > 0 ? JSON.stringify(labels) : target);

type Key = (row: ExampleView) => string;

function firstByText(rows: readonly ExampleView[], keyOf: Key = textOf): Map<string, ExampleView> {
  const first = new Map<string, ExampleView>();
  for (const row of rows) {
    const text = keyOf(row);
    if (!first.has(text)) first.set(text, row);
  }
  return first;
}

function repeated(
  rows: readonly ExampleView[],
  first: ReadonlyMap<string, ExampleView>,
  counts: (row: ExampleView, twin: ExampleView) => boolean,
  keyOf: Key = textOf,
): RepeatedRows {
  const pairs = rows.flatMap((row) => {
    const twin = first.get(keyOf(row));
    return twin !== undefined && counts(row, twin) ? [[row.place, twin.place] as const] : [];
  });
  return { rows: pairs.length, places: pairs.slice(0, SHOWN_PLACES) };
}

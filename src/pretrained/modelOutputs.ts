/** What a model gives: which axes of an output are rows and tokens, the values of one row, and batches put together again. */
import type { Tensor, Tensors } from '../engine/engine.js';
import type { Architecture } from '../models/config.js';
import { MODEL_CLASSES, predictsTokens } from '../models/heads.js';
import { type ModelRow, offsetsOf, type RowBatch, type RowSpan } from './rowBatches.js';

/**
 * What a run gives: of each head its own. B rows (texts), S positions, H hidden size, V vocabulary; float32. At padding, values
 * mean nothing.
 *
 * encoder: `lastHiddenState` [B, S, H], of a BERT with its pooler `poolerOutput` [B, H]. Discriminator: `logits` [B, S],
 * above 0 for "replaced". Masked LM: `logits` [B, S, V], or [N, V] at the N chosen positions in order. BertForPreTraining: also
 * `nextSentenceLogits` [B, 2]. Question answering: `startLogits`, `endLogits` [B, S]; of ELECTRA's own head `startLogits`,
 * `beamStarts` [B, K], `beamEndLogits` [B, S, K] and `noAnswerLogits` [B], see models/jointAnswerHead.ts. Classification: `logits` [B, labels]; of
 * tokens [B, S, labels]. Multiple choice: `logits` [B, choices]. With `spans`: `boundaryLogits` [N, V], N the tokens of all
 * spans in order.
 */
export interface ModelOutputs {
  readonly logits?: Tensor;
  readonly nextSentenceLogits?: Tensor;
  readonly startLogits?: Tensor;
  readonly endLogits?: Tensor;
  readonly beamStarts?: Tensor;
  readonly beamEndLogits?: Tensor;
  readonly noAnswerLogits?: Tensor;
  readonly lastHiddenState?: Tensor;
  readonly poolerOutput?: Tensor;
  readonly boundaryLogits?: Tensor;
  readonly hiddenStates?: readonly Tensor[];
  readonly attentions?: readonly Tensor[];
}

/** The outputs of a head, by name. */
export type OutputName = Exclude<keyof ModelOutputs, 'hiddenStates' | 'attentions'>;

/** The values of one row: of outputs over tokens those of its own tokens, without padding. */
export type RowOutputs = Readonly<Record<string, Float32Array>>;

/** Axes of an output: [B, …], [B, S, …], [B, A, S, S], or one entry for each position or span token that was asked for. */
export type Layout = 'row' | 'token' | 'attention' | 'position' | 'span';

const PER_ROW = ['poolerOutput', 'nextSentenceLogits', 'beamStarts', 'noAnswerLogits'];

/** @param atPositions  whether `logits` are of chosen positions */
export function layoutOf(name: string, architecture: Architecture, atPositions: boolean): Layout {
  const { task } = MODEL_CLASSES[architecture];
  const [list] = name.split('.');
  if (list === 'attentions') return 'attention';
  if (name === 'boundaryLogits') return 'span';
  if (PER_ROW.includes(name)) return 'row';
  if (name !== 'logits') return 'token';
  if (atPositions && predictsTokens(architecture)) return 'position';
  return task === 'sequenceClassification' || task === 'multipleChoice' ? 'row' : 'token';
}

/** Entries that a row has in an output of its positions or spans. */
function entriesOf({ positions = [], spans = [] }: ModelRow, layout: Layout): number {
  if (layout === 'position') return positions.length;
  return spans.reduce((sum, span) => sum + offsetsOf(span).length, 0);
}

const product = (sizes: readonly number[]) => sizes.reduce((size, each) => size * each, 1);

/** The values of every row of a batch, in the order of `batch.rows`; views of the batch's own. */
export function rowsOfBatch(
  tensors: Tensors,
  rows: readonly ModelRow[],
  batch: RowBatch,
  layout: (name: string) => Layout,
): RowOutputs[] {
  const values: Record<string, Float32Array>[] = batch.rows.map(() => ({}));
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const kind = layout(name);
    let entry = 0;
    for (const [i, row] of batch.rows.entries()) {
      const size = product(shape.slice(kind === 'token' ? 2 : 1));
      const first = kind === 'token' ? i * batch.length : kind === 'position' || kind === 'span' ? entry : i;
      const own = kind === 'token' ? rows[row].ids.length : kind === 'row' || kind === 'attention' ? 1 : undefined;
      const count = own ?? entriesOf(rows[row], kind);
      entry += count;
      values[i][name] = data.subarray(first * size, (first + count) * size) as Float32Array;
    }
  }
  return values;
}

/** Puts the outputs of batches together, in the order of the rows. */
export class OutputCollector {
  readonly #rows: readonly ModelRow[];
  readonly #layout: (name: string) => Layout;
  readonly #length: number;
  readonly #whole = new Map<string, Tensor>();

  constructor(rows: readonly ModelRow[], layout: (name: string) => Layout) {
    this.#rows = rows;
    this.#layout = layout;
    this.#length = rows.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  }

  add(tensors: Tensors, batch: RowBatch): void {
    const isWhole = batch.rows.length === this.#rows.length && batch.rows.every((row, i) => row === i);
    for (const [name, tensor] of Object.entries(tensors)) {
      if (isWhole) this.#whole.set(name, tensor);
      else this.#place(name, tensor, batch);
    }
  }

  /** By name, in the order in which a program gives them. */
  finish(): Tensors {
    return Object.fromEntries(this.#whole);
  }

  #place(name: string, { dtype, shape, data }: Tensor, batch: RowBatch): void {
    const layout = this.#layout(name);
    const target = this.#whole.get(name) ?? this.#allocate(name, dtype, shape);
    const into = target.data as Float32Array;
    const from = data as Float32Array;
    const size = product(shape.slice(layout === 'token' ? 2 : 1));
    const [length, longest] = [batch.length, this.#length];
    let entry = 0;
    for (const [i, row] of batch.rows.entries()) {
      if (layout === 'row') into.set(from.subarray(i * size, (i + 1) * size), row * size);
      if (layout === 'token') {
        into.set(from.subarray(i * length * size, (i + 1) * length * size), row * longest * size);
      }
      if (layout === 'attention') {
        const lines = shape[1] * length; // heads × queries
        for (let line = 0; line < lines; line++) {
          const [head, query] = [Math.floor(line / length), line % length];
          const at = (row * shape[1] + head) * longest + query;
          into.set(from.subarray((i * lines + line) * length, (i * lines + line + 1) * length), at * longest);
        }
      }
      if (layout === 'position' || layout === 'span') {
        const count = entriesOf(this.#rows[row], layout);
        into.set(from.subarray(entry * size, (entry + count) * size), this.#firstEntry(row, layout) * size);
        entry += count;
      }
    }
  }

  #firstEntry(row: number, layout: Layout): number {
    return this.#rows.slice(0, row).reduce((sum, each) => sum + entriesOf(each, layout), 0);
  }

  #allocate(name: string, dtype: Tensor['dtype'], shape: readonly number[]): Tensor {
    const [rows, longest] = [this.#rows.length, this.#length];
    const shapes: Readonly<Record<Layout, () => readonly number[]>> = {
      row: () => [rows, ...shape.slice(1)],
      token: () => [rows, longest, ...shape.slice(2)],
      attention: () => [rows, shape[1], longest, longest],
      position: () => [this.#firstEntry(rows, 'position'), ...shape.slice(1)],
      span: () => [this.#firstEntry(rows, 'span'), ...shape.slice(1)],
    };
    const whole = shapes[this.#layout(name)]();
    const tensor = { dtype, shape: whole, data: new Float32Array(product(whole)) };
    this.#whole.set(name, tensor);
    return tensor;
  }
}

/** Numbered outputs as lists, and the choices of a text side by side. */
export function namedOutputs(outputs: Tensors, choices: number | undefined): ModelOutputs {
  const result: Record<string, Tensor | Tensor[]> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const [list, index] = name.split('.');
    if (index !== undefined) {
      result[list] ??= [];
      (result[list] as Tensor[])[Number(index)] = tensor;
    } else if (name === 'logits' && choices !== undefined) {
      result.logits = { ...tensor, shape: [tensor.shape[0] / choices, choices] };
    } else {
      result[name] = tensor;
    }
  }
  return result as ModelOutputs;
}

/** Entries of `boundaryLogits` are by row; those of spans that were given in another order are put in that. */
export function inOrderOfSpans(
  outputs: ModelOutputs,
  spans: readonly (RowSpan & { readonly row: number })[],
): ModelOutputs {
  const { boundaryLogits } = outputs;
  if (!boundaryLogits || spans.every(({ row }, i) => i === 0 || row >= spans[i - 1].row)) return outputs;
  const { shape, data } = boundaryLogits;
  const sorted = [...spans.keys()].sort((a, b) => spans[a].row - spans[b].row || a - b);
  const first = new Map<number, number>();
  let entries = 0;
  for (const span of sorted) {
    first.set(span, entries);
    entries += offsetsOf(spans[span]).length;
  }
  const ordered = new Float32Array(data.length);
  let at = 0;
  for (const [i, span] of spans.entries()) {
    const from = first.get(i)! * shape[1];
    const size = offsetsOf(span).length * shape[1];
    ordered.set(data.subarray(from, from + size), at);
    at += size;
  }
  return { ...outputs, boundaryLogits: { ...boundaryLogits, data: ordered } };
}

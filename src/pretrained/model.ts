/**
 * A model by itself: token ids in, the named outputs of its head out. Pipelines do more; this is what lies under a user's
 * own. Touches no file: `pretrained.node.ts` loads model folders and names.
 */
import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { type LoadedTensor, valuesOf } from '../checkpoint/loadTensors.js';
import { headSettings, type ModelDescription } from '../checkpoint/modelFolder.js';
import { boundariesOf } from '../data/masking/spanTargets.js';
import type { Engine, Program, Tensor, Tensors } from '../engine/engine.js';
import { int32Tensor } from '../engine/tensors.js';
import { DataError } from '../errors/errors.js';
import { MODEL_CLASSES, modelForUse } from '../models/heads.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

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
export interface TokenSpan {
  readonly row: number;
  readonly start: number;
  readonly end: number;
}

export interface RunOptions {
  /** Also what each layer reads and the last writes, [B, S, H] each: one more than there are layers. Default false. */
  readonly hiddenStates?: boolean;
  /** Also the attention weights of each layer, [B, A, S, S] each. Default false. */
  readonly attentions?: boolean;
}

/**
 * What a run gives: of each head its own. B rows (texts), S positions, H hidden size, V vocabulary; float32.
 *
 * encoder: `lastHiddenState` [B, S, H], of a BERT with its pooler `poolerOutput` [B, H]. Discriminator: `logits` [B, S],
 * above 0 for "replaced". Masked LM: `logits` [B, S, V]. BertForPreTraining: also `nextSentenceLogits` [B, 2]. Question
 * answering: `startLogits`, `endLogits` [B, S]. Classification: `logits` [B, labels]; of tokens [B, S, labels]. Multiple
 * choice: `logits` [B, choices]. With `spans`: `boundaryLogits` [N, V], N the tokens of all spans in order.
 */
export interface ModelOutputs {
  readonly logits?: Tensor;
  readonly nextSentenceLogits?: Tensor;
  readonly startLogits?: Tensor;
  readonly endLogits?: Tensor;
  readonly lastHiddenState?: Tensor;
  readonly poolerOutput?: Tensor;
  readonly boundaryLogits?: Tensor;
  readonly hiddenStates?: readonly Tensor[];
  readonly attentions?: readonly Tensor[];
}

export interface ModelParts {
  readonly description: ModelDescription;
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  /** Undefined for a model that is an ONNX file. */
  readonly engine?: Engine;
  readonly tokenizer?: WordPieceTokenizer;
  /** Of a model that was loaded. */
  readonly report?: ModelLoadReport;
  /** Of a model that is an ONNX file: what runs, instead of `tensors` in the engine. */
  readonly program?: Pick<Program, 'run' | 'release'>;
}

interface Asked {
  readonly spans: boolean;
  readonly hiddenStates: boolean;
  readonly attentions: boolean;
}

export class Model {
  readonly description: ModelDescription;
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  readonly tokenizer?: WordPieceTokenizer;
  readonly report?: ModelLoadReport;
  readonly #engine?: Engine;
  readonly #program?: Pick<Program, 'run' | 'release'>;
  /** One for each set of outputs that was asked for; compiled when it first is. */
  readonly #programs = new Map<string, Promise<Program>>();

  constructor({ description, tensors, engine, tokenizer, report, program }: ModelParts) {
    this.description = description;
    this.tensors = tensors;
    this.tokenizer = tokenizer;
    this.report = report;
    this.#engine = engine;
    this.#program = program;
  }

  /**
   * Runs the rows as one batch.
   * @throws DataError when rows do not fit each other or the model
   */
  async run(inputs: ModelInputs, { hiddenStates = false, attentions = false }: RunOptions = {}): Promise<ModelOutputs> {
    const batch = batchOf(inputs, this.description);
    const spans = inputs.spans ?? [];
    const targets = spans.length > 0 ? spanTargets(spans, batch, this) : {};
    const program = await this.#programFor({ spans: spans.length > 0, hiddenStates, attentions });
    return grouped(await program.run({ ...feedsOf(batch), ...targets }), batch);
  }

  async release(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
    await this.#program?.release();
  }

  async #programFor({ spans, hiddenStates, attentions }: Asked): Promise<Pick<Program, 'run'>> {
    if (!this.#engine || this.#program) {
      if (this.#program && !hiddenStates && !attentions) return this.#program;
      throw new DataError('a model that is an ONNX file has the outputs that are in it, and no others', {
        subject: hiddenStates ? 'hiddenStates' : 'attentions',
        advice: 'Load its weights',
      });
    }
    const key = [spans, hiddenStates, attentions].join();
    const known = this.#programs.get(key);
    if (known) return known;
    const { config, architecture, spanBoundary } = this.description;
    const head = headSettings(this.description);
    const asked = { hiddenStates, attentions, ...(spans && { spanBoundary }) };
    const { graph, parameters } = modelForUse({ config, architecture, head, ...asked });
    const weights = new Map(parameters.map(({ name }) => [name, valuesOf(this.tensors.get(name)!)]));
    const program = this.#engine.compile(graph, { label: architecture, weights });
    this.#programs.set(key, program);
    // One that failed is none to release, and may be asked for again.
    program.catch(() => this.#programs.delete(key));
    return program;
  }
}

/** The further inputs of a graph with a span boundary head. */
function spanTargets(
  spans: readonly TokenSpan[],
  { rows, length }: Batch,
  { description, tokenizer }: Pick<Model, 'description' | 'tokenizer'>,
): Tensors {
  const { spanBoundary, architecture } = description;
  if (!spanBoundary || !tokenizer) {
    throw new DataError(`this ${architecture} has no ${spanBoundary ? 'tokenizer' : 'span boundary head'}`, {
      subject: 'spans',
      expected: 'a SpanBERT that was trained with a span boundary head, and its tokenizer',
    });
  }
  const targets = spans.flatMap(({ row, start, end }) => {
    const ids = rows[row]?.ids;
    const fits =
      ids && Number.isInteger(start) && Number.isInteger(end) && start >= 1 && end > start && end < ids.length;
    const beside =
      fits && end - start <= spanBoundary.maxSpanTargets
        ? boundariesOf(start, end - 1, ids, tokenizer, spanBoundary)
        : undefined;
    if (!beside) {
      throw new DataError(`span ${start} to ${end} of row ${row} is none that the model predicts`, {
        subject: 'spans',
        found: { row, start, end },
        expected: `1 to ${spanBoundary.maxSpanTargets} tokens of a row with a token of the text on each side`,
      });
    }
    const at = row * length;
    return Array.from({ length: end - start }, (_, offset) => [at + beside.left, at + beside.right, offset]);
  });
  const column = (index: number) => int32Tensor(Int32Array.from(targets, (target) => target[index]));
  return { leftBoundaries: column(0), rightBoundaries: column(1), spanOffsets: column(2) };
}

interface Row {
  readonly ids: ArrayLike<number>;
  readonly mask?: ArrayLike<number>;
  readonly types?: ArrayLike<number>;
}

interface Batch {
  readonly rows: readonly Row[];
  /** Positions of a filled-up row. */
  readonly length: number;
  /** Rows of each text, where it has several. */
  readonly choices?: number;
  readonly padId: number;
}

function batchOf(inputs: ModelInputs, { architecture, config }: ModelDescription): Batch {
  const takesChoices = MODEL_CLASSES[architecture].task === 'multipleChoice';
  const { rows: ids, choices } = flattened('inputIds', inputs.inputIds, takesChoices);
  const beside = (name: 'attentionMask' | 'tokenTypeIds') => {
    const given = inputs[name];
    return given && sameRows(name, flattened(name, given, takesChoices).rows, ids);
  };
  const masks = beside('attentionMask');
  const types = beside('tokenTypeIds');
  const length = ids.reduce((longest, row) => Math.max(longest, row.length), 0);
  const positions = config.maxPositionEmbeddings;
  if (length === 0 || length > positions) {
    throw new DataError(`inputIds has a row of ${length} tokens; expected 1 to ${positions}, the model's positions`, {
      subject: 'inputIds',
      found: length,
    });
  }
  checkValues('inputIds', ids, config.vocabSize);
  checkValues('attentionMask', masks ?? [], 2);
  checkValues('tokenTypeIds', types ?? [], config.typeVocabSize);
  const rows = ids.map((row, i) => ({ ids: row, mask: masks?.[i], types: types?.[i] }));
  return { rows, length, ...(choices !== undefined && { choices }), padId: config.padTokenId };
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

/** The inputs of an encoder's graph. */
function feedsOf({ rows, length, padId }: Batch): Tensors {
  const shape = [rows.length, length];
  const inputIds = new Int32Array(rows.length * length).fill(padId);
  const attentionMask = new Int32Array(inputIds.length);
  const tokenTypeIds = new Int32Array(inputIds.length);
  for (const [i, { ids, mask, types }] of rows.entries()) {
    inputIds.set(ids, i * length);
    if (mask) attentionMask.set(mask, i * length);
    else attentionMask.fill(1, i * length, i * length + ids.length);
    if (types) tokenTypeIds.set(types, i * length);
  }
  return {
    inputIds: int32Tensor(inputIds, shape),
    attentionMask: int32Tensor(attentionMask, shape),
    tokenTypeIds: int32Tensor(tokenTypeIds, shape),
    positionIds: int32Tensor(Int32Array.from({ length }, (_, position) => position)),
  };
}

/** Numbered outputs as lists, and the choices of a text side by side. */
function grouped(outputs: Tensors, { choices }: Batch): ModelOutputs {
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

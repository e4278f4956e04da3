/**
 * What fills spans: a masked LM, and, where the model has one, its span boundary head, run together. Touches no file.
 */
import { boundariesOf } from '../data/masking/spanTargets.js';
import type { Tensors } from '../engine/engine.js';
import { int32Tensor } from '../engine/tensors.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { bertMaskedLmGraph } from '../models/bert.js';
import { generatorGraph } from '../models/electra.js';
import { type SpanBoundaryConfig, spanFillingGraph } from '../models/spanbert.js';
import { settingWith } from '../settings/settingNames.js';
import { EncoderModel, type PipelineOptions, type RowBatch } from './encoderModel.js';
import { flatPositions, logSoftmax } from './maskedLanguageModel.js';

/** A row of tokens with what is asked of it. */
export interface SpanRequest {
  readonly ids: Int32Array;
  /** Positions to predict with the masked LM; at least one. */
  readonly positions: readonly number[];
  /** A span to predict from its boundaries. */
  readonly boundary?: SpanBoundary;
}

export interface SpanBoundary {
  /** Positions of the boundary tokens. */
  readonly left: number;
  readonly right: number;
  /** Tokens of the span. */
  readonly pieces: number;
}

/** Log-probabilities of every token, float32 [V] each. */
export interface SpanPrediction {
  /** Of each position asked for. */
  readonly mlm: readonly Float32Array[];
  /** Of each token of the span; empty where no boundary was given. */
  readonly sbo: readonly Float32Array[];
}

/** What a span is looked at for. Only to fill one can the masked LM be asked alone. */
export type SpanPurpose = 'fill' | 'score';

function otherwise(purpose: SpanPurpose): string {
  return purpose === 'fill' ? `; or ask the masked LM alone: ${settingWith('by', ['mlm'])}` : '';
}

export class SpanModel {
  private constructor(
    private readonly model: EncoderModel,
    private readonly source: string,
    readonly spanBoundary: SpanBoundaryConfig | undefined,
  ) {}

  /** @throws CheckpointError when the weights or the tokenizer do not fit the config */
  static async load(options: PipelineOptions): Promise<SpanModel> {
    const { config, spanBoundary, family, source = 'the model' } = options;
    const masked = family === 'bert' ? bertMaskedLmGraph : generatorGraph;
    const graph = spanBoundary ? spanFillingGraph(config, spanBoundary) : masked(config);
    return new SpanModel(await EncoderModel.load(graph, options, 'fill-span'), source, spanBoundary);
  }

  get tokenizer() {
    return this.model.tokenizer;
  }

  get maxLength(): number {
    return this.model.maxLength;
  }

  /** @throws CheckpointError when the model has no span boundary head */
  requireSpanBoundary(purpose: SpanPurpose): SpanBoundaryConfig {
    if (this.spanBoundary) return this.spanBoundary;
    throw new CheckpointError(`${this.source} has no span boundary head`, {
      subject: this.source,
      expected: 'a model trained with objective spanbert',
      advice: `Give a model with one, which \`pleiad pretrain --objective spanbert\` trains${otherwise(purpose)}`,
    });
  }

  /**
   * The boundary tokens of a span.
   * @param first  its first position
   * @throws DataError when the position table has no row for its last token, or nothing stands beside it and the model
   *         was never trained on that
   */
  boundaryOf(ids: Int32Array, first: number, pieces: number, purpose: SpanPurpose = 'fill'): SpanBoundary {
    const settings = this.requireSpanBoundary(purpose);
    if (pieces > settings.maxSpanTargets) {
      throw new DataError(
        `the span is ${pieces} pieces long; the span boundary head has positions for ${settings.maxSpanTargets}`,
        {
          subject: 'pieces',
          found: pieces,
          expected: `at most ${settings.maxSpanTargets} pieces`,
          advice: `Take a shorter one${otherwise(purpose)}`,
        },
      );
    }
    const { clsId, sepId } = this.tokenizer;
    const boundaries = boundariesOf(first, first + pieces - 1, ids, { clsId, sepId }, settings);
    if (boundaries) return { ...boundaries, pieces };
    const where = ids[first - 1] === clsId || ids[first - 1] === sepId ? 'before' : 'after';
    throw new DataError(`there is no text ${where} the span, and the model was trained without such spans`, {
      subject: 'text',
      expected: 'at least one token on both sides of the span',
      advice: `Give more text${otherwise(purpose)}. A model that \`pleiad pretrain --edge-spans special\` trained takes [CLS] and [SEP] for boundaries`,
    });
  }

  async predict(requests: readonly SpanRequest[]): Promise<SpanPrediction[]> {
    const predictions = requests.map(() => ({ mlm: [] as Float32Array[], sbo: [] as Float32Array[] }));
    await this.model.run(
      requests.map(({ ids }) => ids),
      ({ logits, boundaryLogits }, { rows }) => {
        const nextMlm = rowsOf(logits);
        const nextSbo = boundaryLogits && rowsOf(boundaryLogits);
        for (const row of rows) {
          const { positions, boundary } = requests[row];
          for (const _ of positions) predictions[row].mlm.push(nextMlm());
          for (let i = 0; i < (boundary?.pieces ?? 0); i++) predictions[row].sbo.push(nextSbo!());
        }
      },
      (batch) => ({ ...flatPositions(requests, batch), ...(this.spanBoundary && targetFeeds(requests, batch)) }),
    );
    return predictions;
  }

  release(): Promise<void> {
    return this.model.release();
  }
}

/** The rows of logits [N, V] one after another, as log-probabilities. */
function rowsOf({ data, shape }: Tensors[string]): () => Float32Array {
  const [, vocabSize] = shape;
  let row = 0;
  return () => logSoftmax(data.subarray(row * vocabSize, ++row * vocabSize) as Float32Array);
}

function targetFeeds(requests: readonly SpanRequest[], { rows, length }: RowBatch): Tensors {
  const targets = rows.flatMap((row, i) => {
    const { left, right, pieces } = requests[row].boundary ?? { left: 0, right: 0, pieces: 0 };
    return Array.from({ length: pieces }, (_, offset) => [i * length + left, i * length + right, offset]);
  });
  // A tensor of no rows is nothing that every engine takes: where none is asked for, one is predicted and left unread.
  if (targets.length === 0) targets.push([0, 0, 0]);
  const column = (index: number) => int32Tensor(Int32Array.from(targets, (target) => target[index]));
  return { leftBoundaries: column(0), rightBoundaries: column(1), spanOffsets: column(2) };
}

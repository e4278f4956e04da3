/** A masked language model as pipelines use it: the distribution over the vocabulary at chosen positions. */
import type { Tensors } from '../engine/engine.js';
import { bertMaskedLmGraph } from '../models/bert.js';
import { generatorGraph } from '../models/electra.js';
import { EncoderModel, type PipelineOptions, type RowBatch } from './encoderModel.js';

/** Token ids of a row and the positions in it to predict. */
export interface MaskedRow {
  readonly ids: Int32Array;
  readonly positions: readonly number[];
}

export class MaskedLanguageModel {
  private constructor(private readonly model: EncoderModel) {}

  /** @throws CheckpointError when the weights or the tokenizer do not fit the config */
  static async load(options: PipelineOptions, label: string): Promise<MaskedLanguageModel> {
    const graph = options.family === 'bert' ? bertMaskedLmGraph : generatorGraph;
    return new MaskedLanguageModel(await EncoderModel.load(graph(options.config), options, label));
  }

  get tokenizer() {
    return this.model.tokenizer;
  }

  get maxLength(): number {
    return this.model.maxLength;
  }

  /** Of each row, for each of its positions, log-probabilities float32 [V] that sum to 1 as probabilities. */
  async logProbabilities(rows: readonly MaskedRow[]): Promise<Float32Array[][]> {
    const results: Float32Array[][] = rows.map(() => []);
    await this.model.run(
      rows.map(({ ids }) => ids),
      ({ logits }, batch) => {
        const vocabSize = logits.shape[1];
        let slot = 0;
        for (const row of batch.rows) {
          for (const _ of rows[row].positions) {
            const values = logits.data.subarray(slot * vocabSize, ++slot * vocabSize) as Float32Array;
            results[row].push(logSoftmax(values));
          }
        }
      },
      (batch) => flatPositions(rows, batch),
    );
    return results;
  }

  release(): Promise<void> {
    return this.model.release();
  }
}

/** The input `positions` of a batch. */
export function flatPositions(rows: readonly Pick<MaskedRow, 'positions'>[], batch: RowBatch): Tensors {
  const data = Int32Array.from(
    batch.rows.flatMap((row, i) => rows[row].positions.map((position) => i * batch.length + position)),
  );
  return { positions: { dtype: 'int32', shape: [data.length], data } };
}

/** x − log Σ exp x, in float64. */
export function logSoftmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  const shift = highest + Math.log(total);
  return logits.map((logit) => logit - shift);
}

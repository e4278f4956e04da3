/** Exports a model for transformers.js, optimum and ONNX Runtime: the folder layout that they load. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileDurably } from '../checkpoint/durableFileNode.js';
import { encoderConfigToJson, familyOf } from '../checkpoint/modelFolder.js';
import { requireNewFolder, writeNewFolder } from '../checkpoint/newFolderNode.js';
import { encodeModel, type OnnxModel } from '../engine/onnx/model.js';
import { quantizableWeights, quantizeModel } from '../engine/onnx/quantize.js';
import { loadRuntime } from '../engine/onnxruntime/loadRuntimeNode.js';
import { SettingsError } from '../errors.js';
import { RandomStream } from '../random/philox.js';
import { saveTokenizer } from '../text/tokenizerNode.js';
import { compareOutputs, type OutputDifference, onnxModelOf, quantizationGroup } from './exportOnnx.js';
import { type LoadPretrainedOptions, loadPretrained, type Pretrained } from './pretrainedNode.js';

export interface ExportOptions extends Omit<LoadPretrainedOptions, 'newHead' | 'seed' | 'labels'> {
  /** Also `onnx/model_quantized.onnx`, with weights in 8 bits. Default false. */
  readonly quantize?: boolean;
  /** Parts are left in float until outputs differ by less: ‖difference‖/‖outputs‖. Default 0.02. */
  readonly tolerance?: number;
  /** Texts to measure on; default: rows of random tokens. */
  readonly texts?: readonly string[];
}

export interface QuantizationResult {
  /** With everything in 8 bits that can be. */
  readonly whole: OutputDifference;
  /** As written. */
  readonly written: OutputDifference;
  /** Parts that were left in float, those first that alone make the largest difference. */
  readonly inFloat: readonly { readonly part: string; readonly alone: number }[];
  /** Rows that it was measured on. */
  readonly rows: number;
}

export interface ExportResult {
  readonly model: Pretrained;
  /** Bytes of each file of the folder. */
  readonly files: ReadonlyMap<string, number>;
  readonly quantization?: QuantizationResult;
}

/**
 * Exports a model: `onnx/model.onnx`, config.json and the tokenizer's files.
 * @throws SettingsError when `out` is not empty, or a setting is out of range; WriteError when it cannot be written, and
 *         then nothing is left there
 * @throws CheckpointError as `loadPretrained`
 */
export async function exportModel(place: string, out: string, options: ExportOptions = {}): Promise<ExportResult> {
  const { quantize = false, tolerance = 0.02, texts, ...loading } = options;
  if (!(tolerance > 0)) throw new SettingsError([`tolerance is ${tolerance}; expected a number above 0`]);
  requireNewFolder(out);
  const model = await loadPretrained(place, loading);
  const onnx = onnxModelOf(model.model, model.tensors);
  return writeNewFolder(out, async (unfinished) => {
    const files = await writeFloat(unfinished, model, onnx);
    if (!quantize) return { model, files };
    const { changed, result } = await quantizeWithin(onnx, sampleRows(model, texts), tolerance, options.signal);
    for (const [name, bytes] of await writeModel(unfinished, 'model_quantized', changed)) files.set(name, bytes);
    return { model, files, quantization: result };
  });
}

/** Everything but `onnx/model_quantized.onnx`. @returns bytes by name */
async function writeFloat(
  folder: string,
  { model, tokenizer }: Pretrained,
  onnx: OnnxModel,
): Promise<Map<string, number>> {
  makeFolder(join(folder, 'onnx'));
  const files = new Map<string, number>();
  const config = `${JSON.stringify(encoderConfigToJson(model), null, 2)}\n`;
  files.set('config.json', (await writeFileDurably(join(folder, 'config.json'), [config])).bytes);
  if (tokenizer) {
    // transformers.js reads tokenizer.json whatever the class is, and gives segment ids only for classes of these names:
    // with PreTrainedTokenizerFast the second text of a pair would pass for the first.
    const tokenizerClass = familyOf(model.architecture) === 'bert' ? 'BertTokenizer' : 'ElectraTokenizer';
    await saveTokenizer(tokenizer, folder, { tokenizerClass });
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt'])
      files.set(name, statSync(join(folder, name)).size);
  }
  for (const [name, bytes] of await writeModel(folder, 'model', onnx)) files.set(name, bytes);
  return files;
}

async function writeModel(out: string, name: string, onnx: OnnxModel): Promise<Map<string, number>> {
  const { bytes, external } = encodeModel(onnx, `${name}.onnx_data`);
  const files = new Map<string, number>();
  const write = async (file: string, data: Uint8Array) =>
    files.set(file, (await writeFileDurably(join(out, file), [data])).bytes);
  if (external) await write(`onnx/${name}.onnx_data`, external.data);
  await write(`onnx/${name}.onnx`, bytes);
  return files;
}

interface SampleRow {
  readonly ids: Int32Array;
  readonly types: Int32Array;
}

const RANDOM_ROWS = 8;
const RANDOM_LENGTH = 48;
const MOST_SAMPLE_TOKENS = 256;

/** Rows to measure on: texts, or random tokens of several lengths. */
function sampleRows({ model, tokenizer }: Pretrained, texts: readonly string[] | undefined): SampleRow[] {
  const { maxPositionEmbeddings, vocabSize } = model.config;
  const most = Math.min(MOST_SAMPLE_TOKENS, maxPositionEmbeddings);
  if (texts && tokenizer) {
    const rows = texts.map((text) => tokenizer.encode(text, { maxLength: most }).ids);
    return rows.map((ids) => ({ ids, types: new Int32Array(ids.length) }));
  }
  return Array.from({ length: RANDOM_ROWS }, (_, row) => {
    const random = new RandomStream(0, 'evaluation', row);
    const length = Math.min(most, RANDOM_LENGTH + row);
    const ids = Int32Array.from({ length }, () => Math.floor(random.uniform() * vocabSize));
    return { ids, types: new Int32Array(length) };
  });
}

/** Quantizes all that can be, then leaves in float what matters most until outputs are near enough. */
async function quantizeWithin(
  onnx: OnnxModel,
  rows: readonly SampleRow[],
  tolerance: number,
  signal: AbortSignal | undefined,
): Promise<{ changed: OnnxModel; result: QuantizationResult }> {
  const original = await outputsOf(onnx, rows);
  const measure = async (includes: (name: string) => boolean) => {
    signal?.throwIfAborted();
    const changed = quantizeModel(onnx, includes);
    return { changed, difference: compareOutputs(original, await outputsOf(changed, rows)) };
  };
  const all = await measure(() => true);
  const fits = ({ relative }: OutputDifference) => relative <= tolerance;
  if (fits(all.difference)) {
    const result = { whole: all.difference, written: all.difference, inFloat: [], rows: rows.length };
    return { changed: all.changed, result };
  }
  const parts = [...new Set(quantizableWeights(onnx).map(quantizationGroup))];
  const alone: { part: string; alone: number }[] = [];
  for (const part of parts) {
    const { difference } = await measure((name) => quantizationGroup(name) === part);
    alone.push({ part, alone: difference.relative });
  }
  alone.sort((a, b) => b.alone - a.alone);
  const without = async (count: number) => {
    const inFloat = alone.slice(0, count);
    const left = new Set(inFloat.map(({ part }) => part));
    const { changed, difference } = await measure((name) => !left.has(quantizationGroup(name)));
    return { changed, result: { whole: all.difference, written: difference, inFloat, rows: rows.length } };
  };
  // The fewest that are enough, by bisection: the more parts are left, the smaller the difference, or nearly so. With all
  // of them nothing is changed.
  let [low, high] = [1, parts.length];
  let enough: Awaited<ReturnType<typeof without>> | undefined;
  while (low < high) {
    const count = (low + high) >> 1;
    const tried = await without(count);
    if (fits(tried.result.written)) {
      high = count;
      enough = tried;
    } else {
      low = count + 1;
    }
  }
  return enough ?? without(high);
}

/** The outputs of each row, run by itself. */
async function outputsOf(onnx: OnnxModel, rows: readonly SampleRow[]): Promise<Float32Array[]> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const { bytes, external } = encodeModel(onnx);
  const externalData = external && [{ path: external.path, data: external.data }];
  const session = await InferenceSession.create(bytes, { ...(externalData && { externalData }) });
  const outputs: Float32Array[] = [];
  try {
    for (const { ids, types } of rows) {
      const int64 = (values: Int32Array) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
      const ones = new Int32Array(ids.length).fill(1);
      const results = await session.run({
        input_ids: int64(ids),
        attention_mask: int64(ones),
        token_type_ids: int64(types),
      });
      for (const { name } of onnx.outputs) outputs.push(results[name].data as Float32Array);
    }
  } finally {
    await session.release();
  }
  return outputs;
}

/** Exports a model for transformers.js, optimum and ONNX Runtime: the folder layout that they load. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { encoderConfigToJson, familyOf } from '../checkpoint/modelFolder.js';
import { encodeModel, type OnnxModel } from '../engine/onnx/model.js';
import { quantizableWeights, quantizeModel } from '../engine/onnx/quantize.js';
import { loadRuntime } from '../engine/onnxruntime/loadRuntime.node.js';
import { SettingsError } from '../errors/errors.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import { requireNewFolder, writeNewFolder } from '../files/newFolder.node.js';
import { RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { isPiece } from '../text/pieces.js';
import { saveTokenizer } from '../text/tokenizer.node.js';
import { compareOutputs, type OutputDifference, onnxModelOf, quantizationGroup } from './exportOnnx.js';
import { type LoadPretrainedOptions, loadPretrained, type Pretrained } from './pretrained.node.js';
import { saveTaskSettings } from './taskSettings.node.js';

export interface ExportOptions extends Omit<LoadPretrainedOptions, 'newHead' | 'newHeadAdvice' | 'seed' | 'labels'> {
  /** Also `onnx/model_quantized.onnx`, with weights in 8 bits. Default false. */
  readonly quantize?: boolean;
  /** Parts are left in float until outputs differ by less, alone and in batches: ‖difference‖/‖outputs‖. Default 0.1. */
  readonly tolerance?: number;
  /** Texts to measure on; default: rows of random tokens. */
  readonly texts?: readonly string[];
}

export interface QuantizationResult {
  /** With everything in 8 bits that can be, each row run by itself. */
  readonly whole: OutputDifference;
  /**
   * The same with rows of different lengths together, filled up with padding, as most programs run them. The scale of
   * activations in 8 bits is found over all of a batch, so what it says of a row moves with its neighbours.
   */
  readonly wholeInBatches: OutputDifference;
  /** As written, each row by itself. */
  readonly written: OutputDifference;
  readonly writtenInBatches: OutputDifference;
  /** Parts that were left in float, those first that alone make the largest difference. */
  readonly inFloat: readonly { readonly part: string; readonly alone: number }[];
  /** What was written and its neighbours, the smallest first; one where everything in 8 bits is near enough. */
  readonly choices: readonly QuantizationChoice[];
  /** Rows that it was measured on. */
  readonly rows: number;
}

/** A number of parts left in float. */
export interface QuantizationChoice {
  /** Of the ONNX file. */
  readonly bytes: number;
  /** How far outputs are from the float ones, alone or in batches, whichever is more: a tolerance just above asks for it. */
  readonly relative: number;
  /** Parts left in float. */
  readonly inFloat: number;
  readonly isWritten: boolean;
}

/** Small is what is asked for: parts stay in float only where outputs would change by more than this. */
const USUAL_TOLERANCE = 0.1;

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
  const { quantize = false, tolerance = USUAL_TOLERANCE, texts, ...loading } = options;
  if (!(tolerance > 0))
    throw new SettingsError([`${settingName('tolerance')} is ${tolerance}; expected a number above 0`]);
  requireNewFolder(out);
  const model = await loadPretrained(place, { ...loading, newHeadAdvice: '' });
  if (quantize) refuseBeam(model);
  const onnx = onnxModelOf(model.model, model.tensors);
  return writeNewFolder(out, async (unfinished) => {
    const files = await writeFloat(unfinished, model, onnx);
    if (!quantize) return { model, files };
    const settings = { tolerance, padId: model.model.config.padTokenId, signal: options.signal };
    const { changed, result } = await quantizeWithin(onnx, sampleRows(model, texts), settings);
    for (const [name, bytes] of await writeModel(unfinished, 'model_quantized', changed)) files.set(name, bytes);
    return { model, files, quantization: result };
  });
}

/** Positions of a beam change by whole numbers: how far those of a changed model are from the original's says nothing. */
function refuseBeam({ model: { questionAnsweringHead }, folder }: Pretrained): void {
  if (questionAnsweringHead !== 'joint') return;
  throw new SettingsError([
    `${settingName('quantize')} is given, and ${folder} has the joint head for question answering, whose beam of starts cannot be compared with the original's; leave it out`,
  ]);
}

/** Everything but `onnx/model_quantized.onnx`. @returns bytes by name */
async function writeFloat(
  folder: string,
  { model, tokenizer, taskSettings }: Pretrained,
  onnx: OnnxModel,
): Promise<Map<string, number>> {
  makeFolder(join(folder, 'onnx'));
  const files = new Map<string, number>();
  const config = `${JSON.stringify(encoderConfigToJson(model), null, 2)}\n`;
  files.set('config.json', (await writeFileDurably(join(folder, 'config.json'), [config])).bytes);
  if (tokenizer) {
    // Without segment ids, the second text of a pair would pass for the first in transformers.js.
    await saveTokenizer(tokenizer, folder, { modelType: familyOf(model.architecture), segmentIds: true });
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt'])
      files.set(name, statSync(join(folder, name)).size);
  }
  for (const [name, bytes] of await saveTaskSettings(folder, model.architecture, taskSettings)) files.set(name, bytes);
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
/** Tokens of the random rows: 12, 20, … 68. */
const RANDOM_LENGTHS = { least: 12, step: 8 };
/** Rows of a batch, where they are measured together. */
const BATCH_ROWS = 8;
const MOST_SAMPLE_TOKENS = 256;

/** Rows to measure on: texts, or random pieces; of several lengths, as texts are. */
function sampleRows({ model, tokenizer }: Pretrained, texts: readonly string[] | undefined): SampleRow[] {
  const { maxPositionEmbeddings, vocabSize } = model.config;
  const most = Math.min(MOST_SAMPLE_TOKENS, maxPositionEmbeddings);
  if (texts && tokenizer) {
    const rows = texts.map((text) => tokenizer.encode(text, { maxLength: most }).ids);
    return rows.map((ids) => ({ ids, types: new Int32Array(ids.length) }));
  }
  const rows = Array.from({ length: vocabSize }, (_, id) => id);
  const pieces = tokenizer ? rows.filter((id) => isPiece(tokenizer.tokens, id)) : rows;
  return Array.from({ length: RANDOM_ROWS }, (_, row) => {
    const random = new RandomStream(0, 'evaluation', row);
    const length = Math.min(most, RANDOM_LENGTHS.least + row * RANDOM_LENGTHS.step);
    const ids = Int32Array.from({ length }, () => pieces[Math.floor(random.uniform() * pieces.length)]);
    return { ids, types: new Int32Array(length) };
  });
}

/** Quantizes all that can be, then leaves in float what matters most until outputs are near enough. */
async function quantizeWithin(
  onnx: OnnxModel,
  rows: readonly SampleRow[],
  { tolerance, padId, signal }: { tolerance: number; padId: number; signal: AbortSignal | undefined },
): Promise<{ changed: OnnxModel; result: QuantizationResult }> {
  const apart = rows.map((row) => [row]);
  const together = Array.from({ length: Math.ceil(rows.length / BATCH_ROWS) }, (_, batch) =>
    rows.slice(batch * BATCH_ROWS, (batch + 1) * BATCH_ROWS),
  );
  const original = await outputsOf(onnx, apart, padId);
  const measure = async (includes: (name: string) => boolean): Promise<Measured> => {
    signal?.throwIfAborted();
    const changed = quantizeModel(onnx, includes);
    const alone = compareOutputs(original, await outputsOf(changed, apart, padId));
    return { changed, alone, inBatches: compareOutputs(original, await outputsOf(changed, together, padId)) };
  };
  const all = await measure(() => true);
  const common = { whole: all.alone, wholeInBatches: all.inBatches, rows: rows.length };
  const told = (
    { changed, alone, inBatches }: Measured,
    inFloat: QuantizationResult['inFloat'],
    choices: readonly QuantizationChoice[],
  ) => ({
    changed,
    result: { ...common, written: alone, writtenInBatches: inBatches, inFloat, choices },
  });
  if (larger(all) <= tolerance) {
    return told(all, [], [{ bytes: bytesOfModel(all.changed), relative: larger(all), inFloat: 0, isWritten: true }]);
  }
  const parts = [...new Set(quantizableWeights(onnx).map(quantizationGroup))];
  const alone: { part: string; alone: number }[] = [];
  for (const part of parts) {
    alone.push({ part, alone: larger(await measure((name) => quantizationGroup(name) === part)) });
  }
  alone.sort((a, b) => b.alone - a.alone);
  const found = new Map<number, MeasuredChoice>();
  const without = async (count: number): Promise<MeasuredChoice> => {
    const known = found.get(count);
    if (known) return known;
    const inFloat = alone.slice(0, count);
    const left = new Set(inFloat.map(({ part }) => part));
    const measured = count === 0 ? all : await measure((name) => !left.has(quantizationGroup(name)));
    const choice = {
      inFloat,
      alone: measured.alone,
      inBatches: measured.inBatches,
      bytes: bytesOfModel(measured.changed),
    };
    found.set(count, choice);
    return choice;
  };
  // The fewest that are enough, by bisection: the more parts are left, the smaller the difference, or nearly so. With all
  // of them nothing is changed.
  const fewest = async (limit: number): Promise<number> => {
    let [low, high] = [0, parts.length];
    while (low < high) {
      const count = (low + high) >> 1;
      if (larger(await without(count)) <= limit) high = count;
      else low = count + 1;
    }
    return high;
  };
  const count = await fewest(tolerance);
  const nearer = await fewest(tolerance / 2);
  const choices: QuantizationChoice[] = [];
  for (const each of [...new Set([0, Math.floor(count / 2), count, nearer])].sort((a, b) => a - b)) {
    const choice = await without(each);
    choices.push({ bytes: choice.bytes, relative: larger(choice), inFloat: each, isWritten: each === count });
  }
  choices.sort((a, b) => a.bytes - b.bytes);
  const { inFloat } = await without(count);
  const left = new Set(inFloat.map(({ part }) => part));
  const measured = await measure((name) => !left.has(quantizationGroup(name)));
  return told(measured, inFloat, choices);
}

interface MeasuredChoice extends Pick<Measured, 'alone' | 'inBatches'> {
  readonly inFloat: QuantizationResult['inFloat'];
  readonly bytes: number;
}

function bytesOfModel(onnx: OnnxModel): number {
  const { bytes, external } = encodeModel(onnx);
  return bytes.length + (external?.data.length ?? 0);
}

interface Measured {
  readonly changed: OnnxModel;
  readonly alone: OutputDifference;
  readonly inBatches: OutputDifference;
}

/** Both are how a model is used, so both are to be within the tolerance. */
function larger({ alone, inBatches }: Pick<Measured, 'alone' | 'inBatches'>): number {
  return Math.max(alone.relative, inBatches.relative);
}

/** The outputs of each row at its own tokens, run in batches that are filled up with padding. */
async function outputsOf(
  onnx: OnnxModel,
  batches: readonly (readonly SampleRow[])[],
  padId: number,
): Promise<Float32Array[]> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const { bytes, external } = encodeModel(onnx);
  const externalData = external && [{ path: external.path, data: external.data }];
  const session = await InferenceSession.create(bytes, { ...(externalData && { externalData }) });
  const outputs: Float32Array[] = [];
  try {
    for (const rows of batches) {
      const length = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
      const int64 = (of: (row: SampleRow) => ArrayLike<number>, filler = 0) => {
        const data = new BigInt64Array(rows.length * length).fill(BigInt(filler));
        for (const [i, row] of rows.entries()) data.set(Array.from(of(row), BigInt), i * length);
        return new Tensor('int64', data, [rows.length, length]);
      };
      const results = await session.run({
        input_ids: int64(({ ids }) => ids, padId),
        attention_mask: int64(({ ids }) => ids.map(() => 1)),
        token_type_ids: int64(({ types }) => types),
      });
      for (const [i, { ids }] of rows.entries()) {
        for (const { name, shape } of onnx.outputs) {
          const values = results[name].data as Float32Array;
          const size = values.length / rows.length;
          // Of what stands at every position, that of the padding means nothing.
          const own = shape[1] === 'sequence_length' ? (size / length) * ids.length : size;
          outputs.push(values.slice(i * size, i * size + own));
        }
      }
    }
  } finally {
    await session.release();
  }
  return outputs;
}

/** A model as the files of a folder, in memory: what `saveModelFolder` and `exportModel` write, for a page to keep or to save. */
import type { LoadedTensor } from '../checkpoint/loadTensors.js';
import {
  encoderConfigToJson,
  familyOf,
  isOfSpanBoundaryHead,
  type ModelDescription,
  savedName,
} from '../checkpoint/modelFolder.js';
import { encodeModel } from '../engine/onnx/model.js';
import { encodeSafetensors, type SafetensorsTensor } from '../formats/safetensors.js';
import { CONFIG_FILE, SPAN_BOUNDARY_FILE } from '../hub/modelFiles.js';
import { onnxModelOf } from '../pretrained/exportOnnx.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

export interface ModelInMemory {
  readonly description: ModelDescription;
  /** By published name. */
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  readonly tokenizer?: WordPieceTokenizer;
}

export type ModelFormat = 'safetensors' | 'onnx';

/** Files by their paths within the folder, which transformers (of ONNX: transformers.js) loads. */
export function modelFiles({ description, tensors, tokenizer }: ModelInMemory, format: ModelFormat): Map<string, Blob> {
  const { architecture } = description;
  const files = new Map([[CONFIG_FILE, json(encoderConfigToJson(description))]]);
  if (tokenizer) {
    const options = { modelType: familyOf(architecture), ...(format === 'onnx' && { segmentIds: true }) };
    files.set('tokenizer.json', json(tokenizer.toTokenizerJson()));
    files.set('tokenizer_config.json', json(tokenizer.toTokenizerConfig(options)));
    files.set('vocab.txt', new Blob([tokenizer.toVocabText()]));
  }
  if (format === 'onnx') {
    files.set('onnx/model.onnx', blobOf([encodeModel(onnxModelOf(description, tensors)).bytes]));
    return files;
  }
  const outgoing = [...tensors].map(([name, { shape, data }]) => ({
    isOfHead: isOfSpanBoundaryHead(name),
    tensor: { name, dtype: 'F32' as const, shape, data: data as Float32Array<ArrayBuffer> },
  }));
  const write = (file: string, content: SafetensorsTensor[]) =>
    files.set(file, blobOf(encodeSafetensors(content, { format: 'pt' })));
  const others = outgoing.filter(({ isOfHead }) => !isOfHead).map(({ tensor }) => tensor);
  const ofHead = outgoing.filter(({ isOfHead }) => isOfHead).map(({ tensor }) => tensor);
  write(
    'model.safetensors',
    others.map((tensor) => ({ ...tensor, name: savedName(tensor.name, architecture) })),
  );
  if (ofHead.length > 0) write(SPAN_BOUNDARY_FILE, ofHead);
  return files;
}

function json(value: unknown): Blob {
  return new Blob([`${JSON.stringify(value, null, 2)}\n`]);
}

/** Copies: what is shared between threads no blob takes. */
function blobOf(parts: readonly Uint8Array[]): Blob {
  return new Blob(parts.map((part) => new Uint8Array(part)));
}

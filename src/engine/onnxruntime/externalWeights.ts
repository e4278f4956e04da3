/**
 * A model for onnxruntime-node whose weights stay where they are, so that there is one copy of them less: in the file of a
 * checkpoint, which the runtime maps, or in memory that both threads see. The runtime maps a weight, packs it for its products
 * and lets go of the mapping, one weight after another; of one in memory it makes a copy while the session is created and
 * refers to it no longer.
 */
import { bytesIn, EXTERNAL_FROM_BYTES, encodeModelBeside, type OnnxModel, type OnnxTensor } from '../onnx/model.js';

export interface ExternalWeights {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Files in memory. There are none where there is a folder: the runtime takes one or the other. */
  readonly memory: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Where the files lie that the model refers to. */
  readonly folder?: string;
}

/** @throws CheckpointError when the file of a weight is no longer what it was */
export function externalWeights(model: OnnxModel): ExternalWeights {
  const files = new Map<OnnxTensor, { folder: string; path: string; begin: number; bytes: number }>();
  for (const tensor of model.initializers.values()) {
    const range = tensor.stored?.locate();
    if (range) files.set(tensor, { ...range, ...splitPath(range.file) });
  }
  // The runtime takes files of one folder only.
  const folder = files.values().next().value?.folder;
  if (folder !== undefined) {
    const bytes = encodeModelBeside(model, (tensor) => {
      const file = files.get(tensor);
      return file?.folder === folder ? { path: file.path, offset: file.begin, length: file.bytes } : undefined;
    });
    return { bytes, memory: [], folder };
  }
  const memory: { path: string; data: Uint8Array }[] = [];
  const bytes = encodeModelBeside(model, (tensor) => {
    const length = bytesIn(tensor);
    if (length < EXTERNAL_FROM_BYTES) return undefined;
    const path = `memory-${memory.length}`;
    memory.push({ path, data: shared(tensor.data) });
    return { path, offset: 0, length };
  });
  return { bytes, memory };
}

function splitPath(file: string): { folder: string; path: string } {
  const at = Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\'));
  return { folder: file.slice(0, at + 1), path: file.slice(at + 1) };
}

function shared(data: Uint8Array): Uint8Array {
  if (data.buffer instanceof SharedArrayBuffer) return data;
  const copy = new Uint8Array(new SharedArrayBuffer(data.length));
  copy.set(data);
  return copy;
}

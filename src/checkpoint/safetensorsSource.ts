/** Safetensors files as tensor sources: one file, or several with an index. */
import type { ByteSource } from '../files/byteSource.js';
import { readBytes } from '../files/byteSource.js';
import { parseSafetensorsHeader, safetensorsHeaderBytes } from '../formats/safetensors.js';
import type { StoredTensor } from './tensorSource.js';

/** What one file of a checkpoint holds. */
export interface FileContent {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly otherEntries?: ReadonlyMap<string, string>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Reads the header of a safetensors file.
 * @throws CheckpointError when it is damaged or the file is not as long as the header says
 */
export async function readSafetensors(source: ByteSource): Promise<FileContent> {
  const start = await readBytes(source, 0, Math.min(8, source.size));
  const headerBytes = Math.min(safetensorsHeaderBytes(start, source.name), source.size);
  const bytes = await readBytes(source, 0, headerBytes);
  const header = parseSafetensorsHeader(bytes, { source: source.name, fileBytes: source.size });
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, begin }] of header.tensors) tensors.set(name, { dtype, shape, source, begin });
  return { tensors, metadata: header.metadata };
}

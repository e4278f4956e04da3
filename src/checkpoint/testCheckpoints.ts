/** The golden checkpoints (test/golden/README.md) and small helpers, for tests. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors, type SafetensorsTensor } from '../formats/safetensors.js';
import type { TensorSource } from './tensorSource.js';

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../test/golden/checkpoints/${name}`, import.meta.url));
}

export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(goldenPath(name)));
}

/** The tensors of NAME.expected.safetensors: what PyTorch or transformers read. */
export function expectedGolden(name: string): Map<string, SafetensorsTensor> {
  return decodeSafetensors(goldenBytes(`${name}.expected.safetensors`)).tensors;
}

/** Every tensor of a source as it is stored, sorted by name. */
export async function readAll(source: TensorSource): Promise<Map<string, SafetensorsTensor>> {
  const all = new Map<string, SafetensorsTensor>();
  for (const name of [...source.tensors.keys()].sort()) {
    const { dtype, shape } = source.info(name);
    all.set(name, { name, dtype, shape, data: await source.readRaw(name) });
  }
  return all;
}

export function sortedByName<T>(map: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A new folder for files of a test, and what removes it. */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

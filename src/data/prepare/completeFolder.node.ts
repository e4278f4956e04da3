/** The last step of preparing: what makes a folder of shards a prepared one. */

import { join } from 'node:path';
import { writeFileDurably } from '../../files/durableFile.node.js';
import { writeSafetensors } from '../../formats/safetensors.node.js';
import { MANIFEST_FILE, MANIFEST_VERSION, type Manifest, type ShardEntry, UNIGRAM_FILE } from '../manifest.js';
import { noText } from './inputs.node.js';
import type { UnigramCounts } from './tokenizeUnit.js';
import type { UnitCounts } from './unit.js';

/** Writes the unigram counts and, last of all, the manifest: a folder that has it is complete. */
export async function completeFolder(
  out: string,
  content: Omit<Manifest, 'format' | 'version'>,
  unigram: UnigramCounts,
): Promise<Manifest> {
  const shape = [content.vocabSize];
  await writeSafetensors(join(out, UNIGRAM_FILE), [
    { name: 'train', dtype: 'F64', shape, data: unigram.train },
    { name: 'held_out', dtype: 'F64', shape, data: unigram.heldOut },
  ]);
  const manifest: Manifest = { format: 'pleiad-shards', version: MANIFEST_VERSION, ...content };
  await writeFileDurably(join(out, MANIFEST_FILE), [manifestText(manifest)]);
  return manifest;
}

/** @throws DataError when there is not a single token */
export function checkHasText(
  { train, heldOut }: Pick<Manifest, 'train' | 'heldOut'>,
  inputs: readonly string[],
  textBytes: number,
): void {
  if (train.tokens + heldOut.tokens === 0) throw noText(inputs, textBytes);
}

/** Counts as the manifest has them: those of what is unusual only where there is any. */
export function someCounts({ textBytes, recordsWithoutText, replacedCharacters }: UnitCounts) {
  return {
    textBytes,
    ...(recordsWithoutText > 0 && { recordsWithoutText }),
    ...(replacedCharacters > 0 && { replacedCharacters }),
  };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function describeSplit({
  documents,
  shards,
}: {
  readonly documents: number;
  readonly shards: ShardEntry[];
}): Manifest['train'] {
  return { documents, tokens: shards.reduce((sum, { tokens }) => sum + tokens, 0), shards };
}

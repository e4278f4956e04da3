/** A model with its files as one .zip: what is unpacked is a model folder. */
import { zip } from 'fflate';
import type { AddedModel } from '../../backend/tabProtocol.js';

export async function folderZip({ folders }: Pick<AddedModel, 'folders'>, name: string): Promise<Blob> {
  const entries: Record<string, Uint8Array> = {};
  const roles = Object.entries(folders);
  for (const [role, { files }] of roles) {
    const folder = roles.length === 1 ? name : `${name}/${role}`;
    for (const [file, blob] of files) entries[`${folder}/${file}`] = new Uint8Array(await blob.arrayBuffer());
  }
  // Weights do not compress: they are stored.
  const bytes = await new Promise<Uint8Array>((resolve, reject) =>
    zip(entries, { level: 0 }, (error, data) => (error ? reject(error) : resolve(data))),
  );
  return new Blob([new Uint8Array(bytes)], { type: 'application/zip' });
}

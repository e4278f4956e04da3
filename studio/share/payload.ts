/** What `pleiad share` puts into the page beside its script, and how the page reads it. */

import type { SharedPageData } from '../../src/studio/sharedPageData.js';
import { BLOB_PREFIX, DATA_ID } from '../../src/studio/sharedPageData.js';
import type { StudioModelSummary, StudioRole } from '../../src/studio/studioCall.js';
import type { AddedModel } from '../src/backend/tabProtocol.js';

/** @throws Error when the page is incomplete: it was cut off on its way */
export function readPageData(): SharedPageData {
  return JSON.parse(textOf(DATA_ID)) as SharedPageData;
}

/** A file of the page: gzip in base64. Its element is emptied, so that the text does not stay in memory. */
export async function readBlob(name: string, type = 'application/octet-stream'): Promise<Blob> {
  const id = BLOB_PREFIX + name;
  const packed = new Blob([bytesOfBase64(textOf(id))]);
  document.getElementById(id)?.replaceChildren();
  const unpacked = packed.stream().pipeThrough(new DecompressionStream('gzip'));
  return new Blob([await new Response(unpacked).arrayBuffer()], { type });
}

/** The page's model as the worker takes it. */
export async function readModel({ id, folders }: SharedPageData): Promise<AddedModel> {
  const roles: [StudioRole, AddedModel['folders'][StudioRole]][] = [];
  for (const { role, architecture, maxLength, files } of folders) {
    const contents: [string, Blob][] = [];
    for (const { name, blob } of files) contents.push([name, await readBlob(blob)]);
    roles.push([role, { architecture, ...(maxLength !== undefined && { maxLength }), files: contents }]);
  }
  const summary: StudioModelSummary = {
    id,
    roles: Object.fromEntries(folders.map(({ role, architecture }) => [role, architecture])),
  };
  return { summary, folders: Object.fromEntries(roles) };
}

function textOf(id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (text) return text;
  throw new Error(`This page is incomplete: ${id} is missing. Ask for the file again.`);
}

/** In pieces: of a long text `atob` alone would hold three copies at once. */
function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  const PIECE = 1 << 20; // a multiple of 4
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let from = 0; from < text.length; from += PIECE) {
    const piece = atob(text.slice(from, from + PIECE));
    for (let i = 0; i < piece.length; i++) bytes[at++] = piece.charCodeAt(i);
  }
  return bytes;
}

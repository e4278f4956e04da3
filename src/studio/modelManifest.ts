/** The list of models that a static site serves: `models.json`, beside their folders. */
import { z } from 'zod';
import { DataError } from '../errors/errors.js';
import { ARCHITECTURES } from '../models/config.js';
import type { StudioModelSummary, StudioRole } from './studioCall.js';

export const MANIFEST_FILE = 'models.json';

/** A path below the manifest: no way out of its folder, and nothing that a URL would read otherwise. */
const PATH = /^(?!\.{1,2}(\/|$))[\p{L}\p{N}_. -]+(\/(?!\.{1,2}(\/|$))[\p{L}\p{N}_. -]+)*$/u;

const folderSchema = z.strictObject({
  architecture: z.enum(ARCHITECTURES),
  /** The longest row that it was trained on, where config.json does not say. */
  maxLength: z.int().min(3).optional(),
  /** Where it is, from the manifest. */
  folder: z.string().regex(PATH),
  files: z.array(z.strictObject({ name: z.string().regex(PATH), bytes: z.int().nonnegative() })),
});

const modelSchema = z.strictObject({
  id: z.string().regex(/^[\w.-]+$/),
  roles: z.partialRecord(z.enum(['generator', 'discriminator', 'model']), folderSchema),
  tokensSeen: z.number().nonnegative().optional(),
  series: z.string().optional(),
  language: z.string().optional(),
  /** Of all files: changes with them, so that a page's cache does not keep old ones. */
  version: z.string().optional(),
});

const manifestSchema = z.strictObject({ models: z.array(modelSchema) });

export type ManifestFolder = z.infer<typeof folderSchema>;
export type ManifestModel = z.infer<typeof modelSchema>;
export type ModelManifest = z.infer<typeof manifestSchema>;

/** @throws DataError when it is not one */
export function parseManifest(json: unknown, source: string): ModelManifest {
  const result = manifestSchema.safeParse(json);
  if (result.success) return result.data;
  throw new DataError(`${source} does not list models: ${z.prettifyError(result.error)}`, {
    subject: source,
    advice: 'Make it again: `npm run studio:build`',
  });
}

/** What a page shows of a model before it is loaded. */
export function summaryOf({ id, roles, tokensSeen, series, language }: ManifestModel): StudioModelSummary {
  const folders = Object.entries(roles) as [StudioRole, ManifestFolder][];
  return {
    id,
    roles: Object.fromEntries(folders.map(([role, { architecture }]) => [role, architecture])),
    ...(tokensSeen !== undefined && { tokensSeen }),
    ...(series !== undefined && { series }),
    ...(language !== undefined && { language }),
    bytes: folders.reduce((sum, [, { files }]) => sum + bytesOfFiles(files), 0),
  };
}

export function bytesOfFiles(files: ManifestFolder['files']): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

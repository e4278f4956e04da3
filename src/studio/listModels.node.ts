/** The manifest of a folder of models: each folder in it is a model, a pair of them, or a run. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { z } from 'zod';
import { withClass } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { CheckpointError } from '../errors/errors.js';
import { CONFIG_FILE, QUESTION_ANSWERING_FILE, SPAN_BOUNDARY_FILE, TOKENIZER_FILES } from '../hub/modelFiles.js';
import { innerPlace, resolveCheckpoint, trainedLength } from '../pretrained/modelPlaces.node.js';
import type { ManifestFolder, ManifestModel, ModelManifest } from './modelManifest.js';
import type { StudioRole } from './studioCall.js';

/** What a folder may say of itself, in `studio.json` beside its models. */
const aboutSchema = z.strictObject({
  language: z.string().optional(),
  series: z.string().optional(),
  tokensSeen: z.number().nonnegative().optional(),
});

const ROLES = ['generator', 'discriminator', 'model'] as const satisfies readonly StudioRole[];

/** The files that a page reads of a model; vocab.txt only where tokenizer.json, which says the same, is not there. */
const READ = [CONFIG_FILE, QUESTION_ANSWERING_FILE, SPAN_BOUNDARY_FILE, ...TOKENIZER_FILES];
const WEIGHTS = ['model.safetensors', 'pytorch_model.bin', 'model.pt'];

/**
 * Lists the models below a folder.
 * @throws CheckpointError when there is none, or one has no weights
 */
export function listModels(root: string): ModelManifest {
  const names = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    // 3 before 30, 30 before 100.
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const models = names.flatMap((name) => modelIn(root, name) ?? []);
  if (models.length > 0) return { models };
  throw new CheckpointError(`${root} holds no model folders`, {
    subject: root,
    found: names,
    expected: 'folders with config.json, weights and tokenizer, or with such folders generator/ and discriminator/',
  });
}

function modelIn(root: string, name: string): ManifestModel | undefined {
  const found = modelFoldersOf(join(root, name));
  if (found.length === 0) return undefined;
  const roles = Object.fromEntries(found.map(([role, path]) => [role, folderEntry(root, path)]));
  const said = { ...languageInIndex(root, name), ...aboutFolder(join(root, name)) };
  return { id: idOf(name), roles, ...said, version: versionOf(root, Object.values(roles)) };
}

/**
 * The model folders of a place by their roles; of a run those of its best checkpoint. None where there is no model yet.
 * @throws CheckpointError when the place holds several runs or models
 */
export function modelFoldersOf(folder: string): [StudioRole, string][] {
  const place = innerPlace(folder);
  const found = resolveCheckpoint(place) ?? place;
  const isModel = (path: string) => existsSync(join(path, CONFIG_FILE));
  if (isModel(found)) return [['model', found]];
  return ROLES.flatMap((role) =>
    isModel(join(found, role)) ? [[role, join(found, role)] as [StudioRole, string]] : [],
  );
}

/** What a folder says of itself. */
export function aboutFolder(folder: string): z.output<typeof aboutSchema> {
  const path = join(folder, 'studio.json');
  return existsSync(path) ? aboutSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};
}

/** Of the package of models: its index says the language of each. */
const indexSchema = z.object({ models: z.array(z.object({ name: z.string(), language: z.string() })) });

function languageInIndex(root: string, name: string): { readonly language?: string } {
  const path = join(root, 'index.json');
  const index = existsSync(path) ? indexSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  const language = index?.data?.models.find((model) => model.name === name)?.language;
  return language === undefined ? {} : { language };
}

/** A name that an address can hold as it is. */
const idOf = (name: string) => name.replace(/[^\w.-]/g, '-');

function folderEntry(root: string, path: string): ManifestFolder {
  const { architecture } = withClass(loadPublishedConfig(path));
  const maxLength = trainedLength(path);
  const present = new Set(readdirSync(path));
  const weights = WEIGHTS.find((file) => present.has(file));
  if (!weights) {
    throw new CheckpointError(`${path} has no weights that a page reads`, {
      subject: path,
      found: [...present],
      expected: WEIGHTS.join(', '),
    });
  }
  const files = READ.filter((file) => present.has(file) && !(file === 'vocab.txt' && present.has('tokenizer.json')));
  return {
    architecture,
    ...(maxLength !== undefined && { maxLength }),
    folder: relative(root, path).split(sep).join(posix.sep),
    files: [...files, weights].map((file) => ({ name: file, bytes: statSync(join(path, file)).size })),
  };
}

/** A short digest of all files. */
function versionOf(root: string, folders: readonly ManifestFolder[]): string {
  const hash = createHash('sha256');
  for (const { folder, files } of folders) {
    for (const { name } of files) hash.update(readFileSync(join(root, folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

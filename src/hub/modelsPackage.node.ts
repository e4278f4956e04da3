/**
 * The models in the box: the npm package `pleiad-models`, whose models go by plain names such as pleiad-en. They are found
 * where the package is installed and are never fetched.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CheckpointError } from '../errors/errors.js';
import { parseVersionedJson, type VersionedFormat } from '../files/versionedJson.js';
import { nearestName } from '../settings/nearestName.js';
import { VERSION } from '../version.js';

const PACKAGE = 'pleiad-models';
const MODELS_INDEX = 'index.json';
/** A folder of models with an index of its own, instead of the package's. */
const FOLDER_VARIABLE = 'PLEIAD_MODELS';
/** Plain names are the box's; no repository of the hub that has no owner begins so. */
const NAME = /^pleiad-[a-z0-9]+(-[a-z0-9]+)*$/;

const entrySchema = z.strictObject({
  name: z.string().regex(NAME),
  /** What it is, in a line. */
  summary: z.string(),
  /** Language of its texts, as ISO 639-1. */
  language: z.string(),
  /** Pipelines that it is meant for. */
  pipelines: z.array(z.string()),
  /** Of all its files. */
  bytes: z.number().int().positive(),
});

const indexSchema = z.looseObject({ models: z.array(entrySchema) });
export type BoxedEntry = Readonly<z.infer<typeof entrySchema>>;

const FORMAT: VersionedFormat<z.infer<typeof indexSchema>> = {
  format: PACKAGE,
  version: 1,
  schema: indexSchema,
  advice: {
    damaged: `Install the package ${PACKAGE} again`,
    version: `Install ${PACKAGE} in the version of pleiad, ${VERSION}`,
  },
};

/** A model of the package. */
export interface BoxedModel extends BoxedEntry {
  readonly folder: string;
}

/** The models that are there, in the order of the package's index; none where it is not installed. */
export function boxedModels(): BoxedModel[] {
  const folder = packageFolder();
  return folder === undefined ? [] : modelsIn(folder);
}

/**
 * The folder of a model in the box.
 * @returns undefined for any other word
 * @throws CheckpointError when it is the name of one that is not there: such a name is never looked for on the hub
 */
export function boxedFolder(word: string): string | undefined {
  if (!NAME.test(word)) return undefined;
  const folder = packageFolder();
  if (folder === undefined) {
    throw new CheckpointError(`${word} is a model of the package ${PACKAGE}, which is not installed`, {
      subject: word,
      expected: `${PACKAGE} ${VERSION}`,
      advice: `Install it beside pleiad (docs/installing.md), or give a model of your own`,
    });
  }
  const models = modelsIn(folder);
  const found = models.find(({ name }) => name === word);
  if (found) return found.folder;
  const names = models.map(({ name }) => name);
  const nearest = nearestName(word, names);
  throw new CheckpointError(
    `There is no model ${word} in ${PACKAGE} (${folder}); it has ${names.join(', ') || 'none yet'}`,
    {
      subject: word,
      found: names,
      expected: 'a model of the package, a folder, or a name on the hub with its owner',
      advice:
        nearest === undefined ? 'Give a model of your own: a folder, a run, or OWNER/NAME' : `Did you mean ${nearest}?`,
    },
  );
}

function modelsIn(folder: string): BoxedModel[] {
  const path = join(folder, MODELS_INDEX);
  const { models } = parseVersionedJson(readFileSync(path, 'utf8'), path, FORMAT);
  return models.map((entry) => ({ ...entry, folder: join(folder, entry.name) }));
}

/** Where the package is: named by a variable, installed beside this package or the caller's, or in this repository. */
function packageFolder(): string | undefined {
  const given = process.env[FOLDER_VARIABLE];
  if (given) {
    if (existsSync(join(given, MODELS_INDEX))) return resolve(given);
    throw new CheckpointError(`${FOLDER_VARIABLE} is ${given}, which has no ${MODELS_INDEX}`, {
      subject: FOLDER_VARIABLE,
      found: given,
      expected: 'a folder of models with an index, as the package pleiad-models is',
    });
  }
  const here = fileURLToPath(import.meta.url);
  return installedFor(here) ?? installedFor(join(process.cwd(), 'package.json')) ?? inRepository(here);
}

function installedFor(file: string): string | undefined {
  try {
    return dirname(createRequire(file).resolve(`${PACKAGE}/${MODELS_INDEX}`));
  } catch {
    return undefined;
  }
}

/** The workspace `models/` above a file of this repository, compiled or not. */
function inRepository(file: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const models = join(folder, 'models');
    if (existsSync(join(models, MODELS_INDEX)) && nameIn(join(models, 'package.json')) === PACKAGE) return models;
  }
  return undefined;
}

function nameIn(manifest: string): unknown {
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).name : undefined;
}

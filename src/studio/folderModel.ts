/** A model from the files of its folder, wherever they are: in a page's cache, in memory, or dropped into a page. */
import { type LoadedModel, loadModel } from '../checkpoint/loadModel.js';
import { type PublishedDescription, parsePublishedConfig } from '../checkpoint/modelFolder.js';
import { openModelWeights } from '../checkpoint/openTensors.js';
import type { Engine } from '../engine/engine.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { type FileSet, readBytes } from '../files/byteSource.js';
import { CONFIG_FILE, QUESTION_ANSWERING_FILE } from '../hub/modelFiles.js';
import type { Architecture } from '../models/config.js';
import { MODEL_CLASSES } from '../models/heads.js';
import { Model } from '../pretrained/model.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { type TokenizerFiles, tokenizerFromFiles } from '../text/tokenizerFolder.js';

export interface FolderModelOptions {
  /** The class, where config.json leaves it open or the file holds several. Default: as `loadModel` chooses. */
  readonly architecture?: Architecture;
  /** The longest row that it was trained on, where the folder does not say. */
  readonly maxLength?: number;
  readonly signal?: AbortSignal;
}

/** What a folder holds, without an engine. */
export interface FolderContent extends LoadedModel {
  readonly tokenizer?: WordPieceTokenizer;
  /** Parsed `question_answering.json`, of a model for that. */
  readonly taskSettings?: unknown;
  /** The longest row that it was made for; undefined where the folder does not say. */
  readonly maxLength?: number;
}

/**
 * Reads a model folder.
 * @throws CheckpointError when config.json or the weights are missing, damaged, or do not fit each other
 * @throws DataError for tokenizer files that are damaged
 */
export async function readFolderModel(files: FileSet, options: FolderModelOptions = {}): Promise<FolderContent> {
  const published = await readPublished(files);
  const source = await openModelWeights(files);
  let loaded: LoadedModel;
  try {
    loaded = await loadModel(source, published, { ...options, initialize: neverNew });
  } finally {
    await source.close();
  }
  const tokenizer = await readTokenizer(files);
  const isAsking = MODEL_CLASSES[loaded.model.architecture].task === 'questionAnswering';
  const taskSettings = isAsking ? await readJson(files, QUESTION_ANSWERING_FILE) : undefined;
  const maxLength = longestRow(loaded, options.maxLength ?? tokenizer?.maxLength);
  return {
    ...loaded,
    ...(tokenizer && { tokenizer }),
    ...(taskSettings !== undefined && { taskSettings }),
    ...(maxLength !== undefined && { maxLength }),
  };
}

/** As `readFolderModel`, ready to run in an engine, which stays the caller's. */
export async function loadFolderModel(
  files: FileSet,
  engine: Engine,
  options: FolderModelOptions = {},
): Promise<Model> {
  const {
    model: description,
    tensors,
    report,
    tokenizer,
    taskSettings,
    maxLength,
  } = await readFolderModel(files, options);
  return new Model({ description, tensors, report, tokenizer, taskSettings, maxLength, engine, source: files.name });
}

/** What config.json of a folder says. @throws CheckpointError when there is none, or it describes no model that we know */
export async function readPublished(files: FileSet): Promise<PublishedDescription> {
  const config = await readJson(files, CONFIG_FILE);
  if (config === undefined) {
    throw new CheckpointError(`${files.name} has no ${CONFIG_FILE}`, {
      subject: files.name,
      found: files.names,
      expected: 'a model folder: config.json, weights, tokenizer.json',
      advice: `It has ${files.names.slice(0, 20).join(', ') || 'no files'}`,
    });
  }
  return parsePublishedConfig(config, `${files.name}/${CONFIG_FILE}`);
}

/** No head is asked to be new, so none is ever initialised. */
function neverNew(): Float32Array {
  throw new CheckpointError('a model of a page has all its weights in its file');
}

function longestRow({ model }: LoadedModel, otherwise: number | undefined): number | undefined {
  const trained = model.pleiad?.length;
  const known = typeof trained === 'number' ? trained : otherwise;
  return known === undefined ? undefined : Math.min(known, model.config.maxPositionEmbeddings);
}

/** Undefined where the folder has none. @throws DataError for files that are damaged */
export async function readTokenizer(files: FileSet): Promise<WordPieceTokenizer | undefined> {
  const contents: TokenizerFiles = {
    tokenizerJson: await readJson(files, 'tokenizer.json'),
    vocabText: await readText(files, 'vocab.txt'),
    tokenizerConfig: await readJson(files, 'tokenizer_config.json'),
    specialTokensMap: await readJson(files, 'special_tokens_map.json'),
    addedTokens: await readJson(files, 'added_tokens.json'),
  };
  const isThere = contents.tokenizerJson !== undefined || contents.vocabText !== undefined;
  return isThere ? tokenizerFromFiles(contents, files.name) : undefined;
}

async function readText(files: FileSet, name: string): Promise<string | undefined> {
  if (!files.names.includes(name)) return undefined;
  const source = await files.open(name);
  try {
    return new TextDecoder().decode(await readBytes(source, 0, source.size));
  } finally {
    await source.close();
  }
}

/** Undefined where there is no such file. @throws DataError for what is not JSON */
export async function readJson(files: FileSet, name: string): Promise<unknown> {
  const text = await readText(files, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${files.name}/${name} is not JSON: ${(cause as Error).message}`, {
      subject: name,
      advice: 'Copy or download the file again',
      cause,
    });
  }
}

/** What an ONNX file is, or a folder that holds nothing else: read off the file, without loading it. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { type OnnxHeader, readOnnxHeader } from '../checkpoint/onnxHeader.js';
import { PleiadError } from '../errors/errors.js';
import { openFileSource } from '../files/byteSource.node.js';
import type { EncoderConfig } from '../models/config.js';
import { hasTokenizer, loadTokenizer } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { type LicenceNote, licenceIn, type TokenizerInspection } from './inspectModel.node.js';
import { innerPlace, membersOf } from './modelPlaces.node.js';
import { folderOfOnnx } from './onnxModel.node.js';
import { isOnnxName, onnxFileAlone, onnxFilesIn } from './openPretrained.node.js';

export interface OnnxFileInspection extends OnnxHeader {
  /** Path of the file. */
  readonly file: string;
  readonly bytes: number;
  /** Of the files beside it that hold its weights; undefined for one that is missing. */
  readonly external: readonly { readonly file: string; readonly bytes?: number }[];
}

export interface OnnxInspection {
  /** Where config.json and the tokenizer are, or would be. */
  readonly folder: string;
  readonly files: readonly OnnxFileInspection[];
  /** What config.json says, or why it says nothing. */
  readonly config?: EncoderConfig | { readonly problem: string };
  /** The class that config.json names. */
  readonly architecture?: string;
  readonly tokenizer?: TokenizerInspection;
  readonly licence: LicenceNote;
}

/**
 * Inspects an ONNX file, or all of a folder that has no weights in another form, or of both halves of a pair of such.
 * @returns nothing for any other place
 * @throws CheckpointError when a file is damaged
 */
export async function inspectOnnx(place: string, overrides: TokenizerOverrides = {}): Promise<OnnxInspection[]> {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isFile() && isOnnxName(place)) return [await inspect(folderOfOnnx(place), [place], overrides)];
  if (!stat?.isDirectory()) return [];
  const folder = innerPlace(place);
  const members = membersOf(folder);
  const folders = members.length > 0 ? members : [folder];
  if (!folders.every(hasOnnxAlone)) return [];
  const inspections: OnnxInspection[] = [];
  for (const each of folders) {
    const paths = onnxFilesIn(each).map((name) => join(each, name));
    inspections.push(await inspect(each, paths, overrides));
  }
  return inspections;
}

/** Several are no question here: all are shown. */
function hasOnnxAlone(folder: string): boolean {
  try {
    return onnxFileAlone(folder) !== undefined;
  } catch {
    return true;
  }
}

async function inspect(
  folder: string,
  paths: readonly string[],
  overrides: TokenizerOverrides,
): Promise<OnnxInspection> {
  const files: OnnxFileInspection[] = [];
  for (const path of paths) files.push(await inspectFile(path));
  const tokenizer = hasTokenizer(folder) ? tokenizerIn(folder, overrides) : undefined;
  return {
    folder,
    files,
    ...configIn(folder),
    ...(tokenizer && { tokenizer }),
    licence: licenceIn(folder),
  };
}

async function inspectFile(path: string): Promise<OnnxFileInspection> {
  const source = await openFileSource(path);
  try {
    const header = await readOnnxHeader(source);
    const external = header.externalFiles.map((name) => {
      // Names of its own folder: nobody is led elsewhere.
      const stat = statSync(join(dirname(path), basename(name)), { throwIfNoEntry: false });
      return { file: name, ...(stat && { bytes: stat.size }) };
    });
    return { file: path, bytes: source.size, ...header, external };
  } finally {
    await source.close();
  }
}

function configIn(folder: string): Pick<OnnxInspection, 'config' | 'architecture'> {
  if (!existsSync(join(folder, 'config.json'))) return {};
  try {
    const { config, architecture } = loadPublishedConfig(folder);
    return { config, ...(architecture && { architecture }) };
  } catch (error) {
    if (error instanceof PleiadError) return { config: { problem: error.message } };
    throw error;
  }
}

function tokenizerIn(folder: string, overrides: TokenizerOverrides): TokenizerInspection {
  try {
    const tokenizer = loadTokenizer(folder, overrides);
    return { tokens: tokenizer.vocabSize, lowercase: tokenizer.settings.lowercase };
  } catch (error) {
    if (error instanceof PleiadError) return { problem: error.message };
    throw error;
  }
}

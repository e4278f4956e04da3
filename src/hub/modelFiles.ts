/** Which files a model consists of, wherever they are. */

import { CheckpointError } from '../errors/errors.js';
import { checkFileName } from './names.js';

/** How weights are stored. */
export type WeightFormat = 'safetensors' | 'pytorch' | 'tensorflow' | 'onnx';

/** Each format's files, the first that is there being taken; an index names its shards. */
const WEIGHT_FILES: Readonly<Record<WeightFormat, readonly WeightFile[]>> = {
  safetensors: [{ file: 'model.safetensors' }, { file: 'model.safetensors.index.json', isIndex: true }],
  pytorch: [{ file: 'pytorch_model.bin' }, { file: 'pytorch_model.bin.index.json', isIndex: true }],
  tensorflow: [{ file: 'model.ckpt.index', with: ['model.ckpt.data-00000-of-00001'] }],
  onnx: [{ file: 'onnx/model.onnx', optional: ['onnx/model.onnx_data'] }],
};

interface WeightFile {
  readonly file: string;
  readonly isIndex?: boolean;
  /** Files that it is nothing without. */
  readonly with?: readonly string[];
  readonly optional?: readonly string[];
}

export const CONFIG_FILE = 'config.json';

/** Where a span boundary head lies, beside model.safetensors. */
export const SPAN_BOUNDARY_FILE = 'span_boundary.safetensors';

/** What a question answering model knows of its own use: thresholds and lengths. */
export const QUESTION_ANSWERING_FILE = 'question_answering.json';

/** Any of them may be absent; `tokenizer.json` or `vocab.txt` is what a tokenizer needs. */
export const TOKENIZER_FILES: readonly string[] = [
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** Where files come from: a folder, or a repository from which they are fetched. */
export interface FileSource {
  /** For messages. */
  readonly name: string;
  /** Makes a file available, unless it has more than `maxBytes`. */
  get(file: string, need: { readonly namedBy: string; readonly maxBytes?: number }): Promise<boolean>;
  /** Content of a file that is available. */
  read(file: string): string;
}

export interface ModelFiles {
  readonly config: boolean;
  /** Undefined when no weights are there in a format that was asked for. */
  readonly weights?: { readonly format: WeightFormat; readonly files: readonly string[] };
  readonly tokenizer: readonly string[];
  readonly absent: readonly string[];
}

type Get = (file: string, need?: { namedBy?: string; maxBytes?: number }) => Promise<boolean>;

/** Files that are read as one text. The largest known tokenizers have some 20 MB. */
export const READ_WHOLE = { maxBytes: 100_000_000 };

/**
 * Gathers config, weights in the first format that is there, and what there is of a tokenizer.
 * @param formats  in order of preference
 * @throws CheckpointError for an index of shards that is damaged, HubError for one that names a file elsewhere
 */
export async function gatherModelFiles(source: FileSource, formats: readonly WeightFormat[]): Promise<ModelFiles> {
  const absent: string[] = [];
  const get: Get = async (file, { namedBy = 'pleiad', maxBytes } = {}) => {
    const isThere = await source.get(file, { namedBy, maxBytes });
    if (!isThere) absent.push(file);
    return isThere;
  };
  const config = await get(CONFIG_FILE, READ_WHOLE);
  const tokenizer: string[] = [];
  if (config) for (const file of TOKENIZER_FILES) if (await get(file, READ_WHOLE)) tokenizer.push(file);
  if (config && isForQuestionAnswering(source)) await get(QUESTION_ANSWERING_FILE, READ_WHOLE);
  const weights = config ? await gatherWeights(source, formats, get) : undefined;
  return { config, ...(weights && { weights }), tokenizer, absent };
}

async function gatherWeights(
  source: FileSource,
  formats: readonly WeightFormat[],
  get: Get,
): Promise<ModelFiles['weights']> {
  for (const format of formats) {
    for (const { file, isIndex, with: others = [], optional = [] } of WEIGHT_FILES[format]) {
      if (!(await get(file, isIndex ? READ_WHOLE : {}))) continue;
      const beside = format === 'safetensors' && hasSpanBoundary(source) ? [SPAN_BOUNDARY_FILE] : [];
      const needed = [...(isIndex ? shardsOf(source, file) : others), ...beside];
      const namedBy = `${source.name}/${file}`;
      for (const name of needed) if (!(await get(name, { namedBy }))) throw shardMissing(source, file, name);
      const further: string[] = [];
      for (const name of optional) if (await get(name)) further.push(name);
      return { format, files: [file, ...needed, ...further] };
    }
  }
  return undefined;
}

/** Whether config.json names a span boundary head, which lies in a file of its own. */
function hasSpanBoundary(source: FileSource): boolean {
  return configOf(source).pleiad?.spanBoundary !== undefined;
}

function isForQuestionAnswering(source: FileSource): boolean {
  const { architectures } = configOf(source);
  return Array.isArray(architectures) && /ForQuestionAnswering$/.test(String(architectures[0]));
}

function configOf(source: FileSource): {
  readonly pleiad?: { spanBoundary?: unknown };
  readonly architectures?: unknown;
} {
  try {
    return JSON.parse(source.read(CONFIG_FILE)) ?? {};
  } catch {
    return {}; // Whoever reads the config says what is wrong with it.
  }
}

/** Far more than any model has. */
const MOST_SHARDS = 10_000;

/** The files that an index of shards names: `{"weight_map": {tensor: file}}`. */
function shardsOf(source: FileSource, index: string): string[] {
  const path = `${source.name}/${index}`;
  let map: unknown;
  try {
    map = (JSON.parse(source.read(index)) as { weight_map?: unknown })?.weight_map;
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON: ${(cause as Error).message}`, { subject: path, cause });
  }
  const names = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.values(map) : [];
  const shards = [...new Set(names)];
  if (shards.length === 0 || shards.length > MOST_SHARDS || !shards.every((name) => typeof name === 'string')) {
    throw new CheckpointError(`${path} names no files of weights`, {
      subject: path,
      expected: '"weight_map", which gives the file of each tensor',
    });
  }
  return shards.map((name) => checkFileName(name, path)).sort();
}

function shardMissing(source: FileSource, file: string, missing: string): CheckpointError {
  return new CheckpointError(`${source.name} has ${file} but not ${missing}, which belongs to it`, {
    subject: source.name,
    found: file,
    expected: missing,
  });
}

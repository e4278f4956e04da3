/**
 * Opens a checkpoint from its files, wherever they are: a single file, or a folder as the hub, google-research/electra or
 * facebookresearch/SpanBERT give it. Archives (.tar.gz, .zip) are unpacked first, see archive/unpack.ts.
 */
import { CheckpointError } from '../errors/errors.js';
import { type ByteSource, type FileSet, readBytes } from '../files/byteSource.js';
import { readZipDirectory } from '../formats/archive/zip.js';
import { damaged, refused } from '../formats/damaged.js';
import { jsonExtent } from '../formats/jsonExtent.js';
import { SPAN_BOUNDARY_FILE } from '../hub/modelFiles.js';
import { type ContentKind, contentKind } from './contentKind.js';
import { type FileContent, readSafetensors } from './safetensorsSource.js';
import { type SharedTensors, sharedIn, withShared } from './sharedTensors.js';
import { readBundle, shardName } from './tensorflow/bundle.js';
import { type StoredTensor, type TensorFormat, TensorSource } from './tensorSource.js';
import { readTorchLegacy, readTorchZip, torchArchiveRoot } from './torch/torchFile.js';

/** A file that has to be unpacked before it can be opened. */
export class PackedCheckpoint extends CheckpointError {}

/** Names of the hub and of the papers' own archives, the preferred first; every one may come with an index. */
const WEIGHT_FILES = ['model.safetensors', 'pytorch_model.bin', 'model.pt'];
const INDEX_ENDING = '.index.json';
const MAX_INDEX_BYTES = 1 << 25;
const MAX_INDEX_DEPTH = 8;

/**
 * Opens one file of a set. Tensors that it shares with the other model of a pair are those of the folder beside.
 * @param onClose  runs after the files have been closed
 * @throws PackedCheckpoint when it is an archive
 * @throws CheckpointError saying what is wrong with it, or what it is
 */
export async function openTensorFile(
  files: FileSet,
  name: string,
  onClose?: () => Promise<void>,
): Promise<TensorSource> {
  const source = await openAlone(files, name, onClose);
  try {
    const shared = sharedIn(source.metadata, source.name);
    return shared ? await joinShared(source, shared, files) : source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openAlone(files: FileSet, name: string, onClose?: () => Promise<void>): Promise<TensorSource> {
  const source = await files.open(name);
  try {
    const kind = await contentKind(source);
    if (kind === 'shard-index') return await openShards(files, source, onClose);
    if (kind === 'tensorflow-index') return await openBundle(files, name, source, onClose);
    const { format, content } = await readSingle(source, kind);
    return new TensorSource({ name: source.name, format, ...content, sources: [source], onClose });
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function joinShared(own: TensorSource, shared: SharedTensors, files: FileSet): Promise<TensorSource> {
  const folder = files.beside?.(shared.folder);
  if (!folder) {
    throw new CheckpointError(
      `${own.name} shares ${shared.names.length} tensors with its ${shared.folder}, and there is no folder ${shared.folder} beside ${files.name}`,
      {
        subject: own.name,
        found: files.name,
        expected: `a folder ${shared.folder} beside it, with the other model of the pair`,
        advice: `Keep both folders together, or write a model of its own from them (pleiad convert PAIR FOLDER --half ${shared.folder === 'generator' ? 'discriminator' : 'generator'})`,
      },
    );
  }
  const other = await openAlone(folder, await weightFile(folder));
  try {
    const { name, format, otherEntries, metadata } = own;
    return new TensorSource({
      name,
      format,
      tensors: withShared(own.tensors, shared, other.tensors, name),
      otherEntries,
      metadata,
      sources: [],
      onClose: async () => {
        await own.close();
        await other.close();
      },
    });
  } catch (error) {
    await other.close();
    throw error;
  }
}

/**
 * Opens the checkpoint in a folder: model.safetensors, pytorch_model.bin or model.pt, in one file or with an index, or a
 * TensorFlow checkpoint.
 * @throws CheckpointError when there is none, or no way to tell which of several is meant
 */
export async function openTensorFolder(files: FileSet, onClose?: () => Promise<void>): Promise<TensorSource> {
  return openTensorFile(files, await weightFile(files), onClose);
}

/** The file to open in a folder. */
async function weightFile(files: FileSet): Promise<string> {
  const present = new Set(files.names);
  for (const name of WEIGHT_FILES) {
    if (present.has(name)) return name;
    if (present.has(name + INDEX_ENDING)) return name + INDEX_ENDING;
  }
  const bundles = files.names.filter((name) => name.endsWith('.index'));
  if (bundles.length === 1) return bundles[0];
  if (bundles.length > 1) return latestBundle(files, bundles);
  const others = files.names.filter((name) => /\.(safetensors|bin|pt|pth)$/.test(name));
  if (others.length === 1) return others[0];
  throw new CheckpointError(
    `${files.name} has ${others.length ? `several files of weights (${others.join(', ')})` : 'no file of weights'}`,
    {
      subject: files.name,
      found: files.names,
      expected: [...WEIGHT_FILES, 'a TensorFlow checkpoint (NAME.index)'].join(', '),
      advice: others.length
        ? 'Give the file that is meant'
        : `It has ${files.names.slice(0, 30).join(', ') || 'no files'}`,
    },
  );
}

/** The checkpoint that TensorFlow's own `checkpoint` file names, for instance `model_checkpoint_path: "model.ckpt-4000"`. */
async function latestBundle(files: FileSet, bundles: readonly string[]): Promise<string> {
  if (files.names.includes('checkpoint')) {
    const text = await readText(files, 'checkpoint', 1 << 20);
    const path = /^model_checkpoint_path:\s*"([^"\n]*)"/m.exec(text)?.[1];
    const name = `${path?.split(/[/\\]/).at(-1)}.index`;
    if (bundles.includes(name)) return name;
  }
  throw new CheckpointError(`${files.name} has several TensorFlow checkpoints: ${bundles.join(', ')}`, {
    subject: files.name,
    found: bundles,
    advice: 'Give the .index file of the one that is meant',
  });
}

async function readSingle(
  source: ByteSource,
  kind: ContentKind,
): Promise<{ format: TensorFormat; content: FileContent }> {
  switch (kind) {
    case 'safetensors':
      return { format: 'safetensors', content: await readSafetensors(source) };
    case 'torch-legacy':
      return { format: 'torch-legacy', content: await readTorchLegacy(source) };
    case 'zip': {
      const entries = await readZipDirectory(source);
      const root = torchArchiveRoot(entries);
      if (root === undefined) throw packed(source, 'a zip archive');
      return { format: 'torch-zip', content: await readTorchZip(source, entries, root) };
    }
    case 'gzip':
      throw packed(source, 'compressed by gzip');
    case 'tar':
      throw packed(source, 'a tar archive');
    default:
      throw refused(source.name, 'it is an index where weights are expected');
  }
}

function packed(source: ByteSource, what: string): PackedCheckpoint {
  return new PackedCheckpoint(`${source.name}: it is ${what}, no checkpoint by itself`, {
    subject: source.name,
    advice: 'Unpack it first',
  });
}

async function openBundle(
  files: FileSet,
  name: string,
  index: ByteSource,
  onClose?: () => Promise<void>,
): Promise<TensorSource> {
  const prefix = name.replace(/\.index$/, '');
  const shards: ByteSource[] = [];
  const content = await readBundle(index, async (shard, count) => {
    const file = shardName(prefix, shard, count);
    if (!files.names.includes(file)) throw damaged(index.name, `its data file ${file} is missing`);
    const source = await files.open(file);
    shards.push(source);
    return source;
  });
  return new TensorSource({
    name: index.name,
    format: 'tensorflow-bundle',
    ...content,
    sources: [index, ...shards],
    onClose,
  });
}

/** Several files with an index, `{"weight_map": {tensor: file}}`: both must agree on every tensor. */
async function openShards(files: FileSet, index: ByteSource, onClose?: () => Promise<void>): Promise<TensorSource> {
  const weightMap = await readWeightMap(index);
  const sources: ByteSource[] = [];
  try {
    const tensors = new Map<string, StoredTensor>();
    const otherEntries = new Map<string, string>();
    let metadata: Readonly<Record<string, string>> | undefined;
    let format: TensorFormat | undefined;
    for (const file of new Set(weightMap.values())) {
      if (!files.names.includes(file)) throw damaged(index.name, `it names ${file}, which is missing`);
      const source = await files.open(file);
      sources.push(source);
      const shard = await readSingle(source, await contentKind(source));
      if (format && shard.format !== format)
        throw refused(index.name, `${file} is of another form than the files before`);
      format = shard.format;
      metadata ??= shard.content.metadata;
      for (const [name, tensor] of shard.content.tensors) {
        if (weightMap.get(name) !== file) {
          const listed = weightMap.get(name);
          throw damaged(
            source.name,
            `it has ${name}, which the index ${listed ? `says is in ${listed}` : 'does not list'}`,
          );
        }
        tensors.set(name, tensor);
      }
      for (const [name, what] of shard.content.otherEntries ?? []) otherEntries.set(name, what);
    }
    for (const [name, file] of weightMap) {
      if (!tensors.has(name) && !otherEntries.has(name)) throw damaged(index.name, `${name} is not in ${file}`);
    }
    if (!format) throw damaged(index.name, 'it lists no tensors');
    await index.close();
    return new TensorSource({ name: index.name, format, tensors, otherEntries, metadata, sources, onClose });
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

/** @returns file by tensor name */
async function readWeightMap(index: ByteSource): Promise<Map<string, string>> {
  if (index.size > MAX_INDEX_BYTES) throw refused(index.name, `it has ${index.size} bytes, beyond any index`);
  const bytes = await readBytes(index, 0, index.size);
  if (jsonExtent(bytes).depth > MAX_INDEX_DEPTH) throw damaged(index.name, 'it is nested deeper than any index');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged(index.name, 'it is not JSON in UTF-8', undefined, cause);
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw damaged(index.name, 'it has no weight_map');
  return new Map(
    Object.entries(map).map(([name, file]: [string, unknown]) => {
      // A name of this folder and nothing else: no path leads out of it.
      if (typeof file !== 'string' || !/^[^/\\:\0]+$/.test(file) || file === '..' || file === '.') {
        throw refused(index.name, `it places ${name} in ${JSON.stringify(file)}, expected a file beside it`);
      }
      return [name, file];
    }),
  );
}

async function readText(files: FileSet, name: string, limit: number): Promise<string> {
  const source = await files.open(name);
  try {
    return new TextDecoder().decode(await readBytes(source, 0, Math.min(limit, source.size)));
  } finally {
    await source.close();
  }
}

/** The weights of a model folder, with those of a span boundary head, which lie in a file of their own. */
export async function openModelWeights(files: FileSet): Promise<TensorSource> {
  const main = await openTensorFolder(files);
  if (!files.names.includes(SPAN_BOUNDARY_FILE)) return main;
  const head = await openTensorFile(files, SPAN_BOUNDARY_FILE).catch(async (error: unknown) => {
    await main.close();
    throw error;
  });
  const { name, format, otherEntries, metadata } = main;
  return new TensorSource({
    name,
    format,
    tensors: new Map([...main.tensors, ...head.tensors]),
    otherEntries,
    metadata,
    sources: [],
    onClose: async () => {
      await main.close();
      await head.close();
    },
  });
}

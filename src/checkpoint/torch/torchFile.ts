/**
 * Files of torch.save: since PyTorch 1.6 a zip archive of the pickle and one stored record a storage, before that five
 * pickles and the storages one after another (torch/serialization.py: _save, _legacy_save). Either way the pickle is the
 * table of contents and the values are read by position.
 */

import { type ByteSource, readBytes } from '../../files/byteSource.js';
import { shown, type ZipEntry, zipDataPosition } from '../../formats/archive/zip.js';
import { damaged, refused } from '../../formats/damaged.js';
import type { FileContent } from '../safetensorsSource.js';
import { checkTotalBytes, type StoredTensor } from '../tensorSource.js';
import { unpickle } from './pickle.js';
import { MAX_PICKLE_BYTES, PickleDict, PickleIncomplete, PickleProblem, type PickleRules } from './pickleMachine.js';
import { infoOf, stateDictOf, type TorchStorage, type TorchTensor, torchRules } from './torchPickle.js';

/** First pickle of a legacy file. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
const STORED = 0;
const FIRST_READ = 1 << 16;

/** The rules for pickles that hold numbers, text and dicts alone. */
const PLAIN: PickleRules = {
  globals: new Map(),
  persistent: () => {
    throw new PickleProblem('has a persistent id where none is expected');
  },
};

/** What a zip archive with a `data.pkl` is; undefined where there is none, so it is an ordinary archive. */
export function torchArchiveRoot(entries: ReadonlyMap<string, ZipEntry>): string | undefined {
  // The folder is named after the file and differs from writer to writer.
  for (const name of entries.keys()) {
    if (/^[^/]+\/data\.pkl$/.test(name)) return name.slice(0, -'data.pkl'.length);
  }
  return undefined;
}

/**
 * Reads the table of contents of the zip form.
 * @param root  folder of data.pkl in the archive, with its slash (`torchArchiveRoot`)
 */
export async function readTorchZip(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
): Promise<FileContent> {
  if (entries.has(`${root}constants.pkl`)) {
    throw refused(source.name, 'it is a TorchScript program, not a state dict', 'Save model.state_dict() in Python');
  }
  const order = await readRecord(source, entries.get(`${root}byteorder`), 16);
  if (order && new TextDecoder().decode(order).trim() !== 'little') throw bigEndian(source);
  const pickle = await readRecord(source, entries.get(`${root}data.pkl`), MAX_PICKLE_BYTES);
  const { rules, storages } = torchRules();
  const { value } = complete(source, () => unpickle(pickle!, rules, source.name));
  const content = stateDictOf(value, source.name);
  const positions = new Map<string, number>();
  for (const [key, storage] of storages) {
    const entry = entries.get(`${root}data/${key}`);
    if (!entry) throw damaged(source.name, `it has no record for storage ${shown(key)}`);
    checkStored(source, entry);
    if (entry.bytes < storage.elements * storage.type.bytes) {
      throw damaged(
        source.name,
        `its record ${shown(entry.name)} has ${entry.bytes} bytes, its pickle needs ${storage.elements * storage.type.bytes}`,
      );
    }
    positions.set(key, await zipDataPosition(source, entry));
  }
  return located(source, content, positions);
}

/** Whether bytes begin as a legacy file does. */
export function beginsLegacy(bytes: Uint8Array): boolean {
  const magic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  return bytes[0] === 0x80 && magic.every((byte, i) => bytes[2 + i] === byte);
}

/** Reads the table of contents of the form before PyTorch 1.6. */
export async function readTorchLegacy(source: ByteSource): Promise<FileContent> {
  const reader = new PickleReader(source);
  const { rules, storages } = torchRules();
  const magic = await reader.next(PLAIN);
  const protocol = await reader.next(PLAIN);
  if (magic !== LEGACY_MAGIC || protocol !== LEGACY_PROTOCOL) {
    throw refused(source.name, `it is of PyTorch's legacy protocol ${protocol}, expected ${LEGACY_PROTOCOL}`);
  }
  const system = await reader.next(PLAIN);
  if (!(system instanceof PickleDict) || system.get('little_endian') !== true) throw bigEndian(source);
  const content = stateDictOf(await reader.next(rules), source.name);
  const keys = await reader.next(PLAIN);
  const positions = await locateStorages(source, reader.position, keys, storages);
  return located(source, content, positions);
}

/** Storages lie in the order of the last pickle, each after its number of elements (i64). */
async function locateStorages(
  source: ByteSource,
  begin: number,
  keys: unknown,
  storages: ReadonlyMap<string, TorchStorage>,
): Promise<Map<string, number>> {
  if (!Array.isArray(keys)) throw damaged(source.name, 'its list of storages is no list');
  const positions = new Map<string, number>();
  let position = begin;
  for (const key of keys as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw damaged(source.name, 'it lists a storage that no tensor uses');
    if (positions.has(storage.key)) throw damaged(source.name, `it lists storage ${storage.key} twice`);
    if (position + 8 > source.size) throw endsInside(source, storage, position);
    const stored = new DataView((await readBytes(source, position, 8)).buffer).getBigInt64(0, true);
    if (stored !== BigInt(storage.elements)) {
      throw damaged(source.name, `storage ${storage.key} has ${stored} elements, its pickle says ${storage.elements}`);
    }
    positions.set(storage.key, position + 8);
    position += 8 + storage.elements * storage.type.bytes;
    if (position > source.size) throw endsInside(source, storage, position);
  }
  for (const key of storages.keys()) {
    if (!positions.has(key)) throw damaged(source.name, `it has no storage ${shown(key)}`);
  }
  if (position !== source.size) {
    throw damaged(source.name, `${source.size - position} bytes follow its last storage`);
  }
  return positions;
}

function endsInside(source: ByteSource, { key }: TorchStorage, position: number) {
  return damaged(source.name, `it has ${source.size} bytes and ends in storage ${key}, which goes on to ${position}`);
}

/** One pickle after another, of unknown lengths. */
class PickleReader {
  position = 0;
  readonly #source: ByteSource;
  #bytes = new Uint8Array(0);
  /** Position in the file of the first of `#bytes`. */
  #begin = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async next(rules: PickleRules): Promise<unknown> {
    for (let length = FIRST_READ; ; length *= 4) {
      const available = Math.min(length, this.#source.size - this.position);
      if (this.position + available > this.#begin + this.#bytes.length) {
        this.#begin = this.position;
        this.#bytes = await readBytes(this.#source, this.position, available);
      }
      try {
        const { value, end } = unpickle(this.#bytes, rules, this.#source.name, this.position - this.#begin);
        this.position = this.#begin + end;
        return value;
      } catch (error) {
        if (!(error instanceof PickleIncomplete)) throw error;
        if (this.position + available >= this.#source.size) throw endsInPickle(this.#source);
        if (length > MAX_PICKLE_BYTES) {
          throw refused(this.#source.name, `its pickle is longer than ${MAX_PICKLE_BYTES} bytes`);
        }
      }
    }
  }
}

function complete<T>(source: ByteSource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PickleIncomplete ? endsInPickle(source) : error;
  }
}

function endsInPickle(source: ByteSource) {
  return damaged(source.name, 'it ends inside its pickle');
}

function bigEndian(source: ByteSource) {
  return refused(
    source.name,
    'it was written on a big-endian machine, and such numbers are not read',
    'Load and save it again on an ordinary machine',
  );
}

async function readRecord(
  source: ByteSource,
  entry: ZipEntry | undefined,
  limit: number,
): Promise<Uint8Array | undefined> {
  if (!entry) return undefined;
  checkStored(source, entry);
  if (entry.bytes > limit) throw refused(source.name, `its record ${shown(entry.name)} has ${entry.bytes} bytes`);
  return readBytes(source, await zipDataPosition(source, entry), entry.bytes);
}

function checkStored(source: ByteSource, { name, method, bytes, compressedBytes }: ZipEntry): void {
  if (method === STORED && bytes === compressedBytes) return;
  throw refused(
    source.name,
    `its record ${shown(name)} is compressed, which torch.save never does`,
    'Save it again in Python, or unpack it and pack it without compression',
  );
}

/** The tensors of the pickle with their place in the file. */
function located(
  source: ByteSource,
  { tensors, otherEntries }: ReturnType<typeof stateDictOf>,
  positions: ReadonlyMap<string, number>,
): FileContent {
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) stored.set(name, place(source, tensor, positions.get(tensor.storage.key)!));
  checkTotalBytes(stored, source.size, source.name);
  return { tensors: stored, otherEntries };
}

function place(source: ByteSource, tensor: TorchTensor, storageAt: number): StoredTensor {
  const { beginBytes, strides } = tensor;
  const { dtype, shape } = infoOf(tensor);
  return { dtype, shape, source, begin: storageAt + beginBytes, ...(strides && { strides }) };
}

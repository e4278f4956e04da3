/**
 * What a file is by its content. Endings lie: a `.bin` may be a zip archive, a legacy pickle, a page of a web site that
 * asked to log in, or the three lines that Git LFS leaves where the real file was not fetched.
 */
import type { CheckpointError } from '../errors/errors.js';
import { type ByteSource, readBytes } from '../files/byteSource.js';
import { damaged, refused } from '../formats/damaged.js';
import { endsAsTable } from './tensorflow/sstable.js';
import { beginsLegacy } from './torch/torchFile.js';

export type ContentKind = 'safetensors' | 'zip' | 'torch-legacy' | 'tensorflow-index' | 'gzip' | 'tar' | 'shard-index';

const HEAD_BYTES = 1024;
const TABLE_FOOTER_BYTES = 48;

interface Head {
  readonly bytes: Uint8Array;
  /** The same as Latin-1 text, without white space and byte order mark at its start, lower-cased. */
  readonly text: string;
}

const startsWith =
  (...magic: number[]) =>
  ({ bytes }: Head) =>
    magic.every((byte, i) => bytes[i] === byte);

/** Of JSON. */
const isSpace = (byte: number) => [0x20, 0x09, 0x0a, 0x0d].includes(byte);

const KINDS: readonly (readonly [ContentKind, (head: Head) => boolean])[] = [
  ['zip', startsWith(0x50, 0x4b, 0x03, 0x04)],
  ['zip', startsWith(0x50, 0x4b, 0x05, 0x06)], // an empty archive
  ['gzip', startsWith(0x1f, 0x8b)],
  ['torch-legacy', ({ bytes }) => beginsLegacy(bytes)],
  // The JSON header begins at byte 8, perhaps with spaces; the length before it is below 2^32.
  [
    'safetensors',
    ({ bytes }) =>
      [4, 5, 6, 7].every((i) => bytes[i] === 0) && bytes.subarray(8).find((byte) => !isSpace(byte)) === 0x7b,
  ],
  ['tar', ({ bytes }) => 'ustar'.split('').every((letter, i) => bytes[257 + i] === letter.charCodeAt(0))],
  ['shard-index', ({ text }) => text.startsWith('{') && text.includes('"weight_map"')],
];

/** Content that people have where weights should be: what it is, and what to do. */
const FOREIGN: readonly (readonly [test: (head: Head) => boolean, is: string, advice: string])[] = [
  [
    ({ text }) => text.startsWith('version https://git-lfs'),
    'it is a Git LFS pointer, not the file itself',
    'Fetch the file: run `git lfs pull` in the repository, or download it from the hub',
  ],
  [
    ({ text }) => text.startsWith('<!doctype html') || text.startsWith('<html') || /^<\?xml|^<head/.test(text),
    'it is a web page, not a checkpoint',
    'The download was answered with a page (often a login or an error): open the address in a browser, then download again',
  ],
  [
    ({ text }) => /^(#[^\n]*\n\s*)*\S+[^\n]*\b(filter|diff|merge)=lfs\b/.test(text),
    'it is a .gitattributes file',
    'Give the file that holds the weights: model.safetensors or pytorch_model.bin',
  ],
  [
    ({ text }) => text.startsWith('{') || text.startsWith('['),
    'it is JSON, and not the index of a checkpoint in several files',
    'If it holds an error message of a server, download again; else give the file that holds the weights',
  ],
  [
    startsWith(0x89, 0x48, 0x44, 0x46),
    'it is HDF5 (a Keras tf_model.h5), which is not read',
    'Take the model.safetensors or pytorch_model.bin of the same repository',
  ],
  [
    ({ bytes }) => bytes[0] >= 0x80 && bytes[0] <= 0x8f && bytes[1] >= 0xa0 && bytes[1] <= 0xdb,
    'it is MessagePack (a flax_model.msgpack), which is not read',
    'Take the model.safetensors or pytorch_model.bin of the same repository',
  ],
  [startsWith(0x47, 0x47, 0x55, 0x46), 'it is GGUF, which is not read', 'Take the model in safetensors form'],
  [startsWith(0x93, 0x4e, 0x55, 0x4d), 'it is a NumPy array, not a checkpoint', 'Save the weights as safetensors'],
  [
    // ir_version, then the producer's name or a later field.
    ({ bytes }) =>
      bytes[0] === 0x08 && bytes[1] >= 3 && bytes[1] < 32 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(bytes[2]),
    'it is an ONNX model, of which no weights are read',
    'Take the model it was made from; it runs as it is where its name ends in .onnx',
  ],
  [
    startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a),
    'it is compressed by xz, which is not read',
    'Unpack it first and give the folder',
  ],
  [startsWith(0x42, 0x5a, 0x68), 'it is compressed by bzip2, which is not read', 'Unpack it first and give the folder'],
  [
    startsWith(0x28, 0xb5, 0x2f, 0xfd),
    'it is compressed by Zstandard, which is not read',
    'Unpack it first and give the folder',
  ],
  [startsWith(0x37, 0x7a, 0xbc, 0xaf), 'it is a 7z archive, which is not read', 'Unpack it first and give the folder'],
  [startsWith(0x52, 0x61, 0x72, 0x21), 'it is a rar archive, which is not read', 'Unpack it first and give the folder'],
  [
    ({ bytes }) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5,
    'it is a Python pickle, but not one of torch.save',
    'Save the weights in Python with torch.save(state_dict, …), or as safetensors',
  ],
];

/**
 * Recognises a file.
 * @throws CheckpointError that says what the file is where it is none that is read
 */
export async function contentKind(source: ByteSource): Promise<ContentKind> {
  if (source.size === 0) throw damaged(source.name, 'the file is empty');
  const bytes = await readBytes(source, 0, Math.min(HEAD_BYTES, source.size));
  const text = new TextDecoder('latin1').decode(bytes).replace(/^(ï»¿)?\s+|^ï»¿/, '');
  const head = { bytes, text: text.toLowerCase() };
  const kind = KINDS.find(([, test]) => test(head))?.[0];
  if (kind) return kind;
  const foreign = FOREIGN.find(([test]) => test(head));
  if (foreign) throw refused(source.name, foreign[1], foreign[2]);
  const length = Math.min(TABLE_FOOTER_BYTES, source.size);
  if (endsAsTable(await readBytes(source, source.size - length, length))) return 'tensorflow-index';
  throw unknown(source, bytes);
}

function unknown(source: ByteSource, bytes: Uint8Array): CheckpointError {
  if (bytes.every((byte) => byte === 0)) {
    return damaged(source.name, 'it begins with nothing but zero bytes: its space was reserved and never filled');
  }
  if (/\.data-\d{5}-of-\d{5}$/.test(source.name)) {
    return refused(
      source.name,
      'it is a data file of a TensorFlow checkpoint',
      'Give the file that ends in .index beside it, or the name before .data',
    );
  }
  if (/\.index$/.test(source.name)) return damaged(source.name, 'it has no table footer: its end is missing');
  const hex = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return refused(
    source.name,
    `its content is no known form of checkpoint (it begins with ${hex})`,
    'Read are safetensors, PyTorch files and TensorFlow checkpoints; see docs/checkpoints.md',
    hex,
  );
}

/** Assembles pickles and PyTorch files by hand, for tests: what no honest writer makes. */
import { zipSync } from 'fflate';

type Part = string | number | Uint8Array | readonly Part[];

const encoder = new TextEncoder();

/** Bytes of parts: text as UTF-8, numbers as single bytes. */
export function assemble(...parts: Part[]): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) => {
    if (typeof part === 'string') return encoder.encode(part);
    if (typeof part === 'number') return Uint8Array.of(part);
    return part instanceof Uint8Array ? part : assemble(...part);
  });
  const bytes = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

export const PROTO = assemble(0x80, 2);
export const STOP = '.';
export const global = (module: string, name: string) => assemble('c', module, '\n', name, '\n');
export const text = (value: string) => assemble('X', uint32(encoder.encode(value).length), value);
export const int = (value: number) => assemble('J', uint32(value >>> 0));
export const tuple = (...items: Part[]) => assemble('(', items, 't');
export const long = (value: bigint) => assemble(0x8a, 8, uint64(BigInt.asUintN(64, value)));

/** ('storage', type, key, 'cpu', elements) as a persistent id. */
export const storage = (type: string, key: string, elements: Part) =>
  assemble(tuple(text('storage'), global('torch', type), text(key), text('cpu'), elements), 'Q');

/** _rebuild_tensor_v2(…) */
export const tensor = (of: Part, offset: Part, size: Part, stride: Part) =>
  assemble(
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple(of, offset, size, stride, 0x89, global('collections', 'OrderedDict'), ')', 'R'),
    'R',
  );

/** A state dict with one tensor. */
export const stateDict = (value: Part, name = 'weight') => assemble(PROTO, '}', text(name), value, 's', STOP);

/** A PyTorch file of the zip form. @param records  bytes of data/KEY */
export function zipFile(
  pickle: Uint8Array,
  records: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array<ArrayBuffer> {
  const data = Object.entries(records).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const);
  const files = {
    'archive/data.pkl': pickle,
    'archive/byteorder': encoder.encode('little'),
    ...Object.fromEntries(data),
  };
  return new Uint8Array(zipSync(files, { level: 0 }));
}

/** The beginning of a legacy file: magic number, protocol, system. */
export const LEGACY_START = assemble(
  [PROTO, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, STOP],
  [PROTO, 'M', 0xe9, 0x03, STOP],
  [PROTO, '}', text('little_endian'), 0x88, 's', STOP],
);

/** A legacy file. @param keys  of the storages, in order; each with its bytes, element count included */
export function legacyFile(
  pickle: Uint8Array,
  keys: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array<ArrayBuffer> {
  const list = assemble(PROTO, ']', '(', ...Object.keys(keys).map(text), 'e', STOP);
  return assemble(LEGACY_START, pickle, list, ...Object.values(keys));
}

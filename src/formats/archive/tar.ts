/**
 * Headers of tar archives: POSIX ustar and pax, and GNU's long names (POSIX.1-2017, pax; GNU tar manual, "Basic Tar
 * Format"). Regular files and folders are unpacked; everything that could lead elsewhere (links, devices) is refused.
 */
import { damaged, refused } from '../damaged.js';

export const TAR_BLOCK = 512;

export interface TarHeader {
  readonly name: string;
  readonly bytes: number;
  readonly kind: 'file' | 'folder' | 'long-name' | 'pax' | 'pax-global' | 'link' | 'device' | 'other';
}

const KINDS: Readonly<Record<string, TarHeader['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file', // contiguous, an old form of regular
  '5': 'folder',
  L: 'long-name',
  x: 'pax',
  g: 'pax-global',
  '1': 'link',
  '2': 'link',
  K: 'link', // a long link target
  '3': 'device',
  '4': 'device',
  '6': 'device',
};

/**
 * Reads one header block.
 * @returns undefined for a block of zeros, which ends an archive
 * @throws CheckpointError when its checksum is wrong
 */
export function parseTarHeader(block: Uint8Array, source: string): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  // The sum of all bytes, those of the checksum itself taken as spaces.
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (sum !== numberField(block, 148, 8)) throw damaged(source, 'its tar archive has a header with a wrong checksum');
  const prefix = textField(block, 257, 5) === 'ustar' ? textField(block, 345, 155) : '';
  const name = textField(block, 0, 100);
  const bytes = numberField(block, 124, 12);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw damaged(source, 'its tar archive has an entry of odd size');
  const kind = KINDS[String.fromCharCode(block[156])] ?? 'other';
  return { name: prefix ? `${prefix}/${name}` : name, bytes, kind };
}

/**
 * The records of a pax header, "LENGTH KEY=VALUE\n" each.
 * @throws CheckpointError when they do not add up
 */
export function parsePax(bytes: Uint8Array, source: string): Map<string, string> {
  const records = new Map<string, string>();
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(decoder.decode(bytes.subarray(at, space < 0 ? at : Math.min(space, at + 10))));
    const record = decoder.decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (space < 0 || !(length > space - at + 2) || at + length > bytes.length || equals < 1) {
      throw damaged(source, 'its tar archive has a broken extended header');
    }
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** @throws CheckpointError where an entry is neither a file nor a folder */
export function checkTarKind({ kind }: TarHeader, name: string, source: string): void {
  if (kind === 'file' || kind === 'folder') return;
  const what = { link: 'a link', device: 'a device' }[kind as string] ?? 'of a kind that is not read';
  throw refused(
    source,
    `its entry ${JSON.stringify(name.slice(0, 120))} is ${what}`,
    'A checkpoint has none; do not trust the archive',
  );
}

function textField(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or GNU's binary form where the first bit is set. */
function numberField(block: Uint8Array, at: number, length: number): number {
  if (block[at] & 0x80) {
    let value = block[at] & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + block[at + i];
    return value;
  }
  const text = textField(block, at, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : Number.NaN;
}

/** What the bytes of a file most likely are when they are not UTF-8 text, and what to do about it. */

import { extname } from 'node:path';
import { decode } from './encodings.node.js';

/** First bytes of files that are packed or of another kind: hexadecimal. */
const KNOWN_BEGINNINGS: readonly (readonly [hex: string, what: string, advice: string])[] = [
  ['1f8b', 'a gzip file', 'Name it with .gz at its end'],
  ['28b52ffd', 'a Zstandard file', 'Unpack it first: unzstd FILE'],
  ['fd377a585a00', 'an xz file', 'Unpack it first: unxz FILE'],
  ['425a68', 'a bzip2 file', 'Unpack it first: bunzip2 FILE'],
  ['377abcaf271c', 'a 7z archive', 'Unpack it first: 7z x FILE'],
  ['504b0304', 'a zip archive (or a document of Word or Excel)', 'Unpack it, or save the document as text in UTF-8'],
  ['50415231', 'a Parquet file', 'Name it with .parquet at its end'],
  ['255044462d', 'a PDF', 'Save its text as UTF-8 first'],
  ['d0cf11e0', 'an old document of Word or Excel', 'Save it as text in UTF-8 first'],
];

/** The name that iconv has for what the Encoding Standard means by a label. */
const ICONV_NAMES: Readonly<Record<string, string>> = {
  'euc-kr': 'CP949',
  shift_jis: 'CP932',
  'windows-1252': 'CP1252',
};

export interface UnreadableGuess {
  /** Follows "it looks like". */
  readonly what: string;
  /** A full sentence. */
  readonly advice: string;
  /** As `encodingLabel` gives it, when it is text. */
  readonly encoding?: string;
}

/**
 * @param bytes     some of the file, around the place that is not UTF-8
 * @param begins    the bytes are the file's first ones
 * @param textToo        whether to guess an encoding, beside kinds of files
 * @param takesEncoding  whether the command takes `--encoding`
 * @returns undefined when it looks like nothing in particular, or like UTF-8 with damage
 */
export async function guessUnreadable(
  path: string,
  bytes: Uint8Array,
  {
    begins,
    textToo = true,
    takesEncoding = true,
  }: { readonly begins: boolean; readonly textToo?: boolean; readonly takesEncoding?: boolean },
): Promise<UnreadableGuess | undefined> {
  const known =
    begins && KNOWN_BEGINNINGS.find(([hex]) => Buffer.from(bytes.subarray(0, 8)).toString('hex').startsWith(hex));
  if (known) return { what: known[1], advice: known[2].replace('FILE', quoted(path)) };
  const encoding = textToo ? await guessEncoding(bytes) : undefined;
  if (encoding === undefined) return undefined;
  const convert = convertCommand(path, ICONV_NAMES[encoding] ?? encoding.toUpperCase());
  const advice = takesEncoding ? `Give --encoding ${encoding}, or convert it: ${convert}` : `Convert it: ${convert}`;
  return { what: encoding.toUpperCase(), advice, encoding };
}

function convertCommand(path: string, from: string): string {
  const isPacked = path.endsWith('.gz');
  const whole = isPacked ? path.slice(0, -3) : path;
  const ending = extname(whole);
  const target = quoted(`${whole.slice(0, whole.length - ending.length)}.utf8${ending}`);
  const source = quoted(path);
  return isPacked
    ? `gunzip -c ${source} | iconv -f ${from} -t UTF-8 > ${target}`
    : `iconv -f ${from} -t UTF-8 ${source} > ${target}`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Label of the likeliest encoding; undefined for UTF-8, damaged or not, and for what is no text. */
export async function guessEncoding(bytes: Uint8Array): Promise<string | undefined> {
  const wide = wideEncoding(bytes);
  if (wide) return wide;
  if (bytes.includes(0) || isMostlyUtf8(bytes)) return undefined;
  const { analyse } = await import('chardet');
  for (const { name } of analyse(bytes)) {
    // Pages in "ISO-8859-1" are read as Windows-1252 by everybody, and ISO-8859-1 proper has no letters more.
    const label = name === 'ISO-8859-1' ? 'windows-1252' : name.toLowerCase();
    if (label.startsWith('utf') || label === 'ascii') continue;
    if (decodes(label, bytes)) return label;
  }
  return undefined;
}

/** Fewer bytes are too few for a guess. */
const LEAST_WIDE_BYTES = 8;

/** UTF-16 by its mark, or by the spaces, line ends and other ASCII characters that every text has: one of the two bytes is 0. */
function wideEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const length = Math.min(bytes.length, 1 << 16) & ~1;
  if (length < LEAST_WIDE_BYTES) return undefined;
  let little = 0;
  let big = 0;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i + 1] === 0 && isAscii(bytes[i])) little++;
    if (bytes[i] === 0 && isAscii(bytes[i + 1])) big++;
  }
  const some = length / 400;
  if (little > some && big * 5 < little) return 'utf-16le';
  return big > some && little * 5 < big ? 'utf-16be' : undefined;
}

function isAscii(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}

/** Whether few of the characters beyond ASCII are damaged. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes);
  const characters = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  const damaged = text.match(/\ufffd/g)?.length ?? 0;
  return damaged * 5 < characters;
}

/** Whether the bytes, but for a character cut off at either end, are text in an encoding. */
function decodes(label: string, bytes: Uint8Array): boolean {
  try {
    const text = decode(label, bytes.subarray(0, 1 << 16));
    const damaged = text.match(/\ufffd/g)?.length ?? 0;
    return damaged <= 2;
  } catch {
    return false;
  }
}

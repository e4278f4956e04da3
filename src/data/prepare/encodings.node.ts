/**
 * Text in other encodings than UTF-8. Decoded by iconv-lite, because Node's `TextDecoder` is not what the Encoding Standard
 * says: in Node 20, "euc-kr" misreads the syllables that Windows' code page 949 adds, and "windows-1252" its quotes.
 */

import iconv from 'iconv-lite';

/** Names of code pages that the Encoding Standard has under other labels only. */
const CODE_PAGES: Readonly<Record<string, string>> = {
  cp949: 'euc-kr',
  uhc: 'euc-kr',
  ms949: 'euc-kr',
  euckr: 'euc-kr',
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp950: 'big5',
  eucjp: 'euc-jp',
  utf16: 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
};

/** The label as the Encoding Standard has it; none for UTF-8, which needs nothing done. */
export function encodingLabel(word: string | undefined): { readonly label?: string; readonly problem?: string } {
  if (word === undefined) return {};
  try {
    const { encoding } = new TextDecoder(CODE_PAGES[word.toLowerCase()] ?? word);
    return encoding === 'utf-8' ? {} : { label: encoding };
  } catch {
    return {
      problem: `encoding is ${JSON.stringify(word)}; expected a label of the Encoding Standard, such as euc-kr (CP949 too), shift_jis, gb18030, big5, windows-1252 or utf-16le`,
    };
  }
}

export interface Decoder {
  /** The text so far; a character that is cut off at the end comes with the next bytes. */
  write(bytes: Uint8Array): string;
  end(): string;
}

/** Decodes with U+FFFD for what is no text, and without a byte order mark at the beginning. */
export function openDecoder(label: string): Decoder {
  if (!iconv.encodingExists(label)) return openTextDecoder(label);
  const decoder = iconv.getDecoder(label);
  return {
    write: (bytes) => decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    end: () => decoder.end() ?? '',
  };
}

function openTextDecoder(label: string): Decoder {
  const decoder = new TextDecoder(label);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}

/** All of a text at once. */
export function decode(label: string, bytes: Uint8Array): string {
  const decoder = openDecoder(label);
  return decoder.write(bytes) + decoder.end();
}

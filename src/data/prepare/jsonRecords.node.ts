/**
 * JSON records of any layout as JSON Lines: one array of them, values one after another that go over several lines, and a
 * list in an object. Bytes are only ever put in the place of others, so every byte keeps its offset, and a file of any
 * size goes through in pieces.
 */

import { DataError } from '../../errors/errors.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Of a name in an object around the list no more is kept. */
const MOST_NAME_BYTES = 1024;

export class JsonRecordLines {
  /** Name of the list that holds the records, in an object around it. */
  readonly #list: string | undefined;
  /** Inside the array of the records; without one, records are values one after another. */
  #inArray = false;
  /** Objects and arrays that are open in the record under way. */
  #depth = 0;
  #inText = false;
  #isEscaped = false;
  /** Objects and arrays that are open outside the list. */
  #depthAround = 0;
  /** The last text in the object around the list, most likely a name. */
  #name: number[] = [];
  #hasList = false;
  #offset = 0;

  constructor(list?: string) {
    this.#list = list;
  }

  /** Changes the bytes in their place: a line for each record. */
  push(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (this.#offset + i < 3 && byte === BYTE_ORDER_MARK[this.#offset + i]) bytes[i] = SPACE;
      else if (this.#inText) i = this.#text(bytes, i);
      else if (this.#list !== undefined && !this.#inArray) bytes[i] = this.#around(byte);
      else if (this.#depth > 0) bytes[i] = this.#inRecord(byte);
      else bytes[i] = this.#between(byte);
    }
    this.#offset += bytes.length;
    return bytes;
  }

  /**
   * Says that there is no more.
   * @throws DataError when the array has no end, or the object had no such list
   */
  end(file: string): void {
    // A record that has no end is a line that is no JSON, which is reported with its place.
    if (this.#depth > 0 || this.#inText) return;
    const problem = this.#inArray
      ? 'ends before its list of records does (no ])'
      : this.#list !== undefined && !this.#hasList && `has no list "${this.#list}"`;
    if (!problem) return;
    throw new DataError(`${file} ${problem}`, {
      subject: file,
      expected: 'complete JSON',
      advice: 'Copy or download it again, or write it again as JSON Lines',
    });
  }

  /** @returns the last index of the text that was looked at */
  #text(bytes: Uint8Array, start: number): number {
    const isAround = this.#list !== undefined && !this.#inArray;
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i];
      // Not JSON; a line must not be torn by it, and is reported there.
      if (byte === NEWLINE) bytes[i] = RETURN;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#inText = false;
      if (isAround) {
        if (this.#inText && this.#name.length < MOST_NAME_BYTES) this.#name.push(byte);
        bytes[i] = SPACE;
      }
      if (!this.#inText) return i;
    }
    return bytes.length - 1;
  }

  #around(byte: number): number {
    if (byte === QUOTE) {
      this.#inText = true;
      this.#name = [];
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const isList = byte === OPEN_BRACKET && this.#depthAround === 1 && this.#nameIs(this.#list!);
      if (isList) {
        this.#inArray = true;
        this.#hasList = true;
      } else this.#depthAround++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depthAround--;
    return SPACE;
  }

  #nameIs(name: string): boolean {
    return decoded(this.#name) === name;
  }

  #inRecord(byte: number): number {
    if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--;
    return byte === NEWLINE ? SPACE : byte;
  }

  #between(byte: number): number {
    if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN_BRACE) this.#depth++;
    else if (byte === OPEN_BRACKET) {
      if (this.#inArray) this.#depth++;
      else {
        this.#inArray = true;
        return SPACE;
      }
    } else if (this.#inArray) {
      if (byte === CLOSE_BRACKET) this.#inArray = false;
      if (byte === COMMA || byte === CLOSE_BRACKET) return NEWLINE;
      // Two records without a comma between them stay on one line, which is no JSON then.
      if (byte === NEWLINE) return SPACE;
    } else if (byte === SPACE || byte === 0x09 || byte === RETURN) return NEWLINE;
    return byte;
  }
}

/** A name as it is meant; undefined when it is none. */
function decoded(name: readonly number[]): string | undefined {
  try {
    return JSON.parse(`"${Buffer.from(name).toString('utf8')}"`);
  } catch {
    return undefined;
  }
}

/** The records of a file's text as JSON Lines. */
export async function* jsonRecordLines(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  list?: string,
): AsyncGenerator<Uint8Array, void, void> {
  const lines = new JsonRecordLines(list);
  for await (const chunk of chunks) yield lines.push(chunk);
  lines.end(file);
}

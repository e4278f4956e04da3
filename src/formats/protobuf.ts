/**
 * The protobuf wire format (protobuf.dev/programming-guides/encoding), as far as ONNX files, TensorFlow's checkpoint indices
 * and TensorBoard's events need it. A library would want the schemas of all three, or write less than gigabytes without a copy.
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const utf8 = new TextEncoder();

/** Collects the fields of one message. Byte arrays are kept by reference and copied once, by `finish()`. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #pending: number[] = [];
  #length = 0;

  /** Integers from −2⁶³ to 2⁶³ − 1; negative ones as ten bytes of two's complement, as int64 fields are. */
  varint(field: number, value: number | bigint): this {
    this.#tag(field, VARINT);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    this.#pending.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED64);
    this.#pending.push(...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, BYTES);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  message(field: number, value: MessageWriter): this {
    this.#tag(field, BYTES);
    this.#varint(value.length);
    value.#flush();
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  /** Length of the message in bytes. */
  get length(): number {
    return this.#length + this.#pending.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const result = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      result.set(part, at);
      at += part.length;
    }
    return result;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#pending.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#pending.push(Number(rest));
  }

  #append(part: Uint8Array): void {
    this.#flush();
    this.#parts.push(part);
    this.#length += part.length;
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const part = Uint8Array.from(this.#pending);
    this.#pending = [];
    this.#parts.push(part);
    this.#length += part.length;
  }
}

/** What is wrong with a message, as the end of a sentence. */
export class ProtobufProblem extends Error {}

export interface ProtobufField {
  readonly number: number;
  /** Varints and 64-bit numbers as bigint, 32-bit ones as number, everything else as its bytes. */
  readonly value: bigint | number | Uint8Array;
}

/**
 * An unsigned varint of at most 64 bits.
 * @throws ProtobufProblem when the bytes end or it is longer
 */
export function readVarint(bytes: Uint8Array, at: number): { value: bigint; end: number } {
  let value = 0n;
  for (let index = 0; index < 10; index++) {
    if (at + index >= bytes.length) throw new ProtobufProblem('ends inside a number');
    const byte = bytes[at + index];
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + index + 1 };
  }
  throw new ProtobufProblem('has a number longer than 64 bits');
}

/** A varint as a plain number. @throws ProtobufProblem when it is beyond 2^53 */
export function readCount(bytes: Uint8Array, at: number): { value: number; end: number } {
  const { value, end } = readVarint(bytes, at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtobufProblem(`has the length ${value}`);
  return { value: Number(value), end };
}

/** Where the content of a field lies; of a number, its value too. */
export interface FieldExtent {
  readonly number: number;
  readonly wireType: number;
  /** Of a varint. */
  readonly value?: bigint;
  readonly begin: number;
  readonly end: number;
}

/** Longest start of a field: a tag, and a number or a length, of at most ten bytes each. */
export const LONGEST_START = 20;

/**
 * Reads the start of the field at a place; its content may lie beyond the bytes.
 * @throws ProtobufProblem
 */
export function readFieldExtent(bytes: Uint8Array, at: number): FieldExtent {
  const tag = readVarint(bytes, at);
  const number = Number(tag.value >> 3n);
  const wireType = Number(tag.value & 7n);
  if (wireType === VARINT) {
    const { value, end } = readVarint(bytes, tag.end);
    return { number, wireType, value, begin: tag.end, end };
  }
  if (wireType === BYTES) {
    const { value: length, end: begin } = readCount(bytes, tag.end);
    return { number, wireType, begin, end: begin + length };
  }
  return { number, wireType, begin: tag.end, end: tag.end + fixedBytes(wireType) };
}

function fixedBytes(wireType: number): number {
  if (wireType === FIXED32) return 4;
  if (wireType === FIXED64) return 8;
  throw new ProtobufProblem(`has a field of wire type ${wireType}`);
}

/** The fields of one message in order. @throws ProtobufProblem */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const { number, wireType, value, begin, end } = readFieldExtent(bytes, at);
    if (end > bytes.length) throw new ProtobufProblem(`ends inside field ${number}`);
    at = end;
    if (value !== undefined) yield { number, value };
    else if (wireType === FIXED32) yield { number, value: view.getUint32(begin, true) };
    else if (wireType === FIXED64) yield { number, value: view.getBigUint64(begin, true) };
    else yield { number, value: bytes.subarray(begin, end) };
  }
}

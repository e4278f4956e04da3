/** Reading the protobuf wire format (protobuf.dev/programming-guides/encoding), as far as checkpoint indices need it. */

/** What is wrong with a message, as the end of a sentence. */
export class ProtobufProblem extends Error {}

export interface ProtobufField {
  readonly number: number;
  /** Varints and 64-bit numbers as bigint, 32-bit ones as number, everything else as its bytes. */
  readonly value: bigint | number | Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

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

/** The fields of one message in order. @throws ProtobufProblem */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    at = tag.end;
    if (wireType === VARINT) {
      const { value, end } = readVarint(bytes, at);
      yield { number, value };
      at = end;
      continue;
    }
    const length = wireType === BYTES ? readCount(bytes, at) : { value: fixedBytes(wireType), end: at };
    if (length.end + length.value > bytes.length) throw new ProtobufProblem(`ends inside field ${number}`);
    at = length.end + length.value;
    if (wireType === FIXED32) yield { number, value: view.getUint32(length.end, true) };
    else if (wireType === FIXED64) yield { number, value: view.getBigUint64(length.end, true) };
    else yield { number, value: bytes.subarray(length.end, at) };
  }
}

function fixedBytes(wireType: number): number {
  if (wireType === FIXED32) return 4;
  if (wireType === FIXED64) return 8;
  throw new ProtobufProblem(`has a field of wire type ${wireType}`);
}

/**
 * TensorBoard event files: TFRecord framing (tensorflow/core/lib/io/record_writer.h) around Event messages
 * (tensorflow/core/util/event.proto), of which we write the scalars.
 */

import { crc32c, maskCrc } from './crc32.js';

/** length u64, its checksum u32, data, its checksum u32; all little-endian. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskCrc(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskCrc(crc32c(data)), true);
  return record;
}

/** A protobuf message in the making: fields in the order they are added. */
class Message {
  readonly #bytes: number[] = [];

  #varint(value: number): void {
    while (value > 0x7f) {
      this.#bytes.push((value % 128) | 0x80);
      value = Math.floor(value / 128);
    }
    this.#bytes.push(value);
  }
  integer(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }
  double(field: number, value: number): this {
    this.#varint(field * 8 + 1);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#bytes.push(...bytes);
    return this;
  }
  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#bytes.push(...bytes);
    return this;
  }
  encode(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Event: wall_time = 1 (seconds), step = 2. */
function event(wallTimeMs: number, step = 0): Message {
  return new Message().double(1, wallTimeMs / 1000).integer(2, step);
}

/**
 * How a file begins: its version; and a session's start, which tells TensorBoard to forget what earlier files of the
 * folder hold from this step on, as a resumed run computes it again.
 * @param step  the first step that this file will speak of
 */
export function encodeFileStart(wallTimeMs: number, step: number): Uint8Array {
  const version = encodeRecord(event(wallTimeMs).text(3, 'brain.Event:2').encode());
  const START = 1; // SessionLog.SessionStatus
  const session = encodeRecord(event(wallTimeMs, step).bytes(7, new Message().integer(1, START).encode()).encode());
  const both = new Uint8Array(version.length + session.length);
  both.set(version);
  both.set(session, version.length);
  return both;
}

/** The scalars of a step as one record. */
export function encodeScalars(wallTimeMs: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const summary = new Message();
  for (const [tag, value] of Object.entries(scalars)) {
    summary.bytes(1, new Message().text(1, tag).float(2, value).encode()); // Summary.Value: tag = 1, simple_value = 2
  }
  return encodeRecord(event(wallTimeMs, step).bytes(5, summary.encode()).encode());
}

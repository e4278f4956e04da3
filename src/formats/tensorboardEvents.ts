/**
 * TensorBoard event files: TFRecord framing (tensorflow/core/lib/io/record_writer.h) around Event messages
 * (tensorflow/core/util/event.proto), of which we write the scalars.
 */

import { crc32c, maskCrc } from './crc32.js';
import { MessageWriter } from './protobuf.js';

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

/** Event: wall_time = 1 (seconds), step = 2. */
function event(wallTimeMs: number, step = 0): MessageWriter {
  return new MessageWriter().double(1, wallTimeMs / 1000).varint(2, step);
}

/**
 * How a file begins: its version; and a session's start, which tells TensorBoard to forget what earlier files of the
 * folder hold from this step on, as a resumed run computes it again.
 * @param step  the first step that this file will speak of
 */
export function encodeFileStart(wallTimeMs: number, step: number): Uint8Array {
  const version = encodeRecord(event(wallTimeMs).string(3, 'brain.Event:2').finish());
  const START = 1; // SessionLog.SessionStatus
  const session = encodeRecord(event(wallTimeMs, step).message(7, new MessageWriter().varint(1, START)).finish());
  const both = new Uint8Array(version.length + session.length);
  both.set(version);
  both.set(session, version.length);
  return both;
}

/** The scalars of a step as one record. */
export function encodeScalars(wallTimeMs: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const summary = new MessageWriter();
  for (const [tag, value] of Object.entries(scalars)) {
    summary.message(1, new MessageWriter().string(1, tag).float(2, value)); // Summary.Value: tag = 1, simple_value = 2
  }
  return encodeRecord(event(wallTimeMs, step).message(5, summary).finish());
}

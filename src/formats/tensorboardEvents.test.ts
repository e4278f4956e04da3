import { describe, expect, it } from 'vitest';
import { crc32c, maskCrc } from './crc32.js';
import { encodeFileStart, encodeRecord, encodeScalars } from './tensorboardEvents.js';

const ascii = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('event files', () => {
  it('frame a record by its length and two checksums', () => {
    const record = encodeRecord(ascii('abc'));
    const view = new DataView(record.buffer);
    expect(record.length).toBe(8 + 4 + 3 + 4);
    expect(view.getBigUint64(0, true)).toBe(3n);
    expect(view.getUint32(8, true)).toBe(maskCrc(crc32c(record.subarray(0, 8))));
    expect(view.getUint32(15, true)).toBe(maskCrc(crc32c(ascii('abc'))));
  });

  it('spell a scalar as the protocol buffers of Event and Summary', () => {
    // 09 wall_time 1.0 | 10 step 300 = ac 02 | 2a summary { 0a value { 0a tag "a" | 15 simple_value 0.5 } }
    const payload = '09000000000000f03f' + '10ac02' + '2a0a' + '0a08' + '0a0161' + '150000003f';
    const record = encodeScalars(1000, 300, { a: 0.5 });
    expect(hex(record.subarray(12, -4))).toBe(payload);
  });

  it('begin with the version, then a session start at the first step', () => {
    const start = encodeFileStart(0, 5);
    expect(Buffer.from(start).toString('latin1')).toContain('brain.Event:2');
    expect(hex(start)).toContain('1005' + '3a020801'); // step 5, session_log { status START }
  });
});

import { expect, test } from 'vitest';
import { MessageWriter, ProtobufProblem, protobufFields, readFieldExtent } from './protobuf.js';

const hex = (message: MessageWriter) =>
  [...message.finish()].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

// The examples of https://protobuf.dev/programming-guides/encoding/
test('writes a varint in groups of seven bits, lowest first', () => {
  expect(hex(new MessageWriter().varint(1, 150))).toBe('08 96 01');
});

test('writes a string with its length in bytes', () => {
  expect(hex(new MessageWriter().string(2, 'testing'))).toBe('12 07 74 65 73 74 69 6e 67');
  expect(hex(new MessageWriter().string(1, 'é'))).toBe('0a 02 c3 a9');
});

test('writes a nested message with its length', () => {
  expect(hex(new MessageWriter().message(3, new MessageWriter().varint(1, 150)))).toBe('1a 03 08 96 01');
});

test('writes negative integers as ten bytes of two’s complement', () => {
  expect(hex(new MessageWriter().varint(1, -2))).toBe('08 fe ff ff ff ff ff ff ff ff 01');
});

test('writes integers beyond 32 bits whole', () => {
  expect(hex(new MessageWriter().varint(1, 2 ** 35))).toBe('08 80 80 80 80 80 01');
});

test('writes a float as four little-endian bytes', () => {
  expect(hex(new MessageWriter().float(2, 1.5))).toBe('15 00 00 c0 3f');
});

test('knows its length before it is finished', () => {
  const inner = new MessageWriter().string(1, 'abc').varint(2, 300);
  expect(inner.length).toBe(inner.finish().length);
});

test('writes a double as eight little-endian bytes', () => {
  expect(hex(new MessageWriter().double(1, 1.5))).toBe('09 00 00 00 00 00 00 f8 3f');
});

test('reads what it writes, field by field', () => {
  const inner = new MessageWriter().string(1, 'é');
  const bytes = new MessageWriter().varint(1, -2).float(2, 1.5).double(3, 1.5).message(4, inner).finish();
  expect([...protobufFields(bytes)]).toEqual([
    { number: 1, value: 2n ** 64n - 2n },
    { number: 2, value: 0x3fc00000 },
    { number: 3, value: 0x3ff8000000000000n },
    { number: 4, value: inner.finish() },
  ]);
  // The start alone says where a field ends, though the bytes do not reach that far.
  const start = new MessageWriter().bytes(7, new Uint8Array(300)).finish().subarray(0, 4);
  expect(readFieldExtent(start, 0)).toEqual({ number: 7, wireType: 2, begin: 3, end: 303 });
});

test.each([
  ['08', 'ends inside a number'],
  ['12 05 61', 'ends inside field 2'],
  ['0b', 'has a field of wire type 3'],
  [`08 ${'ff '.repeat(10)}01`, 'has a number longer than 64 bits'],
])('refuses %s', (text, problem) => {
  const bytes = Uint8Array.from(text.trim().split(' '), (byte) => Number.parseInt(byte, 16));
  expect(() => [...protobufFields(bytes)]).toThrow(new ProtobufProblem(problem));
});

import { expect, test } from 'vitest';
import { MessageWriter } from './protobuf.js';

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

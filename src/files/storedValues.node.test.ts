import { appendFileSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CheckpointError } from '../errors/errors.js';
import { FileValues, readRange } from './storedValues.node.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stored-values-')));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of 0, ½, 1, 1½ …, and elements `start` on of it. */
function fileOf(name: string, count: number, start: number) {
  const path = join(folder, name);
  writeFileSync(
    path,
    Float32Array.from({ length: count }, (_, i) => i / 2),
  );
  const { size, mtimeMs, ino } = statSync(path);
  return { path, values: new FileValues({ path, size, mtimeMs, ino }, 4 * start, count - start) };
}

test('values are read from where they begin, into memory that other threads see', () => {
  const { path, values } = fileOf('part', 5, 2);
  const data = values.read();
  expect([...data]).toEqual([1, 1.5, 2]);
  expect(data.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(values.length).toBe(3);
  expect(values.locate()).toEqual({ file: path, begin: 8, bytes: 12 });
});

test('a file that was written over, or is gone, is an error that names it', () => {
  const { path, values } = fileOf('changed', 4, 0);
  appendFileSync(path, 'x');
  expect(() => values.read()).toThrow(CheckpointError);
  expect(() => values.locate()).toThrow(`${path} was changed since the model was loaded from it`);
  rmSync(path);
  expect(() => values.locate()).toThrow(`${path} is gone since`);
});

test('a file that ends before the range does is an error that says where', () => {
  const { path } = fileOf('short', 2, 0);
  expect(() => readRange({ file: path, begin: 4, bytes: 8 }, new Uint8Array(8))).toThrow(
    `${path} could not be read: it ends at byte 8, expected 12`,
  );
});

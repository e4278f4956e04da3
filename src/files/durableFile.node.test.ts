import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolder, writeFileDurably } from './durableFile.node.js';

const folder = mkdtempSync(join(tmpdir(), 'durable-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('makeFolder', () => {
  it('makes a folder with those above it, and leaves one that is there', () => {
    const path = join(folder, 'a', 'b');
    makeFolder(path);
    makeFolder(path);
    expect(existsSync(path)).toBe(true);
  });

  it('names the file that is in the way', () => {
    const file = join(folder, 'file.txt');
    writeFileSync(file, 'text');
    expect(() => makeFolder(file)).toThrow(`the folder ${file} could not be made: a file of that name is in the way`);
    expect(() => makeFolder(join(file, 'sub'))).toThrow(/could not be made: a file .*in the way/);
    expect(readFileSync(file, 'utf8')).toBe('text');
  });

  it.skipIf(!existsSync('/proc/self'))('ends where the system takes no folders', () => {
    expect(() => makeFolder('/proc/pleiad/run')).toThrow('the folder /proc/pleiad/run could not be made');
  });
});

describe('writeFileDurably', () => {
  it('leaves the earlier file and no half of a new one when writing fails', async () => {
    const path = join(folder, 'kept.txt');
    await writeFileDurably(path, ['before']);
    async function* failing() {
      yield 'half';
      throw new Error('no more');
    }
    await expect(writeFileDurably(path, failing())).rejects.toThrow('no more');
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

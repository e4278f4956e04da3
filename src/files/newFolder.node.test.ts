import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { FolderInUseError } from '../errors/errors.js';
import { writeNewFolder } from './newFolder.node.js';

const temporary = temporaryFolder('new-folder');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);

async function fill(folder: string): Promise<string> {
  mkdirSync(join(folder, 'onnx'));
  writeFileSync(join(folder, 'onnx', 'model.onnx'), 'x');
  writeFileSync(join(folder, 'config.json'), '{}');
  return 'done';
}

describe('a folder that is written whole or not at all', () => {
  it('has its files when all are there, and none before', async () => {
    const seen: string[][] = [];
    const result = await writeNewFolder(at('a', 'b'), async (unfinished) => {
      await fill(unfinished);
      seen.push(readdirSync(at('a', 'b')));
      return 'done';
    });
    expect([result, seen]).toEqual(['done', [['.unfinished', 'pleiad.lock']]]);
    expect(readdirSync(at('a', 'b'), { recursive: true }).sort()).toEqual(['config.json', 'onnx', 'onnx/model.onnx']);
  });

  it('may have been there, empty; after a failure it is as it was', async () => {
    mkdirSync(at('empty'));
    const failing = async (unfinished: string) => {
      await fill(unfinished);
      throw new Error('in the middle');
    };
    await expect(writeNewFolder(at('empty'), failing)).rejects.toThrow('in the middle');
    expect(readdirSync(at('empty'))).toEqual([]);
    await expect(writeNewFolder(at('gone'), failing)).rejects.toThrow('in the middle');
    expect(existsSync(at('gone'))).toBe(false);
    await writeNewFolder(at('empty'), fill);
    expect(readdirSync(at('empty')).sort()).toEqual(['config.json', 'onnx']);
  });

  it('is written by one process at a time', async () => {
    let finish = () => {};
    const first = writeNewFolder(at('both'), async (unfinished) => {
      await fill(unfinished);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await vi.waitFor(() => expect(existsSync(at('both', '.unfinished', 'config.json'))).toBe(true));
    const error = await writeNewFolder(at('both'), fill).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FolderInUseError);
    finish();
    await first;
    expect(readdirSync(at('both')).sort()).toEqual(['config.json', 'onnx']);
  });

  it('loses what a process that was killed had begun', async () => {
    mkdirSync(at('killed', '.unfinished'), { recursive: true });
    writeFileSync(at('killed', '.unfinished', 'model.safetensors.tmp'), 'half');
    const owner = { pid: 2 ** 22 + 1, host: hostname(), since: '2020-01-01T00:00:00.000Z', id: 'x' }; // beyond pid_max
    writeFileSync(at('killed', 'pleiad.lock'), `${JSON.stringify(owner)}\n`);
    await writeNewFolder(at('killed'), fill);
    expect(readdirSync(at('killed')).sort()).toEqual(['config.json', 'onnx']);
  });

  it('is refused with something in it, and where a file is', async () => {
    mkdirSync(at('full', 'x'), { recursive: true });
    await expect(writeNewFolder(at('full'), fill)).rejects.toThrow(/full is not empty; expected a new folder/);
    writeFileSync(at('file'), '');
    await expect(writeNewFolder(at('file'), fill)).rejects.toThrow(/file could not be written: a file is in the way/);
    await expect(writeNewFolder(at('file', 'below'), fill)).rejects.toThrow(/a file/);
  });
});

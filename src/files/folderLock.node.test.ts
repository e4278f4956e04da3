import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderInUseError } from '../errors/errors.js';
import { FolderLock, LOCK_FILE, refuseFolderInUse } from './folderLock.node.js';

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, LOCK_FILE);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Another process that does nothing for a while. */
function idle(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<number> {
  child.kill('SIGKILL');
  await once(child, 'exit');
  return child.pid!;
}

/** Leaves the lock of another process in the folder. */
function lockOf(pid: number, more: object = {}): void {
  const owner = { pid, host: hostname(), since: '2026-01-02T03:04:05.000Z', id: 'another', ...more };
  writeFileSync(path, JSON.stringify(owner));
}

describe('the lock of a folder', () => {
  it('is held by one at a time and gone after its release', async () => {
    const lock = await FolderLock.acquire(folder);
    await expect(FolderLock.acquire(folder)).rejects.toThrow(FolderInUseError);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    (await FolderLock.acquire(folder)).release();
  });

  it('names folder, process and machine when a running process holds it, and what to do', async () => {
    const { pid } = idle();
    lockOf(pid!);
    const message = `${folder} is in use by process ${pid} on ${hostname()} since 2026-01-02T03:04:05.000Z. Wait for it or end it`;
    await expect(FolderLock.acquire(folder)).rejects.toThrow(message);
    await expect(refuseFolderInUse(folder)).rejects.toThrow(message);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(pid);
  });

  it('is taken over from a process that was killed', async () => {
    lockOf(await killed(idle()));
    await refuseFolderInUse(folder);
    const lock = await FolderLock.acquire(folder);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual([LOCK_FILE]);
    lock.release();
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'is not mistaken for that of a later process with the same number',
    async () => {
      const { pid } = idle();
      lockOf(pid!, { processStart: '1' });
      (await FolderLock.acquire(folder)).release();
    },
  );

  it.skipIf(!existsSync('/proc/self/stat'))('is taken over from a process that only waits for its parent', async () => {
    // A shell that has become another program never asks how its child ended. While it is still a shell it may ask, so the child
    // is ended only after that.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    children.push(parent);
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    lockOf(pid);
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ');
    (await FolderLock.acquire(folder)).release();
  });

  it('of another machine is kept, since nobody here can tell, and the message says which file to delete', async () => {
    lockOf(1, { host: 'elsewhere' });
    await expect(FolderLock.acquire(folder)).rejects.toThrow(
      `in use by process 1 on elsewhere since 2026-01-02T03:04:05.000Z. Wait for it, or choose another folder; if it has ended, delete ${path}`,
    );
    rmSync(path);
    (await FolderLock.acquire(folder)).release();
  });

  it.each(['', '{"pid":', '{"pid":0}'])('is taken over when it was torn while being written (%j)', async (text) => {
    writeFileSync(path, text);
    (await FolderLock.acquire(folder)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('goes to exactly one of many who find a stale one', async () => {
    lockOf(await killed(idle()));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => FolderLock.acquire(folder)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([LOCK_FILE]);
  });

  it('is set again when it was deleted, and given up when another process has taken it', async () => {
    const lock = await FolderLock.acquire(folder);
    rmSync(path);
    await lock.check();
    await lock.check();
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    const { pid } = idle();
    lockOf(pid!);
    await expect(lock.check()).rejects.toThrow(`${folder} is in use by process ${pid}`);
    lock.release();
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(pid);
  });

  it('says that nothing can be written where there is no folder', async () => {
    await expect(FolderLock.acquire(join(folder, 'gone'))).rejects.toThrow(
      `${join(folder, 'gone', LOCK_FILE)} could not be written: nothing can be made there. Choose another folder, or put it back`,
    );
  });
});

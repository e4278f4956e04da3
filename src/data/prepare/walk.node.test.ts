import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listInputs } from './inputs.node.js';
import { reasonUnread, walkFolder } from './walk.node.js';

const ROOT = mkdtempSync(join(tmpdir(), 'pleiad-walk-'));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

let layouts = 0;
/** A folder `c` of files and links (`name -> target`), beside which others may lie (`../…`). */
function layout(...entries: string[]): string {
  const folder = join(ROOT, String(layouts++), 'c');
  mkdirSync(folder, { recursive: true });
  for (const entry of entries) {
    const [name, target] = entry.split(' -> ');
    mkdirSync(join(folder, name, '..'), { recursive: true });
    if (target === undefined) writeFileSync(join(folder, name), 'some words');
    else symlinkSync(target, join(folder, name));
  }
  return folder;
}

describe('a folder of a corpus', () => {
  it.each<[string, string[], string[], string[]]>([
    ['a dead link', ['one.txt', 'dead.txt -> gone.txt'], ['one.txt'], ['dead.txt: a link to nothing']],
    ['a link through a file', ['one.txt', 'l.txt -> one.txt/x'], ['one.txt'], ['l.txt: a link to nothing']],
    ['a link to itself', ['one.txt', 'loop.txt -> loop.txt'], ['one.txt'], ['loop.txt: a link that leads to itself']],
    [
      'two links in a ring',
      ['x.txt -> y.txt', 'y.txt -> x.txt', 'z.txt'],
      ['z.txt'],
      ['x.txt: a link that leads to itself', 'y.txt: a link that leads to itself'],
    ],
    [
      'a folder that leads to itself',
      ['one.txt', 'self -> .'],
      ['one.txt'],
      ['self: a link to a folder that holds it'],
    ],
    ['a link to the parent', ['d/one.txt', 'd/up -> ..'], ['d/one.txt'], ['d/up: a link to a folder that holds it']],
    ['a link above the corpus', ['one.txt', 'up -> ../..'], ['one.txt'], ['up: a link to a folder that holds it']],
    [
      'folders that lead to each other',
      ['a/one.txt', 'a/to -> ../b', 'b/two.txt', 'b/to -> ../a'],
      ['a/one.txt', 'b/two.txt'],
      ['a/to: a link to b, which is read itself', 'b/to: a link to a, which is read itself'],
    ],
    [
      'two links to one folder',
      ['../out/one.txt', 'a -> ../out', 'b -> ../out'],
      ['a/one.txt'],
      ['b: a link to the same folder as a'],
    ],
    [
      'a link into a folder that another link led to',
      ['../out/d/one.txt', 'a -> ../out', 'b -> ../out/d'],
      ['a/d/one.txt'],
      ['b: a link to the same folder as a'],
    ],
    [
      'a link to a folder outside that leads to itself',
      ['../out/one.txt', '../out/self -> .', 'a -> ../out'],
      ['a/one.txt'],
      ['a/self: a link to the same folder as a'],
    ],
    ['a link to a hidden folder', ['.data/one.txt', 'data -> .data'], ['data/one.txt'], []],
    [
      'a link to a file',
      ['one.txt', 'same.txt -> one.txt', '../two.txt', 'two.txt -> ../two.txt'],
      ['one.txt', 'same.txt', 'two.txt'],
      [],
    ],
    [
      'names of all kinds',
      ['a b.txt', "it's.txt", '-x.txt', '한국.txt', 'a\nb.txt', '$(x);*.txt', '"q".txt', '😀/😀.txt'],
      ['"q".txt', '$(x);*.txt', '-x.txt', 'a\nb.txt', 'a b.txt', "it's.txt", '한국.txt', '😀/😀.txt'],
      [],
    ],
  ])('may have %s', async (_, entries, files, skipped) => {
    const folder = layout(...entries);
    const walked = await walkFolder(folder);
    expect([...walked.files].sort()).toEqual([...files].sort());
    const shown = walked.skipped.map(({ path, reason }) => `${path}: ${reason}`.replaceAll(`${folder}/`, ''));
    expect(shown).toEqual(skipped);
    const listed = await listInputs([folder]);
    expect(listed.files.map(({ name }) => name)).toEqual(walked.files);
  });

  it('may have pipes, sockets and names that are not UTF-8', async () => {
    const folder = layout('one.txt');
    execFileSync('mkfifo', [join(folder, 'pipe.txt')]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/b`), Buffer.of(0xff), Buffer.from('.txt')]), 'some words');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket.txt'), resolve));
    const { files, skipped } = await listInputs([folder]).finally(() => server.close());
    expect(files.map(({ name }) => name)).toEqual(['one.txt']);
    expect(skipped.map(({ reason }) => reason).sort()).toEqual([
      'a pipe, not a file',
      'a socket, not a file',
      'its name is not UTF-8; rename it',
    ]);
    await expect(listInputs([join(folder, 'pipe.txt')])).rejects.toThrow(
      'pipe.txt is a pipe, not a file. Write it into',
    );
  });

  it('is walked in the order of UTF-16 units at each level', async () => {
    const folder = layout('b/1.txt', 'B.txt', 'a.txt', 'b.txt', '가.txt');
    expect((await walkFolder(folder)).files).toEqual(['B.txt', 'a.txt', 'b/1.txt', 'b.txt', '가.txt']);
  });

  it('that cannot be entered is named with the reason', () => {
    expect(reasonUnread(Object.assign(new Error(), { code: 'EACCES' }))).toBe('permission was denied');
  });

  it.skipIf(process.platform === 'win32')('may have files and folders that one may not read', async () => {
    const folder = layout('one.txt', 'secret.txt', 'closed/two.txt');
    chmodSync(ROOT, 0o755);
    for (const name of ['secret.txt', 'closed']) chmodSync(join(folder, name), 0o000);
    // The superuser may read everything, so another user looks.
    const isSuperuser = process.getuid!() === 0;
    if (isSuperuser) process.seteuid!(65_534);
    try {
      const { files, skipped } = await listInputs([folder]);
      expect(files.map(({ name }) => name)).toEqual(['one.txt']);
      expect(skipped.map(({ reason }) => reason)).toEqual(['permission was denied', 'permission was denied']);
      await expect(listInputs([join(folder, 'secret.txt')])).rejects.toThrow('Cannot open ');
    } finally {
      if (isSuperuser) process.seteuid!(0);
      for (const name of ['secret.txt', 'closed']) chmodSync(join(folder, name), 0o700);
    }
  });
});

describe('an input that is named', () => {
  it('and is a link to nothing, says where the link leads', async () => {
    const folder = layout('dead.txt -> gone.txt', 'loop.txt -> loop.txt');
    await expect(listInputs([join(folder, 'dead.txt')])).rejects.toThrow(
      'dead.txt is a link to gone.txt, which cannot be read: it is gone',
    );
    await expect(listInputs([join(folder, 'loop.txt')])).rejects.toThrow(
      'loop.txt is a link to loop.txt, which cannot be read',
    );
    await expect(listInputs([join(folder, 'no.txt')])).rejects.toThrow('no.txt does not exist');
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { notPrepared } from './notPrepared.node.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'not-prepared-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** A folder with files, by name. */
function folderWith(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(FOLDER, name);
  mkdirSync(folder);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

describe('a folder that is no token shards', () => {
  const run = JSON.stringify({ settings: { data: '/data/shards' } });
  it.each([
    ['text', { 'a.txt': 'text' }, /holds text.*pleiad prepare \S+text --tokenizer VOCAB\/ --out SHARDS\//],
    ['packed', { 'a.jsonl.gz': '' }, /holds text/],
    ['table', { 'a.parquet': '' }, /holds text/],
    ['deep', { 'en/a.txt': 'text' }, /holds text/],
    ['run', { 'run.json': run, 'metrics.jsonl': '' }, /is the folder of a run.*trained on: \/data\/shards/],
    ['broken-run', { 'run.json': '{' }, /is the folder of a run.*that the run was trained on$/],
    ['model', { 'config.json': '{}', 'vocab.txt': '' }, /is the folder of a model/],
    [
      'tokenizer',
      { 'vocab.txt': '', 'tokenizer_config.json': '' },
      /is the folder of a tokenizer.*--tokenizer \S+tokenizer /,
    ],
    ['half', { 'progress.jsonl': '' }, /preparing was interrupted.*the same `pleiad prepare` command again/],
    [
      'around',
      { 'shards/manifest.json': '{}', 'notes.txt': '' },
      /not the folder of token shards itself\. Give \S+around\/shards/,
    ],
    ['empty', {}, /has no manifest\.json.*Check its name, or make it/],
    ['pictures', { 'a.png': '' }, /has no manifest\.json/],
  ] as const)('is told what it is: %s', (name, files, message) => {
    expect(notPrepared(folderWith(name, files)).message).toMatch(message);
  });

  it('may be a file', () => {
    writeFileSync(join(FOLDER, 'a.txt'), 'text');
    expect(notPrepared(join(FOLDER, 'a.txt')).message).toMatch(/a\.txt is a file, not a folder of token shards/);
  });
});

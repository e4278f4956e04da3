/** `pleiad serve` as a child process, on tiny models of random weights. `npm test` builds first. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { saveTestModel } from '../src/serving/testServing.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');
const temporary = temporaryFolder('serve-cli');
const at = (...names: string[]) => join(temporary.path, ...names);
beforeAll(async () => {
  await saveTestModel(at('reviews'), 'reviews');
  await saveTestModel(at('qa'), 'qa');
});
afterAll(() => temporary.remove());

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const environment = { ...process.env, NO_COLOR: '1', PLEIAD_API_KEY: '' };

/** Starts a server in the folder of the models, and resolves when all of them are loaded. */
async function serve(...words: string[]) {
  const all = [MAIN, 'serve', ...words, '--port', '0', '--threads', '1'];
  const child = spawn(process.execPath, all, { cwd: temporary.path, env: environment });
  children.push(child);
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const models = words.filter((word) => /^(\w+=)?\w+\/$/.test(word)).length;
  const url = await new Promise<string>((resolve, reject) => {
    const look = (part: Buffer) => {
      stdout += part;
      const said = `${stdout}${stderr}`;
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
      if (address && said.match(/: loaded in/g)?.length === models) resolve(address);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', () => look(Buffer.from('')));
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${stderr}`)));
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, url, ended, said: () => ({ stdout, stderr }) };
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('pleiad serve', () => {
  it('answers as the README asks it, and ends with code 0 after SIGTERM', async () => {
    const command = /^npx pleiad serve (.*) --port \d+$/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))!;
    const { child, url, ended, said } = await serve(...command[1].split(' '));
    const answer = await post(`${url}/models/reviews`, { inputs: 'a good meal' });
    const [[best]] = (await answer.json()) as { label: string; score: number }[][];
    expect(['bad', 'fair', 'good']).toContain(best.label);
    const question = { question: 'the chef', context: 'the chef ate' };
    expect((await post(`${url}/models/qa`, { inputs: question })).status).toBe(200);
    // What clients are told speaks in their words, not in flags.
    const wrong = await post(`${url}/api/text-classification`, { input: 'a', options: { topK: 0 } });
    expect(((await wrong.json()) as { error: string }).error).toContain('topK is 0');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const { stdout, stderr } = said();
    expect(stdout).toMatch(/listening at http.*\n {2}reviews: text-classification, .*\n {2}qa: question-answering/);
    expect(stdout).toContain('stopping: answering what was accepted');
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(3);
  });

  it('logs no request with --quiet, and has its address as the last line of --json', async () => {
    const { child, url, ended, said } = await serve('qa/', '--quiet', '--json');
    await post(`${url}/models/qa`, { inputs: 'nonsense' });
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(said().stderr).not.toContain('"msg":"request"');
    expect(JSON.parse(said().stdout.trim().split('\n').at(-1)!)).toEqual({ url });
  });

  it.each([
    [['reviews', '--host', '0.0.0.0'], '--host is 0.0.0.0, which other machines reach, and there is no key'],
    [['reviews', '--max-queue', '0', '--timeout', 'x'], '--max-queue is 0; expected a whole number from 1'],
    [['reviews', './reviews'], 'both have the id "reviews"'],
    [['reviews', '--cors-origins', 'example.org'], '--cors-origins has "example.org"; expected origins such as'],
  ])('%j is bad usage', (words, message) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'serve', ...words], {
      cwd: temporary.path,
      encoding: 'utf8',
      env: environment,
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('says that a port is taken', async () => {
    const { url } = await serve('qa/', '--quiet');
    const words = [MAIN, 'serve', 'qa', '--port', new URL(url).port];
    const { status, stderr } = spawnSync(process.execPath, words, {
      cwd: temporary.path,
      encoding: 'utf8',
      env: environment,
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/port \d+ .*is taken.*--port/)]);
  });
});

describe('docs/serving.md', () => {
  it('has an example of the library that runs', async () => {
    const text = readFileSync(join(ROOT, 'docs/serving.md'), 'utf8');
    const [, example] = /^```ts\n([\s\S]*?)^```/m.exec(text)!;
    await mkdir(at('node_modules'));
    symlinkSync(ROOT, at('node_modules/pleiad'), 'dir');
    writeFileSync(at('example.mjs'), example);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: temporary.path,
      encoding: 'utf8',
      env: environment,
    });
    expect([status, stdout], stderr).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\n$/)]);
  });

  it('names every flag and its default as they are', () => {
    const text = readFileSync(join(ROOT, 'docs/serving.md'), 'utf8');
    const { stdout } = spawnSync(process.execPath, [MAIN, 'serve', '--help'], { encoding: 'utf8' });
    const named = [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag);
    expect(named.length).toBeGreaterThan(10);
    for (const flag of named) expect(stdout, flag).toMatch(new RegExp(`${flag}[ ,]`));
  });
});

/** `pleiad studio` as a child process. `npm test` builds program and page first. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { writeTestModel } from '../src/studio/testFolders.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const temporary = temporaryFolder('studio-cli');
const options = { cwd: temporary.path, env: { ...process.env, NO_COLOR: '1' } };

beforeAll(() => writeTestModel(join(temporary.path, 'filler'), 'ElectraForMaskedLM'));
afterAll(() => temporary.remove());

describe('pleiad studio', () => {
  it('prints an address with a token, serves page and models behind it, and ends with code 0 after Ctrl-C', async () => {
    const child = spawn(process.execPath, [MAIN, 'studio', 'mine=filler', '--port', '0', '--json'], options);
    let said = '';
    const address = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (part) => {
          said += part;
          const [found] = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(said) ?? [];
          if (found && said.includes('models: ')) resolve(found);
        });
      }
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    });
    const { origin, hash } = new URL(address);
    const page = await fetch(origin);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<meta name="pleiad-backend" content="server" />');
    const models = await fetch(`${origin}/studio/api/models`, {
      headers: { authorization: `Bearer ${hash.replace('#token=', '')}` },
    });
    expect(await models.json()).toEqual(expect.arrayContaining([expect.objectContaining({ id: 'mine' })]));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    // The token is on the line for the reader alone: a program that reads the JSON may log it.
    expect(said.trim().split('\n').at(-1)).toBe(JSON.stringify({ url: origin }));
  });

  it.each([
    [['--port', '70000'], '--port is 70000'],
    [['a=filler', 'a=filler'], 'both have the id "a"'],
    [['--data', 'filler'], 'filler'],
    [['--host', '0.0.0.0'], "unknown option '--host'"],
  ])('%j is refused', (words, message) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'studio', ...words], {
      ...options,
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
  });
});

/** Training in memory: the example of docs/in-memory.md runs as it stands there, and gives what training to a folder gives. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createNodeEngine, MemoryStore, openShards, pretrainInMemory, pretrainToFolder } from '../src/index.node.js';
import type { DoneEvent, TrainingEvent } from '../src/training/events.js';
import { prepareTinyShards } from './tinyShards.js';

const folder = mkdtempSync(join(tmpdir(), 'in-memory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function doneOf(events: AsyncIterable<TrainingEvent>): Promise<DoneEvent> {
  let done: DoneEvent | undefined;
  for await (const event of events) if (event.type === 'done') done = event;
  return done!;
}

describe('the example of docs/in-memory.md', () => {
  const page = readFileSync(new URL('../docs/in-memory.md', import.meta.url), 'utf8');
  const [, example] = /```js\n([\s\S]*?)```/.exec(page)!;

  it('trains with the engine of browsers and runs what it trained, without a file', () => {
    const entry = new URL('../dist/src/index.js', import.meta.url).href;
    expect(example).toContain("from 'pleiad'");
    expect(example).not.toMatch(/from '(?!pleiad')/);
    // What it prints is told apart by JSON.
    const lines = example
      .replace("from 'pleiad'", `from ${JSON.stringify(entry)}`)
      .replaceAll(/console\.log\(([^;]*)\);/g, 'console.log(JSON.stringify([$1]));');
    const script = join(folder, 'example.mjs');
    writeFileSync(script, lines);
    const root = fileURLToPath(new URL('..', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const printed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [[auc], [filled], [tokens]] = printed.slice(-3);
    const steps = printed.slice(0, -3);
    expect(steps.at(-1)[0]).toBe(40);
    expect(Number(steps.at(-1)[1])).toBeLessThan(Number(steps[0][1]));
    expect(auc).toBeGreaterThan(0);
    expect(filled.masks[0].candidates).toHaveLength(3);
    expect(tokens.map(({ token }: { token: string }) => token).join(' ')).toBe('the chef cooked the dog .');
  }, 120_000);
});

describe('training in memory', () => {
  it('ends with the weights of training to a folder, bit for bit', async () => {
    await prepareTinyShards(folder);
    const data = join(folder, 'shards');
    const settings = { size: 'tiny', length: 32, batchSize: 4, steps: 4, seed: 3 } as const;
    const createEngine = () => createNodeEngine({ threads: 1 });
    const toFolder = await doneOf(pretrainToFolder({ ...settings, data, out: join(folder, 'run') }, { createEngine }));
    const shards = await openShards(data);
    const engine = await createEngine();
    try {
      const inMemory = await doneOf(pretrainInMemory(settings, { shards, engine, store: new MemoryStore() }));
      expect(inMemory.weightsSha256).toBe(toFolder.weightsSha256);
      expect(inMemory.metrics).toEqual(toFolder.metrics);
    } finally {
      await engine.close();
      shards.close();
    }
  });
});

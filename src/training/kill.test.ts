/** A run that is killed without warning and resumed. The child processes run the built package, as a user's would. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { prepareCorpus } from '../data/prepare/node/prepareCorpus.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { saveTokenizer } from '../text/tokenizerNode.js';
import type { DoneEvent, TrainingEvent } from './events.js';

const folder = mkdtempSync(join(tmpdir(), 'kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

const built = new URL('../../dist/src/training/pretrainNode.js', import.meta.url);

async function prepareShards(): Promise<string> {
  const letters = 'abcdefghij'.split('');
  const documents = Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 50 }, (_, j) => letters[(i + j * j) % 10]).join(' '),
  );
  writeFileSync(join(folder, 'text.txt'), documents.join('\n\n'));
  await saveTokenizer(
    WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters]),
    join(folder, 'tokenizer'),
  );
  const out = join(folder, 'shards');
  await prepareCorpus({
    inputs: [join(folder, 'text.txt')],
    tokenizerDir: join(folder, 'tokenizer'),
    out,
    workers: 0,
    heldOutFraction: 0.1,
  });
  return out;
}

/** Runs until the end, or until `killAt` says so of an event; a little later then, to hit other moments than that. */
async function train(
  settings: object,
  killAt?: (event: TrainingEvent) => boolean,
  delayMs = 0,
): Promise<TrainingEvent[]> {
  const script = `import { pretrainToFolder } from ${JSON.stringify(built.href)};
    for await (const event of pretrainToFolder(${JSON.stringify(settings)})) console.log(JSON.stringify(event));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events: TrainingEvent[] = [];
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const event: TrainingEvent = JSON.parse(line);
    events.push(event);
    if (killAt?.(event)) setTimeout(() => child.kill('SIGKILL'), delayMs);
  }
  await exited;
  return events;
}

describe('a run killed with SIGKILL', () => {
  it.skipIf(!existsSync(built))('and resumed, again and again, ends with the bits of one that was not', async () => {
    const size = { hiddenSize: 32, numAttentionHeads: 2, numHiddenLayers: 1, intermediateSize: 64, embeddingSize: 16 };
    const settings = {
      data: await prepareShards(),
      size: 'tiny',
      model: size,
      length: 32,
      batchSize: 4,
      steps: 60,
      checkpointEvery: 7,
      evaluateEvery: 20,
      logEvery: 1,
      threads: 1,
    };
    const whole = (await train({ ...settings, out: join(folder, 'whole') })).at(-1) as DoneEvent;
    const killed = { ...settings, out: join(folder, 'killed'), resume: true };
    const moments = [
      { step: 3, delayMs: 0 },
      { step: 7, delayMs: 2 },
      { step: 14, delayMs: 8 },
      { step: 27, delayMs: 0 },
      { step: 42, delayMs: 15 },
    ];
    for (const { step, delayMs } of moments) {
      const events = await train(killed, (event) => event.type === 'step' && event.step === step, delayMs);
      expect(events.at(-1)!.type).not.toBe('done');
    }
    const resumed = (await train(killed)).at(-1) as DoneEvent;
    expect(resumed).toMatchObject({ type: 'done', step: 60, weightsSha256: whole.weightsSha256 });
  });
});

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as durable from '../checkpoint/durableFileNode.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import type { HeldOutData } from './evaluation.js';
import type { DoneEvent, TrainingEvent, WarningEvent } from './events.js';
import { checkpointOf, RunFolder, readRunFile } from './runFolderNode.js';
import { RunLog } from './runLogNode.js';
import { resolvePretrainingSettings } from './settings.js';
import { TEST_VOCABULARY, testData, testHeldOut, testObjective } from './testObjective.js';
import { pretrain, type TrainerDependencies } from './trainer.js';

vi.mock('../checkpoint/durableFileNode.js', async (original) => {
  const actual = await original<typeof durable>();
  return { ...actual, writeFileDurably: vi.fn(actual.writeFileDurably) };
});

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'run-folder-'));
});
afterEach(() => rmSync(out, { recursive: true }));

const identity = { vocabSize: 7, tokenizerHash: 'abc', corpus: 'def' };
const given = {
  data: 'shards',
  objective: 'mlm',
  size: 'tiny',
  steps: 12,
  batchSize: 4,
  learningRate: 0.05,
  checkpointEvery: 2,
  evaluateEvery: 4,
  logEvery: 1,
} as const;

interface Change {
  resume?: boolean;
  keepCheckpoints?: number;
  identity?: typeof identity;
  phases?: 1 | 2;
}

/** Trains into `out`, with logs; stops after the step `stopAt`. */
async function run(
  change: Change = {},
  stopAt?: number,
  more: Partial<TrainerDependencies> = {},
): Promise<TrainingEvent[]> {
  const { identity: now = identity, phases = 1, ...settingsChange } = change;
  const input = { ...given, keepCheckpoints: 100, ...settingsChange, out };
  const settings = resolvePretrainingSettings(input);
  const objective = testObjective(phases);
  const store = await RunFolder.open(
    out,
    { objective: 'test', models: objective.models },
    { given: input, settings, identity: now },
  );
  const log = new RunLog(out);
  const stop = new AbortController();
  const dependencies = {
    engine: createInterpreterEngine(),
    objective,
    data: testData(4),
    heldOut: testHeldOut,
    store,
    signal: stop.signal,
    ...more,
  };
  const events: TrainingEvent[] = [];
  for await (const event of pretrain(settings, dependencies)) {
    await log.record(event);
    events.push(event);
    if (event.type === 'step' && event.step === stopAt) stop.abort();
  }
  return events;
}

const done = (events: TrainingEvent[]) => events.find((event): event is DoneEvent => event.type === 'done')!;
const warnings = (events: TrainingEvent[]) => events.filter((event): event is WarningEvent => event.type === 'warning');
const checkpoints = () => readdirSync(join(out, 'checkpoints')).sort();
const checkpoint = (step: number) => join(out, 'checkpoints', `step-${String(step).padStart(8, '0')}`);

describe('a run folder', () => {
  it('holds the settings, the checkpoints, the pointers and the logs', async () => {
    const events = await run();
    const file = readRunFile(out)!;
    expect(file.settings).toMatchObject({ steps: 12, learningRate: 0.05, clipNorm: 1 });
    expect(file.given).not.toHaveProperty('clipNorm');
    expect(file.identity).toEqual(identity);
    expect(checkpoints()).toEqual([2, 4, 6, 8, 10, 12].map((step) => `step-${String(step).padStart(8, '0')}`));
    expect(checkpointOf(out, 'latest')).toBe(checkpoint(12));
    expect(done(events).checkpoint).toBe(checkpoint(12));
    const trainer = JSON.parse(readFileSync(join(checkpoint(12), 'trainer.json'), 'utf8'));
    expect(trainer.weightsSha256).toBe(done(events).weightsSha256);
    expect(Object.keys(trainer.files).sort()).toEqual([
      'generator/config.json',
      'generator/model.safetensors',
      'trainer.safetensors',
    ]);
  });

  it('points `best` at the lowest held-out loss', async () => {
    const losses = new Map<number, number>();
    for (const event of await run()) if (event.type === 'evaluation') losses.set(event.step, event.heldOut.totalLoss);
    expect([...losses.keys()]).toEqual([4, 8, 12]);
    const [best] = [...losses].sort((a, b) => a[1] - b[1])[0];
    expect(checkpointOf(out, 'best')).toBe(checkpoint(best));
  });

  it('keeps the newest checkpoints and the best, and prunes the others', async () => {
    // All evaluations but the first ask for wrong answers, so the first, at step 4, stays the best.
    let batches = 0;
    const heldOut: HeldOutData = {
      ...testHeldOut,
      async batch(index) {
        const batch = await testHeldOut.batch(index);
        const maskedIds = batch.maskedIds.map((id) => (id + 1) % TEST_VOCABULARY);
        return ++batches <= testHeldOut.numBatches ? batch : { ...batch, maskedIds };
      },
    };
    await run({ keepCheckpoints: 2 }, undefined, { heldOut });
    expect(checkpointOf(out, 'best')).toBe(checkpoint(4));
    expect(checkpoints()).toEqual(['step-00000004', 'step-00000010', 'step-00000012']);
  });

  it('is not begun twice by mistake', async () => {
    await run();
    await expect(run()).rejects.toThrow(`out is ${out}, which holds a run already; set resume`);
  });

  it('has each step once in metrics.jsonl, also after a crash and a resumption', async () => {
    await run({}, 7);
    // As kill -9 leaves it: steps beyond the checkpoint, and half a line.
    const path = join(out, 'metrics.jsonl');
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"type":"step","step":8}\n{"type":"st`);
    await run({ resume: true });
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    expect(lines.filter(({ type }) => type === 'done')).toHaveLength(1);
    expect(readdirSync(out).filter((name) => name.startsWith('events.out.tfevents.'))).toHaveLength(2);
  });
});

describe('resuming', () => {
  it.each([1, 2, 5, 6, 9])('from disk after step %i ends with the same bits', async (stopAt) => {
    const whole = done(await run({ phases: 2 })).weightsSha256;
    rmSync(out, { recursive: true });
    mkdirSync(out);
    await run({ phases: 2 }, stopAt);
    expect(done(await run({ phases: 2, resume: true })).weightsSha256).toBe(whole);
  });

  it('skips a damaged checkpoint, names it, and moves it aside when its step comes again', async () => {
    const whole = done(await run()).weightsSha256;
    const weights = join(checkpoint(12), 'generator', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(weights, bytes);
    truncateSync(join(checkpoint(10), 'trainer.safetensors'), 100);
    rmSync(join(checkpoint(8), 'trainer.json'));
    const events = await run({ resume: true });
    expect(
      warnings(events).map(({ code, message }) => [code, message.replace(/SHA-256 \w+, expected \w+/, 'SHA-256 …')]),
    ).toEqual([
      [
        'damaged-checkpoint',
        `${checkpoint(12)} is not whole and was left alone: generator/model.safetensors has SHA-256 …`,
      ],
      ['damaged-checkpoint', expect.stringMatching(/step-00000010 .*trainer.safetensors has 100 bytes, expected \d+/)],
      ['damaged-checkpoint', `${checkpoint(8)} is not whole and was left alone: ${checkpoint(8)} has no trainer.json`],
    ]);
    expect(events[0]).toMatchObject({ type: 'started', step: 6, resumedFrom: checkpoint(6) });
    expect(done(events).weightsSha256).toBe(whole);
    expect(checkpoints().filter((name) => name.includes('damaged'))).toEqual([
      'step-00000008.damaged-1',
      'step-00000010.damaged-1',
      'step-00000012.damaged-1',
    ]);
  });

  it('names and ignores a checkpoint whose writing was not finished', async () => {
    await run({}, 4);
    cpSync(checkpoint(4), join(out, 'checkpoints', '.writing-step-00000006'), { recursive: true });
    const events = await run({ resume: true });
    expect(warnings(events).map(({ message }) => message)).toEqual([
      expect.stringContaining('.writing-step-00000006 is not whole'),
    ]);
    expect(events[0]).toMatchObject({ step: 4 });
    expect(checkpoints().filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('points to the newest checkpoint although the process died before it had', async () => {
    await run();
    writeFileSync(join(out, 'latest'), 'step-00000010\n');
    await run({ resume: true });
    expect(checkpointOf(out, 'latest')).toBe(checkpoint(12));
  });

  it('refuses another vocabulary or corpus, naming both', async () => {
    await run({}, 4);
    await expect(run({ resume: true, identity: { ...identity, vocabSize: 9 } })).rejects.toThrow(
      'vocabSize is 7 in the checkpoint and 9 now. Resume with the data and settings that the run began with',
    );
    await expect(run({ resume: true, identity: { ...identity, corpus: 'xyz' } })).rejects.toThrow(
      'corpus is def in the checkpoint and xyz now',
    );
  });
});

describe('a full disk', () => {
  it('while writing a checkpoint ends the run with that message and leaves earlier checkpoints as they were', async () => {
    const actual = vi.mocked(durable.writeFileDurably).getMockImplementation()!;
    vi.mocked(durable.writeFileDurably).mockImplementation(async (path, chunks) => {
      if (path.includes('.writing-step-00000006') && path.endsWith('trainer.safetensors')) {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      return actual(path, chunks);
    });
    try {
      await expect(run()).rejects.toThrow(
        /step-00000006 could not be written: the disk is full. Earlier checkpoints are untouched/,
      );
    } finally {
      vi.mocked(durable.writeFileDurably).mockImplementation(actual);
    }
    expect(checkpoints()).toEqual(['step-00000002', 'step-00000004']);
    expect(checkpointOf(out, 'latest')).toBe(checkpoint(4));
    expect(existsSync(join(out, 'best'))).toBe(true);
    const resumed = await run({ resume: true });
    expect(done(resumed).step).toBe(12);
  });
});

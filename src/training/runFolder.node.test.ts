import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkpointOf, readRunFile } from '../checkpoint/runFile.node.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import * as durable from '../files/durableFile.node.js';
import { LOCK_FILE } from '../files/folderLock.node.js';
import type { HeldOutData } from '../pretraining/heldOut.js';
import { type PretrainDependencies, pretrain } from '../pretraining/pretrain.js';
import { resolvePretrainingSettings } from '../pretraining/settings.js';
import type { DoneEvent, TrainingEvent, WarningEvent } from './events.js';
import { RunFolder } from './runFolder.node.js';
import { logged, RunLog } from './runLog.node.js';
import { TEST_VOCABULARY, testData, testHeldOut, testObjective } from './testObjective.js';

vi.mock('../files/durableFile.node.js', async (original) => {
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
  more: Partial<PretrainDependencies> = {},
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
    ...more,
  };
  const events: TrainingEvent[] = [];
  try {
    for await (const event of logged(log, stop.signal, (signal) => pretrain(settings, { ...dependencies, signal }))) {
      events.push(event);
      if (event.type === 'step' && event.step === stopAt) stop.abort();
    }
  } finally {
    store.close();
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
    for (const event of await run()) if (event.type === 'evaluation') losses.set(event.step, event.score);
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
    await expect(run()).rejects.toThrow(`out is ${out}, which holds a run already; add resume: true`);
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

  const damage = (step: number) => truncateSync(join(checkpoint(step), 'trainer.safetensors'), 10);

  it('refuses to begin anew when every checkpoint is damaged, naming each and the reason', async () => {
    await run({}, 4);
    damage(2);
    rmSync(join(checkpoint(4), 'generator', 'model.safetensors'));
    await expect(run({ resume: true })).rejects.toThrow(
      new RegExp(
        `no checkpoint in ${join(out, 'checkpoints')} is whole: step-00000004: generator/model.safetensors is missing; ` +
          'step-00000002: trainer.safetensors has 10 bytes, expected \\d+. Put one back from a copy and resume again',
      ),
    );
    expect(checkpoints()).toEqual(['step-00000002', 'step-00000004']);
    expect(existsSync(join(out, LOCK_FILE))).toBe(false);
  });

  it('refuses to begin anew when the checkpoints are gone', async () => {
    await run({}, 4);
    for (const name of checkpoints()) rmSync(join(out, 'checkpoints', name), { recursive: true });
    await expect(run({ resume: true })).rejects.toThrow(
      `${join(out, 'latest')} names step-00000004, and there is no checkpoint in ${join(out, 'checkpoints')}`,
    );
  });

  it('begins anew, and says so, where the run died before its first checkpoint', async () => {
    const whole = done(await run()).weightsSha256;
    rmSync(out, { recursive: true });
    mkdirSync(out);
    await run({}, 1);
    // As kill -9 leaves it in the middle of the first checkpoint.
    renameSync(checkpoint(1), join(out, 'checkpoints', '.writing-step-00000001'));
    for (const pointer of ['latest', 'best']) rmSync(join(out, pointer));
    const events = await run({ resume: true });
    expect(warnings(events).map(({ code }) => code)).toEqual(['damaged-checkpoint', 'nothing-to-resume']);
    expect(events[0]).toMatchObject({ type: 'started', step: 0 });
    expect(done(events).weightsSha256).toBe(whole);
  });

  it('goes on from the newest checkpoint there is when the one that `latest` names is gone', async () => {
    await run({}, 4);
    rmSync(checkpoint(4), { recursive: true });
    expect(() => checkpointOf(out, 'latest')).toThrow(
      `${join(out, 'latest')} names step-00000004, and there is no such checkpoint in ${join(out, 'checkpoints')}`,
    );
    expect((await run({ resume: true }))[0]).toMatchObject({ step: 2 });
  });

  it('does not follow a pointer out of the folder', async () => {
    await run({}, 4);
    writeFileSync(join(out, 'latest'), '../..\n');
    expect(() => checkpointOf(out, 'latest')).toThrow('names ../.., and there is no such checkpoint');
  });

  it('refuses a run and a checkpoint of another version, naming both versions', async () => {
    await run({}, 2);
    const change = (path: string, more: object) =>
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...more }));
    change(join(checkpoint(2), 'trainer.json'), { version: 9 });
    await expect(run({ resume: true })).rejects.toThrow(/step-00000002: .*trainer.json is of version 9, expected 1/);
    change(join(out, 'run.json'), { version: 9 });
    await expect(run({ resume: true })).rejects.toThrow(
      `${join(out, 'run.json')} has format pleiad-run 9, expected pleiad-run 2. Resume it with the version of Pleiad that began it`,
    );
    change(join(out, 'run.json'), { version: 2, settings: 'none' });
    await expect(run({ resume: true })).rejects.toThrow(/run\.json is damaged: settings: /);
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

describe('a run folder that another process takes', () => {
  it('is refused while the run is in it', async () => {
    const objective = testObjective();
    const settings = resolvePretrainingSettings({ ...given, out });
    const details = { given: { ...given, out }, settings, identity };
    const store = await RunFolder.open(out, { objective: 'test', models: objective.models }, details);
    await expect(run({ resume: true })).rejects.toThrow(`${out} is in use by process ${process.pid} on `);
    store.close();
    await run({ resume: true });
    expect(existsSync(join(out, LOCK_FILE))).toBe(false);
  });

  it('is not written to any more', async () => {
    const lock = join(out, LOCK_FILE);
    const taken = run({}, undefined, {
      heldOut: {
        ...testHeldOut,
        // The first evaluation comes with step 4, before its checkpoint.
        batch(index) {
          writeFileSync(
            lock,
            JSON.stringify({ ...JSON.parse(readFileSync(lock, 'utf8')), id: 'x', pid: 1, host: 'h' }),
          );
          return testHeldOut.batch(index);
        },
      },
    });
    await expect(taken).rejects.toThrow(`${out} is in use by process 1 on h`);
    expect(checkpoints()).toEqual(['step-00000002']);
    expect(JSON.parse(readFileSync(lock, 'utf8')).id).toBe('x');
  });
});

describe('a log that cannot be written', () => {
  /** Puts a folder in the log's place after the first evaluation. */
  const inTheWay = (): HeldOutData => ({
    ...testHeldOut,
    batch(index) {
      rmSync(join(out, 'metrics.jsonl'), { recursive: true, force: true });
      mkdirSync(join(out, 'metrics.jsonl'));
      return testHeldOut.batch(index);
    },
  });

  it('ends the run with a checkpoint, naming the file and the reason, and the run can be resumed', async () => {
    const whole = done(await run()).weightsSha256;
    rmSync(out, { recursive: true });
    mkdirSync(out);
    await expect(run({}, undefined, { heldOut: inTheWay() })).rejects.toThrow(
      `${join(out, 'metrics.jsonl')} could not be written: a folder is in the way. Choose another folder, or remove what is in the way, then resume the run. The newest checkpoint is ${checkpoint(4)}`,
    );
    expect(checkpoints()).toEqual(['step-00000002', 'step-00000004']);
    await expect(run({ resume: true })).rejects.toThrow('metrics.jsonl could not be written: a folder is in the way');
    rmSync(join(out, 'metrics.jsonl'), { recursive: true });
    expect(done(await run({ resume: true })).weightsSha256).toBe(whole);
  });

  it('tells of the checkpoint too when that could not be written either', async () => {
    const actual = vi.mocked(durable.writeFileDurably).getMockImplementation()!;
    vi.mocked(durable.writeFileDurably).mockImplementation(async (path, chunks) => {
      if (path.includes('.writing-step-00000004')) throw Object.assign(new Error(), { code: 'ENOSPC' });
      return actual(path, chunks);
    });
    try {
      await expect(run({}, undefined, { heldOut: inTheWay() })).rejects.toThrow(
        /metrics\.jsonl could not be written: .*\. Then .*step-00000004 could not be written: the disk is full/,
      );
    } finally {
      vi.mocked(durable.writeFileDurably).mockImplementation(actual);
    }
    expect(checkpoints()).toEqual(['step-00000002']);
  });
});

describe('a clock that was set back', () => {
  it('leaves the event files of a run in the order of its sessions', async () => {
    const names = () => readdirSync(out).filter((name) => name.startsWith('events.'));
    const started = { type: 'started', step: 0, objective: 'test', engine: '', numParameters: 0 } as const;
    const session = async (clock: number) => {
      const before = new Set(names());
      await new RunLog(out, () => clock).record(started);
      return names().find((name) => !before.has(name))!;
    };
    const sessions = [
      await session(2_000_000_000_000),
      await session(1_900_000_000_000),
      await session(2_000_000_000_999),
    ];
    expect(sessions).toEqual([...sessions].sort());
    expect(new Set(sessions).size).toBe(3);
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
        /step-00000006 could not be written: the disk is full. Make room, then resume the run: earlier checkpoints are/,
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

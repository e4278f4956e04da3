import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { Pauses } from './pauses.js';
import type { Side, Standing } from './side.js';
import { missingMarks, PointFile, runCell } from './speedrun.js';
import { Stopwatch } from './stopwatch.js';

const folder = temporaryFolder('speedrun');
afterAll(() => folder.remove());
const path = join(folder.path, 'results.jsonl');
beforeEach(() => rmSync(path, { force: true }));

const MINUTE = 60_000;
const KEY = { cell: 'pleiad-short', budget: 5, seed: 0, threads: 1 } as const;
const MODELS = { generator: 'g', discriminator: 'd' };

/** Trains a minute and a bit at a time; remembers what it was asked for. */
class FakeSide implements Side {
  readonly pids = [];
  readonly asked: number[] = [];
  isClosed = false;

  constructor(
    private elapsedMs = 0,
    private readonly endsAt = 5.2 * MINUTE,
  ) {}

  async standing(): Promise<Standing | undefined> {
    return this.elapsedMs === 0 ? undefined : this.#standing();
  }

  #standing(): Standing {
    const { elapsedMs } = this;
    return { elapsedMs, steps: elapsedMs, tokens: 1, engine: 'e', isOver: elapsedMs >= this.endsAt, models: MODELS };
  }

  async trainUntil(ms: number, signal?: AbortSignal): Promise<Standing> {
    this.asked.push(ms);
    if (!signal?.aborted) this.elapsedMs = Math.min(this.endsAt, ms + 100);
    return this.#standing();
  }

  close(): void {
    this.isClosed = true;
  }
}

const measure = async () => ({ loss: 5, accuracy: 0.2, auc: 0.6 });
const run = (side: FakeSide, signal?: AbortSignal) =>
  runCell(KEY, { results: new PointFile(path), measure, open: async () => side, signal, tell: () => {} });
const marks = () => new PointFile(path).of(KEY).map(({ mark }) => mark);

describe('a cell', () => {
  it('is trained from mark to mark, the last of which is its own end', async () => {
    const side = new FakeSide();
    await run(side);
    expect(side.asked).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE, Number.MAX_SAFE_INTEGER]);
    expect(marks()).toEqual([1, 2, 3, 5]);
    const points = new PointFile(path).of(KEY);
    expect(points.map(({ minutes }) => minutes)).toEqual([1, 2, 3].map((mark) => mark + 100 / MINUTE).concat(5.2));
    expect(points[0]).toMatchObject({ ...KEY, loss: 5, accuracy: 0.2, auc: 0.6, engine: 'e' });
    expect(side.isClosed).toBe(true);
  });

  it('is not opened again when all was measured', async () => {
    await run(new FakeSide());
    const before = readFileSync(path, 'utf8');
    const again = new FakeSide();
    await run(again);
    expect(again.asked).toEqual([]);
    expect(again.isClosed).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('is measured first where its run stands at a mark that has no line', async () => {
    const side = new FakeSide(2 * MINUTE + 5);
    await run(side);
    expect(side.asked).toEqual([3 * MINUTE, Number.MAX_SAFE_INTEGER]);
    expect(marks()).toEqual([2, 3, 5]);
  });

  it('goes on after an interruption, which leaves no line', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    await run(new FakeSide(), interrupt.signal);
    expect(marks()).toEqual([]);
    class Interrupted extends FakeSide {
      override async trainUntil(ms: number): Promise<Standing> {
        const standing = await super.trainUntil(ms);
        return ms > 2 * MINUTE ? { ...standing, elapsedMs: 2.5 * MINUTE } : standing;
      }
    }
    await run(new Interrupted());
    expect(marks()).toEqual([1, 2]);
    const side = new FakeSide(2.5 * MINUTE);
    await run(side);
    expect(side.asked).toEqual([3 * MINUTE, Number.MAX_SAFE_INTEGER]);
    expect(marks()).toEqual([1, 2, 3, 5]);
  });

  it('of another length, seed or number of threads has points of its own', async () => {
    await run(new FakeSide());
    const results = new PointFile(path);
    for (const other of [{ budget: 3 }, { seed: 1 }, { threads: 2 }, { cell: 'torch-short' as const }])
      expect(results.of({ ...KEY, ...other })).toEqual([]);
    expect(missingMarks({ ...KEY, budget: 3 }, [])).toEqual([1, 2, 3]);
  });
});

describe('a clock with pauses', () => {
  it('stands still while the process was stopped', () => {
    let time = 100;
    const pauses = new Pauses(() => time, 1e6);
    time += 30;
    expect(pauses.now()).toBe(130);
    process.emit('SIGCONT');
    // Awake last when it began: all since then counts as stopped.
    expect(pauses.now()).toBe(100);
    time += 5;
    expect(pauses.now()).toBe(105);
    pauses.close();
    process.emit('SIGCONT');
    expect(pauses.now()).toBe(105);
  });
});

describe('a stopwatch', () => {
  it('counts the time between start and stop alone', () => {
    let time = 1000;
    const watch = new Stopwatch(() => time);
    expect(watch.now()).toBe(0);
    watch.start();
    time += 50;
    expect(watch.now()).toBe(50);
    watch.stop();
    watch.stop();
    time += 500;
    watch.start();
    watch.start();
    time += 7;
    expect(watch.now()).toBe(57);
  });
});

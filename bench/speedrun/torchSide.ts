/** A cell that PyTorch + transformers trains (peers/electra_run.py), from the rows, settings and starting weights of a run of Pleiad. */
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createBatchSource } from '../../src/data/batches.js';
import type { ShardFolder } from '../../src/data/shards.node.js';
import { rowsAt, stagesOf } from '../../src/pretraining/runSchedule.js';
import type { PretrainingSettings } from '../../src/pretraining/settings.js';
import { PythonPeer } from '../pythonPeer.js';
import type { Side, Standing } from './side.js';
import { writeStartingModels } from './startingModels.js';

export interface TorchOptions {
  /** What Pleiad's run of the recipe has. */
  readonly settings: PretrainingSettings;
  readonly shards: ShardFolder;
  readonly out: string;
  readonly budgetMs: number;
  readonly precision: 'auto' | 'fp32' | 'bf16';
  readonly threads: number;
  readonly python?: string;
}

/** Rows are written so many at a time. */
const PART = 1024;

/**
 * Writes an epoch of rows of a length in the order in which the run of the settings sees it: uint16, little-endian, [rows, length].
 * @returns the number of rows
 */
export function writeRows(shards: ShardFolder, settings: PretrainingSettings, length: number, path: string): number {
  const { seed, segments } = settings;
  const source = createBatchSource({ shards, length, batchSize: rowsAt(settings, length), segments, seed });
  const file = openSync(path, 'w');
  try {
    for (let at = 0; at < source.numBlocks; at += PART) {
      const { inputIds } = source.from(at, Math.min(PART, source.numBlocks - at));
      const bytes = Buffer.alloc(2 * inputIds.length);
      inputIds.forEach((id, i) => bytes.writeUInt16LE(id, 2 * i));
      writeSync(file, bytes);
    }
  } finally {
    closeSync(file);
  }
  return source.numBlocks;
}

interface Answer {
  readonly elapsedMs: number;
  readonly steps: number;
  readonly tokens: number;
  readonly precision: string;
  readonly torch: string;
  readonly isOver: boolean;
  readonly hasModels: boolean;
}

export class TorchSide implements Side {
  readonly #peer: PythonPeer;
  readonly #run: string;

  private constructor(peer: PythonPeer, run: string) {
    this.#peer = peer;
    this.#run = run;
  }

  /** Writes what it begins with where that is not there yet. @throws PleiadError when Python or torch is missing */
  static async start(options: TorchOptions): Promise<TorchSide> {
    const { out, threads, python } = options;
    const plan = join(out, 'plan.json');
    if (!existsSync(plan)) await writePlan(options, plan);
    const run = join(out, 'run');
    const words = ['--plan', plan, '--run', run, '--threads', `${threads}`];
    return new TorchSide(await PythonPeer.start({ python, script: 'electra_run.py', words }), run);
  }

  get pids(): number[] {
    return [process.pid, this.#peer.pid];
  }

  async standing(): Promise<Standing | undefined> {
    const answer = await this.#peer.ask<Answer>('where');
    return answer.steps === 0 ? undefined : this.#standingOf(answer);
  }

  #standingOf({ elapsedMs, steps, tokens, precision, torch, isOver, hasModels }: Answer): Standing {
    const models = { generator: join(this.#run, 'generator'), discriminator: join(this.#run, 'discriminator') };
    const engine = `torch ${torch}, ${precision === 'bf16' ? 'bf16 autocast' : precision}`;
    return { elapsedMs, steps, tokens, engine, isOver, ...(hasModels && { models }) };
  }

  async trainUntil(ms: number, signal?: AbortSignal): Promise<Standing> {
    const interrupt = () => this.#peer.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      return this.#standingOf(await this.#peer.ask<Answer>(`train ${ms}`));
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
  }

  close(): void {
    this.#peer.stop();
  }
}

/** The plan last: where it is, all that it names is. */
async function writePlan({ settings, shards, out, budgetMs, precision }: TorchOptions, path: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const start = await writeStartingModels(settings, shards, resolve(out, 'start'));
  const rows = stagesOf(settings).map(({ length, begins }) => {
    const file = resolve(out, `rows-${length}.bin`);
    return { length, begins, path: file, count: writeRows(shards, settings, length, file) };
  });
  const { seed } = settings;
  const plan = { seed, budgetMs, precision, start, rows, specialIds: shards.specialIds, settings };
  writeFileSync(path, `${JSON.stringify(plan, null, 2)}\n`);
}

/** A cell that Pleiad trains: sessions of one run, each ended at the time that is asked for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointOf, hasCheckpoint, readRunFile } from '../../src/checkpoint/runFile.node.js';
import { readTrainerFile } from '../../src/checkpoint/trainerFile.node.js';
import { pretrainToFolder } from '../../src/pretraining/pretrain.node.js';
import type { PretrainingInput } from '../../src/pretraining/settings.js';
import { say } from '../report.js';
import { Pauses } from './pauses.js';
import type { Side, Standing } from './side.js';
import { Stopwatch } from './stopwatch.js';

/** Warnings that say nothing of this run: it is resumed many times, and ends by its time. */
const EXPECTED = ['nothing-to-resume', 'nothing-trained', 'time-exceeded'];

export class PleiadSide implements Side {
  readonly pids = [process.pid];
  readonly #input: Partial<PretrainingInput>;
  readonly #run: string;
  #isOver = false;

  /** @param input  settings of the run, with `time` */
  constructor(input: Partial<PretrainingInput> & { readonly out: string }) {
    this.#input = {
      ...input,
      resume: true,
      evaluateEvery: 1e9,
      evaluateBatches: 1,
      checkpointEvery: 50,
      keepCheckpoints: 1,
      logEvery: 1,
    };
    this.#run = input.out;
  }

  async standing(): Promise<Standing | undefined> {
    if (!existsSync(this.#run) || !hasCheckpoint(this.#run)) return undefined;
    const checkpoint = checkpointOf(this.#run, 'latest');
    const { step, totalSteps, tokensSeen, elapsedMs } = readTrainerFile(checkpoint).progress;
    const { engine } = readRunFile(this.#run)!;
    return {
      elapsedMs,
      steps: step,
      tokens: tokensSeen,
      engine: engine ? `${engine.name}, ${engine.precision}` : 'unknown engine',
      isOver: this.#isOver || step === totalSteps,
      models: { generator: join(checkpoint, 'generator'), discriminator: join(checkpoint, 'discriminator') },
    };
  }

  async trainUntil(ms: number, signal?: AbortSignal): Promise<Standing> {
    const end = new AbortController();
    const interrupt = () => end.abort();
    signal?.addEventListener('abort', interrupt);
    if (signal?.aborted) end.abort();
    const pauses = new Pauses();
    const watch = new Stopwatch(pauses.now);
    try {
      for await (const event of pretrainToFolder(this.#input, { signal: end.signal, now: watch.now })) {
        // Loading and compiling before it, writing after the end of it: neither is training.
        if (event.type === 'started') watch.start();
        if (event.type === 'step' && event.elapsedMs >= ms) end.abort();
        if (end.signal.aborted) watch.stop();
        if (event.type === 'warning' && !EXPECTED.includes(event.code)) say(`${event.message}. ${event.advice}`);
        if (event.type === 'done') this.#isOver = !event.interrupted;
      }
    } finally {
      pauses.close();
      signal?.removeEventListener('abort', interrupt);
    }
    return (await this.standing())!;
  }

  close(): void {}
}

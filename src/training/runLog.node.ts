/** The logs of a run, written from its events: metrics.jsonl, one event a line, and TensorBoard event files. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PleiadError, WriteError } from '../errors/errors.js';
import { unwritable, writeFileDurably } from '../files/durableFile.node.js';
import { encodeFileStart, encodeScalars } from '../formats/tensorboardEvents.js';
import type { TrainingEvent } from './events.js';

/** Listens to a run; see `record`. */
export class RunLog {
  readonly #metrics: string;
  #events: string | undefined;

  constructor(
    private readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#metrics = join(folder, 'metrics.jsonl');
  }

  /** @throws WriteError naming the file */
  async record(event: TrainingEvent): Promise<void> {
    if (event.type === 'started') await this.#start(event.step);
    append(this.#metrics, `${JSON.stringify({ ...event, time: new Date(this.now()).toISOString() })}\n`);
    const scalars = scalarsOf(event);
    if (this.#events && Object.keys(scalars).length > 0) {
      append(this.#events, encodeScalars(this.now(), event.step, scalars));
    }
  }

  /** Events after the checkpoint that a run goes on from happen again: their lines are dropped. */
  async #start(step: number): Promise<void> {
    await this.#forgetAfter(step);
    const path = join(this.folder, eventFileName(this.#startSeconds()));
    append(path, encodeFileStart(this.now(), step + 1));
    this.#events = path;
  }

  async #forgetAfter(step: number): Promise<void> {
    if (!existsSync(this.#metrics)) return;
    let text: string;
    try {
      text = readFileSync(this.#metrics, 'utf8');
    } catch (cause) {
      throw unwritable(this.#metrics, cause, 'then resume the run');
    }
    await writeFileDurably(this.#metrics, linesUpTo(step, text));
  }

  /**
   * TensorBoard reads all files of a folder in the order of their names, which begin with a second: this session's comes
   * after all others, also when it began within the same second or the clock was set back.
   */
  #startSeconds(): number {
    const earlier = readdirSync(this.folder).flatMap((name) => EVENT_FILE.exec(name)?.[1] ?? []);
    return earlier.reduce((last, seconds) => Math.max(last, Number(seconds) + 1), Math.floor(this.now() / 1000));
  }
}

const EVENT_FILE = /^events\.out\.tfevents\.(\d{10})\./;

function eventFileName(seconds: number): string {
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}`;
}

function append(path: string, data: string | Uint8Array): void {
  try {
    appendFileSync(path, data);
  } catch (cause) {
    throw unwritable(path, cause, 'then resume the run');
  }
}

/** The whole lines about steps up to `step`; an end and what a crash left half-written go. */
function linesUpTo(step: number, text: string): string[] {
  return text.split('\n').flatMap((line) => {
    try {
      const event: TrainingEvent = JSON.parse(line);
      return event.step <= step && event.type !== 'done' ? [`${line}\n`] : [];
    } catch {
      return [];
    }
  });
}

function scalarsOf(event: TrainingEvent): Record<string, number> {
  const named = (prefix: string, values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value as number]));
  if (event.type === 'evaluation') return named('heldOut', event.metrics);
  if (event.type !== 'step') return {};
  const { losses, learningRate, gradientNorm, tokensPerSecond } = event;
  return { ...named('train', { ...losses, learningRate, gradientNorm }), 'speed/tokensPerSecond': tokensPerSecond };
}

/**
 * A run with its log. When the log cannot be written, for instance on a full disk, the run ends as by a signal: after the
 * step under way, with a checkpoint if there is room for one.
 * @param signal  ends the run too
 * @param start   the run, to be ended by the signal that it is given
 * @throws WriteError naming the log file, and what became of the checkpoint; and whatever the run throws
 */
export async function* logged(
  log: RunLog,
  signal: AbortSignal | undefined,
  start: (ending: AbortSignal) => AsyncGenerator<TrainingEvent>,
): AsyncGenerator<TrainingEvent> {
  const end = new AbortController();
  let failure: WriteError | undefined;
  let checkpoint: string | undefined;
  const record = async (event: TrainingEvent) => {
    try {
      if (!failure) await log.record(event);
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      failure = error;
      end.abort();
    }
  };
  try {
    for await (const event of start(signal ? AbortSignal.any([signal, end.signal]) : end.signal)) {
      await record(event);
      if (event.type === 'checkpoint') checkpoint = event.path;
      // A run without its log is not done.
      if (!failure || event.type !== 'done') yield event;
    }
  } catch (error) {
    // Most likely the checkpoint could not be written for the same reason.
    if (!failure || !(error instanceof PleiadError)) throw error;
    throw also(failure, `Then ${error.message}`);
  }
  if (failure) throw also(failure, checkpoint ? `The newest checkpoint is ${checkpoint}` : 'Checkpoints are as before');
}

function also({ message, subject, found }: WriteError, more: string): WriteError {
  return new WriteError(message, { subject, found, advice: more });
}

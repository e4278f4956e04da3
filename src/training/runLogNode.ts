/** The logs of a run, written from its events: metrics.jsonl, one event a line, and TensorBoard event files. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeFileDurably } from '../checkpoint/durableFileNode.js';
import type { TrainingEvent } from './events.js';
import { encodeFileStart, encodeScalars } from './tensorboardEvents.js';

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

  async record(event: TrainingEvent): Promise<void> {
    if (event.type === 'started') await this.#start(event.step);
    appendFileSync(this.#metrics, `${JSON.stringify({ ...event, time: new Date(this.now()).toISOString() })}\n`);
    const scalars = scalarsOf(event);
    if (this.#events && Object.keys(scalars).length > 0) {
      appendFileSync(this.#events, encodeScalars(this.now(), event.step, scalars));
    }
  }

  /** What came after the checkpoint that a run goes on from is told again. */
  async #start(step: number): Promise<void> {
    if (existsSync(this.#metrics)) {
      await writeFileDurably(this.#metrics, linesUpTo(step, readFileSync(this.#metrics, 'utf8')));
    }
    // TensorBoard reads all files of a folder in the order of their names.
    const name = `events.out.tfevents.${String(Math.floor(this.now() / 1000)).padStart(10, '0')}.${hostname()}`;
    let path = join(this.folder, name);
    for (let number = 1; existsSync(path); number++) path = join(this.folder, `${name}.${number}`);
    this.#events = path;
    appendFileSync(path, encodeFileStart(this.now(), step + 1));
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
  if (event.type === 'evaluation') return named('heldOut', event.heldOut);
  if (event.type !== 'step') return {};
  const { losses, learningRate, gradientNorm, tokensPerSecond } = event;
  return { ...named('train', { ...losses, learningRate, gradientNorm }), 'speed/tokensPerSecond': tokensPerSecond };
}

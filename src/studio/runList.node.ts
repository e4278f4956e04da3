/**
 * The runs of the Studio's server: those below its folder for runs and those named at the start. They are named by ids, which
 * are looked up here and nowhere else; what a new run is called becomes a folder below the one for runs, and no other.
 */
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { hasCheckpoint, RUN_FILE, type RunFile, readRunFile } from '../checkpoint/runFile.node.js';
import { PleiadError, SettingsError } from '../errors/errors.js';
import { refuseFolderInUse } from '../files/folderLock.node.js';
import { innerPlace } from '../pretrained/modelPlaces.node.js';
import { notFound } from '../serving/servingErrors.js';
import type { TrainingEvent } from '../training/events.js';
import type { ModelPlace } from './serverModels.node.js';
import {
  NAME,
  type ProbeSentence,
  type RunEvents,
  type RunState,
  type RunSummary,
  type startRunBody,
} from './studioApi.js';
import type { StudioRuns } from './studioApp.js';
import { type RunningTraining, startTraining } from './trainingClient.node.js';
import { PROBES_FILE, type TrainingOrder } from './trainingOrder.js';

export interface RunListParts {
  /** Where new runs are made; it need not exist yet. */
  readonly out: string;
  /** Runs that were named at the start. */
  readonly named: readonly ModelPlace[];
  /** The folder of prepared text of an id; undefined for none that was named at the start. */
  dataOf(id: string): string | undefined;
  readonly threads?: number;
  /** Starts a training; another in tests. */
  readonly train?: typeof startTraining;
}

/** Of a run's log, read at once: the page asks again for what follows. */
const MOST_BYTES = 1 << 20;

export class RunList implements StudioRuns {
  readonly #parts: RunListParts;
  #training: { readonly id: string; readonly running: RunningTraining } | undefined;
  readonly #errors = new Map<string, string>();

  constructor(parts: RunListParts) {
    this.#parts = parts;
  }

  /** Folders below the one for runs, as they are now: of a folder around one run, that run. */
  below(): readonly ModelPlace[] {
    const { out } = this.#parts;
    const entries = existsSync(out) ? readdirSync(out, { withFileTypes: true }) : [];
    // A link could lead anywhere.
    const folders = entries.filter((entry) => entry.isDirectory() && NAME.test(entry.name));
    return folders.map(({ name }) => ({ id: name, folder: runWithin(join(out, name)) }));
  }

  /** Runs with their folders. */
  places(): readonly ModelPlace[] {
    const { named } = this.#parts;
    const taken = new Set(named.map(({ id }) => id));
    const own = this.below().filter(({ id }) => !taken.has(id));
    return [...named, ...own.filter(({ folder }) => existsSync(join(folder, RUN_FILE)))];
  }

  async list(): Promise<readonly RunSummary[]> {
    const all = await Promise.all(this.places().map((place) => this.#summary(place)));
    return all.flatMap((run) => run ?? []).sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  async events(id: string, cursor: string | undefined): Promise<RunEvents> {
    const place = this.#place(id);
    const read = readLog(join(place.folder, 'metrics.jsonl'), cursor);
    return { ...read, run: await this.#required(place), probes: readProbes(place.folder) };
  }

  async start({ name, source, settings }: z.output<typeof startRunBody>): Promise<RunSummary> {
    this.#refuseSecond();
    const out = this.newFolder(name);
    this.#errors.delete(name);
    const order = { out, settings: given(settings) };
    if ('text' in source) await this.#train(name, { kind: 'text', ...order, ...source });
    else await this.#train(name, { kind: 'data', ...order, data: this.#data(source.data) });
    return this.#required(this.#place(name));
  }

  /** @throws SettingsError where something of that name is already */
  newFolder(name: string): string {
    const folder = join(this.#parts.out, name);
    // Whatever stands there, a link that leads nowhere included.
    const isTaken = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
    if (isTaken || this.places().some(({ id }) => id === name)) {
      throw new SettingsError([`there is ${JSON.stringify(name)} already; give another name`]);
    }
    return folder;
  }

  async stop(id: string): Promise<RunSummary> {
    const place = this.#place(id);
    if (this.#training?.id !== id) {
      throw new SettingsError([`${id} is not trained by this server, which therefore cannot stop it`]);
    }
    const { running } = this.#training;
    running.stop();
    await running.ended;
    return this.#required(place);
  }

  async resume(id: string, more: string | undefined): Promise<RunSummary> {
    this.#refuseSecond();
    const place = this.#place(id);
    await refuseFolderInUse(place.folder);
    this.#errors.delete(id);
    await this.#train(id, { kind: 'resume', out: place.folder, ...(more !== undefined && { more }) });
    return this.#required(place);
  }

  /** Ends what is being trained, with a checkpoint. */
  async close(): Promise<void> {
    this.#training?.running.stop();
    await this.#training?.running.ended;
  }

  async #train(id: string, order: TrainingOrder): Promise<void> {
    const { threads, train = startTraining } = this.#parts;
    const running = train({ order, threads });
    this.#training = { id, running };
    void running.ended.then((error) => {
      if (error) this.#errors.set(id, error.message);
      if (this.#training?.running === running) this.#training = undefined;
    });
    await running.begun;
  }

  #refuseSecond(): void {
    if (!this.#training) return;
    throw new SettingsError([
      `${this.#training.id} is being trained; stop it first: two at once would each be half as fast`,
    ]);
  }

  #data(id: string): string {
    const folder = this.#parts.dataOf(id);
    if (folder === undefined) throw notFound(`there is no prepared text ${JSON.stringify(id)}`);
    return folder;
  }

  #place(id: string): ModelPlace {
    const place = this.places().find((each) => each.id === id);
    if (!place) throw notFound(`there is no run ${JSON.stringify(id)}`);
    return place;
  }

  async #required(place: ModelPlace): Promise<RunSummary> {
    const run = await this.#summary(place);
    if (!run) throw new PleiadError(`${place.folder} holds no run that can be read`, { subject: place.folder });
    return run;
  }

  async #summary({ id, folder }: ModelPlace): Promise<RunSummary | undefined> {
    const file = readable(folder);
    if (!file) return undefined;
    const { step = 0, isDone, totalSteps } = standing(folder);
    const { objective, size, steps } = file.settings as { objective?: string; size?: string; steps?: number };
    const planned = steps ?? (file as { plannedSteps?: number }).plannedSteps ?? totalSteps;
    const error = this.#errors.get(id);
    return {
      id,
      state: await this.#state(id, folder, isDone),
      objective: objective ?? 'unknown',
      ...(size !== undefined && { size }),
      step,
      ...(planned !== undefined && { totalSteps: planned }),
      startedAt: file.startedAt,
      ...(error !== undefined && { error }),
      isModel: hasCheckpoint(folder),
    };
  }

  async #state(id: string, folder: string, isDone: boolean): Promise<RunState> {
    if (this.#training?.id === id) return 'training';
    const isFree = await refuseFolderInUse(folder).then(
      () => true,
      () => false,
    );
    if (!isFree) return 'elsewhere';
    return isDone ? 'finished' : 'stopped';
  }
}

/** `runs/quickstart` with `runs/quickstart/run` in it stands for that. */
function runWithin(folder: string): string {
  if (existsSync(join(folder, RUN_FILE))) return folder;
  try {
    return innerPlace(folder);
  } catch {
    return folder; // of several runs none is meant
  }
}

/** Settings that the page gave; what it left out is left to the library. */
function given(settings: z.output<typeof startRunBody>['settings']) {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function readable(folder: string): RunFile | undefined {
  try {
    return readRunFile(folder);
  } catch {
    return undefined;
  }
}

/** Where a run stands, by the end of its log. */
function standing(folder: string): { step?: number; totalSteps?: number; isDone: boolean } {
  const path = join(folder, 'metrics.jsonl');
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const events = parseLines(readPart(path, Math.max(0, size - 65_536), size));
  const last = events.at(-1);
  const step = events.findLast(({ type }) => type === 'step' || type === 'done' || type === 'checkpoint')?.step;
  const totalSteps = events.flatMap((event) => ('totalSteps' in event ? (event.totalSteps ?? []) : [])).at(-1);
  return { step, totalSteps, isDone: last?.type === 'done' && !last.interrupted };
}

/** Events from a cursor on: `FILE-BYTES`, the file's number and how much of it was read. */
export function readLog(
  path: string,
  cursor: string | undefined,
): Pick<RunEvents, 'events' | 'cursor' | 'isFromStart'> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return { events: [], cursor: '0-0', isFromStart: true };
  const [, file, bytes] = /^(\d{1,20})-(\d{1,15})$/.exec(cursor ?? '') ?? [];
  // A run that is resumed writes its log anew, as another file, without what it is going to do again.
  const isSame = file === String(stat.ino) && Number(bytes) <= stat.size;
  const from = isSame ? Number(bytes) : 0;
  const text = readPart(path, from, Math.min(stat.size, from + MOST_BYTES));
  const whole = text.subarray(0, text.lastIndexOf(10) + 1);
  return { events: parseLines(whole), cursor: `${stat.ino}-${from + whole.length}`, isFromStart: !isSame };
}

function readPart(path: string, from: number, to: number): Uint8Array {
  if (to <= from) return new Uint8Array();
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(to - from);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}

/** Half a line at either end is left out. */
function parseLines(bytes: Uint8Array): TrainingEvent[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as TrainingEvent];
      } catch {
        return [];
      }
    });
}

function readProbes(folder: string): ProbeSentence[] {
  const path = join(folder, PROBES_FILE);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
}

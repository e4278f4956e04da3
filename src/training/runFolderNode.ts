/**
 * The folder of a run: run.json, checkpoints, and the pointers `latest` and `best` (text files with a checkpoint's name,
 * as symbolic links need a privilege on Windows).
 *
 * A checkpoint is written under a temporary name, flushed and renamed: under its final name it is whole, whenever the
 * process or the machine dies.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, reasonOf, syncFolder, writeFileDurably } from '../checkpoint/durableFileNode.js';
import { CheckpointError, SettingsError } from '../errors.js';
import { VERSION } from '../version.js';
import type { CheckpointStore, FoundCheckpoint, SavedCheckpoint, Snapshot } from './checkpoint.js';
import {
  type CheckpointContents,
  checkIdentity,
  readSnapshot,
  readTrainerFile,
  type TrainerFile,
  verifyCheckpoint,
  writeCheckpointFiles,
} from './checkpointFolderNode.js';
import type { PretrainingInput, PretrainingSettings } from './settings.js';

const RUN_FILE = 'run.json';
const RUN_VERSION = 1;
const FINISHED = /^step-\d{8,}$/;
/** Half-written or half-removed: no checkpoint is ever looked for under such a name. */
const TEMPORARY = /^\.(writing|removing)-/;

/** The content of run.json. */
export interface RunFile {
  readonly format: 'pleiad-run';
  readonly version: number;
  readonly pleiad: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** As the user gave them: what a resumed run starts from. */
  readonly given: Partial<PretrainingInput>;
  /** With every default filled in. */
  readonly settings: PretrainingSettings;
  readonly identity: CheckpointContents['identity'];
  /** Steps that a time budget has become. */
  readonly plannedSteps?: number;
}

/** @returns undefined when the folder holds no run */
export function readRunFile(folder: string): RunFile | undefined {
  const path = join(folder, RUN_FILE);
  if (!existsSync(path)) return undefined;
  let run: Partial<RunFile>;
  try {
    run = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON`, {
      subject: path,
      cause,
      advice: 'Start a new run in another folder',
    });
  }
  if (run?.format !== 'pleiad-run' || run.version !== RUN_VERSION) {
    throw new CheckpointError(`${path} has format ${run?.format} ${run?.version}, expected pleiad-run ${RUN_VERSION}`, {
      subject: path,
      advice: 'Resume it with the version of Pleiad that began it, or start a new run in another folder',
    });
  }
  return run as RunFile;
}

export type RunDetails = Pick<RunFile, 'given' | 'settings' | 'identity'>;

export class RunFolder implements CheckpointStore {
  readonly path: string;
  readonly #checkpoints: string;
  readonly #contents: CheckpointContents;
  #run: RunFile;

  private constructor(path: string, contents: CheckpointContents, run: RunFile) {
    this.path = path;
    this.#checkpoints = join(path, 'checkpoints');
    this.#contents = contents;
    this.#run = run;
  }

  /**
   * Opens the folder of a run, making it when it is absent, and writes run.json.
   * @throws SettingsError when there is a run already and `resume` is not set
   */
  static async open(
    path: string,
    contents: Omit<CheckpointContents, 'identity'>,
    details: RunDetails,
    startedAt = new Date(),
  ): Promise<RunFolder> {
    const before = readRunFile(path);
    if (before && !details.settings.resume) {
      throw new SettingsError([
        `out is ${path}, which holds a run already; set resume to go on with it, or choose another folder`,
      ]);
    }
    makeFolder(join(path, 'checkpoints'));
    const run: RunFile = {
      format: 'pleiad-run',
      version: RUN_VERSION,
      pleiad: VERSION,
      startedAt: before?.startedAt ?? startedAt.toISOString(),
      ...details,
      ...(before?.plannedSteps !== undefined && { plannedSteps: before.plannedSteps }),
    };
    const folder = new RunFolder(path, { ...contents, identity: details.identity }, run);
    await folder.#writeRun();
    return folder;
  }

  async #writeRun(): Promise<void> {
    const path = join(this.path, RUN_FILE);
    try {
      await writeFileDurably(path, [`${JSON.stringify(this.#run, null, 2)}\n`]);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  async recordPlan(totalSteps: number): Promise<void> {
    this.#run = { ...this.#run, plannedSteps: totalSteps };
    await this.#writeRun();
  }

  async plannedSteps(): Promise<number | undefined> {
    return this.#run.plannedSteps;
  }

  async save(snapshot: Snapshot): Promise<SavedCheckpoint> {
    this.#removeLeftovers();
    const name = checkpointName(snapshot.progress.step);
    const temporary = join(this.#checkpoints, `.writing-${name}`);
    const path = join(this.#checkpoints, name);
    try {
      const trainer = await writeCheckpointFiles(temporary, snapshot, this.#contents);
      for (const { folder } of this.#contents.models) await syncFolder(join(temporary, folder));
      await syncFolder(temporary);
      this.#moveAside(path);
      renameSync(temporary, path);
      await syncFolder(this.#checkpoints);
      await this.#point('latest', name);
      const isBest = this.#isBest(trainer);
      if (isBest) await this.#point('best', name);
      this.#prune();
      return { path, weightsSha256: trainer.weightsSha256, isBest };
    } catch (cause) {
      rmSync(temporary, { recursive: true, force: true });
      throw unwritable(path, cause);
    }
  }

  /** What is in the way under a final name is not whole, or it would have been resumed from; it is kept to look at. */
  #moveAside(path: string): void {
    if (!existsSync(path)) return;
    let number = 1;
    while (existsSync(`${path}.damaged-${number}`)) number++;
    renameSync(path, `${path}.damaged-${number}`);
  }

  async #point(pointer: 'latest' | 'best', name: string): Promise<void> {
    await writeFileDurably(join(this.path, pointer), [`${name}\n`]);
  }

  /** A lower held-out loss than the best so far; of a later phase, whose loss is another; or nobody was ever evaluated. */
  #isBest({ progress, heldOut }: TrainerFile): boolean {
    const name = readPointer(this.path, 'best');
    const folder = name === undefined ? undefined : join(this.#checkpoints, name);
    const best = folder && tryReading(folder);
    if (!best) return true;
    if (!heldOut) return !best.heldOut;
    return !best.heldOut || progress.phase > best.progress.phase || heldOut.totalLoss < best.heldOut.totalLoss;
  }

  /** Keeps the newest, the best, and what is not whole: that is for a person to look at. */
  #prune(): void {
    const whole = this.#names().filter((name) => tryReading(join(this.#checkpoints, name)));
    const kept = new Set([
      ...whole.slice(0, this.#run.settings.keepCheckpoints),
      readPointer(this.path, 'best'),
      readPointer(this.path, 'latest'),
    ]);
    for (const name of whole.filter((candidate) => !kept.has(candidate))) {
      // Renamed first: a checkpoint under its final name is never half there.
      const doomed = join(this.#checkpoints, `.removing-${name}`);
      renameSync(join(this.#checkpoints, name), doomed);
      rmSync(doomed, { recursive: true, force: true });
    }
  }

  #removeLeftovers(): void {
    for (const name of readdirSync(this.#checkpoints).filter((entry) => TEMPORARY.test(entry))) {
      rmSync(join(this.#checkpoints, name), { recursive: true, force: true });
    }
  }

  /** Newest first. */
  #names(): string[] {
    return readdirSync(this.#checkpoints)
      .filter((name) => FINISHED.test(name))
      .sort((a, b) => stepOf(b) - stepOf(a));
  }

  async newest(onDamaged: (path: string, reason: string) => void): Promise<FoundCheckpoint | undefined> {
    for (const name of readdirSync(this.#checkpoints).filter((entry) => entry.startsWith('.writing-'))) {
      onDamaged(join(this.#checkpoints, name), 'writing it was not finished');
    }
    for (const name of this.#names()) {
      const path = join(this.#checkpoints, name);
      let trainer: TrainerFile;
      try {
        trainer = readTrainerFile(path);
        await verifyCheckpoint(path, trainer);
      } catch (error) {
        onDamaged(path, (error as Error).message);
        continue;
      }
      checkIdentity(path, trainer, this.#contents);
      // The process may have died between the checkpoint and its pointers.
      if (readPointer(this.path, 'latest') !== name) await this.#point('latest', name);
      if (readPointer(this.path, 'best') !== name && this.#isBest(trainer)) await this.#point('best', name);
      return { path, snapshot: readSnapshot(path, trainer, this.#contents.models) };
    }
    return undefined;
  }
}

function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, '0')}`;
}

function stepOf(name: string): number {
  return Number(name.slice('step-'.length));
}

function tryReading(folder: string): TrainerFile | undefined {
  try {
    return readTrainerFile(folder);
  } catch {
    return undefined;
  }
}

function readPointer(run: string, pointer: 'latest' | 'best'): string | undefined {
  const path = join(run, pointer);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/**
 * The checkpoint that a pointer of a run names.
 * @throws CheckpointError when the run has none yet, or it is gone
 */
export function checkpointOf(run: string, pointer: 'latest' | 'best'): string {
  const name = readPointer(run, pointer);
  const path = name && join(run, 'checkpoints', name);
  if (path && existsSync(path)) return path;
  throw new CheckpointError(
    name ? `${run}/${pointer} names ${name}, which is not there` : `${run} has no ${pointer} checkpoint`,
    {
      subject: run,
      found: name,
      advice: 'Give the folder of a run that has written a checkpoint',
    },
  );
}

function unwritable(path: string, cause: unknown): CheckpointError {
  return new CheckpointError(`${path} could not be written: ${reasonOf(cause)}`, {
    subject: path,
    found: (cause as NodeJS.ErrnoException)?.code,
    cause,
    advice: 'Earlier checkpoints are untouched: make room, then resume the run',
  });
}

/**
 * The folder of a run: run.json, checkpoints, and the pointers `latest` and `best` (text files with a checkpoint's name,
 * as symbolic links need a privilege on Windows).
 *
 * A checkpoint is written under a temporary name, flushed and renamed: under its final name it is whole, whenever the
 * process or the machine dies.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FINISHED, RUN_FILE, RUN_VERSION, type RunFile, readPointer, readRunFile } from '../checkpoint/runFile.node.js';
import { readTrainerFile, type TrainerFile, verifyCheckpoint } from '../checkpoint/trainerFile.node.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { makeFolder, syncFolder, unwritable, writeFileDurably } from '../files/durableFile.node.js';
import { FolderLock } from '../files/folderLock.node.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { VERSION } from '../version.js';
import type { CheckpointStore, FoundCheckpoint, SavedCheckpoint, Snapshot } from './checkpoint.js';
import { type CheckpointContents, checkIdentity, readSnapshot, writeCheckpointFiles } from './checkpointFolder.node.js';
import { isBetterCheckpoint } from './evaluation.js';
import { type Extension, withLimits } from './extension.js';
import type { StartRecord } from './start.js';
import type { TrainingSettings } from './trainingSettings.js';

/** Half-written or half-removed: no checkpoint is ever looked for under such a name. */
const TEMPORARY = /^\.(writing|removing)-/;

/** Settings of whatever is trained, as a run folder keeps them. */
export interface FolderSettings extends Pick<TrainingSettings, 'resume' | 'steps' | 'time' | 'timeMs'> {
  /** Newest checkpoints to keep, besides the best. */
  readonly keepCheckpoints: number;
}

/** What a training writes to run.json; G: settings as given, S: with every default filled in. */
export interface TrainingRunFile<
  G extends object = Pick<TrainingSettings, 'steps' | 'time'>,
  S extends object = FolderSettings,
> extends RunFile {
  /** As the user gave them: what a resumed run starts from. */
  readonly given: G;
  /** With every default filled in. */
  readonly settings: S;
  /** Steps that a time budget has become. */
  readonly plannedSteps?: number;
  /** What it was given more, the last time: `given` and `settings` have its steps and time since. */
  readonly extension?: Extension;
  /** Steps and time as the run began with them, where it was given more since. */
  readonly began?: Pick<TrainingSettings, 'steps' | 'time'>;
  /** What the run began with, when that was not random weights alone. */
  readonly start?: StartRecord;
}

export type RunDetails = Pick<TrainingRunFile, 'given' | 'settings' | 'identity' | 'engine' | 'start'>;

export class RunFolder implements CheckpointStore {
  readonly path: string;
  readonly #checkpoints: string;
  readonly #contents: CheckpointContents;
  readonly #lock: FolderLock;
  #run: TrainingRunFile;

  private constructor(path: string, contents: CheckpointContents, lock: FolderLock, run: TrainingRunFile) {
    this.path = path;
    this.#checkpoints = join(path, 'checkpoints');
    this.#contents = contents;
    this.#lock = lock;
    this.#run = run;
  }

  /**
   * Opens the folder of a run, making it when it is absent, and writes run.json. Until `close`, no other process can.
   * @throws SettingsError when there is a run already and `resume` is not set
   * @throws FolderInUseError when another process works in it; WriteError when nothing can be written there
   */
  static async open(
    path: string,
    contents: Omit<CheckpointContents, 'identity'>,
    details: RunDetails,
    startedAt = new Date(),
  ): Promise<RunFolder> {
    makeFolder(path);
    const lock = await FolderLock.acquire(path);
    try {
      const before = readRunFile<TrainingRunFile>(path);
      if (before && !details.settings.resume) {
        throw new SettingsError([
          `${settingName('out')} is ${path}, which holds a run already; add ${settingWith('resume', true)} to go on with it, or choose another folder`,
        ]);
      }
      makeFolder(join(path, 'checkpoints'));
      const run: TrainingRunFile = {
        format: 'pleiad-run',
        version: RUN_VERSION,
        pleiad: VERSION,
        startedAt: before?.startedAt ?? startedAt.toISOString(),
        ...(before?.start && { start: before.start }),
        ...details,
        ...(before?.plannedSteps !== undefined && { plannedSteps: before.plannedSteps }),
        ...(before?.extension && { extension: before.extension, began: before.began }),
      };
      const folder = new RunFolder(path, { ...contents, identity: details.identity }, lock, run);
      await folder.#writeRun();
      return folder;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Lets other processes work in the folder. */
  close(): void {
    this.#lock.release();
  }

  async #writeRun(): Promise<void> {
    await writeFileDurably(join(this.path, RUN_FILE), [`${JSON.stringify(this.#run, null, 2)}\n`]);
  }

  async recordPlan(totalSteps: number): Promise<void> {
    this.#run = { ...this.#run, plannedSteps: totalSteps };
    await this.#writeRun();
  }

  async plannedSteps(): Promise<number | undefined> {
    return this.#run.plannedSteps;
  }

  async recordExtension(extension: Extension): Promise<void> {
    const { plannedSteps: _, given, settings, began = limitsOf(given), ...rest } = this.#run;
    const { timeMs } = extension;
    this.#run = {
      ...rest,
      given: withLimits(given, extension),
      settings: { ...withLimits(settings, extension), timeMs },
      extension,
      began,
    };
    await this.#writeRun();
  }

  async extension(): Promise<Extension | undefined> {
    return this.#run.extension;
  }

  async save(snapshot: Snapshot): Promise<SavedCheckpoint> {
    await this.#lock.check();
    const name = checkpointName(snapshot.progress.step);
    const temporary = join(this.#checkpoints, `.writing-${name}`);
    const path = join(this.#checkpoints, name);
    try {
      this.#removeLeftovers();
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
      removeQuietly(temporary);
      throw unwritable(path, cause, 'then resume the run: earlier checkpoints are untouched');
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

  #isBest(trainer: TrainerFile): boolean {
    const name = readPointer(this.path, 'best');
    const folder = name === undefined ? undefined : join(this.#checkpoints, name);
    const best = folder && tryReading(folder);
    return !best || isBetterCheckpoint(trainer, best);
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
    const damaged: string[] = [];
    for (const name of this.#names()) {
      const path = join(this.#checkpoints, name);
      let trainer: TrainerFile;
      try {
        trainer = readTrainerFile(path);
        await verifyCheckpoint(path, trainer);
      } catch (error) {
        const reason = (error as Error).message;
        onDamaged(path, reason);
        damaged.push(`${name}: ${reason}`);
        continue;
      }
      checkIdentity(path, trainer, this.#contents);
      // The process may have died between the checkpoint and its pointers.
      if (readPointer(this.path, 'latest') !== name) await this.#point('latest', name);
      if (readPointer(this.path, 'best') !== name && this.#isBest(trainer)) await this.#point('best', name);
      return { path, snapshot: readSnapshot(path, trainer, this.#contents.models) };
    }
    this.#refuseLoss(damaged);
    return undefined;
  }

  /** A run that died before its first checkpoint starts at its beginning; one whose checkpoints were lost must not. */
  #refuseLoss(damaged: readonly string[]): void {
    const latest = readPointer(this.path, 'latest');
    if (damaged.length === 0 && latest === undefined) return;
    const problem = damaged.length
      ? `no checkpoint in ${this.#checkpoints} is whole: ${damaged.join('; ')}`
      : `${join(this.path, 'latest')} names ${latest}, and there is no checkpoint in ${this.#checkpoints}`;
    throw new CheckpointError(problem, {
      subject: this.#checkpoints,
      found: damaged.length ? damaged : latest,
      expected: 'a checkpoint whose files are as trainer.json says',
      advice:
        'Put one back from a copy and resume again, or start a new run in another folder; to begin this one anew, delete the folder',
    });
  }
}

function limitsOf({ steps, time }: Pick<TrainingSettings, 'steps' | 'time'>): TrainingRunFile['began'] {
  return { ...(steps !== undefined && { steps }), ...(time !== undefined && { time }) };
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

/** After a failure, whose error is the one to tell. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It is looked for and removed before the next checkpoint is written.
  }
}

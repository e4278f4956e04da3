/**
 * The folder of a run: run.json, checkpoints, and the pointers `latest` and `best` (text files with a checkpoint's name,
 * as symbolic links need a privilege on Windows).
 *
 * A checkpoint is written under a temporary name, flushed and renamed: under its final name it is whole, whenever the
 * process or the machine dies.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineIdentity } from '../engine/engineIdentity.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { makeFolder, syncFolder, unwritable, writeFileDurably } from '../files/durableFile.node.js';
import { FolderLock } from '../files/folderLock.node.js';
import type { PretrainingInput, PretrainingSettings } from '../pretraining/settings.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { VERSION } from '../version.js';
import type { CheckpointStore, FoundCheckpoint, SavedCheckpoint, Snapshot } from './checkpoint.js';
import {
  type CheckpointContents,
  checkIdentity,
  firstIssue,
  readSnapshot,
  readTrainerFile,
  type TrainerFile,
  verifyCheckpoint,
  writeCheckpointFiles,
} from './checkpointFolder.node.js';
import { type Extension, withLimits } from './extension.js';
import type { StartRecord } from './start.js';

const RUN_FILE = 'run.json';
/** 2: masking is a list of schemes, and its settings are recorded. */
const RUN_VERSION = 2;
const FINISHED = /^step-\d{8,}$/;
/** Half-written or half-removed: no checkpoint is ever looked for under such a name. */
const TEMPORARY = /^\.(writing|removing)-/;

/** What must be in run.json for it to be used; the settings themselves are checked when a run is resumed. */
const runSchema = z.looseObject({
  startedAt: z.string(),
  given: z.looseObject({}),
  settings: z.looseObject({ objective: z.string(), size: z.string(), length: z.number(), keepCheckpoints: z.number() }),
  identity: z.record(z.string(), z.union([z.string(), z.number()])),
  engine: z
    .object({ name: z.string(), precision: z.enum(['fp32', 'bf16']), threads: z.number().optional() })
    .optional(),
  plannedSteps: z.number().int().positive().optional(),
  extension: z
    .looseObject({
      step: z.number().int().nonnegative(),
      elapsedMs: z.number().nonnegative(),
      steps: z.number().int().positive().optional(),
      timeMs: z.number().positive().optional(),
      expectedSteps: z.number().int().positive().optional(),
      given: z.looseObject({}),
    })
    .optional(),
  start: z
    .looseObject({ models: z.array(z.looseObject({})), sizes: z.looseObject({}), weightsSha256: z.string() })
    .optional(),
});

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
  /** What computed last; none is said in runs from before there was a choice. */
  readonly engine?: EngineIdentity;
  /** Steps that a time budget has become. */
  readonly plannedSteps?: number;
  /** What it was given more, the last time: `given` and `settings` have its steps and time since. */
  readonly extension?: Extension;
  /** Steps and time as the run began with them, where it was given more since. */
  readonly began?: Pick<PretrainingInput, 'steps' | 'time'>;
  /** What the run began with, when that was not random weights alone. */
  readonly start?: StartRecord;
}

/** Whether a run has written a checkpoint, so that nothing before it is needed any more. */
export function hasCheckpoint(run: string): boolean {
  const folder = join(run, 'checkpoints');
  return (
    readPointer(run, 'latest') !== undefined ||
    (existsSync(folder) && readdirSync(folder).some((name) => FINISHED.test(name)))
  );
}

/** @returns undefined when the folder holds no run */
export function readRunFile(folder: string): RunFile | undefined {
  const path = join(folder, RUN_FILE);
  if (!existsSync(path)) return undefined;
  const startAnew = 'start a new run in another folder';
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON`, {
      subject: path,
      cause,
      advice: `Put it back from a copy, or ${startAnew}`,
    });
  }
  const { format, version } = (json ?? {}) as Partial<RunFile>;
  if (format !== 'pleiad-run' || version !== RUN_VERSION) {
    throw new CheckpointError(`${path} has format ${format} ${version}, expected pleiad-run ${RUN_VERSION}`, {
      subject: path,
      found: version,
      expected: `pleiad-run ${RUN_VERSION}`,
      advice: `Resume it with the version of Pleiad that began it, or ${startAnew}`,
    });
  }
  const parsed = runSchema.safeParse(json);
  if (parsed.success) return json as RunFile;
  throw new CheckpointError(`${path} is damaged: ${firstIssue(parsed.error)}`, {
    subject: path,
    advice: `Put it back from a copy, or ${startAnew}`,
  });
}

export type RunDetails = Pick<RunFile, 'given' | 'settings' | 'identity' | 'engine' | 'start'>;

export class RunFolder implements CheckpointStore {
  readonly path: string;
  readonly #checkpoints: string;
  readonly #contents: CheckpointContents;
  readonly #lock: FolderLock;
  #run: RunFile;

  private constructor(path: string, contents: CheckpointContents, lock: FolderLock, run: RunFile) {
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
      const before = readRunFile(path);
      if (before && !details.settings.resume) {
        throw new SettingsError([
          `${settingName('out')} is ${path}, which holds a run already; add ${settingWith('resume', true)} to go on with it, or choose another folder`,
        ]);
      }
      makeFolder(join(path, 'checkpoints'));
      const run: RunFile = {
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

function limitsOf({ steps, time }: Partial<PretrainingInput>): RunFile['began'] {
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

/** @returns undefined when there is no pointer, or it is empty */
function readPointer(run: string, pointer: 'latest' | 'best'): string | undefined {
  const path = join(run, pointer);
  return (existsSync(path) && readFileSync(path, 'utf8').trim()) || undefined;
}

/**
 * The checkpoint that a pointer of a run names.
 * @throws CheckpointError when the run has none yet, or it is gone
 */
export function checkpointOf(run: string, pointer: 'latest' | 'best'): string {
  const name = readPointer(run, pointer);
  const path = name && FINISHED.test(name) && join(run, 'checkpoints', name);
  if (path && existsSync(path)) return path;
  throw new CheckpointError(
    name
      ? `${join(run, pointer)} names ${name}, and there is no such checkpoint in ${join(run, 'checkpoints')}`
      : `${run} has no ${pointer} checkpoint`,
    {
      subject: run,
      found: name,
      expected: 'the name of a checkpoint, step-…',
      advice: 'Give one of its checkpoints, or the folder of a run that has written one',
    },
  );
}

/** After a failure, whose error is the one to tell. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It is looked for and removed before the next checkpoint is written.
  }
}

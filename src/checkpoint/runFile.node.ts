/** run.json and the pointers of a run folder: a run as a place that models are loaded from. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineIdentity } from '../engine/engineIdentity.js';
import { CheckpointError } from '../errors/errors.js';
import { parseVersionedJson, type VersionedFormat } from '../files/versionedJson.js';
import type { RunIdentity } from './trainerFile.node.js';

export const RUN_FILE = 'run.json';
/** 2: masking is a list of schemes, and its settings are recorded. */
export const RUN_VERSION = 2;
/** Names of whole checkpoints. */
export const FINISHED = /^step-\d{8,}$/;

/** What must be in run.json for it to be used; the settings themselves are checked when a run is resumed. */
const runSchema = z.looseObject({
  startedAt: z.string(),
  given: z.looseObject({}),
  settings: z.looseObject({ keepCheckpoints: z.number() }),
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

/** The content of run.json; what is trained has more of its own in `given` and `settings`. */
export interface RunFile {
  readonly format: 'pleiad-run';
  readonly version: number;
  readonly pleiad: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** As the user gave them: what a resumed run starts from. */
  readonly given: object;
  /** With every default filled in. */
  readonly settings: object;
  readonly identity: RunIdentity;
  /** What computed last; none is said in runs from before there was a choice. */
  readonly engine?: EngineIdentity;
}

/** Whether a run has written a checkpoint, so that nothing before it is needed any more. */
export function hasCheckpoint(run: string): boolean {
  const folder = join(run, 'checkpoints');
  return (
    readPointer(run, 'latest') !== undefined ||
    (existsSync(folder) && readdirSync(folder).some((name) => FINISHED.test(name)))
  );
}

const START_ANEW = 'start a new run in another folder';
const RUN_FORMAT: VersionedFormat<object> = {
  format: 'pleiad-run',
  version: RUN_VERSION,
  schema: runSchema,
  advice: {
    damaged: `Put it back from a copy, or ${START_ANEW}`,
    version: `Resume it with the version of Pleiad that began it, or ${START_ANEW}`,
  },
};

/** @returns undefined when the folder holds no run */
export function readRunFile<T extends RunFile = RunFile>(folder: string): T | undefined {
  const path = join(folder, RUN_FILE);
  return existsSync(path) ? (parseVersionedJson(readFileSync(path, 'utf8'), path, RUN_FORMAT) as T) : undefined;
}

/** @returns undefined when there is no pointer, or it is empty */
export function readPointer(run: string, pointer: 'latest' | 'best'): string | undefined {
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

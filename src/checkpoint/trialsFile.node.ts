/** trials.json of a folder of runs that differ by their seed: what each reached, and which one the folder stands for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileDurably } from '../files/durableFile.node.js';
import { parseVersionedJson, type VersionedFormat } from '../files/versionedJson.js';
import { evaluationSchema } from './trainerFile.node.js';

const VERSION = 1;
const TRIALS_FILE = 'trials.json';

const trialSchema = z.object({
  seed: z.number().int().nonnegative(),
  /** The run's folder, within that of the trials. */
  folder: z.string().regex(/^trial-\d+$/),
  /** Of the best checkpoint. */
  evaluation: evaluationSchema,
  /** Whether it reached no more than a constant answer does. */
  isStuck: z.boolean(),
});
const trialsSchema = z.object({
  format: z.literal('pleiad-trials'),
  version: z.literal(VERSION),
  trials: z.array(trialSchema).min(1),
  best: z.string(),
});

/** A run that has ended. */
export type Trial = Readonly<z.infer<typeof trialSchema>>;
export interface Trials {
  /** In the order of their seeds. */
  readonly trials: readonly Trial[];
  /** The folder of the one with the best score. */
  readonly best: string;
}

const TRIALS_FORMAT: VersionedFormat<z.infer<typeof trialsSchema>> = {
  version: VERSION,
  schema: trialsSchema,
  advice: { version: 'Use the version of Pleiad that wrote it' },
};

/** @throws CheckpointError when the file is there and damaged */
export function readTrials(folder: string): Trials | undefined {
  const path = join(folder, TRIALS_FILE);
  if (!existsSync(path)) return undefined;
  return parseVersionedJson(readFileSync(path, 'utf8'), path, TRIALS_FORMAT);
}

export async function writeTrials(folder: string, { trials, best }: Trials): Promise<void> {
  const file = { format: 'pleiad-trials', version: VERSION, trials, best };
  await writeFileDurably(join(folder, TRIALS_FILE), `${JSON.stringify(file, null, 2)}\n`);
}

/** What an unfinished folder knows of itself (`progress.json`), rewritten whenever shards have been completed. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileDurably } from '../../../checkpoint/durableFileNode.js';
import { DataError } from '../../../errors.js';
import { type Identity, identitySchema, shardEntrySchema } from '../../manifest.js';

export const JOURNAL_FILE = 'progress.json';

const shardsSchema = z.object({ documents: z.number(), shards: z.array(shardEntrySchema) });
const journalSchema = z.object({
  identity: identitySchema,
  /** Number of the next shard. */
  segments: z.number().int(),
  next: z.object({ file: z.number().int(), offset: z.number().int(), continues: z.boolean() }),
  openDocument: z.enum(['train', 'heldOut']).optional(),
  /** Sections with a smaller hash are held out. */
  heldOutBelow: z.number(),
  /** Of all sections so far. */
  hashes: z.object({ least: z.number(), greatest: z.number() }).optional(),
  /** Lines of the current JSONL file before `next`. */
  lines: z.number().int(),
  textBytes: z.number(),
  diskBytes: z.number(),
  train: shardsSchema,
  heldOut: shardsSchema,
});
/** Everything needed to go on after the shards that are complete. */
export type Journal = z.infer<typeof journalSchema>;

export function newJournal(identity: Identity, heldOutBelow = identity.heldOutFraction): Journal {
  return {
    identity,
    segments: 0,
    next: { file: 0, offset: 0, continues: false },
    heldOutBelow,
    lines: 0,
    textBytes: 0,
    diskBytes: 0,
    train: { documents: 0, shards: [] },
    heldOut: { documents: 0, shards: [] },
  };
}

/** @throws DataError when the file is damaged */
export function readJournal(folder: string): Journal | undefined {
  const path = join(folder, JOURNAL_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return journalSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new DataError(`${path} is damaged`, {
      subject: path,
      advice: 'Delete the folder and prepare the text again',
      cause,
    });
  }
}

export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  await writeFileDurably(join(folder, JOURNAL_FILE), [JSON.stringify(journal)]);
}

/**
 * Refuses a folder that was made otherwise, naming each difference.
 * @throws DataError
 */
export function checkIdentity(folder: string, found: Identity, wanted: Identity): void {
  const differences: string[] = [];
  for (const key of Object.keys(wanted) as (keyof Identity)[]) {
    if (key === 'inputs' || found[key] === wanted[key]) continue;
    const name = key === 'tokenizerHash' ? 'the tokenizer' : key;
    differences.push(`${name} was ${found[key]} and is now ${wanted[key]}`);
  }
  const difference = inputDifference(found, wanted);
  if (difference) differences.push(difference);
  if (differences.length === 0) return;
  throw new DataError(`${folder} was prepared otherwise: ${differences.join('; ')}`, {
    subject: folder,
    found,
    advice: 'Choose another folder, or delete this one to make it anew',
  });
}

function inputDifference(found: Identity, wanted: Identity): string | undefined {
  const length = Math.max(found.inputs.length, wanted.inputs.length);
  for (let i = 0; i < length; i++) {
    const [before, now] = [found.inputs[i], wanted.inputs[i]];
    if (!before) return `the input ${now.name} is new`;
    if (!now) return `the input ${before.name} is gone`;
    if (before.name !== now.name) return `input ${i + 1} was ${before.name} and is now ${now.name}`;
    if (before.fingerprint !== now.fingerprint) return `the input ${now.name} has changed`;
  }
  return undefined;
}

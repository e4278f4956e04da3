/**
 * What an unfinished folder knows of itself (`progress.jsonl`): a line with what it is made from, then a line for each
 * time that shards have been completed. Lines are added and never rewritten, so a corpus of any size costs the same a
 * shard; a last line that a crash cut short is as if it had not been begun. It lives only as long as a folder is unfinished, so
 * it has no version as manifest.json has (files/versionedJson.ts).
 */

import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { writeFileDurably } from '../../files/durableFile.node.js';
import { type Identity, identitySchema, type ShardEntry, shardEntrySchema } from '../manifest.js';

export const JOURNAL_FILE = 'progress.jsonl';

const headSchema = z.object({
  identity: identitySchema,
  /** Sections with a smaller hash are held out. */
  heldOutBelow: z.number(),
});

/** How far the input has been read. */
const placeSchema = z.object({
  next: z.object({ file: z.number().int(), offset: z.number().int(), continues: z.boolean() }),
  openDocument: z.enum(['train', 'heldOut']).optional(),
  /** Of all sections so far. */
  hashes: z.object({ least: z.number(), greatest: z.number() }).optional(),
  textBytes: z.number(),
  recordsWithoutText: z.number().default(0),
  replacedCharacters: z.number().default(0),
  diskBytes: z.number(),
});
export type Place = z.infer<typeof placeSchema>;

const segmentSchema = placeSchema.extend({
  train: shardEntrySchema.optional(),
  heldOut: shardEntrySchema.optional(),
  /** Documents that began in this segment, by split. */
  began: z.object({ train: z.number().int(), heldOut: z.number().int() }),
});
/** The last run ended with an error about its input: whoever mends that changes what the folder is made from. */
const failureSchema = z.object({ failed: z.string() });
/** Shards that were completed together, and where the input goes on after them. */
export type SegmentRecord = z.infer<typeof segmentSchema>;

/** Everything needed to go on after the shards that are complete. */
export interface Journal {
  readonly identity: Identity;
  readonly heldOutBelow: number;
  /** Number of the next shard. */
  segments: number;
  /** What the last run ended with, when that was the input's fault. */
  failed?: string;
  place: Place;
  readonly train: SplitShards;
  readonly heldOut: SplitShards;
}

export interface SplitShards {
  documents: number;
  readonly shards: ShardEntry[];
}

const START: Place = {
  next: { file: 0, offset: 0, continues: false },
  textBytes: 0,
  recordsWithoutText: 0,
  replacedCharacters: 0,
  diskBytes: 0,
};

export function newJournal(identity: Identity, heldOutBelow = identity.heldOutFraction): Journal {
  return {
    identity,
    heldOutBelow,
    segments: 0,
    place: START,
    train: { documents: 0, shards: [] },
    heldOut: { documents: 0, shards: [] },
  };
}

/** @throws DataError when the file is damaged */
export function readJournal(folder: string): Journal | undefined {
  const path = join(folder, JOURNAL_FILE);
  if (!existsSync(path)) return undefined;
  try {
    const [head, ...segments] = completeLines(readFileSync(path, 'utf8')).map((line) => JSON.parse(line));
    const { identity, heldOutBelow } = headSchema.parse(head);
    const journal = newJournal(identity, heldOutBelow);
    for (const line of segments) {
      const failure = failureSchema.safeParse(line);
      if (failure.success) journal.failed = failure.data.failed;
      else append(journal, segmentSchema.parse(line));
    }
    return journal;
  } catch (cause) {
    throw new DataError(`${path} is damaged`, {
      subject: path,
      advice: 'Delete the folder and prepare the text again',
      cause,
    });
  }
}

function completeLines(text: string): string[] {
  return text.slice(0, text.lastIndexOf('\n')).split('\n');
}

function append(journal: Journal, { train, heldOut, began, ...place }: SegmentRecord): void {
  for (const [split, entry] of [['train', train] as const, ['heldOut', heldOut] as const]) {
    if (entry) journal[split].shards.push(entry);
    journal[split].documents += began[split];
  }
  journal.segments++;
  journal.place = place;
  journal.failed = undefined;
}

/** Writes what the folder is made from, in place of any earlier journal. */
export async function beginJournal(folder: string, { identity, heldOutBelow }: Journal): Promise<void> {
  await writeFileDurably(join(folder, JOURNAL_FILE), [`${JSON.stringify({ identity, heldOutBelow })}\n`]);
}

/** The journal on disk, open to be written on. */
export class JournalWriter {
  private constructor(
    readonly journal: Journal,
    private readonly file: FileHandle,
  ) {}

  static async open(folder: string, journal: Journal): Promise<JournalWriter> {
    const path = join(folder, JOURNAL_FILE);
    await truncate(path, readFileSync(path).lastIndexOf('\n') + 1);
    return new JournalWriter(journal, await open(path, 'a'));
  }

  /** Notes shards that are complete and on disk. */
  async add(segment: SegmentRecord): Promise<void> {
    await this.file.appendFile(`${JSON.stringify(segment)}\n`);
    await this.file.sync();
    append(this.journal, segment);
  }

  /** Notes that the input cannot be used. */
  async fail(message: string): Promise<void> {
    await this.file.appendFile(`${JSON.stringify({ failed: message })}\n`);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

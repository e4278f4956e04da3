/** Settings of `prepareCorpus`, with their defaults and limits. */

import { availableParallelism } from 'node:os';
import { SettingsError } from '../../errors/errors.js';
import { encodingLabel } from './encodings.node.js';
import type { PrepareProgress } from './progress.js';
import { TAG_OFFSETS, type TagOffsets } from './recordTags.js';
import type { Part } from './slices.node.js';

export interface PrepareSettings {
  /** Files, and folders that are walked in sorted order. */
  readonly inputs: readonly string[];
  /** Folder with `tokenizer.json`, or `vocab.txt` and `tokenizer_config.json`. */
  readonly tokenizerDir: string;
  /** Lower-case, and remove accents unless the tokenizer's files keep them; or keep both, whatever they say. */
  readonly lowercase?: boolean;
  /** Folder for the shards; made when absent. */
  readonly out: string;
  /**
   * Prepares one part of the input only, into a folder of its own in `out`; `mergeParts` makes one folder of all. For
   * several machines, which need not know of each other.
   */
  readonly part?: Part;
  /** Threads that tokenize. Default: one a core. 0 tokenizes in the calling thread. Does not change the result. */
  readonly workers?: number;
  /**
   * Part of the text that is held out, from 0 to below 1. Documents are chosen by a hash of their text, long ones in
   * sections of 16,384 UTF-16 units; what remains on both sides of a held-out section are documents of their own. When
   * the hash chooses none, that with the smallest hash is held out. Default 0.01.
   */
  readonly heldOutFraction?: number;
  /** What separates documents in plain text. Default `blankLine`. */
  readonly documentPer?: 'blankLine' | 'line' | 'file';
  /**
   * The field of a JSON record, or the column of a CSV, TSV or Parquet file, that holds the text; `meta.text` for one inside
   * another. Of several, as `sentence1,sentence2`, those that a file has are one document, a line each. Default `text`.
   */
  readonly field?: string;
  /** Encoding of plain text, JSON, CSV and TSV: any label of the Encoding Standard, such as `euc-kr`. Default `utf-8`. */
  readonly encoding?: string;
  /** Tokens after which a shard is written; also what an interruption can cost. Default 2^20 (3 MB of file). */
  readonly shardTokens?: number;
  /** Bytes that are not UTF-8: stop with an error (default), or replace them by U+FFFD. */
  readonly invalidUtf8?: 'error' | 'replace';
  /**
   * Reads the entities and phrases that JSONL records name in `entities` and `phrases`, each `[start, end]` (end
   * exclusive) or `{ start, end }`, counted in UTF-16 units (`utf16`, JavaScript) or code points (`codePoint`, Python), and
   * keeps them in the shards for the masking schemes entity and phrase. Text from other files has none. Default: no tags.
   */
  readonly tags?: TagOffsets;
  readonly onProgress?: (progress: PrepareProgress) => void;
  /** Stops the work; what is finished is kept and the next run continues. */
  readonly signal?: AbortSignal;
}

type Absent = 'lowercase' | 'encoding' | 'tags' | 'part' | 'onProgress' | 'signal';
export type ResolvedSettings = Required<Omit<PrepareSettings, Absent>> & Pick<PrepareSettings, Absent>;

/** @throws SettingsError with all settings that are out of range */
export function resolveSettings(settings: PrepareSettings): ResolvedSettings {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const resolved: ResolvedSettings = {
    workers: availableParallelism(),
    heldOutFraction: 0.01,
    documentPer: 'blankLine',
    field: 'text',
    shardTokens: 1 << 20,
    invalidUtf8: 'error',
    ...(given as unknown as PrepareSettings),
  };
  const { workers, heldOutFraction, documentPer, shardTokens, invalidUtf8, tags, part } = resolved;
  const encoding = encodingLabel(resolved.encoding);
  const problems: string[] = encoding.problem ? [encoding.problem] : [];
  const need = (ok: boolean, text: string) => ok || problems.push(text);
  need(Number.isInteger(workers) && workers >= 0, `workers is ${workers}; expected an integer from 0`);
  need(
    heldOutFraction >= 0 && heldOutFraction < 1,
    `heldOutFraction is ${heldOutFraction}; expected from 0 to below 1`,
  );
  need(
    ['blankLine', 'line', 'file'].includes(documentPer),
    `documentPer is ${documentPer}; expected blankLine, line or file`,
  );
  need(Number.isInteger(shardTokens) && shardTokens >= 1, `shardTokens is ${shardTokens}; expected an integer from 1`);
  need(['error', 'replace'].includes(invalidUtf8), `invalidUtf8 is ${invalidUtf8}; expected error or replace`);
  need(tags === undefined || TAG_OFFSETS.includes(tags), `tags is ${tags}; expected ${TAG_OFFSETS.join(' or ')}`);
  need(
    !part ||
      (Number.isInteger(part.index) && Number.isInteger(part.count) && part.index >= 1 && part.index <= part.count),
    `part is ${part?.index}/${part?.count}; expected i/n with i from 1 to n`,
  );
  need(
    tags === undefined || !resolved.field.includes(','),
    `tags is ${tags} and field is ${resolved.field}; tags have their places in one text: expected one field`,
  );
  if (problems.length > 0) throw new SettingsError(problems);
  return { ...resolved, encoding: encoding.label };
}

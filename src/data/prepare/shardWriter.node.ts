/** Collects tokens and writes them as shards: one file a split each time enough has come together. */

import { join } from 'node:path';
import type { SafetensorsTensor } from '../../formats/safetensors.js';
import { writeSafetensors } from '../../formats/safetensors.node.js';
import type { ShardEntry } from '../manifest.js';
import type { SplitName } from '../shards.js';
import { CONTINUES_KEY } from '../shards.node.js';
import { countTags, type TagKind } from '../tags.js';
import type { TokenRun, UnitTokens } from './unit.js';

/** What one round of writing added. */
export interface Segment {
  readonly train?: ShardEntry;
  readonly heldOut?: ShardEntry;
  /** Documents that began in this segment, by split. */
  readonly began: Record<SplitName, number>;
}

/** Tokens that arrays have room for at once: a shard, but no more than this, and the unit that fills it. */
const MOST_ROOM = 1 << 20;
const UNIT_ROOM = 1 << 17;
const FILE_NAMES: Record<SplitName, string> = { train: 'train', heldOut: 'heldout' };

export class ShardWriter {
  readonly #folder: string;
  readonly #metadata: Readonly<Record<string, string>>;
  #pending: Record<SplitName, PendingShard>;
  /** What `flush` writes; its room is the next to be pending. */
  #flushing: Record<SplitName, PendingShard>;
  /** Split of the document at the end of the tokens written so far, when it may go on. */
  #openDocument: SplitName | undefined;

  constructor(
    folder: string,
    vocabSize: number,
    tokenizerHash: string,
    shardTokens: number,
    { openDocument, hasTags = false }: { readonly openDocument?: SplitName; readonly hasTags?: boolean } = {},
  ) {
    this.#folder = folder;
    this.#metadata = { format: 'pleiad-shard', tokenizer_hash: tokenizerHash, vocab_size: String(vocabSize) };
    this.#openDocument = openDocument;
    const room = Math.min(shardTokens, MOST_ROOM) + UNIT_ROOM;
    const shard = () => new PendingShard(vocabSize <= 65_536 ? 'U16' : 'U32', room, hasTags);
    this.#pending = { train: shard(), heldOut: shard() };
    this.#flushing = { train: shard(), heldOut: shard() };
  }

  /** Tokens of the larger split that wait to be written. */
  get pendingTokens(): number {
    return Math.max(this.#pending.train.length, this.#pending.heldOut.length);
  }

  get openDocument(): SplitName | undefined {
    return this.#openDocument;
  }

  /** @returns how many documents began with these tokens */
  add(unit: UnitTokens): number {
    const continued = unit.continuesIn !== undefined && unit.continuesIn === this.#openDocument;
    for (const split of ['train', 'heldOut'] as const) {
      this.#pending[split].add(unit[split], continued && split === unit.continuesIn);
    }
    if (unit.openIn !== 'unchanged') this.#openDocument = unit.openIn;
    return unit.train.lengths.length + unit.heldOut.lengths.length - (continued ? 1 : 0);
  }

  /**
   * Writes what is pending as shard number `index` of each split that has any. Units may be added meanwhile, but the next
   * `flush` has to wait for this one.
   */
  async flush(index: number, source: string): Promise<Segment> {
    const shards = this.#pending;
    this.#pending = this.#flushing;
    this.#flushing = shards;
    const segment: { -readonly [K in keyof Segment]: Segment[K] } = { began: { train: 0, heldOut: 0 } };
    for (const split of ['train', 'heldOut'] as const) {
      const pending = shards[split];
      if (pending.length === 0) continue;
      const file = `${FILE_NAMES[split]}-${String(index).padStart(5, '0')}.safetensors`;
      const written = await writeSafetensors(join(this.#folder, file), pending.tensors(), {
        ...this.#metadata,
        split: FILE_NAMES[split],
        documents: String(pending.numDocuments),
        tokens: String(pending.length),
        source,
        [CONTINUES_KEY]: String(pending.continuesDocument),
      });
      const { tagCounts: tags } = pending;
      segment[split] = {
        file,
        documents: pending.numDocuments,
        tokens: pending.length,
        ...(tags && { tags }),
        ...written,
      };
      segment.began[split] = pending.numDocuments - (pending.continuesDocument ? 1 : 0);
      pending.clear();
    }
    return segment;
  }
}

/** The tokens of one shard in arrays that are kept from shard to shard; they grow where their room does not suffice. */
class PendingShard {
  length = 0;
  /** The first document began in the shard before. */
  continuesDocument = false;
  readonly #dtype: 'U16' | 'U32';
  #tokens: Uint16Array | Uint32Array;
  #wordStarts: Uint8Array;
  /** Absent when no tags are kept. */
  #tags?: Uint8Array;
  /** Where documents begin. */
  #starts: number[] = [];

  constructor(dtype: 'U16' | 'U32', room: number, hasTags: boolean) {
    this.#dtype = dtype;
    this.#tokens = dtype === 'U16' ? new Uint16Array(room) : new Uint32Array(room);
    this.#wordStarts = new Uint8Array(room);
    if (hasTags) this.#tags = new Uint8Array(room);
  }

  get numDocuments(): number {
    return this.#starts.length;
  }

  get tagCounts(): Record<TagKind, number> | undefined {
    return this.#tags && countTags(this.#tags.subarray(0, this.length));
  }

  /** @param continues  the first document of the run has begun already, here or in an earlier shard */
  add(run: TokenRun, continues: boolean): void {
    let start = this.length;
    run.lengths.forEach((length, index) => {
      const goesOn = continues && index === 0;
      if (goesOn && start === 0) this.continuesDocument = true;
      if (!goesOn || start === 0) this.#starts.push(start);
      start += length;
    });
    this.#append(run);
  }

  tensors(): SafetensorsTensor[] {
    const { length } = this;
    const offsets = BigInt64Array.from([...this.#starts, length], BigInt);
    const tags = this.#tags?.subarray(0, length);
    return [
      { name: 'tokens', dtype: this.#dtype, shape: [length], data: this.#tokens.subarray(0, length) },
      { name: 'word_starts', dtype: 'U8' as const, shape: [length], data: this.#wordStarts.subarray(0, length) },
      ...(tags ? [{ name: 'tags', dtype: 'U8' as const, shape: [length], data: tags }] : []),
      { name: 'document_offsets', dtype: 'I64' as const, shape: [offsets.length], data: offsets },
    ];
  }

  clear(): void {
    this.length = 0;
    this.continuesDocument = false;
    this.#starts = [];
  }

  #append({ tokens, wordStarts, tags }: TokenRun): void {
    const needed = this.length + tokens.length;
    if (needed > this.#tokens.length) {
      const capacity = Math.max(needed, Math.ceil(1.5 * this.#tokens.length));
      const grown = this.#dtype === 'U16' ? new Uint16Array(capacity) : new Uint32Array(capacity);
      grown.set(this.#tokens);
      this.#tokens = grown;
      const flags = new Uint8Array(capacity);
      flags.set(this.#wordStarts);
      this.#wordStarts = flags;
      if (this.#tags) {
        const grownTags = new Uint8Array(capacity);
        grownTags.set(this.#tags);
        this.#tags = grownTags;
      }
    }
    this.#tokens.set(tokens, this.length);
    this.#wordStarts.set(wordStarts, this.length);
    if (tags) this.#tags?.set(tags, this.length);
    this.length = needed;
  }
}

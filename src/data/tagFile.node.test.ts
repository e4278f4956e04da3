import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../errors/errors.js';
import { writeSafetensors } from '../formats/safetensors.node.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { saveTokenizer } from '../text/tokenizer.node.js';
import { createBatchSource } from './batches.js';
import { prepareCorpus } from './prepare/prepareCorpus.node.js';
import type { TokenSplit } from './shards.js';
import { corpusHash, openShards, type ShardFolder } from './shards.node.js';
import { withTagFile, writeTagFile } from './tagFile.node.js';
import { taggedSpans } from './tags.js';

const WORDS = ['ann', 'bob', 'met', 'saw', '##s', 'the', 'old', 'man', '.'];
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);

const root = mkdtempSync(join(tmpdir(), 'tags-'));
afterAll(() => rmSync(root, { recursive: true }));

async function prepare(
  name: string,
  records: readonly object[],
  more: Partial<Parameters<typeof prepareCorpus>[0]> = {},
): Promise<{ out: string; warnings: readonly string[] }> {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'text.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await saveTokenizer(tokenizer, join(root, 'tokenizer'));
  const out = join(folder, 'shards');
  const { warnings } = await prepareCorpus({
    inputs: [join(folder, 'text.jsonl')],
    tokenizerDir: join(root, 'tokenizer'),
    out,
    workers: 0,
    heldOutFraction: 0,
    ...more,
  });
  return { out, warnings };
}

/** Each document with its tagged spans in brackets. */
function marked(split: TokenSplit, kind: 'entity' | 'phrase'): string[] {
  return Array.from({ length: split.numDocuments }, (_, document) => {
    const [start, end] = split.documentOffsets.subarray(document, document + 2);
    const ids = new Int32Array(end - start);
    const tags = new Uint8Array(end - start);
    split.read(start, end, ids, new Uint8Array(end - start), 0);
    split.tags!.read(start, end, tags, 0);
    const tokens = Array.from(ids, (id) => tokenizer.idToToken(id));
    for (const [first, last] of taggedSpans(tags, kind)) {
      tokens[first] = `[${tokens[first]}`;
      tokens[last] = `${tokens[last]}]`;
    }
    return tokens.join(' ');
  });
}

const RECORDS = [
  { text: 'Ann met the old man.', entities: [[0, 3]], phrases: [[8, 19]] },
  {
    text: 'Bob saw Ann.',
    entities: [
      [0, 3],
      [8, 11, 'PERSON'],
    ],
  },
  { text: 'The man saws.' },
];

describe('tags of prepared text', () => {
  it('stand at the tokens that the records name', async () => {
    const { out } = await prepare('own', RECORDS, { tags: 'utf16' });
    const shards = await openShards(out);
    expect(marked(shards.train, 'entity')).toEqual([
      '[ann] met the old man .',
      '[bob] saw [ann] .',
      'the man saw ##s .',
    ]);
    expect(marked(shards.train, 'phrase')).toEqual(['ann met [the old man] .', 'bob saw ann .', 'the man saw ##s .']);
    expect(shards.train.tags!.counts).toEqual({ entity: 3, phrase: 1 });
    expect(shards.heldOut.tags).toBeUndefined(); // no shard
    const { tags } = createBatchSource({ shards, length: 8, batchSize: 1, segments: 'single', seed: 1 }).rows([0]);
    expect([...tags!]).toEqual([0, 3, 0, 12, 8, 8, 0, 0]);
    shards.close();
  });

  it('count Python’s characters when they are said to be', async () => {
    const records = [{ text: '👩👩 Ann saw Bob.', entities: [[11, 14]] }];
    const { out } = await prepare('python', records, { tags: 'codePoint' });
    const shards = await openShards(out);
    expect(marked(shards.train, 'entity')).toEqual(['[UNK] ann saw [bob] .']);
    shards.close();
  });

  it('are the same from worker threads, over several shards and in the held-out text', async () => {
    // Three units of 256 KiB, so three rounds of writing.
    const many = Array.from({ length: 6000 }, (_, i) => {
      const text = `${i % 2 ? 'Ann' : 'Bob'} saw ${'the old man saws. '.repeat(1 + (i % 7))}`;
      return { text, entities: [[0, 3]], phrases: [[8, 19]] };
    });
    const settings = { tags: 'utf16', heldOutFraction: 0.3, shardTokens: 500 } as const;
    const one = await openShards((await prepare('one', many, settings)).out);
    const two = await openShards((await prepare('two', many, { ...settings, workers: 2 })).out);
    for (const split of ['train', 'heldOut'] as const) {
      for (const kind of ['entity', 'phrase'] as const) {
        expect(marked(one[split], kind)).toEqual(marked(two[split], kind));
        expect(one[split].tags!.counts[kind]).toBe(one[split].numDocuments);
      }
      for (const text of marked(one[split], 'phrase')) expect(text).toMatch(/^(ann|bob) saw \[the old man\] saw ##s/);
    }
    expect(one.manifest.train.shards.length).toBeGreaterThan(2);
    expect(corpusHash(one.manifest)).toBe(corpusHash(two.manifest));
    one.close();
    two.close();
  });

  it('stay in place in documents of several sections', async () => {
    const before = 'the old man . '.repeat(3000); // 42,000 units: sections are 16,384
    const text = `${before}Ann met Bob.`;
    const at = before.length;
    const { out } = await prepare(
      'long',
      [
        {
          text,
          entities: [
            [0, 3],
            [at, at + 3],
            [at + 8, at + 11],
          ],
        },
      ],
      { tags: 'utf16' },
    );
    const shards = await openShards(out);
    const [document] = marked(shards.train, 'entity');
    expect(document.startsWith('[the] old man . the')).toBe(true);
    expect(document.endsWith('man . [ann] met [bob] .')).toBe(true);
    shards.close();
  });

  it('are not read unless asked for, and the folder remembers which it was', async () => {
    const { out } = await prepare('untagged', RECORDS);
    const shards = await openShards(out);
    expect(shards.train.tags).toBeUndefined();
    shards.close();
    const again = prepareCorpus({
      inputs: [join(root, 'untagged', 'text.jsonl')],
      tokenizerDir: join(root, 'tokenizer'),
      out,
      workers: 0,
      heldOutFraction: 0,
      tags: 'utf16',
    });
    await expect(again).rejects.toThrow(/tags was none and is now utf16/);
  });

  it('are missed when none was found, and refused with the line where they are wrong', async () => {
    const { warnings } = await prepare('none', [{ text: 'Ann met Bob.' }], { tags: 'utf16' });
    expect(warnings.join()).toContain('tags were asked for and none was found');
    const wrong = prepare('wrong', [RECORDS[0], { text: 'Ann.', entities: [[0, 30]] }], { tags: 'utf16' });
    await expect(wrong).rejects.toThrow(/text\.jsonl:2 has \[0,30\] in "entities"; expected/);
    await expect(prepare('unit', RECORDS, { tags: 'bytes' as never })).rejects.toThrow(
      /tags is bytes; expected utf16 or codePoint/,
    );
  });
});

describe('a tag file', () => {
  let shards: ShardFolder;
  let path: string;
  beforeAll(async () => {
    shards = await openShards((await prepare('plain', RECORDS)).out);
    path = join(root, 'tags.safetensors');
  });
  afterAll(() => shards.close());

  /** Every "ann" and "bob" is an entity. */
  const tagNames = ({ ids }: { ids: Int32Array }) =>
    [...ids].flatMap((id, i) =>
      ['ann', 'bob'].includes(tokenizer.idToToken(id)) ? [{ kind: 'entity' as const, start: i, end: i + 1 }] : [],
    );

  it('gives shards the tags that they were made without', async () => {
    const counts = await writeTagFile(path, shards, tagNames);
    expect(counts).toEqual({ train: { entity: 3, phrase: 0 }, heldOut: { entity: 0, phrase: 0 } });
    const tagged = withTagFile(await openShards(shards.source), path);
    expect(marked(tagged.train, 'entity')).toEqual([
      '[ann] met the old man .',
      '[bob] saw [ann] .',
      'the man saw ##s .',
    ]);
    expect(tagged.train.tags!.counts).toEqual({ entity: 3, phrase: 0 });
    expect(tagged.tagsHash).toMatch(/^[0-9a-f]{64}$/);
    tagged.close();
  });

  it('is refused with other shards, another tokenizer, or when it is something else', async () => {
    await writeTagFile(path, shards, tagNames);
    const others = await openShards((await prepare('others', RECORDS.slice(1))).out);
    expect(() => withTagFile(others, path)).toThrow(DataError);
    expect(() => withTagFile(others, path)).toThrow(
      /tags.safetensors does not belong to .*others\/shards: its corpus is [0-9a-f]{64}, expected [0-9a-f]{64}/,
    );
    others.close();
    expect(() => withTagFile({ ...shards, tokenizerHash: 'f00' }, path)).toThrow(
      /its tokenizer_hash is .*, expected f00/,
    );
    const { file } = shards.manifest.train.shards[0];
    expect(() => withTagFile(shards, join(shards.source, file))).toThrow(
      /its format is pleiad-shard, expected pleiad-tags/,
    );
    expect(() => withTagFile(shards, join(root, 'absent'))).toThrow(/tags: Cannot open .*absent/);
    writeFileSync(join(root, 'damaged'), readFileSync(path).subarray(0, 100));
    expect(() => withTagFile(shards, join(root, 'damaged'))).toThrow(DataError);
  });

  it('is refused when it has another length or bytes without a meaning', async () => {
    const metadata = {
      format: 'pleiad-tags',
      tokenizer_hash: shards.tokenizerHash,
      corpus: corpusHash(shards.manifest),
    };
    const { numTokens } = shards.train;
    const write = (train: Uint8Array) =>
      writeSafetensors(
        path,
        [
          { name: 'train', dtype: 'U8', shape: [train.length], data: train },
          { name: 'held_out', dtype: 'U8', shape: [0], data: new Uint8Array(0) },
        ],
        metadata,
      );
    await write(new Uint8Array(numTokens - 1));
    expect(() => withTagFile(shards, path)).toThrow(
      `train is U8 [${numTokens - 1}]; the split has ${numTokens} tokens, so U8 [${numTokens}]`,
    );
    const bad = new Uint8Array(numTokens);
    bad[5] = 77;
    await write(bad);
    expect(() => withTagFile(shards, path)).toThrow(/train has 77 for token 5; expected 0 to 15/);
    await writeSafetensors(
      path,
      [{ name: 'train', dtype: 'U8', shape: [numTokens], data: new Uint8Array(numTokens) }],
      metadata,
    );
    expect(() => withTagFile(shards, path)).toThrow(/held_out is missing/);
  });

  it('cannot be written with a span outside its document', async () => {
    const tag = () => [{ kind: 'phrase' as const, start: 3, end: 99 }];
    await expect(writeTagFile(path, shards, tag)).rejects.toThrow(
      /Document 0 of the train split has 6 tokens; a tagged span is 3 to 99/,
    );
  });
});

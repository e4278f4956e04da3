import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointOf } from '../checkpoint/runFile.node.js';
import { prepareCorpus } from '../data/prepare/prepareCorpus.node.js';
import { openShards } from '../data/shards.node.js';
import { type DocumentToTag, writeTagFile } from '../data/tagFile.node.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { saveTokenizer } from '../text/tokenizer.node.js';
import type { DoneEvent, StepEvent, TrainingEvent } from '../training/events.js';
import { evaluateCheckpoint } from './evaluateRun.node.js';
import { type PretrainOptions, pretrainToFolder } from './pretrain.node.js';
import type { PretrainingInput } from './settings.js';

const root = mkdtempSync(join(tmpdir(), 'masking-runs-'));
afterAll(() => rmSync(root, { recursive: true }));

const NAMES = ['ann', 'bob', 'eve'];
const tokenizer = WordPieceTokenizer.fromVocabulary([
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  ...[...NAMES, 'met', 'saw', 'the', 'old', 'young', 'man', '.'],
]);
const shards = join(root, 'shards');
const tags = join(root, 'tags.safetensors');

beforeAll(async () => {
  const random = new RandomStream(2, 'test');
  const pick = (list: readonly string[]) => list[random.integer(list.length)];
  const sentence = () => `${pick(NAMES)} ${pick(['met', 'saw'])} the ${pick(['old', 'young'])} man .`;
  const documents = Array.from({ length: 40 }, () => Array.from({ length: 4 }, sentence).join(' '));
  writeFileSync(join(root, 'text.txt'), documents.join('\n\n'));
  await saveTokenizer(tokenizer, join(root, 'tokenizer'));
  await prepareCorpus({
    inputs: [join(root, 'text.txt')],
    tokenizerDir: join(root, 'tokenizer'),
    out: shards,
    workers: 0,
    heldOutFraction: 0.2,
  });
  await tagFile(NAMES);
});

async function tagFile(entities: readonly string[]): Promise<void> {
  const opened = await openShards(shards);
  await writeTagFile(tags, opened, ({ ids }: DocumentToTag) =>
    [...ids].flatMap((id, i) =>
      entities.includes(tokenizer.idToToken(id)) ? [{ kind: 'entity' as const, start: i, end: i + 1 }] : [],
    ),
  );
  opened.close();
}

const small = {
  data: shards,
  size: 'tiny',
  model: {
    hiddenSize: 8,
    numAttentionHeads: 1,
    numHiddenLayers: 1,
    intermediateSize: 8,
    embeddingSize: 8,
    maxPositionEmbeddings: 16,
  },
  length: 16,
  batchSize: 4,
  steps: 6,
  checkpointEvery: 2,
  evaluateBatches: 1,
  logEvery: 1,
} satisfies Partial<PretrainingInput>;

async function train(change: Partial<PretrainingInput>, options: PretrainOptions = {}, stopAt?: number) {
  const stop = new AbortController();
  const events: TrainingEvent[] = [];
  for await (const event of pretrainToFolder(change, {
    createEngine: async () => createInterpreterEngine(),
    signal: stop.signal,
    ...options,
  })) {
    events.push(event);
    if (event.type === 'step' && event.step === stopAt) stop.abort();
  }
  return {
    done: events.at(-1) as DoneEvent,
    steps: events.filter((event): event is StepEvent => event.type === 'step'),
  };
}

describe('a run with span masks', () => {
  const settings = { ...small, objective: 'mlm', masking: 'span,whole-word' } satisfies Partial<PretrainingInput>;

  it('is resumed to the same bits', async () => {
    const whole = await train({ ...settings, out: join(root, 'whole') });
    const parts = { ...settings, out: join(root, 'parts') };
    expect((await train(parts, {}, 3)).done).toMatchObject({ interrupted: true, step: 3 });
    const resumed = await train({ out: parts.out, resume: true });
    expect(resumed.done.weightsSha256).toBe(whole.done.weightsSha256);
  });

  it('is not the run with random masks', async () => {
    const random = await train({ ...settings, masking: 'random', out: join(root, 'random') });
    const spans = await train({ ...settings, out: join(root, 'spans') });
    expect(random.steps[0].losses).not.toEqual(spans.steps[0].losses);
  });

  it('cannot be resumed with another scheme', async () => {
    const out = join(root, 'changed');
    await train({ ...settings, out });
    const changed = train({ ...settings, out, resume: true, masking: 'whole-word' });
    await expect(changed).rejects.toThrow(/masking was \["span","whole-word"\] when the run began/);
  });
});

describe('a run with entity masks', () => {
  const settings = { ...small, masking: 'entity' } satisfies Partial<PretrainingInput>;

  it('takes its tags from a file, and is evaluated with them', async () => {
    const out = join(root, 'entities');
    const { done } = await train({ ...settings, objective: 'mlm', tags, out });
    const engine = createInterpreterEngine();
    const { heldOut } = await evaluateCheckpoint(checkpointOf(out, 'latest'), { data: shards, engine, maxBatches: 1 });
    expect(heldOut.mlmLoss).toBe(done.metrics!.mlmLoss);
  });

  it('finds its tags where they have been moved to, and refuses others', async () => {
    const out = join(root, 'moved');
    await train({ ...settings, tags, out }, {}, 2);
    const moved = join(root, 'moved.safetensors');
    renameSync(tags, moved);
    expect((await train({ out, resume: true, tags: moved }, {}, 4)).done).toMatchObject({ step: 4 });
    await tagFile(['ann']);
    const other = train({ out, resume: true, tags });
    await expect(other).rejects.toThrow(/tags is [0-9a-f]{64} in the checkpoint and [0-9a-f]{64} now/);
  });

  it('says what to do when there are none', async () => {
    const untagged = train({ ...settings, out: join(root, 'untagged') });
    await expect(untagged).rejects.toThrow(/shards has no tags; masking entity needs them\. Prepare JSONL/);
  });
});

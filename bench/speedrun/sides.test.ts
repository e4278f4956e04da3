import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelFolder } from '../../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { createBatchSource } from '../../src/data/batches.js';
import { prepareCorpus } from '../../src/data/prepare/prepareCorpus.node.js';
import { openShards, type ShardFolder } from '../../src/data/shards.node.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../../src/pretraining/settings.js';
import { WordPieceTokenizer } from '../../src/text/tokenizer.js';
import { saveTokenizer } from '../../src/text/tokenizer.node.js';
import { PleiadSide } from './pleiadSide.js';
import { writeStartingModels } from './startingModels.js';
import { writeRows } from './torchSide.js';

const folder = temporaryFolder('sides');
let shards: ShardFolder;
beforeAll(async () => {
  const words = 'the a chef dog cooked ate meal fish .'.split(' ');
  const documents = Array.from({ length: 120 }, (_, i) => `the chef cooked a ${words[6 + (i % 2)]} . `.repeat(8));
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'text.txt'), documents.join('\n\n'));
  const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words]);
  await saveTokenizer(tokenizer, join(folder.path, 'tokenizer'));
  const out = join(folder.path, 'shards');
  const inputs = [join(folder.path, 'text.txt')];
  await prepareCorpus({ inputs, tokenizerDir: join(folder.path, 'tokenizer'), out, workers: 0, heldOutFraction: 0.1 });
  shards = await openShards(out);
});
afterAll(() => {
  shards.close();
  folder.remove();
});

const input = (): Partial<PretrainingInput> => ({
  data: shards.source,
  recipe: 'short',
  size: 'tiny',
  model: { hiddenSize: 32, numAttentionHeads: 2, numHiddenLayers: 1, intermediateSize: 64, embeddingSize: 16 },
  lengthStages: ['16:0.5', '32'],
  batchSize: 4,
  seed: 3,
  threads: 1,
  engine: 'onnxruntime',
  precision: 'fp32',
});

describe("Pleiad's side", () => {
  it('trains until a time, leaves models there, and goes on to its end', async () => {
    const own = { ...input(), steps: 12, out: join(folder.path, 'run') };
    const side = new PleiadSide(own);
    expect(await side.standing()).toBeUndefined();
    const first = await side.trainUntil(1);
    expect(first).toMatchObject({ isOver: false, steps: 1 });
    expect(first.elapsedMs).toBeGreaterThanOrEqual(1);
    expect(first.engine).toContain('fp32');
    expect(existsSync(join(first.models!.discriminator, 'config.json'))).toBe(true);

    // Another session, as after an interruption: nothing is lost, and what lies between does not count.
    const again = new PleiadSide(own);
    expect(await again.standing()).toEqual(first);
    const second = await again.trainUntil(first.elapsedMs + 1);
    expect(second).toMatchObject({ isOver: false, steps: 2 });
    const last = await again.trainUntil(Number.MAX_SAFE_INTEGER);
    expect(last).toMatchObject({ isOver: true, steps: 12 });
    expect(last.elapsedMs).toBeGreaterThan(second.elapsedMs);
  });

  it('ends at a signal with what it has', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    const side = new PleiadSide({ ...input(), time: '1m', out: join(folder.path, 'interrupted') });
    const standing = await side.trainUntil(60_000, interrupt.signal);
    expect(standing.isOver).toBe(false);
    expect(standing.steps).toBeLessThan(10);
  });
});

describe("what PyTorch's side begins with", () => {
  const settings = () => resolvePretrainingSettings({ ...input(), steps: 1, out: '-' });

  it('are the weights that the run of the seed begins with', async () => {
    const start = await writeStartingModels(settings(), shards, join(folder.path, 'start'));
    const out = join(folder.path, 'one-step');
    // A rate that is too small to change a float32 weight.
    const side = new PleiadSide({ ...input(), steps: 1, learningRate: 1e-12, averageDecay: 0, out });
    const { models } = await side.trainUntil(1e9);
    for (const name of ['generator', 'discriminator'] as const) {
      const [begun, expected] = [loadModelFolder(models![name]), loadModelFolder(start[name])];
      expect([...expected.tensors.keys()].sort()).toEqual([...begun.tensors.keys()].sort());
      for (const [key, { data }] of expected.tensors) {
        const difference = data.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - begun.tensors.get(key)!.data[i])),
          0,
        );
        expect(difference, key).toBeLessThan(1e-8);
      }
    }
  });

  it('are the rows of an epoch, in the order of the run', () => {
    const path = join(folder.path, 'rows.bin');
    const count = writeRows(shards, settings(), 32, path);
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(2 * 32 * count);
    const source = createBatchSource({ shards, length: 32, batchSize: 4, segments: 'pair', seed: 3 });
    expect(count).toBe(source.numBlocks);
    const ids = Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
    const batches = Array.from({ length: Math.floor(count / 4) }, (_, step) => [...source.batch(step).inputIds]);
    expect(ids.slice(0, batches.length * 4 * 32)).toEqual(batches.flat());
    expect(Math.max(...ids)).toBeGreaterThan(4);
  });
});

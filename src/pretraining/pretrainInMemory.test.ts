import { describe, expect, it } from 'vitest';
import { textShards } from '../data/textShards.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { DataError } from '../errors/errors.js';
import { snapshotPipeline } from '../pipelines/snapshotPipeline.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import type { TrainingEvent } from '../training/events.js';
import { MemoryStore } from '../training/memoryStore.js';
import { type InMemoryInput, pretrainInMemory } from './pretrainInMemory.js';

const WORDS = ['the', 'chef', 'dog', 'ate', 'saw', 'meal', 'fish', '##es', '.'];
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);
const texts = Array.from(
  { length: 80 },
  (_, i) => `the ${WORDS[1 + (i % 2)]} ${WORDS[3 + ((i >> 1) % 2)]} the ${WORDS[5 + ((i >> 2) % 2)]} . document ${i}`,
);
const shards = textShards(texts, tokenizer, { heldOutFraction: 0.2 });

const small: InMemoryInput = {
  size: 'tiny',
  model: {
    hiddenSize: 8,
    numAttentionHeads: 1,
    numHiddenLayers: 1,
    intermediateSize: 8,
    embeddingSize: 8,
    maxPositionEmbeddings: 32,
  },
  length: 16,
  batchSize: 4,
  steps: 4,
};

async function train(change: Partial<InMemoryInput>, store: MemoryStore): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  const engine = createInterpreterEngine();
  for await (const event of pretrainInMemory({ ...small, ...change }, { shards, engine, store })) events.push(event);
  return events;
}

describe('texts as shards', () => {
  it('are tokenized, each document in the split that its hash says, with its word starts', () => {
    const { train, heldOut } = shards;
    expect(train.numDocuments + heldOut.numDocuments).toBe(80);
    expect(heldOut.numDocuments).toBeGreaterThan(4);
    const one = textShards(['the fishes'], tokenizer, { heldOutFraction: 0 }).train;
    const [ids, starts] = [new Int32Array(3), new Uint8Array(3)];
    one.read(0, 3, ids, starts, 0);
    expect([...ids].map((id) => tokenizer.idToToken(id))).toEqual(['the', 'fish', '##es']);
    expect([...starts]).toEqual([1, 1, 0]);
  });

  it('are refused where there is nothing to train on', () => {
    expect(() => textShards([], tokenizer)).toThrow(DataError);
    expect(() => textShards(['', ' \n'], tokenizer)).toThrow('no document has any token');
    expect(() => textShards(['the dog'], tokenizer, { heldOutFraction: 1 })).toThrow('all 1 documents are held out');
  });
});

describe('pre-training in memory', () => {
  it('needs neither data nor out, keeps the newest checkpoint and the best, and goes on from there', async () => {
    const store = new MemoryStore();
    const events = await train({ checkpointEvery: 1, evaluateEvery: 1 }, store);
    expect(events.at(-1)).toMatchObject({ type: 'done', steps: 4, checkpoint: 'step 4' });
    expect(store.snapshots).toHaveLength(1);
    expect(store.latest!.progress.step).toBe(4);
    const losses = events.flatMap((event) => (event.type === 'evaluation' ? [event.score] : []));
    expect(store.best!.evaluation!.score).toBe(Math.min(...losses));
    const more = await train({ resume: true, moreSteps: 3 }, store);
    expect(more.at(-1)).toMatchObject({ type: 'done', steps: 7, trainedSteps: 3 });
    const nothing = await train({ resume: true, steps: 7 }, store);
    expect(nothing.at(-1)).toMatchObject({ trainedSteps: 0, nothingTrained: { advice: /With resume, moreSteps 3/ } });
  });

  it('refuses what names files or chooses an engine, with all else that is wrong', async () => {
    const wrong = { ...small, data: 'shards', threads: 2, temperature: -1 } as InMemoryInput;
    const running = pretrainInMemory(wrong, { shards, engine: createInterpreterEngine() }).next();
    await expect(running).rejects.toMatchObject({
      problems: [
        'data is set; in memory the shards, the engine and the store are handed in',
        'threads is set; in memory the shards, the engine and the store are handed in',
        'temperature is -1; expected a number above 0',
      ],
    });
  });
});

describe('a snapshot', () => {
  it('is a running pipeline in one call, whichever of its models that takes', async () => {
    const store = new MemoryStore();
    await train({}, store);
    const options = { tokenizer, engine: createInterpreterEngine() };
    const filler = await snapshotPipeline('fill-mask', store.latest!, options);
    const { masks } = await filler.fill('the [MASK] ate', { topK: 2 });
    expect(masks[0].candidates).toHaveLength(2);
    const detector = await snapshotPipeline('replaced-token-detection', store.latest!, options);
    const tokens = await detector.detect('the chef ate the meal .');
    expect(tokens.map(({ token }) => token)).toEqual(['the', 'chef', 'ate', 'the', 'meal', '.']);
    const corrupter = await snapshotPipeline('text-corruption', store.latest!, options);
    expect((await corrupter.corrupt('the chef ate the meal .', { fraction: 0.3, seed: 1 })).text).toMatch(
      /^the |^\w+ /,
    );
    await Promise.all([filler.release(), detector.release(), corrupter.release()]);
  });

  it('has no pipeline for a model that was not trained', async () => {
    const store = new MemoryStore();
    await train({ objective: 'mlm' }, store);
    const options = { tokenizer, engine: createInterpreterEngine() };
    await expect(snapshotPipeline('replaced-token-detection', store.latest!, options)).rejects.toThrow(
      'the snapshot of step 4 has no model for replaced-token-detection',
    );
    await expect(snapshotPipeline('fill-mask', store.latest!, options)).resolves.toBeDefined();
  });
});

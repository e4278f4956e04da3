/** A run folder whose weights are averaged: what is used of it, and what it is resumed from. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadModelFolder } from '../checkpoint/modelFolder.node.js';
import { checkpointOf } from '../checkpoint/runFile.node.js';
import { readTrainerFile } from '../checkpoint/trainerFile.node.js';
import { prepareCorpus } from '../data/prepare/prepareCorpus.node.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { saveTokenizer } from '../text/tokenizer.node.js';
import { readSnapshot } from '../training/checkpointFolder.node.js';
import type { DoneEvent, TrainingEvent } from '../training/events.js';
import { evaluateCheckpoint } from './evaluateRun.node.js';
import { pretrainToFolder } from './pretrain.node.js';
import type { PretrainingInput } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'averaged-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function train(given: Partial<PretrainingInput>, stopAt?: number): Promise<DoneEvent> {
  const stop = new AbortController();
  let last: TrainingEvent | undefined;
  const options = { signal: stop.signal, createEngine: async () => createInterpreterEngine() };
  for await (const event of pretrainToFolder(given, options)) {
    last = event;
    if (event.type === 'step' && event.step === stopAt) stop.abort();
  }
  return last as DoneEvent;
}

it('has the averages in its model folders and the weights beside them, is evaluated by the first and resumed from the second', async () => {
  const words = ['the', 'chef', 'ate', 'a', 'meal', '.'];
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
  mkdirSync(join(folder, 'tokenizer'));
  await saveTokenizer(WordPieceTokenizer.fromVocabulary(tokens), join(folder, 'tokenizer'));
  const documents = Array.from({ length: 80 }, (_, i) => `the chef ate ${words[i % 5]} meal .`);
  writeFileSync(join(folder, 'text.txt'), `${documents.join('\n\n')}\n`);
  const data = join(folder, 'shards');
  const inputs = [join(folder, 'text.txt')];
  await prepareCorpus({ inputs, tokenizerDir: join(folder, 'tokenizer'), out: data, workers: 0, heldOutFraction: 0.2 });
  const model = { hiddenSize: 8, numAttentionHeads: 1, numHiddenLayers: 1, intermediateSize: 8, embeddingSize: 8 };
  const settings = {
    ...{ data, size: 'tiny' as const, model, length: 12, batchSize: 4, steps: 4, learningRate: 5e-3 },
    ...{ averageDecay: 0.9, evaluateBatches: 2, evaluateEvery: 100, checkpointEvery: 100, logEvery: 1 },
  };
  const whole = await train({ ...settings, out: join(folder, 'whole') });
  await train({ ...settings, out: join(folder, 'parts') }, 2);
  const resumed = await train({ out: join(folder, 'parts'), resume: true });
  expect(resumed.weightsSha256).toBe(whole.weightsSha256);
  expect(resumed.metrics).toEqual(whole.metrics);

  const checkpoint = checkpointOf(join(folder, 'whole'), 'latest');
  const trainer = readTrainerFile(checkpoint);
  expect(trainer.averaged).toBe(true);
  const name = 'electra.encoder.layer.0.output.dense.weight';
  const exported = loadModelFolder(join(checkpoint, 'discriminator')).tensors.get(name)!.data;
  const { parameters, average } = readSnapshot(checkpoint, trainer, [
    {
      ...loadModelFolder(join(checkpoint, 'discriminator')),
      folder: 'discriminator',
      tensors: new Map([[name, `discriminator.${name}`]]),
    },
  ]);
  expect([...average!.get(`discriminator.${name}`)!.data]).toEqual([...exported]);
  expect([...parameters.get(`discriminator.${name}`)!.data]).not.toEqual([...exported]);

  const engine = createInterpreterEngine();
  const { heldOut } = await evaluateCheckpoint(checkpoint, { data, engine, maxBatches: 2 });
  await engine.close();
  expect(heldOut.totalLoss).toBeCloseTo(whole.metrics!.totalLoss!, 6);
});

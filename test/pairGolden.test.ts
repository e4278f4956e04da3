/**
 * A pair of two folders, as ELECTRA is published, joined again: its joint losses are those of PyTorch, and those of the two
 * models loaded and run by themselves.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parametersOf } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import type { Shards } from '../src/data/shards.js';
import { createInterpreterEngine } from '../src/engine/interpreterEngine.js';
import { fromPretrained } from '../src/pretrained/pretrained.node.js';
import { loadStartModels } from '../src/pretraining/loadStart.node.js';
import { objectiveOf } from '../src/pretraining/objectiveOf.js';
import { resolvePretrainingSettings } from '../src/pretraining/settings.js';
import { joinStart } from '../src/training/start.js';
import { GOLDEN_NAMES, readGolden } from './goldenFiles.js';
import { interpret } from './goldenRuns.js';

const temporary = temporaryFolder('pair');
afterAll(() => temporary.remove());

describe.each(GOLDEN_NAMES)('%s, as two folders', (name) => {
  const golden = readGolden(name);
  const { discriminator, generator } = golden.config('electra');
  const folders = { discriminator: join(temporary.path, name, 'd'), generator: join(temporary.path, name, 'g') };
  const { inputIds, maskedInputIds, attentionMask, tokenTypeIds, maskedPositions, maskedIds, length } = golden.batch;
  const rowsOf = (values: Int32Array) =>
    Array.from({ length: golden.batch.batchSize }, (_, row) => values.subarray(row * length, (row + 1) * length));

  beforeAll(async () => {
    const halves = [
      ['discriminator', 'ElectraForPreTraining', discriminator],
      ['generator', 'ElectraForMaskedLM', generator],
    ] as const;
    for (const [half, architecture, config] of halves) {
      // Each file has a copy of what is shared.
      const stored = (key: string) =>
        golden.tensors.get(`${half}.${key}`) ?? golden.tensors.get(`discriminator.${key}`)!;
      const tensors = parametersOf({ architecture, config }).map(({ name: key }) => {
        const { shape, data } = stored(key);
        return [key, { shape, data: data as Float32Array }] as const;
      });
      await saveModelFolder(folders[half], { architecture, config, tensors: new Map(tensors) });
    }
  });

  /** Mean losses of the joint step with the batch, masks and draws of the golden file. */
  async function jointLosses(): Promise<{ mlm: number; disc: number }> {
    const given = { from: folders.discriminator, generator: folders.generator, data: '-', out: '-', length, steps: 1 };
    const start = await loadStartModels(resolvePretrainingSettings(given));
    const settings = resolvePretrainingSettings(given, start.sizes);
    const shards = { vocabSize: discriminator.vocabSize, specialIds: { padId: 0 } } as Shards;
    const objective = objectiveOf(settings, shards);
    const joined = await joinStart(start, objective, { newHead: false, newGenerator: false });
    expect(joined).toMatchObject({ random: [], shared: { tensors: 5, differing: [] } });
    const parameters = objective.parameters.map(
      ({ name: parameter, shape }) => [parameter, { shape, data: joined.weights.get(parameter)! }] as const,
    );
    const [phase] = objective.phases;
    const counts = phase.counts(golden.batch);
    const feeds = phase.feeds(golden.batch, { seed: 0, step: 0, firstRow: 0 }, counts);
    feeds.uniforms = { ...feeds.uniforms, data: golden.uniforms };
    const { outputs } = interpret(phase.trainingGraph({ accumulate: false }), new Map(parameters), feeds);
    return { mlm: outputs.get('mlmLossSum')![0] / counts.mlm!, disc: outputs.get('discLossSum')![0] / counts.disc! };
  }

  it('has the joint losses of PyTorch', async () => {
    const { mlm, disc } = await jointLosses();
    expect(Math.abs(mlm - golden.json.losses.electra.mlmLoss)).toBeLessThan(1e-5);
    expect(Math.abs(disc - golden.json.losses.electra.discLoss)).toBeLessThan(1e-5);
  });

  it('has the losses of the two models loaded by themselves', async () => {
    const engine = createInterpreterEngine();
    const [g, d] = await Promise.all([
      fromPretrained(folders.generator, { engine }),
      fromPretrained(folders.discriminator, { engine }),
    ]);
    const shared = { attentionMask: rowsOf(attentionMask), tokenTypeIds: rowsOf(tokenTypeIds) };
    const { logits } = await g.run({ inputIds: rowsOf(maskedInputIds), ...shared });
    const V = discriminator.vocabSize;
    let mlm = 0;
    const corrupted = Int32Array.from(inputIds);
    maskedPositions.forEach((position, slot) => {
      const row = Array.from(logits!.data.subarray(position * V, (position + 1) * V) as Float32Array);
      const largest = Math.max(...row);
      const exps = row.map((z) => Math.exp(z - largest));
      const total = exps.reduce((sum, e) => sum + e, 0);
      mlm -= Math.log(exps[maskedIds[slot]] / total) / maskedPositions.length;
      let below = 0;
      corrupted[position] = exps.findIndex((e) => {
        below += e;
        return below >= golden.uniforms[slot] * total;
      });
    });
    const { logits: z } = await d.run({ inputIds: rowsOf(corrupted), ...shared });
    const tokens = [...attentionMask.keys()].filter((i) => attentionMask[i] === 1);
    const disc = tokens.reduce((sum, i) => {
      const sign = corrupted[i] === inputIds[i] ? 1 : -1;
      return sum + Math.log1p(Math.exp(sign * z!.data[i])) / tokens.length;
    }, 0);
    const joint = await jointLosses();
    expect(Math.abs(joint.mlm - mlm)).toBeLessThan(1e-5);
    expect(Math.abs(joint.disc - disc)).toBeLessThan(1e-5);
    await g.release();
    await d.release();
  });
});

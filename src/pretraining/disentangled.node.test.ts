/**
 * Gradient-disentangled embedding sharing and the frozen generator, in float64: what is shared, what is not, and that the
 * gradients are those of the parts.
 */
import { describe, expect, it } from 'vitest';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Engine } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { createOneDnnEngine } from '../engine/onednn/engine.node.js';
import { createNodeEngine } from '../engine/onnxruntime/nodeEngine.node.js';
import { createLoopEngine, oneDnnMissing } from '../engine/testEngines.js';
import { nodesOf } from '../graph/graph.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../interpreter/evaluate.js';
import { encoderConfig } from '../models/config.js';
import { RandomStream } from '../random/philox.js';
import { exportedTensors } from '../training/exportedTensors.js';
import { joinStart, type Start } from '../training/start.js';
import { TrainerState } from '../training/trainerState.js';
import { createTestObjective, PLAIN_ELECTRA, type TestConfig } from './testConfig.js';

const sizes = { embeddingSize: 8, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8 };
const encoder = encoderConfig('tiny', 20, { ...sizes, maxPositionEmbeddings: 16 });
const BASE: TestConfig = { ...PLAIN_ELECTRA, discriminator: encoder, generator: { ...encoder, hiddenSize: 4 } };

const IDS = [2, 7, 8, 9, 10, 11, 12, 3];
const POSITIONS = Int32Array.of(2, 3, 5);
const BATCH: MaskedBatch = {
  batchSize: 1,
  length: 8,
  inputIds: Int32Array.from(IDS),
  maskedInputIds: Int32Array.from(IDS, (id, i) => (POSITIONS.includes(i) ? 4 : id)),
  tokenTypeIds: new Int32Array(8),
  attentionMask: new Int32Array(8).fill(1),
  maskedPositions: POSITIONS,
  maskedIds: POSITIONS.map((position) => IDS[position]),
  maskedWeights: new Float32Array(3).fill(1),
};

const WORDS = 'embeddings.word_embeddings';
const PLACES = 'embeddings.position_embeddings';
const ofGenerator = (table: string) => `generator.electra.${table}.weight`;
const difference = (table: string) => `discriminator.electra.${table}.difference`;
const ofDiscriminator = (table: string) => `discriminator.electra.${table}.weight`;

function stateOf(config: TestConfig): Map<string, Float64Tensor> {
  return new Map(
    createTestObjective(config).parameters.map(({ name, shape }) => {
      // By name, so that two objectives have the same values where they have the same parameter.
      const key = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1e9, 7);
      const stream = new RandomStream(1, 'test', key);
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        float64Tensor(
          shape,
          Float64Array.from({ length: size }, () => 0.5 * stream.normal()),
        ),
      ];
    }),
  );
}

/** @param progress  how much of the run is done */
function step(config: TestConfig, state: Map<string, Float64Tensor>, progress = 0) {
  const [phase] = createTestObjective(config).phases;
  const graph = phase.trainingGraph({ accumulate: false });
  const used = new Set(nodesOf(graph, 'input').map(({ attributes }) => attributes.name));
  const feeds = phase.feeds(BATCH, { seed: 5, step: 0, firstRow: 0, progress }, phase.counts(BATCH));
  const fed = Object.entries(feeds).filter(([name]) => used.has(name));
  const inputs = new Map(fed.map(([name, t]) => [name, float64Tensor(t.shape, t.data, t.dtype)]));
  const { outputs, updates } = evaluateGraph(graph, inputs, state);
  const loss = (['mlm', 'disc'] as const).reduce((sum, name) => {
    const weight = name === 'mlm' ? config.mlmWeight : config.discWeight;
    return sum + weight * (outputs.get(`${name}LossSum`)?.data[0] ?? 0) * feeds[`${name}Scale`].data[0];
  }, 0);
  return { loss, gradient: (name: string) => updates.get(`gradient:${name}`)?.data, outputs };
}

const GDES: TestConfig = { ...BASE, sharing: 'gdes' };
const APART: TestConfig = { ...BASE, sharing: 'none' };

/** Tables of its own with the values that the sum has. */
function apartState(): Map<string, Float64Tensor> {
  const state = stateOf(GDES);
  for (const table of [WORDS, PLACES]) {
    const [base, own] = [state.get(ofGenerator(table))!, state.get(difference(table))!];
    state.set(
      ofDiscriminator(table),
      float64Tensor(
        base.shape,
        base.data.map((value, i) => value + own.data[i]),
      ),
    );
  }
  return state;
}

function expectSame(a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined, what: string): void {
  expect(a, what).toBeDefined();
  expect(b, what).toBeDefined();
  const largest = Array.from(a!, (value, i) => Math.abs(value - b![i])).reduce((x, y) => Math.max(x, y), 0);
  expect(largest, what).toBeLessThan(1e-12);
}

describe('gradient-disentangled embedding sharing', () => {
  it('has the losses of a discriminator whose tables are the sums', () => {
    const [together, apart] = [step(GDES, stateOf(GDES)), step(APART, apartState())];
    for (const name of ['mlmLossSum', 'discLossSum', 'replaced'])
      expectSame(together.outputs.get(name)!.data, apart.outputs.get(name)!.data, name);
  });

  it("sends the discriminator's gradient to the difference alone, and the generator's to its tables alone", () => {
    const together = step(GDES, stateOf(GDES));
    const apart = step(APART, apartState());
    for (const table of [WORDS, PLACES]) {
      expectSame(together.gradient(difference(table)), apart.gradient(ofDiscriminator(table)), difference(table));
      expectSame(together.gradient(ofGenerator(table)), apart.gradient(ofGenerator(table)), ofGenerator(table));
    }
    // Without the discriminator's loss the generator's gradients are the same, bit for bit.
    const alone = step({ ...GDES, discWeight: 0 }, stateOf(GDES));
    expect(alone.gradient(ofGenerator(WORDS))).toEqual(together.gradient(ofGenerator(WORDS)));
  });

  it('has the derivative of the difference by central differences', () => {
    const state = stateOf(GDES);
    const found = step(GDES, state).gradient(difference(WORDS))!;
    const table = state.get(difference(WORDS))!;
    const h = 1e-5;
    for (const at of [7 * 8 + 1, 9 * 8 + 3, 3 * 8 + 7]) {
      const lossAt = (change: number) => {
        const data = table.data.slice();
        data[at] += change;
        return step(GDES, new Map(state).set(difference(WORDS), float64Tensor(table.shape, data))).loss;
      };
      expect((lossAt(h) - lossAt(-h)) / (2 * h)).toBeCloseTo(found[at], 6);
    }
  });

  it('starts with tables that are the same, exports their sums, and is loaded from them again', async () => {
    const objective = createTestObjective(GDES);
    expect(objective.parameters.find(({ name }) => name === difference(WORDS))!.initializer).toBe('zeros');
    const weights = new Map(
      [...stateOf(GDES)].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
    );
    const models = objective.models.map((model) => ({ model, tensors: exportedTensors(model, weights) }));
    const main = models.find(({ model }) => model.folder === 'discriminator')!;
    const name = `electra.${WORDS}.weight`;
    const [base, own] = [ofGenerator(WORDS), difference(WORDS)].map((each) => weights.get(each)!.data);
    expect(main.tensors.get(name)!.data).toEqual(base.map((value, i) => value + own[i]));
    expect([...main.tensors.keys()].some((each) => each.endsWith('.difference'))).toBe(false);

    const start = {
      models: models.map(({ model, tensors }) => ({ role: model.folder, source: model.folder, tensors })),
    } as unknown as Start;
    const parts = { newHead: false, newGenerator: false };
    const joined = await joinStart(start, objective, parts);
    expect(joined.random).toEqual([]);
    const again = joined.weights.get(difference(WORDS))!;
    again.forEach((value, i) => expect(value).toBeCloseTo(own[i], 6));
    // A new generator begins with the discriminator's tables.
    const alone = { models: start.models.filter(({ role }) => role === 'discriminator') } as unknown as Start;
    const fresh = await joinStart(alone, objective, { ...parts, newGenerator: true });
    expect(fresh.weights.get(ofGenerator(WORDS))).toEqual(main.tensors.get(name)!.data);
    expect(fresh.weights.get(difference(WORDS))!.every((value) => value === 0)).toBe(true);
  });
});

describe('a frozen generator', () => {
  const FROZEN: TestConfig = { ...APART, freezeGenerator: true, temperature: 3, temperatureEnd: 1 };

  it('has no gradient, and changes none of the discriminator', () => {
    const [frozen, trained] = [step(FROZEN, stateOf(APART), 1), step(APART, stateOf(APART), 1)];
    const names = createTestObjective(FROZEN).parameters.map(({ name }) => name);
    for (const name of names) {
      if (name.startsWith('generator.')) expect(frozen.gradient(name), name).toBeUndefined();
      else expectSame(frozen.gradient(name), trained.gradient(name), name);
    }
    const [phase] = createTestObjective(FROZEN).phases;
    expect(names.filter((name) => phase.trains(name))).toEqual(names.filter((name) => !name.startsWith('generator.')));
    expect(createTestObjective(FROZEN).losses).toMatchObject([{ name: 'mlm', weight: 0 }, { name: 'disc' }]);
  });

  it('proposes at a temperature that falls in a straight line, and at the last one in evaluation', () => {
    const [phase] = createTestObjective(FROZEN).phases;
    const at = (progress?: number) =>
      1 / phase.feeds(BATCH, { seed: 5, step: 0, firstRow: 0, progress }).inverseTemperature.data[0];
    expect(at(0)).toBeCloseTo(3, 6);
    expect(at(0.5)).toBeCloseTo(2, 6);
    expect(at(1)).toBeCloseTo(1, 6);
    expect(at()).toBeCloseTo(1, 6);
    const steady = step({ ...APART, temperature: 2 }, stateOf(APART));
    const fed = step({ ...APART, temperature: 3, temperatureEnd: 1 }, stateOf(APART), 0.5);
    for (const name of ['discLossSum', 'mlmLossSum'])
      expectSame(fed.outputs.get(name)!.data, steady.outputs.get(name)!.data, name);
  });
});

const ENGINES: (readonly [string, () => Engine | Promise<Engine>])[] = [
  ['onnxruntime', () => createNodeEngine({ threads: 1 })],
  ['plans of oneDNN in TypeScript', createLoopEngine],
  ...(oneDnnMissing ? [] : ([['onednn', () => createOneDnnEngine({ threads: 1, precision: 'fp32' })]] as const)),
];

describe.each(ENGINES)('%s', (_engine, create) => {
  it.each([
    ['gdes', GDES],
    ['a frozen generator and a temperature', { ...GDES, freezeGenerator: true, temperature: 2, temperatureEnd: 1 }],
  ] as const)('has the gradients of the interpreter: %s', async (_name, config) => {
    const objective = createTestObjective(config);
    const [phase] = objective.phases;
    const state = stateOf(config);
    const engine = await create();
    const [ours, theirs] = [
      await run(createInterpreterEngine(), objective, phase, state),
      await run(engine, objective, phase, state),
    ];
    await engine.close();
    expect([...ours.keys()]).toEqual([...theirs.keys()]);
    for (const [name, values] of ours) {
      // The gradient of a key's bias is 0 but for rounding, which each engine has its own way of.
      if (name.endsWith('attention.self.key.bias')) continue;
      const scale = 1e-3 + values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      values.forEach((value, i) => expect(Math.abs(value - theirs.get(name)![i]) / scale, name).toBeLessThan(1e-4));
    }
  });
});

async function run(
  engine: Engine,
  { parameters }: ReturnType<typeof createTestObjective>,
  phase: ReturnType<typeof createTestObjective>['phases'][number],
  values: Map<string, Float64Tensor>,
): Promise<Map<string, Float32Array>> {
  const state = await TrainerState.create(engine, parameters);
  const weights = new Map([...values].map(([name, { data }]) => [name, Float32Array.from(data)]));
  await state.initialize({ seed: 0, initializerRange: 0.02, weights });
  const graph = phase.trainingGraph({ accumulate: false });
  const program = await engine.compile(graph, { label: 'test', state: state.engineState });
  await program.run(phase.feeds(BATCH, { seed: 5, step: 0, firstRow: 0, progress: 0.3 }, phase.counts(BATCH)));
  const gradients = await state.read('gradients');
  await program.release();
  await state.release();
  return new Map([...gradients].map(([name, { data }]) => [name, data]));
}

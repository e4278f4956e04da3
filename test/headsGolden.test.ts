/** Every head of ELECTRA and BERT held against transformers: test/golden/README.md says how the numbers were made. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gradients } from '../src/autodiff/gradients.js';
import { loadModel } from '../src/checkpoint/loadModel.js';
import { headSettings, parsePublishedConfig } from '../src/checkpoint/modelFolder.js';
import { readSafetensors } from '../src/checkpoint/safetensorsSource.js';
import { TensorSource } from '../src/checkpoint/tensorSource.js';
import type { Tensor } from '../src/engine/engine.js';
import { createInterpreterEngine } from '../src/engine/interpreterEngine.js';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.node.js';
import { int32Tensor } from '../src/engine/tensors.js';
import { memorySource } from '../src/files/byteSource.js';
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from '../src/formats/safetensors.js';
import type { Architecture } from '../src/models/config.js';
import { addHead, MODEL_CLASSES } from '../src/models/heads.js';
import { modelGraph } from '../src/models/modelGraph.js';
import { Model, type ModelInputs } from '../src/pretrained/model.js';
import { relativeError } from './goldenFiles.js';

const file = (name: string) => readFileSync(new URL(`./golden/${name}`, import.meta.url));
const { configs } = JSON.parse(file('heads.json').toString()) as { configs: Record<string, Record<string, unknown>> };

/** float32 engines stay within 2e-5 of float64 here. */
const LOGITS = 1e-4;

type Stored = ReadonlyMap<string, SafetensorsTensor>;

const startingWith = (stored: Stored, prefix: string) =>
  [...stored].flatMap(([key, tensor]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), tensor] as const] : []));

/** The state dict of a class as a file, with a config.json that names the class. */
async function load(stored: Stored, config: Record<string, unknown>, architecture: Architecture) {
  const prefix = MODEL_CLASSES[architecture].task === 'encoder' ? `encoder.${config.model_type}.` : 'encoder.';
  const own = [...startingWith(stored, prefix), ...startingWith(stored, `${architecture}.`)];
  const bytes = Buffer.concat([...encodeSafetensors(own.map(([name, tensor]) => ({ ...tensor, name })))]);
  const source = memorySource(bytes, `${architecture}.safetensors`);
  const content = await readSafetensors(source);
  const tensors = new TensorSource({ name: source.name, format: 'safetensors', ...content, sources: [source] });
  const published = parsePublishedConfig({ ...config, architectures: [architecture] }, 'config.json');
  return loadModel(tensors, published, {
    initialize: ({ name }) => {
      throw new Error(`${name} is not to be made up`);
    },
  });
}

function inputsOf(stored: Stored, batch: string, architecture: Architecture) {
  const read = (key: string) => {
    const { shape, data } = stored.get(`${batch}.${key}`)!;
    const [count, length] = shape;
    const rows = Array.from({ length: count }, (_, row) => [
      ...(data as Int32Array).subarray(row * length, (row + 1) * length),
    ]);
    // Two texts: the rows as choices, and the same in the opposite order.
    return MODEL_CLASSES[architecture].task === 'multipleChoice' ? [rows, [...rows].reverse()] : rows;
  };
  return {
    inputIds: read('input_ids'),
    attentionMask: read('attention_mask'),
    tokenTypeIds: read('token_type_ids'),
  } as ModelInputs & Record<'inputIds' | 'attentionMask' | 'tokenTypeIds', number[][]>;
}

/** Of a long row the files keep the first, second, middle and last position. */
function kept({ shape, data }: Tensor, expected: readonly number[]): ArrayLike<number> {
  if (shape.join() === expected.join()) return data;
  const [, length, width = 1] = shape;
  const positions = [0, 1, length >> 1, length - 1];
  return positions.flatMap((at) => [...data.subarray(at * width, (at + 1) * width)]);
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(expected).reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
}

describe.each(Object.keys(configs))('the classes of %s', (name) => {
  const stored: Stored = decodeSafetensors(file(`heads-${name}.safetensors`)).tensors;
  const classes = [...new Set([...stored.keys()].flatMap((key) => /^(\w+):pairs\./.exec(key)?.[1] ?? []))];

  it('are all seven', () => {
    expect(classes).toHaveLength(7);
  });

  it.each(classes as Architecture[])('%s has every output of transformers, in two engines', async (architecture) => {
    const { model: description, tensors, report } = await load(stored, configs[name], architecture);
    expect(report).toMatchObject({ missing: [], initialized: [] });
    for (const engine of [createInterpreterEngine(), await createNodeEngine({ threads: 1 })]) {
      const model = new Model({ description, tensors, engine });
      for (const batch of ['pairs', 'one', 'long']) {
        const expected = startingWith(stored, `${architecture}:${batch}.`);
        if (expected.length === 0) continue; // multiple choice
        const whole = expected.some(([key]) => key.startsWith('hiddenStates'));
        const options = { hiddenStates: whole, attentions: whole };
        const outputs: Record<string, unknown> = {
          ...(await model.run(inputsOf(stored, batch, architecture), options)),
        };
        expect(Object.keys(outputs).sort()).toEqual([...new Set(expected.map(([key]) => key.split('.')[0]))].sort());
        for (const [key, { shape, data }] of expected) {
          const [output, index] = key.split('.');
          const actual = (
            index === undefined ? outputs[output] : (outputs[output] as Tensor[])[Number(index)]
          ) as Tensor;
          const difference = largestDifference(kept(actual, shape), data as Float32Array);
          expect(difference, `${engine.name} ${batch} ${key}`).toBeLessThan(LOGITS);
        }
      }
      await model.release();
      await engine.close();
    }
  });

  const differentiated = (classes as Architecture[]).filter(
    (architecture) => startingWith(stored, `${architecture}:gradient.`).length > 0,
  );

  it.each(differentiated)('%s has every gradient of PyTorch', async (architecture) => {
    const { model: description, tensors } = await load(stored, configs[name], architecture);
    const { graph } = modelGraph(description.config, MODEL_CLASSES[architecture].family, (encoded) => {
      const g = encoded.scope.graph;
      const outputs = Object.entries(addHead(architecture, encoded, description.config, headSettings(description)));
      const terms = outputs.map(([key, node]) =>
        g.reduceSum(g.mul(node, g.input(`cotangent.${key}`, 'float32', node.shape))),
      );
      const total = terms.reduce((sum, term) => g.add(sum, term));
      const states = encoded.scope.specs.map(({ name: key, shape }) => [key, g.state(key, shape)] as const);
      const derivatives = gradients(
        g,
        total,
        states.map(([, node]) => node),
      );
      for (const [key, node] of states) g.output(key, derivatives.get(node)!);
    });
    const weights = new Map([...tensors].map(([key, { data }]) => [key, data]));
    const program = await createInterpreterEngine().compile(graph, { label: 'gradients', weights });
    const inputs = inputsOf(stored, 'pairs', architecture);
    const length = inputs.inputIds[0].length;
    const int32 = (rows: number[][]) => int32Tensor(Int32Array.from(rows.flat()), [rows.length, length]);
    const cotangents = startingWith(stored, `${architecture}:cotangent.`);
    const outputs = await program.run({
      inputIds: int32(inputs.inputIds),
      attentionMask: int32(inputs.attentionMask),
      tokenTypeIds: int32(inputs.tokenTypeIds),
      positionIds: int32Tensor(Int32Array.from({ length }, (_, i) => i)),
      ...Object.fromEntries(
        cotangents.map(([key, { shape, data }]) => [
          `cotangent.${key}`,
          { dtype: 'float32', shape, data: data as Float32Array } as const,
        ]),
      ),
    });
    const expected = startingWith(stored, `${architecture}:gradient.`);
    expect(expected.map(([key]) => key).sort()).toEqual(Object.keys(outputs).sort());
    for (const [key, { data }] of expected) {
      expect(relativeError(outputs[key].data, data as Float32Array), key).toBeLessThan(1e-6);
    }
  });
});

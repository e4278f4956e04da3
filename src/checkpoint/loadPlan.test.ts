import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Architecture, encoderConfig } from '../models/config.js';
import { SPAN_BOUNDARY_DEFAULTS } from '../models/spanbert.js';
import { type LoadTarget, planLoad } from './loadPlan.js';
import { describeLoadReport, type LoadReport } from './loadReport.js';
import { runLoadPlan, transpose } from './loadTensors.js';
import { expectedTensors } from './modelFolder.js';
import { type ElectraHalf, TIED_TENSORS } from './nameMaps.js';
import { openTensors } from './openTensors.node.js';
import type { TensorInfo } from './tensorSource.js';
import { writeWeightFiles } from './weightFiles.node.js';

const temporary = temporaryFolder('load-plan');
afterAll(temporary.remove);

import { expectedGolden, goldenPath, readAll, sortedByName, temporaryFolder } from './testCheckpoints.js';

const f32 = (...shape: number[]): TensorInfo => ({ dtype: 'F32', shape });
const tiny: LoadTarget = {
  name: 'Tiny',
  prefix: 'electra',
  tensors: new Map([
    ['electra.embeddings.word_embeddings.weight', [5, 2]],
    ['generator_lm_head.bias', [5]],
  ]),
  tied: TIED_TENSORS.electraGenerator,
};
const WORDS = 'electra.embeddings.word_embeddings.weight';

describe('a plan', () => {
  it('lists every tensor of the file and of the model exactly once', () => {
    const found = new Map([
      [WORDS, f32(5, 2)],
      ['generator_lm_head.weight', f32(5, 2)],
      ['electra.embeddings.position_ids', { dtype: 'I64', shape: [1, 5] } as TensorInfo],
      ['classifier.weight', f32(3, 2)],
    ]);
    const plan = planLoad(found, tiny, 'a.bin', new Map([['epoch', '3 beside the weights']]));
    expect(plan.tensors.map(({ name, from }) => [name, from])).toEqual([[WORDS, WORDS]]);
    expect(plan.tied).toEqual([{ name: 'generator_lm_head.weight', to: WORDS, from: 'generator_lm_head.weight' }]);
    expect(plan.missing).toEqual([{ name: 'generator_lm_head.bias', shape: [5] }]);
    expect(plan.unused).toEqual([
      { from: 'electra.embeddings.position_ids', why: 'a buffer, the numbers 0, 1, 2, …' },
      { from: 'classifier.weight', why: 'no part of Tiny' },
      { from: 'epoch', why: '3 beside the weights' },
    ]);
  });

  it('takes a tied tensor from whichever of its names the file kept', () => {
    const found = new Map([
      ['generator_lm_head.weight', f32(5, 2)],
      ['generator_lm_head.bias', f32(5)],
    ]);
    const plan = planLoad(found, tiny, 'a.bin');
    expect(plan.tensors[0]).toMatchObject({ name: WORDS, from: 'generator_lm_head.weight' });
    expect(plan.missing).toEqual([]);
    expect(plan.tied).toEqual([{ name: 'generator_lm_head.weight', to: WORDS }]);
  });

  it('names every tensor of another shape at once', () => {
    const found = new Map([
      [WORDS, f32(5, 3)],
      ['generator_lm_head.bias', f32(6)],
    ]);
    expect(() => planLoad(found, tiny, 'a.bin')).toThrow(
      `a.bin does not fit Tiny: ${WORDS} is [5,3], the config needs [5,2]; generator_lm_head.bias is [6], the config needs [5]. Load it with its own config.json`,
    );
  });

  it('refuses integers where weights are expected, and two tensors for one place', () => {
    const integers = new Map([[WORDS, { dtype: 'I8', shape: [5, 2] } as TensorInfo]]);
    expect(() => planLoad(integers, tiny, 'a')).toThrow(`${WORDS} is I8, expected floating-point numbers`);
    const twice = new Map([
      [WORDS, f32(5, 2)],
      [`module.${WORDS}`, f32(5, 2)],
    ]);
    expect(() => planLoad(twice, tiny, 'a')).toThrow(`a: ${WORDS} and module.${WORDS} are both ${WORDS}`);
  });
});

describe('a TensorFlow checkpoint of google-research/electra', () => {
  const size = { vocabSize: 11, maxPositionEmbeddings: 7, embeddingSize: 6, numHiddenLayers: 2 };
  const configs = {
    discriminator: encoderConfig('tiny', 11, { ...size, hiddenSize: 8, intermediateSize: 16, numAttentionHeads: 2 }),
    generator: encoderConfig('tiny', 11, { ...size, hiddenSize: 4, intermediateSize: 12, numAttentionHeads: 1 }),
  };
  const target = (half: ElectraHalf, config = configs[half]): LoadTarget => {
    const name: Architecture = half === 'discriminator' ? 'ElectraForPreTraining' : 'ElectraForMaskedLM';
    const tensors = expectedTensors({ config, architecture: name });
    return { name, prefix: 'electra', half, tensors, tied: half === 'generator' ? TIED_TENSORS.electraGenerator : {} };
  };
  const load = async (half: ElectraHalf) => {
    const source = await openTensors(goldenPath('electra-tf1'));
    const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    const plan = planLoad(source.tensors, target(half), source.name, source.otherEntries);
    const report = await runLoadPlan(source, plan, (name, { shape, data }) => {
      tensors.set(name, { shape, data });
    });
    await source.close();
    return { tensors, report };
  };

  it.each(['discriminator', 'generator'] as const)(
    'gives the %s that transformers converts it to, bit for bit',
    async (half) => {
      const { tensors, report } = await load(half);
      const expected = expectedGolden(`electra-tf1/${half}`);
      expected.delete('generator_lm_head.weight'); // tied, see below
      const stored = [...tensors].map(([name, tensor]) => [name, { name, dtype: 'F32', ...tensor }] as const);
      expect(sortedByName(new Map(stored))).toEqual(sortedByName(expected));
      expect(report.missing).toEqual([]);
      expect(report.loaded.length + report.converted.length).toBe(expected.size);
      // Two layers of six kernels, and those of the projection and the head.
      expect(report.converted.map(({ how }) => how)).toEqual(
        new Array(half === 'discriminator' ? 15 : 14).fill('transposed'),
      );
    },
  );

  it('comes back bit for bit from the folder that is written for transformers', async () => {
    const { tensors } = await load('generator');
    const folder = join(temporary.path, 'generator');
    const outgoing = [...tensors].map(([name, { shape, data }]) => ({ name, shape, read: () => data }));
    await writeWeightFiles(folder, outgoing, { maxFileBytes: 3000 });
    const source = await openTensors(folder);
    const expected = expectedGolden('electra-tf1/generator');
    expected.delete('generator_lm_head.weight');
    expect(await readAll(source)).toEqual(sortedByName(expected));
    await source.close();
  });

  it('accounts for every one of its variables', async () => {
    const { report } = await load('generator');
    const source = await openTensors(goldenPath('electra-tf1'));
    const accounted = [...report.loaded, ...report.converted, ...report.unused].map(({ from }) => from);
    expect(accounted.sort()).toEqual([...source.tensors.keys()].sort());
    expect(report.tied).toEqual([{ name: 'generator_lm_head.weight', to: WORDS }]);
    await source.close();
    const lines = describeLoadReport(report);
    expect(lines[0]).toMatch(/as ElectraForMaskedLM: 30 loaded, 14 converted, 1 tied, 0 missing, \d+ unused$/);
    expect(lines.filter((line) => line.includes('optimizer'))).toEqual([
      expect.stringMatching(/^ {2}unused, a moment of the optimizer: \d+ tensors \(/),
    ]);
  });

  it('names the half whose config was given for the other', async () => {
    const source = await openTensors(goldenPath('electra-tf1'));
    expect(() => planLoad(source.tensors, target('generator', configs.discriminator), source.name)).toThrow(
      /does not fit ElectraForMaskedLM: generator\/embeddings_project\/kernel is \[6,4\], the config needs \[6,8\].*; and \d+ more\. Load it with its own config\.json; a generator's is not its discriminator's/,
    );
    await source.close();
  });
});

describe("SpanBERT's original files", () => {
  const config = encoderConfig('tiny', 11, {
    embeddingSize: 8,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    maxPositionEmbeddings: 7,
  });
  // The number of positions is not published; it is read from the file, here 3.
  const spanBoundary = { ...SPAN_BOUNDARY_DEFAULTS, maxSpanTargets: 3 };
  const tensors = expectedTensors({ config, architecture: 'BertForMaskedLM', spanBoundary });
  const heads = [...tensors.keys()].filter((name) => !name.startsWith('bert.'));
  const target: LoadTarget = {
    name: 'SpanBERT',
    prefix: 'bert',
    tensors,
    tied: { ...TIED_TENSORS.bertMaskedLm, ...TIED_TENSORS.spanBoundary },
  };
  const load = async (file: string): Promise<LoadReport> => {
    const source = await openTensors(goldenPath(file));
    try {
      return await runLoadPlan(source, planLoad(source.tensors, target, source.name, source.otherEntries), () => {});
    } finally {
      await source.close();
    }
  };

  it('load with both heads, whose output matrices are the word embeddings', async () => {
    const report = await load('spanbert-with-head.tar.gz');
    expect(report.missing).toEqual([]);
    expect(report.unused).toEqual([]);
    expect(report.converted.length).toBe(tensors.size);
    expect(new Set(report.converted.map(({ how }) => how))).toEqual(new Set(['from F16']));
    expect(report.tied).toEqual([
      {
        name: 'cls.predictions.decoder.weight',
        to: 'bert.embeddings.word_embeddings.weight',
        from: 'decoder.cls.predictions.decoder.weight',
        same: true,
      },
      { name: 'cls.predictions.decoder.bias', to: 'cls.predictions.bias' },
      {
        name: 'sbo.decoder.weight',
        to: 'bert.embeddings.word_embeddings.weight',
        from: 'decoder.cls.pair_target_predictions.decoder.weight',
        same: true,
      },
    ]);
  });

  it('without heads: each of their tensors is missing and said to be', async () => {
    const report = await load('spanbert-encoder.tar.gz');
    expect(report.missing.map(({ name }) => name)).toEqual(heads);
    expect(describeLoadReport(report)[1]).toBe('  missing: cls.predictions.transform.dense.weight [8,8]');
  });
});

it('transposes matrices of odd sizes, and twice is not at all', () => {
  const [rows, columns] = [67, 45];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const once = transpose(values, [columns, rows]);
  expect(once[3 * rows + 5]).toBe(values[5 * columns + 3]);
  expect(transpose(once, [rows, columns])).toEqual(values);
});

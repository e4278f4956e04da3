import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { encoderConfigToJson, expectedTensors, type ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { openTensors } from '../checkpoint/openTensors.node.js';
import { expectedGolden, goldenPath, readAll, sortedByName, temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { CheckpointError } from '../errors/errors.js';
import type { SafetensorsTensor } from '../formats/safetensors.js';
import { writeSafetensors } from '../formats/safetensors.node.js';
import type { Architecture } from '../models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../pipelines/testModels.js';
import { convertModel } from './convert.node.js';
import { fromPretrained, loadPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('pretrained');
afterAll(() => temporary.remove());

const BERT_CONFIG = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };

function filled(model: ModelDescription) {
  const tensors = [...expectedTensors(model)].map(([name, shape], index) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(index + i)) }] as const;
  });
  return { ...model, tensors: new Map(tensors), tokenizer: TEST_TOKENIZER };
}

async function saved(architecture: Architecture, changes: Partial<ModelDescription> = {}): Promise<string> {
  const folder = join(temporary.path, `${architecture}-${Math.abs(JSON.stringify(changes).length)}`);
  const config = architecture.startsWith('Bert') ? BERT_CONFIG : TEST_CONFIG;
  await saveModelFolder(folder, filled({ config, architecture, ...changes }));
  return folder;
}

/** A folder with chosen tensors, whatever its config needs. */
async function folderOf(name: string, json: Record<string, unknown>, tensors: Iterable<SafetensorsTensor>) {
  const folder = join(temporary.path, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

const tensorsOf = (model: ModelDescription): SafetensorsTensor[] =>
  [...filled(model).tensors].map(([name, { shape, data }]) => ({ name, dtype: 'F32', shape, data }));

/** The config of SpanBERT's golden archives, whose own leaves out the number of positions. */
function spanBertConfig(name: string, more: Record<string, unknown> = {}): string {
  const path = join(temporary.path, name);
  const sizes = {
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    vocab_size: 11,
  };
  writeFileSync(path, JSON.stringify({ ...sizes, max_position_embeddings: 7, ...more }));
  return path;
}

describe('a head that a file does not have', () => {
  it("is an error that says a discriminator's generator is elsewhere", async () => {
    const folder = await saved('ElectraForPreTraining');
    await expect(loadPretrained(folder, { task: 'maskedLm' })).rejects.toThrow(
      /has no whole head of ElectraForMaskedLM: missing generator_predictions.*It holds ElectraForPreTraining, a discriminator; the masked LM of the pair is its generator's file\. To train a new head, ask for one \(newHead: true\)/,
    );
  });

  it("is an error for SpanBERT's released files, which hold the encoder alone, whatever their config says", async () => {
    const archive = goldenPath('spanbert-encoder.tar.gz');
    const config = spanBertConfig('spanbert.json', { architectures: ['BertForMaskedLM'] });
    await expect(loadPretrained(archive, { config })).rejects.toThrow(/It holds an encoder alone/);
    for (const task of ['maskedLm', 'questionAnswering', 'sequenceClassification'] as const) {
      await expect(loadPretrained(archive, { task, config })).rejects.toThrow(
        /It holds an encoder alone, as SpanBERT's/,
      );
    }
    const { model, report } = await loadPretrained(archive, { config, task: 'encoder' });
    expect(model).toMatchObject({ architecture: 'BertModel', pooler: false });
    expect(report).toMatchObject({ missing: [], initialized: [] });
  });

  it('starts at random when it is asked to be new, and is listed; a part of it that is there is kept', async () => {
    const folder = await saved('BertModel');
    const options = { task: 'sequenceClassification', newHead: true, labels: ['no', 'yes', 'maybe'] } as const;
    const { model, tensors, report } = await loadPretrained(folder, options);
    expect(report.initialized).toEqual(['classifier.weight', 'classifier.bias']);
    expect(report.missing.map(({ name }) => name)).toEqual(report.initialized);
    expect(model.labels).toEqual(['no', 'yes', 'maybe']);
    expect(tensors.get('classifier.weight')!.shape).toEqual([3, 16]);
    const again = await loadPretrained(folder, options);
    expect(again.tensors.get('classifier.weight')).toEqual(tensors.get('classifier.weight'));
    const other = await loadPretrained(folder, { ...options, seed: 1 });
    expect(other.tensors.get('classifier.weight')).not.toEqual(tensors.get('classifier.weight'));
  });

  it('takes the place of one for other labels when it is asked to be new, as far as that does not fit', async () => {
    const folder = await saved('ElectraForSequenceClassification', { labels: ['no', 'yes'] });
    const labels = ['one', 'two', 'three'];
    await expect(loadPretrained(folder, { labels })).rejects.toThrow(
      /out_proj\.weight is \[2,16\], the config needs \[3,16\]/,
    );
    const { report, tensors } = await loadPretrained(folder, { labels, newHead: true });
    expect(report.initialized).toEqual(['classifier.out_proj.weight', 'classifier.out_proj.bias']);
    expect(report.unused).toContainEqual({
      from: 'classifier.out_proj.weight',
      why: 'of another head: it is [2,16], the config needs [3,16]',
    });
    expect(tensors.get('classifier.out_proj.weight')!.shape).toEqual([3, 16]);
    const same = await loadPretrained(folder);
    expect(tensors.get('classifier.dense.weight')).toEqual(same.tensors.get('classifier.dense.weight'));
  });

  it('is never the encoder: a missing layer is an error even then', async () => {
    const model = { config: TEST_CONFIG, architecture: 'ElectraModel' } as const;
    const tensors = tensorsOf(model).filter(({ name }) => !name.includes('encoder.layer.0.output.dense'));
    const folder = await folderOf('no-layer', encoderConfigToJson(model), tensors);
    await expect(loadPretrained(folder, { newHead: true })).rejects.toThrow(
      /lacks parts of the encoder of ElectraModel: electra\.encoder\.layer\.0\.output\.dense\.weight/,
    );
  });
});

describe('what a file has and the model has no place for', () => {
  it('is an error when it is of the encoder: the config is another', async () => {
    const model = { config: { ...TEST_CONFIG, numHiddenLayers: 2 }, architecture: 'ElectraForPreTraining' } as const;
    const json = { ...encoderConfigToJson(model), num_hidden_layers: 1 };
    const folder = await folderOf('two-layers', json, tensorsOf(model));
    await expect(loadPretrained(folder)).rejects.toThrow(
      /has parts of an encoder that its config does not know: electra\.encoder\.layer\.1\..* and 11 more/,
    );
  });

  it('is listed when it is a head, a buffer or unknown', async () => {
    const model = { config: BERT_CONFIG, architecture: 'BertForPreTraining' } as const;
    const extra = {
      name: 'bert.embeddings.position_ids',
      dtype: 'I64',
      shape: [1, 2],
      data: new BigInt64Array(2),
    } as const;
    const odd = { name: 'adapter.weight', dtype: 'F32', shape: [1], data: new Float32Array(1) } as const;
    const folder = await folderOf('extras', encoderConfigToJson(model), [...tensorsOf(model), extra, odd]);
    const { report } = await loadPretrained(folder, { task: 'encoder' });
    const unused = new Map(report.unused.map(({ from, why }) => [from, why]));
    expect(unused.get('bert.embeddings.position_ids')).toMatch(/buffer/);
    expect(unused.get('adapter.weight')).toBe('no part of BertModel');
    expect(unused.has('cls.predictions.bias')).toBe(true);
    expect(unused.has('bert.pooler.dense.weight')).toBe(false);
  });

  it('is an error when it is an output matrix that is not the word table', async () => {
    const model = { config: TEST_CONFIG, architecture: 'ElectraForMaskedLM' } as const;
    const shape = [TEST_CONFIG.vocabSize, TEST_CONFIG.embeddingSize];
    const matrix = {
      name: 'generator_lm_head.weight',
      dtype: 'F32',
      shape,
      data: new Float32Array(shape[0] * shape[1]),
    } as const;
    const folder = await folderOf('untied', encoderConfigToJson(model), [...tensorsOf(model), matrix]);
    await expect(loadPretrained(folder)).rejects.toThrow(
      /generator_lm_head\.weight differs from electra\.embeddings\.word_embeddings\.weight, to which it is tied/,
    );
    await expect(loadPretrained(folder, { task: 'encoder' })).resolves.toBeDefined();
  });
});

describe('the class of a model', () => {
  it.each([
    'ElectraForPreTraining',
    'ElectraForMaskedLM',
    'ElectraForQuestionAnswering',
    'ElectraForSequenceClassification',
    'ElectraForTokenClassification',
    'ElectraForMultipleChoice',
    'BertForPreTraining',
    'BertForMaskedLM',
    'BertForQuestionAnswering',
    'BertModel',
  ] as const)('%s is told by its tensors where config.json names none', async (architecture) => {
    const config = architecture.startsWith('Bert') ? BERT_CONFIG : TEST_CONFIG;
    const { architectures: _, ...json } = encoderConfigToJson({ config, architecture });
    const folder = await folderOf(`unnamed-${architecture}`, json, tensorsOf({ config, architecture }));
    expect((await loadPretrained(folder)).model.architecture).toBe(architecture);
  });

  it("must be said for BERT's classifiers, which look alike", async () => {
    const model = { config: BERT_CONFIG, architecture: 'BertForTokenClassification' } as const;
    const { architectures: _, ...json } = encoderConfigToJson(model);
    const folder = await folderOf('classifier', json, tensorsOf(model));
    await expect(loadPretrained(folder)).rejects.toThrow(/has a classifier, and no config\.json says of what kind/);
    const { model: asked } = await loadPretrained(folder, { task: 'tokenClassification' });
    expect(asked.architecture).toBe('BertForTokenClassification');
  });

  it('of another family is refused', async () => {
    const folder = await saved('BertModel', { labels: ['x'] });
    await expect(loadPretrained(folder, { architecture: 'ElectraModel' })).rejects.toThrow(CheckpointError);
  });
});

describe('conversion', () => {
  it.each(['discriminator', 'generator'] as const)(
    "writes the %s of google-research/electra's checkpoint bit for bit",
    async (half) => {
      const out = join(temporary.path, `tf-${half}`);
      const sizes = half === 'generator' ? { hidden_size: 4, intermediate_size: 12, num_attention_heads: 1 } : {};
      const config = join(temporary.path, `${half}.json`);
      writeFileSync(
        config,
        JSON.stringify({
          ...{
            model_type: 'electra',
            vocab_size: 11,
            embedding_size: 6,
            max_position_embeddings: 7,
            num_hidden_layers: 2,
          },
          ...{ hidden_size: 8, intermediate_size: 16, num_attention_heads: 2, ...sizes },
        }),
      );
      const { report } = await convertModel(goldenPath('electra-tf1'), out, { half, config });
      expect(report.missing).toEqual([]);
      const source = await openTensors(out);
      const expected = expectedGolden(`electra-tf1/${half}`);
      expected.delete('generator_lm_head.weight');
      expect(await readAll(source)).toEqual(sortedByName(expected));
      await source.close();
      const wrong = convertModel(goldenPath('electra-tf1'), join(temporary.path, 'wrong'), {
        half: half === 'generator' ? 'discriminator' : 'generator',
        config,
      });
      await expect(wrong).rejects.toThrow(/a generator's is not its discriminator's/);
      expect(existsSync(join(temporary.path, 'wrong'))).toBe(false);
    },
  );

  it('takes a legacy .bin of an encoder, keeps its bits and its names, and gives the same again', async () => {
    const [first, second] = ['tiny-bert', 'tiny-bert-again'].map((name) => join(temporary.path, name));
    await convertModel(goldenPath('tiny-bert'), first);
    await convertModel(first, second);
    const read = async (path: string) => {
      const source = await openTensors(path);
      const all = await readAll(source);
      await source.close();
      return all;
    };
    const before = await read(goldenPath('tiny-bert'));
    before.delete('embeddings.position_ids');
    const after = await read(first);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, { data }] of after) expect(data, name).toEqual(before.get(name)!.data);
    expect(readFileSync(join(second, 'model.safetensors'))).toEqual(readFileSync(join(first, 'model.safetensors')));
    expect(JSON.parse(readFileSync(join(first, 'config.json'), 'utf8'))).toMatchObject({
      architectures: ['BertModel'],
      vocab_size: 250,
    });
  });

  it("reads the sizes of SpanBERT's boundary head off its original file, and writes it beside the model", async () => {
    const out = join(temporary.path, 'with-head');
    const config = spanBertConfig('with-head.json');
    const { model, dtype, report } = await convertModel(goldenPath('spanbert-with-head.tar.gz'), out, { config });
    expect(dtype).toBe('f16');
    expect(model.model.architecture).toBe('BertForMaskedLM');
    expect(model.model.spanBoundary).toMatchObject({ positionSize: 200 });
    expect(report.tied.map(({ name, same }) => [name, same])).toContainEqual(['sbo.decoder.weight', true]);
    const again = await loadPretrained(out);
    expect(again.model.spanBoundary).toEqual(model.model.spanBoundary);
    for (const [name, { data }] of again.tensors) expect(data, name).toEqual(model.tensors.get(name)!.data);
  });

  it('that is interrupted leaves nothing, wherever it was', async () => {
    // Asked before each of 21 tensors is kept, and before each is written.
    for (const stopAt of [1, 21, 22, 30, 42]) {
      const controller = new AbortController();
      const { signal } = controller;
      let asked = 0;
      vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
        if (++asked === stopAt) throw new Error('interrupted');
      });
      const out = join(temporary.path, 'interrupted');
      await expect(convertModel(goldenPath('tiny-bert'), out, { signal }), `${stopAt}`).rejects.toThrow('interrupted');
      expect(existsSync(out)).toBe(false);
    }
  });

  it('refuses a folder with something in it', async () => {
    const full = join(temporary.path, 'full');
    mkdirSync(join(full, 'x'), { recursive: true });
    await expect(convertModel(goldenPath('tiny-bert'), full)).rejects.toThrow(/is not empty/);
  });
});

describe('weights that stay in their file', () => {
  const engine = createInterpreterEngine();
  const storedIn = (tensors: ReadonlyMap<string, { stored?: unknown }>) =>
    [...tensors.values()].filter(({ stored }) => stored).length;

  it('are those of a float32 file; they read, run and are saved as if they were in memory', async () => {
    const folder = await saved('ElectraForMaskedLM');
    const [file, memory] = [
      await fromPretrained(folder, { engine }),
      await fromPretrained(folder, { engine, keep: 'memory' }),
    ];
    expect(storedIn(file.tensors)).toBe(file.tensors.size);
    expect(storedIn(memory.tensors)).toBe(0);
    for (const [name, { shape, data }] of memory.tensors) {
      expect(file.tensors.get(name)!.shape).toEqual(shape);
      expect(file.tensors.get(name)!.data, name).toEqual(data);
    }
    const inputs = { inputIds: [[2, 5, 6, 3]] };
    expect(await file.run(inputs)).toEqual(await memory.run(inputs));
    const copies = [join(temporary.path, 'from-file'), join(temporary.path, 'from-memory')];
    await file.savePretrained(copies[0]);
    await memory.savePretrained(copies[1]);
    const [first, second] = copies.map((copy) => readFileSync(join(copy, 'model.safetensors')));
    expect(first.equals(second)).toBe(true);
  });

  it('are none where the file is converted, transposed or goes away, or values are rounded, or it is not asked for', async () => {
    const folder = await saved('ElectraForPreTraining');
    const half = join(temporary.path, 'kept-half');
    const model = await fromPretrained(folder, { engine });
    await model.savePretrained(half, { dtype: 'f16' });
    const config = spanBertConfig('kept-config.json', { architectures: ['BertModel'] });
    for (const [place, options] of [
      [half, {}],
      [folder, { dtype: 'f16' }],
      [goldenPath('spanbert-encoder.tar.gz'), { config, task: 'encoder' }],
    ] as const) {
      expect(storedIn((await loadPretrained(place, { keep: 'file', ...options })).tensors), place).toBe(0);
    }
    expect(storedIn((await loadPretrained(folder)).tensors)).toBe(0);
  });

  it('are refused when the file was written over, by its name; a program that is compiled goes on', async () => {
    const folder = await saved('ElectraForTokenClassification', { labels: ['a', 'b'] });
    const model = await fromPretrained(folder, { engine: 'onnxruntime', threads: 1 });
    const inputs = { inputIds: [[2, 5, 6, 3]] };
    const before = await model.run(inputs);
    await saveModelFolder(
      folder,
      filled({ config: TEST_CONFIG, architecture: 'ElectraForTokenClassification', labels: ['c', 'd'] }),
    );
    expect(await model.run(inputs)).toEqual(before);
    const changed = /model\.safetensors was changed since the model was loaded from it/;
    await expect(model.run(inputs, { hiddenStates: true })).rejects.toThrow(changed);
    await expect(model.savePretrained(join(temporary.path, 'of-changed'))).rejects.toThrow(changed);
    expect(existsSync(join(temporary.path, 'of-changed', 'model.safetensors'))).toBe(false);
    await model.release();
  });

  it('may be a part of the model: a new head is in memory beside them', async () => {
    const folder = await saved('ElectraModel');
    const options = { task: 'sequenceClassification', newHead: true, labels: ['a', 'b'] } as const;
    const model = await fromPretrained(folder, { ...options, engine: 'onnxruntime', threads: 1 });
    expect(storedIn(model.tensors)).toBe(model.tensors.size - 4);
    const inMemory = await fromPretrained(folder, { ...options, keep: 'memory', engine: 'onnxruntime', threads: 1 });
    const inputs = { inputIds: [[2, 5, 6, 3]] };
    expect(await model.run(inputs)).toEqual(await inMemory.run(inputs));
    for (const each of [model, inMemory]) await each.release();
  });
});

describe('a loaded model', () => {
  it('runs, gives hidden states when asked, is saved and comes back the same', async () => {
    const engine = createInterpreterEngine();
    const folder = await saved('ElectraForSequenceClassification', { labels: ['a', 'b', 'c'] });
    const model = await fromPretrained(folder, { engine });
    const inputs = {
      inputIds: [
        [2, 5, 6, 3],
        [2, 7, 3],
      ],
    };
    const { logits, hiddenStates, attentions } = await model.run(inputs, { hiddenStates: true });
    expect(logits!.shape).toEqual([2, 3]);
    expect(hiddenStates!.map(({ shape }) => shape)).toEqual([
      [2, 4, 16],
      [2, 4, 16],
    ]);
    expect(attentions).toBeUndefined();
    const copy = join(temporary.path, 'copy');
    await model.savePretrained(copy);
    const again = await fromPretrained(copy, { engine });
    expect(again.description).toEqual(model.description);
    expect((await again.run(inputs)).logits).toEqual(logits);
    await again.savePretrained(join(temporary.path, 'half'), { dtype: 'f16' });
    const half = await fromPretrained(join(temporary.path, 'half'), { engine });
    const rounded = await fromPretrained(folder, { engine, dtype: 'f16' });
    expect((await half.run(inputs)).logits).toEqual((await rounded.run(inputs)).logits);
    for (const each of [model, again, half, rounded]) await each.release();
  });

  it('fills up short rows, whose results are those of the row alone', async () => {
    const engine = createInterpreterEngine();
    const model = await fromPretrained(await saved('ElectraForPreTraining', { pleiad: { a: 1 } }), { engine });
    const together = await model.run({
      inputIds: [
        [2, 5, 6, 7, 3],
        [2, 8, 3],
      ],
    });
    const alone = await model.run({ inputIds: [Int32Array.of(2, 8, 3)] });
    [...alone.logits!.data].forEach((value, i) => {
      expect(together.logits!.data[5 + i]).toBeCloseTo(value, 6);
    });
    await model.release();
  });

  it('names what does not fit: ids, lengths, masks', async () => {
    const engine = createInterpreterEngine();
    const model = await fromPretrained(await saved('ElectraModel'), { engine });
    const run = (inputs: Parameters<typeof model.run>[0]) => model.run(inputs);
    await expect(run({ inputIds: [[2, 99]] })).rejects.toThrow(
      'inputIds has 99 at position 1 of row 0; expected 0 to 19',
    );
    await expect(run({ inputIds: [[2, 5, 3]], attentionMask: [[1, 1]] })).rejects.toThrow(
      'attentionMask has 2 values in row 0; expected 3, as inputIds has',
    );
    await expect(run({ inputIds: [new Int32Array(25)] })).rejects.toThrow(/a row of 25 tokens; expected 1 to 24/);
    await expect(run({ inputIds: [] })).rejects.toThrow(/inputIds is not what the model takes/);
    await expect(run({ inputIds: [[2, 3]], tokenTypeIds: [[0, 2]] })).rejects.toThrow(
      'tokenTypeIds has 2 at position 1',
    );
    await expect(run({ inputIds: [[2, 3]], spans: [{ row: 0, start: 1, end: 2 }] })).rejects.toThrow(
      'this ElectraModel has no span boundary head',
    );
    await model.release();
  });

  it('predicts spans from their boundaries where it has that head', async () => {
    const engine = createInterpreterEngine();
    const spanBoundary = { maxSpanTargets: 3, positionSize: 4, endpoints: 'external', edgeSpans: 'drop' } as const;
    const model = await fromPretrained(await saved('BertForMaskedLM', { spanBoundary }), { engine });
    const inputIds = [[2, 5, 4, 4, 6, 3]];
    const { boundaryLogits, logits } = await model.run({ inputIds, spans: [{ row: 0, start: 2, end: 4 }] });
    expect(boundaryLogits!.shape).toEqual([2, 20]);
    expect(logits!.shape).toEqual([1, 6, 20]);
    await expect(model.run({ inputIds, spans: [{ row: 0, start: 1, end: 2 }] })).rejects.toThrow(
      /span 1 to 2 of row 0/,
    );
    // At chosen places, in any order, one beyond the span among them.
    const asked = { row: 0, start: 2, end: 4, offsets: [2, 1] };
    const placed = await model.run({
      inputIds: [...inputIds, [2, 6, 4, 5, 3]],
      spans: [{ row: 1, start: 2, end: 3 }, asked],
    });
    expect(placed.boundaryLogits!.shape).toEqual([3, 20]);
    const second = boundaryLogits!.data.slice(20);
    expect(placed.boundaryLogits!.data.slice(40)).toEqual(second);
    expect(placed.boundaryLogits!.data.slice(20, 40)).not.toEqual(second);
    for (const offsets of [[3], [-1], [0.5], []]) {
      await expect(model.run({ inputIds, spans: [{ ...asked, offsets }] })).rejects.toThrow(
        /a span has (no|the) offset/,
      );
    }
    await model.release();
  });
});

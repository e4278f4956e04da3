import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors/errors.js';
import { SafetensorsFile } from '../formats/safetensors.node.js';
import { encoderConfig, generatorConfig } from '../models/config.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from '../text/tokenizer.js';
import {
  accountForTensors,
  encoderConfigToJson,
  expectedTensors,
  type ModelDescription,
  parseConfigJson,
} from './modelFolder.js';
import { loadModelDescription, loadModelFolder, saveModelFolder } from './modelFolder.node.js';

const folder = mkdtempSync(join(tmpdir(), 'model-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'chef', '##s'];
const discriminatorSize = encoderConfig('tiny', TOKENS.length, {
  embeddingSize: 8,
  hiddenSize: 8,
  numHiddenLayers: 1,
  intermediateSize: 16,
  maxPositionEmbeddings: 12,
});
const discriminator: ModelDescription = { config: discriminatorSize, architecture: 'ElectraForPreTraining' };
const generator: ModelDescription = {
  config: generatorConfig(discriminatorSize, { sizeFraction: 0.5 }),
  architecture: 'ElectraForMaskedLM',
};

/** A model whose tensors count up from 0. */
function filled(model: ModelDescription) {
  const tensors = [...expectedTensors(model)].map(([name, shape], index) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => index + i / 1000) }] as const;
  });
  return { ...model, tensors: new Map(tensors) };
}

describe('config.json', () => {
  it('has the published field names and says which class it is for', () => {
    const json = encoderConfigToJson({ ...discriminator, pleiad: { step: 7 } });
    expect(json).toMatchObject({
      model_type: 'electra',
      architectures: ['ElectraForPreTraining'],
      vocab_size: 8,
      embedding_size: 8,
      num_hidden_layers: 1,
      layer_norm_eps: 1e-12,
      hidden_act: 'gelu',
      pleiad: { step: 7 },
    });
    expect(parseConfigJson(json, 'config.json')).toEqual({ ...discriminator, pleiad: { step: 7 } });
  });

  it('takes what a published file leaves out from the defaults of transformers', () => {
    const { config } = parseConfigJson(
      { model_type: 'electra', architectures: ['ElectraForMaskedLM'], hidden_size: 64, num_attention_heads: 1 },
      'c',
    );
    expect(config).toMatchObject({ vocabSize: 30522, hiddenSize: 64, numHiddenLayers: 12, hiddenDropoutProb: 0.1 });
  });

  it.each([
    [[], 'is not a JSON object'],
    [{ model_type: 'gpt2' }, 'has model_type "gpt2"; expected model_type "electra" or "bert"'],
    [{ model_type: 'electra', hidden_act: 'relu' }, 'has hidden_act "relu"; expected hidden_act "gelu"'],
    [{ model_type: 'electra', hidden_size: '256' }, 'has hidden_size "256"; expected a number'],
    [{ model_type: 'electra', hidden_size: 250 }, 'hiddenSize is 250; expected a multiple of numAttentionHeads (4)'],
    [
      { model_type: 'electra', architectures: ['ElectraForCausalLM'] },
      'has architectures ["ElectraForCausalLM"]; expected ElectraModel or ElectraForPreTraining or',
    ],
  ])('refuses %j', (json, message) => {
    expect(() => parseConfigJson(json, 'config.json')).toThrow(message);
    expect(() => parseConfigJson(json, 'config.json')).toThrow(CheckpointError);
  });
});

describe('the tensors of a model', () => {
  it('are those of the published classes', () => {
    // One layer: 5 embeddings, 16 encoder tensors, 4 of the head; the generator also has 2 of the projection.
    expect(expectedTensors(discriminator).size).toBe(5 + 16 + 4);
    expect(expectedTensors(discriminator).get('discriminator_predictions.dense_prediction.weight')).toEqual([1, 8]);
    expect(expectedTensors(generator).get('electra.embeddings_project.weight')).toEqual([4, 8]);
    expect(expectedTensors(generator).get('generator_lm_head.bias')).toEqual([8]);
  });

  it('are accounted for: what is missing, left over or of another shape is named', () => {
    const shapes = new Map(expectedTensors(discriminator));
    shapes.delete('electra.embeddings.LayerNorm.bias');
    shapes.set('classifier.weight', [2, 8]);
    shapes.set('electra.encoder.layer.0.output.dense.weight', [16, 8]);
    expect(() => accountForTensors(shapes, discriminator, 'run/model')).toThrow(
      'run/model does not hold a whole ElectraForPreTraining: missing electra.embeddings.LayerNorm.bias; unexpected classifier.weight; electra.encoder.layer.0.output.dense.weight is [16,8], the config needs [8,16]',
    );
  });

  it('may come with an old buffer and with the tied output matrix', () => {
    const shapes = new Map(expectedTensors(generator));
    shapes.set('electra.embeddings.position_ids', [1, 12]);
    shapes.set('generator_lm_head.weight', [8, 8]);
    expect(() => accountForTensors(shapes, generator, 'm')).not.toThrow();
  });
});

describe('a model for question answering', () => {
  it('says which head a model for question answering has, and no other model has one', () => {
    const model: ModelDescription = {
      config: discriminatorSize,
      architecture: 'ElectraForQuestionAnswering',
      questionAnsweringHead: 'joint',
    };
    const json = encoderConfigToJson(model);
    expect(json.pleiad).toEqual({ questionAnsweringHead: 'joint' });
    expect(parseConfigJson(json, 'c').questionAnsweringHead).toBe('joint');
    expect([...expectedTensors(model).keys()]).toContain('qa_hidden.weight');
    expect([...expectedTensors(model).keys()]).not.toContain('qa_outputs.weight');
    expect(parseConfigJson({ ...json, architectures: ['ElectraModel'] }, 'c').questionAnsweringHead).toBeUndefined();
    expect(encoderConfigToJson({ ...model, questionAnsweringHead: 'standard' }).pleiad).toBeUndefined();
    const bad = { ...json, pleiad: { questionAnsweringHead: 'beam' } };
    expect(() => parseConfigJson(bad, 'c')).toThrow(
      'c has pleiad.questionAnsweringHead "beam"; expected pleiad.questionAnsweringHead "standard" or "joint"',
    );
  });
});

describe('a BERT model', () => {
  const { embeddingSize, ...sizes } = discriminatorSize;
  const config = { ...sizes, embeddingSize: sizes.hiddenSize };
  const spanBoundary = { maxSpanTargets: 6, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;
  const spanBert: ModelDescription = { config, architecture: 'BertForMaskedLM', spanBoundary };

  it("has BERT's config.json, which knows no embedding size, and its defaults", () => {
    const json = encoderConfigToJson({ ...spanBert, pleiad: { step: 7 } });
    expect(json).toMatchObject({ model_type: 'bert', architectures: ['BertForMaskedLM'], hidden_size: 8 });
    expect(json).not.toHaveProperty('embedding_size');
    expect(json.pleiad).toEqual({ step: 7, spanBoundary });
    expect(parseConfigJson(json, 'config.json')).toEqual({ ...spanBert, pleiad: { step: 7 } });
    const published = parseConfigJson({ model_type: 'bert', architectures: ['BertForPreTraining'] }, 'config.json');
    expect(published.config).toMatchObject({ hiddenSize: 768, embeddingSize: 768, intermediateSize: 3072 });
  });

  it('says what is wrong with its architecture or its span boundary head', () => {
    const json = encoderConfigToJson(spanBert);
    expect(() => parseConfigJson({ ...json, architectures: ['ElectraForMaskedLM'] }, 'c')).toThrow(
      'has architectures ["ElectraForMaskedLM"]; expected BertModel or BertForPreTraining or BertForMaskedLM or',
    );
    const bad = { ...json, pleiad: { spanBoundary: { ...spanBoundary, endpoints: 'outside' } } };
    expect(() => parseConfigJson(bad, 'c')).toThrow(/pleiad\.spanBoundary\.endpoints/);
  });

  it('keeps its span boundary head in a file of its own, so that transformers warns of nothing', async () => {
    const path = join(folder, 'spanbert');
    const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS, PUBLISHED_NORMALIZATION);
    const saved = { ...filled(spanBert), tokenizer };
    const files = await saveModelFolder(path, saved);
    expect([...files.keys()]).toContain('span_boundary.safetensors');
    const names = (file: string) => {
      const opened = SafetensorsFile.open(join(path, file));
      opened.close();
      return opened.names;
    };
    expect(names('model.safetensors').some((name) => name.startsWith('sbo.'))).toBe(false);
    expect(names('span_boundary.safetensors').every((name) => name.startsWith('sbo.'))).toBe(true);
    const loaded = loadModelFolder(path);
    expect(loaded.tensors).toEqual(saved.tensors);
    expect(loaded.spanBoundary).toEqual(spanBoundary);
    expect(JSON.parse(readFileSync(join(path, 'tokenizer_config.json'), 'utf8')).tokenizer_class).toBe('BertTokenizer');
    rmSync(join(path, 'span_boundary.safetensors'));
    expect(() => loadModelFolder(path)).toThrow(/missing sbo\.position_embeddings\.weight, sbo\.layer_0/);
  });

  it('may come with a tied decoder, weight and bias', () => {
    const shapes = new Map(expectedTensors(spanBert));
    shapes.set('cls.predictions.decoder.weight', [8, 8]);
    shapes.set('cls.predictions.decoder.bias', [8]);
    expect(() => accountForTensors(shapes, spanBert, 'm')).not.toThrow();
  });
});

describe('a model folder', () => {
  const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS);

  it.each([
    ['discriminator', discriminator],
    ['generator', generator],
  ])('gives back the %s that was saved', async (name, model) => {
    const path = join(folder, name);
    const saved = { ...filled(model), tokenizer, pleiad: { objective: 'electra' } };
    const files = await saveModelFolder(path, saved);
    expect([...files.keys()].sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    expect(files.get('vocab.txt')!.bytes).toBe(readFileSync(join(path, 'vocab.txt')).length);
    const loaded = loadModelFolder(path);
    expect(loaded.tensors).toEqual(saved.tensors);
    expect(loaded.config).toEqual(model.config);
    expect(loaded.pleiad).toEqual({ objective: 'electra' });
    expect(loaded.tokenizer!.tokens).toEqual(TOKENS);
  });

  it('without a config, or with one that is no JSON, is refused by name', async () => {
    expect(() => loadModelDescription(folder)).toThrow(`${folder} has no config.json`);
    const path = join(folder, 'broken');
    await saveModelFolder(path, filled(discriminator));
    writeFileSync(join(path, 'config.json'), '{');
    expect(() => loadModelFolder(path)).toThrow(/broken\/config.json is not JSON/);
  });
});

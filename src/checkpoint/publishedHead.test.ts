import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors/errors.js';
import type { Architecture } from '../models/config.js';
import { classOf, describedAs, parsePublishedConfig, withClass } from './modelFolder.js';

const read = (fields: object) => parsePublishedConfig({ model_type: 'bert', ...fields }, 'config.json');
const labelsOf = (fields: object, architecture: Architecture = 'BertForSequenceClassification') =>
  describedAs(read(fields), architecture).labels;

describe('the class in config.json', () => {
  it.each([
    [{}, undefined],
    [{ architectures: null }, undefined],
    [{ architectures: [] }, undefined],
    [{ architectures: [null] }, undefined],
    [{ architectures: 'BertForMaskedLM' }, 'BertForMaskedLM'],
    [{ architectures: ['BertForMaskedLM', 'BertForPreTraining'] }, 'BertForMaskedLM'],
    [{ architectures: ['JointBERT', 'BertForPreTraining'] }, 'BertForPreTraining'],
    [{ architectures: ['TFBertForTokenClassification'] }, 'BertForTokenClassification'],
  ])('is read off %j', (fields, expected) => {
    expect(classOf(read(fields))).toBe(expected);
    expect(withClass(read(fields)).architecture).toBe(expected ?? 'BertModel');
  });

  it.each([[['JointBERT']], [['ElectraForMaskedLM']], ['GPT']])(
    'may be one that Pleiad does not have, %j, which matters where no other is asked for',
    (architectures) => {
      const published = read({ architectures });
      expect(describedAs(published, 'BertModel').architecture).toBe('BertModel');
      expect(() => withClass(published)).toThrow(CheckpointError);
      expect(() => withClass(published)).toThrow(
        /expected BertModel or .*Say what it is to be loaded as.*--task encoder/,
      );
    },
  );

  it('ties the output matrix of what predicts pieces, and of nothing else', () => {
    const published = read({ tie_word_embeddings: false, architectures: ['BertForMaskedLM'] });
    expect(() => withClass(published)).toThrow('has tie_word_embeddings false');
    expect(describedAs(published, 'BertModel').architecture).toBe('BertModel');
    expect(() => describedAs(read({ tie_word_embeddings: false }), 'BertForPreTraining')).toThrow(
      'tie_word_embeddings',
    );
  });
});

describe('the family in config.json', () => {
  it.each([
    [{ model_type: undefined }, 'bert'],
    [{ model_type: null, architectures: ['ElectraForPreTraining'] }, 'electra'],
    [{ model_type: undefined, architectures: ['Mine', 'TFElectraModel'] }, 'electra'],
    [{ model_type: undefined, embedding_size: 128, hidden_size: 256, num_attention_heads: 4 }, 'electra'],
  ])('is read off %j', (fields, family) => {
    expect(read(fields).family).toBe(family);
  });
});

describe('the labels in config.json', () => {
  it.each([
    [{}, undefined],
    [{ id2label: { 0: 'no', 1: 'yes' } }, ['no', 'yes']],
    // As in case config-of-another-class; transformers takes numbers for names too.
    [{ id2label: { 0: 0, 1: 1 } }, ['0', '1']],
    [{ id2label: ['no', 'yes'] }, ['no', 'yes']],
    [{ label2id: { yes: 1, no: 0, maybe: 2 } }, ['no', 'yes', 'maybe']],
    [{ label2id: { yes: 2 } }, undefined],
    [{ num_labels: 3 }, ['LABEL_0', 'LABEL_1', 'LABEL_2']],
    [{ num_labels: 3, id2label: { 0: 'no', 1: 'yes' } }, ['LABEL_0', 'LABEL_1', 'LABEL_2']],
    [{ num_labels: 2, id2label: { 0: 'no', 1: 'yes' } }, ['no', 'yes']],
    [{ num_labels: 2, label2id: { yes: 1, no: 0 } }, ['no', 'yes']],
  ])('are read off %j', (fields, labels) => {
    expect(labelsOf(fields)).toEqual(labels);
  });

  it.each([
    [{ id2label: { 1: 'a', 2: 'b' } }],
    [{ id2label: { 0: 'a', 2: 'b' } }],
    [{ id2label: { 0: null } }],
    [{ id2label: {} }],
    [{ id2label: 'a' }],
    [{ num_labels: 0 }],
    [{ num_labels: -1 }],
    [{ num_labels: '3' }],
    [{ num_labels: 1e9 }],
  ])('that are none, %j, matter to classifiers alone, and to those that are given others not', (fields) => {
    expect(() => labelsOf(fields)).toThrow(/has (id2label|num_labels)/);
    for (const architecture of ['BertModel', 'BertForMaskedLM', 'BertForQuestionAnswering'] as const) {
      expect(labelsOf(fields, architecture)).toBeUndefined();
    }
    expect(describedAs(read(fields), 'BertForTokenClassification', ['B', 'I']).labels).toEqual(['B', 'I']);
  });
});

describe('other fields of config.json', () => {
  it.each([
    { dtype: 'float16' },
    { torch_dtype: 'bfloat16' },
    { dtype: null },
    { torch_dtype: 'auto' },
    { hidden_act: 'gelu_python' },
    { hidden_act: null },
    { position_embedding_type: null },
    { is_decoder: null },
    { pad_token_id: null },
    { classifier_dropout: Number.NaN },
  ])('%j changes nothing', (fields) => {
    expect(read(fields).config).toEqual(read({}).config);
  });

  it.each([
    [{ hidden_act: 'gelu_new' }, 'has hidden_act "gelu_new"; expected hidden_act "gelu"'],
    [{ layer_norm_eps: Number.NaN }, 'layerNormEps is NaN'],
    [{ hidden_size: Number.POSITIVE_INFINITY }, 'hiddenSize is Infinity'],
  ])('%j is refused', (fields, message) => {
    expect(() => read(fields)).toThrow(message);
  });
});

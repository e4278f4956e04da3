import { describe, expect, it } from 'vitest';
import { type MappedName, tensorflowElectraMap, torchMap } from './nameMaps.js';

const where = (result: MappedName) =>
  'unused' in result ? `(${result.unused})` : `${result.to}${result.transposed ? ' ᵀ' : ''}`;

describe('names of google-research/electra', () => {
  const names = ['electra/encoder/layer_0/output/dense/kernel', 'generator/encoder/layer_0/output/dense/kernel'];
  const discriminator = tensorflowElectraMap('discriminator', names);
  const generator = tensorflowElectraMap('generator', names);

  it.each([
    ['electra/embeddings/word_embeddings', 'electra.embeddings.word_embeddings.weight'],
    ['electra/embeddings/LayerNorm/gamma', 'electra.embeddings.LayerNorm.weight'],
    ['electra/embeddings_project/kernel', 'electra.embeddings_project.weight ᵀ'],
    ['electra/encoder/layer_11/attention/self/query/kernel', 'electra.encoder.layer.11.attention.self.query.weight ᵀ'],
    [
      'electra/encoder/layer_0/attention/output/LayerNorm/beta',
      'electra.encoder.layer.0.attention.output.LayerNorm.bias',
    ],
    ['electra/encoder/layer_0/intermediate/dense/bias', 'electra.encoder.layer.0.intermediate.dense.bias'],
    ['electra/encoder/layer_0/output/dense/kernel', 'electra.encoder.layer.0.output.dense.weight ᵀ'],
    ['discriminator_predictions/dense/kernel', 'discriminator_predictions.dense.weight ᵀ'],
    ['discriminator_predictions/dense_1/kernel', 'discriminator_predictions.dense_prediction.weight ᵀ'],
    ['generator/encoder/layer_0/output/dense/kernel', '(of the generator)'],
    ['generator_predictions/output_bias', '(of the generator)'],
    ['electra/encoder/layer_0/output/dense/kernel/adam_m', '(a moment of the optimizer)'],
    ['global_step', '(the number of training steps)'],
    ['task_specific/mnli/dense/kernel', '(a fine-tuning head of google-research/electra)'],
    ['generator_ltr/encoder/layer_0/output/dense/kernel', "(Electric's generator)"],
    ['electra/pooler/dense/kernel', '(an unknown variable)'],
    ['something/else', '(an unknown variable)'],
  ])('discriminator: %s is %s', (name, expected) => {
    expect(where(discriminator(name))).toBe(expected);
  });

  it.each([
    ['electra/embeddings/word_embeddings', 'electra.embeddings.word_embeddings.weight'],
    ['generator/embeddings_project/kernel', 'electra.embeddings_project.weight ᵀ'],
    ['electra/embeddings_project/kernel', '(of the discriminator)'],
    ['generator/encoder/layer_3/attention/self/value/bias', 'electra.encoder.layer.3.attention.self.value.bias'],
    ['generator_predictions/dense/kernel', 'generator_predictions.dense.weight ᵀ'],
    ['generator_predictions/LayerNorm/beta', 'generator_predictions.LayerNorm.bias'],
    ['generator_predictions/output_bias', 'generator_lm_head.bias'],
    ['discriminator_predictions/dense_1/bias', '(of the discriminator)'],
  ])('generator: %s is %s', (name, expected) => {
    expect(where(generator(name))).toBe(expected);
  });

  it('takes the generator’s own embeddings where the training kept them apart', () => {
    const map = tensorflowElectraMap('generator', [...names, 'generator/embeddings/word_embeddings']);
    expect(where(map('generator/embeddings/word_embeddings'))).toBe('electra.embeddings.word_embeddings.weight');
    expect(where(map('electra/embeddings/word_embeddings'))).toBe('(of the discriminator)');
  });

  it('takes the discriminator’s encoder where the generator was tied as a whole', () => {
    const map = tensorflowElectraMap('generator', [names[0]]);
    expect(where(map(names[0]))).toBe('electra.encoder.layer.0.output.dense.weight ᵀ');
  });
});

describe('names of PyTorch files', () => {
  it.each([
    ['electra.encoder.layer.0.output.dense.weight', 'electra.encoder.layer.0.output.dense.weight'],
    ['electra.embeddings.LayerNorm.gamma', 'electra.embeddings.LayerNorm.weight'],
    ['bert.encoder.layer.0.output.LayerNorm.beta', 'bert.encoder.layer.0.output.LayerNorm.bias'],
    ['embeddings.word_embeddings.weight', 'bert.embeddings.word_embeddings.weight'],
    ['encoder.layer.0.attention.self.key.bias', 'bert.encoder.layer.0.attention.self.key.bias'],
    ['pooler.dense.weight', 'bert.pooler.dense.weight'],
    ['decoder.bert.embeddings.LayerNorm.gamma', 'bert.embeddings.LayerNorm.weight'],
    ['decoder.cls.predictions.decoder.weight', 'cls.predictions.decoder.weight'],
    ['decoder.cls.pair_target_predictions.mlp_layer_norm.layer_norm1.gamma', 'sbo.layer_0.LayerNorm.weight'],
    ['decoder.cls.pair_target_predictions.mlp_layer_norm.linear2.bias', 'sbo.layer_1.dense.bias'],
    ['decoder.cls.pair_target_predictions.position_embeddings.weight', 'sbo.position_embeddings.weight'],
    ['decoder.cls.pair_target_predictions.bias', 'sbo.bias'],
    ['decoder.cls.pair_target_predictions.decoder.weight', 'sbo.decoder.weight'],
    ['module.bert.pooler.dense.bias', 'bert.pooler.dense.bias'],
    ['qa_outputs.weight', 'qa_outputs.weight'],
    ['bert.embeddings.position_ids', '(a buffer, the numbers 0, 1, 2, …)'],
  ])('%s is %s', (name, expected) => {
    expect(where(torchMap('bert')(name))).toBe(expected);
  });

  it('leaves a gamma alone that belongs to no layer norm', () => {
    expect(where(torchMap('bert')('head.gamma'))).toBe('head.gamma');
  });
});

import { describe, expect, it } from 'vitest';
import { type Architecture, encoderConfig } from './config.js';
import { modelForUse } from './heads.js';
import { SPAN_BOUNDARY_DEFAULTS, spanBoundaryParameters } from './spanbert.js';

/** bert-base-cased's, which SpanBERT uses. */
const VOCAB_SIZE = 28_996;

const count = (parameters: readonly { shape: readonly number[] }[]) =>
  parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);

describe('the span boundary head', () => {
  it.each([
    // 15·200 + H(2H + 200) + H + 2H + H² + H + 2H + V, the word table not counted.
    ['base', 1_959_676],
    ['large', 3_388_668],
  ] as const)('of a %s model has %i parameters beside the tied word table', (size, expected) => {
    const config = encoderConfig(size, VOCAB_SIZE);
    expect(count(spanBoundaryParameters(config, SPAN_BOUNDARY_DEFAULTS))).toBe(expected);
  });

  it('has documented names, all under sbo', () => {
    const config = encoderConfig('tiny', 50, { hiddenSize: 8, embeddingSize: 8 });
    const parameters = spanBoundaryParameters(config, {
      ...SPAN_BOUNDARY_DEFAULTS,
      maxSpanTargets: 7,
      positionSize: 5,
    });
    expect(Object.fromEntries(parameters.map(({ name, shape }) => [name, shape]))).toEqual({
      'sbo.position_embeddings.weight': [7, 5],
      'sbo.layer_0.dense.weight': [8, 21],
      'sbo.layer_0.dense.bias': [8],
      'sbo.layer_0.LayerNorm.weight': [8],
      'sbo.layer_0.LayerNorm.bias': [8],
      'sbo.layer_1.dense.weight': [8, 8],
      'sbo.layer_1.dense.bias': [8],
      'sbo.layer_1.LayerNorm.weight': [8],
      'sbo.layer_1.LayerNorm.bias': [8],
      'sbo.bias': [50],
    });
  });
});

describe('the encoder of BERT', () => {
  it.each([
    // SpanBERT's released encoders hold 107,719,680 and 332,529,664 values; the masked-LM head adds
    // H² + H (dense), 2H (layer norm) and V (bias).
    ['base', 107_719_680, 768],
    ['large', 332_529_664, 1024],
  ] as const)('%s has as many parameters as the released file', (size, encoder, H) => {
    const { parameters } = modelForUse({ architecture: 'BertForMaskedLM', config: encoderConfig(size, VOCAB_SIZE) });
    expect(count(parameters.filter(({ name }) => name.startsWith('bert.')))).toBe(encoder);
    expect(count(parameters)).toBe(encoder + H * H + H + 2 * H + VOCAB_SIZE);
  });

  it('gets a pooler and a next-sentence head only for pre-training with pairs', () => {
    const config = encoderConfig('tiny', 50);
    const names = (architecture: Architecture) =>
      modelForUse({ architecture, config }).parameters.map(({ name }) => name);
    expect(names('BertForPreTraining').filter((name) => !names('BertForMaskedLM').includes(name))).toEqual([
      'bert.pooler.dense.weight',
      'bert.pooler.dense.bias',
      'cls.seq_relationship.weight',
      'cls.seq_relationship.bias',
    ]);
  });
});

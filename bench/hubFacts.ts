/**
 * What is known of released models without having fetched them: sizes of the papers and of google-research/electra, parameter
 * counts that follow from them (word tables counted once), and vocabularies. `npm run check:hub` compares the hub with this.
 */
import type { Architecture, EncoderConfig } from '../src/models/config.js';
import type { Task } from '../src/models/heads.js';

export interface ReleasedModel {
  readonly name: string;
  /** What it is loaded for. */
  readonly task: Task;
  readonly architecture: Architecture;
  /** Values in its files that the class needs. */
  readonly parameters: number;
  readonly config: Partial<EncoderConfig>;
  readonly lowercase: boolean;
  /** Where its vocabulary has them, where that is not the usual place. */
  readonly clsId?: number;
  /** Tensors of the class that its files are known not to have. */
  readonly missing?: readonly string[];
}

const SMALL = {
  embeddingSize: 128,
  hiddenSize: 256,
  numHiddenLayers: 12,
  numAttentionHeads: 4,
  intermediateSize: 1024,
  maxPositionEmbeddings: 512,
  typeVocabSize: 2,
} as const;

const BERT_POOLER = ['bert.pooler.dense.weight', 'bert.pooler.dense.bias'];

export const RELEASED: readonly ReleasedModel[] = [
  {
    name: 'google/electra-small-discriminator',
    task: 'preTraining',
    architecture: 'ElectraForPreTraining',
    parameters: 13_549_057,
    config: { ...SMALL, vocabSize: 30522 },
    lowercase: true,
    clsId: 101,
  },
  {
    // The released small model is the paper's "Small++": its generator is as wide as the discriminator.
    name: 'google/electra-small-generator',
    task: 'maskedLm',
    architecture: 'ElectraForMaskedLM',
    parameters: 13_546_682,
    config: { ...SMALL, vocabSize: 30522 },
    lowercase: true,
    clsId: 101,
  },
  {
    name: 'SpanBERT/spanbert-base-cased',
    task: 'encoder',
    architecture: 'BertModel',
    parameters: 107_719_680,
    config: {
      embeddingSize: 768,
      hiddenSize: 768,
      numHiddenLayers: 12,
      numAttentionHeads: 12,
      intermediateSize: 3072,
      maxPositionEmbeddings: 512,
      vocabSize: 28996,
    },
    lowercase: false,
    clsId: 101,
    missing: BERT_POOLER,
  },
  {
    name: 'mrm8488/spanbert-large-finetuned-squadv2',
    task: 'questionAnswering',
    architecture: 'BertForQuestionAnswering',
    parameters: 332_531_714,
    config: {
      embeddingSize: 1024,
      hiddenSize: 1024,
      numHiddenLayers: 24,
      numAttentionHeads: 16,
      intermediateSize: 4096,
      maxPositionEmbeddings: 512,
      vocabSize: 28996,
    },
    lowercase: false,
    clsId: 101,
  },
  {
    name: 'monologg/koelectra-small-v3-discriminator',
    task: 'preTraining',
    architecture: 'ElectraForPreTraining',
    parameters: 14_122_241,
    config: { ...SMALL, vocabSize: 35000 },
    lowercase: false,
    clsId: 2,
  },
];

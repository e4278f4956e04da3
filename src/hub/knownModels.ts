/**
 * Names of published models that are ELECTRA's, SpanBERT's or BERT's and that people look for, for one purpose: a name that the hub
 * does not know is answered with the nearest known spelling. Books and posts spell some of them differently
 * (`mrm8488/spanbert-large-fine-tuned-squadv2`).
 */
import { nearestName } from '../settings/nearestName.js';

const KNOWN_MODELS: readonly string[] = [
  ...['small', 'base', 'large'].flatMap((size) => [
    `google/electra-${size}-discriminator`,
    `google/electra-${size}-generator`,
  ]),
  'SpanBERT/spanbert-base-cased',
  'SpanBERT/spanbert-large-cased',
  'mrm8488/spanbert-finetuned-squadv1',
  'mrm8488/spanbert-finetuned-squadv2',
  'mrm8488/spanbert-base-finetuned-squadv1',
  'mrm8488/spanbert-base-finetuned-squadv2',
  'mrm8488/spanbert-large-finetuned-squadv1',
  'mrm8488/spanbert-large-finetuned-squadv2',
  'mrm8488/spanbert-base-finetuned-tacred',
  'mrm8488/spanbert-large-finetuned-tacred',
  'mrm8488/electra-small-finetuned-squadv1',
  'mrm8488/electra-small-finetuned-squadv2',
  'mrm8488/electra-base-finetuned-squadv1',
  'deepset/electra-base-squad2',
  'deepset/bert-base-cased-squad2',
  'ahotrod/electra_large_discriminator_squad2_512',
  'monologg/koelectra-base-discriminator',
  'monologg/koelectra-base-generator',
  'monologg/koelectra-small-discriminator',
  'monologg/koelectra-small-generator',
  'monologg/koelectra-base-v2-discriminator',
  'monologg/koelectra-base-v3-discriminator',
  'monologg/koelectra-base-v3-generator',
  'monologg/koelectra-small-v2-discriminator',
  'monologg/koelectra-small-v3-discriminator',
  'monologg/koelectra-small-v3-generator',
  'monologg/koelectra-base-v3-finetuned-korquad',
  'google-bert/bert-base-uncased',
  'google-bert/bert-base-cased',
  'google-bert/bert-large-uncased',
  'google-bert/bert-large-cased',
  'google-bert/bert-base-multilingual-cased',
  'google-bert/bert-large-uncased-whole-word-masking-finetuned-squad',
  'bert-base-uncased',
  'bert-base-cased',
  'bert-large-uncased',
  'bert-large-cased',
  'klue/bert-base',
  'sentence-transformers/all-MiniLM-L6-v2',
  'sentence-transformers/all-MiniLM-L12-v2',
];

/** The known name that was most likely meant, unless it is the name itself. */
export function knownSpelling(name: string): string | undefined {
  const nearest = nearestName(name, KNOWN_MODELS);
  return nearest === name ? undefined : nearest;
}

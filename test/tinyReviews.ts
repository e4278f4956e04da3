/** A task with a known answer, and an encoder to learn it, for end-to-end tests; made in a moment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parametersOf } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import type { Architecture } from '../src/models/config.js';
import { encoderConfig } from '../src/models/config.js';
import { initializeParameter } from '../src/nn/initialize.js';
import { RandomStream } from '../src/random/philox.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

export const GOOD = ['lovely', 'witty', 'moving'];
export const BAD = ['dull', 'clumsy', 'tedious'];
export const OTHER = [
  'the',
  'film',
  'is',
  'a',
  'story',
  'of',
  'two',
  'friends',
  'and',
  'their',
  'dog',
  'in',
  'town',
  ',',
];

/** One of the six words decides; it stands anywhere among others. */
export function review(random: RandomStream): { text: string; label: 'bad' | 'good' } {
  const label = random.integer(2) === 0 ? 'bad' : 'good';
  const words = Array.from({ length: 4 + random.integer(6) }, () => OTHER[random.integer(OTHER.length)]);
  words.splice(random.integer(words.length + 1), 0, (label === 'bad' ? BAD : GOOD)[random.integer(3)]);
  return { text: words.join(' '), label };
}

export function reviews(count: number, seed: number): { text: string; label: string }[] {
  const random = new RandomStream(seed, 'test');
  return Array.from({ length: count }, () => review(random));
}

/** train.csv and dev.csv with the columns id, Review and Verdict. */
export function writeReviews(folder: string): void {
  const csv = (rows: { text: string; label: string }[]) =>
    `id,Review,Verdict\n${rows.map(({ text, label }, i) => `${i},"${text}",${label}\n`).join('')}`;
  writeFileSync(join(folder, 'train.csv'), csv(reviews(400, 1)));
  writeFileSync(join(folder, 'dev.csv'), csv(reviews(100, 2)));
}

/**
 * A model folder with random weights.
 * @param more  further pieces of its vocabulary
 */
export async function writeTinyEncoder(
  folder: string,
  architecture: Architecture = 'ElectraModel',
  more: readonly string[] = [],
): Promise<void> {
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...GOOD, ...BAD, ...OTHER, ...more];
  const tokenizer = WordPieceTokenizer.fromVocabulary(tokens);
  const sizes = { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 64, embeddingSize: 32 };
  const config = {
    ...encoderConfig('tiny', tokens.length),
    ...sizes,
    maxPositionEmbeddings: 64,
    initializerRange: 0.1,
  };
  const model = { config, architecture };
  const parameters = parametersOf(model).map((parameter) => {
    const data = initializeParameter(parameter, { seed: 3, initializerRange: config.initializerRange });
    return [parameter.name, { shape: parameter.shape, data }] as const;
  });
  await saveModelFolder(folder, { ...model, tensors: new Map(parameters), tokenizer });
}

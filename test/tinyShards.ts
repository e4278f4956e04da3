/** Token shards for end-to-end tests, made in a second. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareCorpus } from '../src/data/prepare/prepareCorpus.node.js';
import { RandomStream } from '../src/random/philox.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';
import { saveTokenizer } from '../src/text/tokenizer.node.js';

/**
 * Prepares made-up sentences with an order that can be learned.
 * @param folder  gets `shards/`, and what they are made from
 * @param seed    of the sentences
 */
export async function prepareTinyShards(folder: string, seed = 7): Promise<void> {
  const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const random = new RandomStream(seed, 'test');
  const document = () => {
    const ids = [random.integer(words.length)];
    while (ids.length < 60) ids.push((ids.at(-1)! + 1 + random.integer(3)) % words.length);
    return ids.map((id) => words[id]).join(' ');
  };
  writeFileSync(join(folder, 'text.txt'), `${Array.from({ length: 120 }, document).join('\n\n')}\n`);
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
  await saveTokenizer(WordPieceTokenizer.fromVocabulary(tokens), join(folder, 'tokenizer'));
  await prepareCorpus({
    inputs: [join(folder, 'text.txt')],
    tokenizerDir: join(folder, 'tokenizer'),
    out: join(folder, 'shards'),
    workers: 0,
    heldOutFraction: 0.1,
  });
}

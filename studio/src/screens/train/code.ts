/** The lines of TypeScript that make what this screen shows. */
import type { TrainingSetup } from './trainProtocol.js';

export function trainingCode(setup: TrainingSetup | undefined): string {
  const settings = JSON.stringify(setup?.settings ?? { size: 'tiny' }, null, 0)
    .replace(/"(\w+)":/g, ' $1: ')
    .replace(/}$/, ' }');
  return `import { createWebEngine, MemoryStore, pretrainInMemory, textShards, VocabularyTrainer, WordPieceTokenizer } from 'pleiad';

const trainer = new VocabularyTrainer();
for (const text of documents) trainer.add(text);
const tokenizer = WordPieceTokenizer.fromVocabulary(trainer.train({ size: ${setup?.vocabularySize ?? 4096} }));
const shards = textShards(documents, tokenizer, { heldOutFraction: 0.1 });
const engine = await createWebEngine();
const settings = ${settings};
for await (const event of pretrainInMemory(settings, { shards, engine, store: new MemoryStore() })) {
  if (event.type === 'evaluation') console.log(event.step, event.metrics.rtdAuc);
}
`;
}

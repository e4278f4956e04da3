/** Model folders with random weights, for tests of what reads them. */
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import type { Architecture } from '../models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../pipelines/testModels.js';

/** Writes a tiny model whose tokenizer knows the words of `TEST_TOKENIZER`. */
export async function writeTestModel(
  folder: string,
  architecture: Architecture,
  changes: Pick<ModelDescription, 'labels' | 'spanBoundary'> = {},
): Promise<void> {
  // BERT has no embedding size of its own.
  const config = isBert(architecture) ? { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize } : TEST_CONFIG;
  const { graph, weights } = testModel(architecture, { config, ...changes });
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  await saveModelFolder(folder, { architecture, config, ...changes, tensors, tokenizer: TEST_TOKENIZER });
}

const isBert = (architecture: Architecture) => architecture.startsWith('Bert');

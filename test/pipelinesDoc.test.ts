/** The examples of docs/pipelines.md run as they stand there, on tiny models in place of those of the hub. `npm test` builds first. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import type { Architecture } from '../src/models/config.js';
import { PIPELINES } from '../src/pipelines/registry.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/pipelines.md'), 'utf8');
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, body]) => body);
const temporary = temporaryFolder('pipelines-doc');
afterAll(() => temporary.remove());

const bert = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
const MODELS: Readonly<Record<string, readonly [Architecture, typeof TEST_CONFIG]>> = {
  'google/electra-small-generator': ['ElectraForMaskedLM', TEST_CONFIG],
  'google/electra-small-discriminator': ['ElectraForPreTraining', TEST_CONFIG],
  'mrm8488/spanbert-large-finetuned-squadv2': ['BertForQuestionAnswering', bert],
  'SpanBERT/spanbert-large-cased': ['BertModel', bert],
  'google/electra-base-discriminator': [
    'ElectraForPreTraining',
    { ...TEST_CONFIG, vocabSize: TEST_CONFIG.vocabSize + 10 },
  ],
  'sentence-transformers/all-MiniLM-L6-v2': ['BertModel', bert],
};
/** With the words of the zero-shot example. */
const WITH_LABELS = WordPieceTokenizer.fromVocabulary([
  ...TEST_TOKENIZER.tokens,
  ...['great', 'terrible', 'bad', 'it', 'was', 'film', 'gorgeous', ',', 'witty', '##n'],
]);

beforeAll(async () => {
  mkdirSync(join(temporary.path, 'node_modules'));
  symlinkSync(ROOT, join(temporary.path, 'node_modules/pleiad'), 'dir');
  for (const [name, [architecture, config]] of Object.entries(MODELS)) {
    const { graph, weights } = testModel(architecture, { config });
    const tokenizer = config.vocabSize === WITH_LABELS.vocabSize ? WITH_LABELS : TEST_TOKENIZER;
    const tensors = new Map(graph.parameters.map(({ name: key, shape }) => [key, { shape, data: weights.get(key)! }]));
    await saveModelFolder(join(temporary.path, name), { architecture, config, tensors, tokenizer });
  }
});

/** What each example prints. */
const PRINTED = [
  /^\[\s*\{\s*token: [\s\S]*replaced: 0\.\d+[\s\S]*\n3\n3\n$/,
  /^true\n\[\n( {2}['"`].*: .* \([01]\.\d\d\)['"`],?\n){5}\]\n$/,
  /^2 true\n$/,
  /^\[ '1.00', '-?[01]\.\d\d' \]\n2\n$/,
  /^\[ 2, \d+, 16 \]\n$/,
];

it.each([...examples.keys()])('example %i runs and prints what it says', (index) => {
  // Folders of the same names stand where the program runs.
  const file = join(temporary.path, `example-${index}.mjs`);
  writeFileSync(file, examples[index]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: temporary.path, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(PRINTED[index]);
});

it('has an expectation for every example, a row for every pipeline, and every alias', () => {
  expect(examples).toHaveLength(PRINTED.length);
  for (const { name, aliases } of Object.values(PIPELINES)) {
    expect(page, name).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'));
    for (const alias of aliases) expect(page, alias).toContain(`\`${alias}\``);
  }
});

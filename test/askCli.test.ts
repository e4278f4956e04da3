/** `pleiad ask` as a child process, on a tiny model of random weights. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const temporary = temporaryFolder('ask');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);
const CONTEXT = `${Array(30).fill('the chef ate a good meal .').join(' ')} 🍕 Chef cooked`;

beforeAll(async () => {
  const { graph, weights } = testModel('ElectraForQuestionAnswering');
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  const model = { architecture: 'ElectraForQuestionAnswering', config: TEST_CONFIG, tensors } as const;
  await saveModelFolder(at('model'), { ...model, tokenizer: TEST_TOKENIZER });
  await exportModel(at('model'), at('web'));
  cpSync(at('model'), at('bare'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt']) rmSync(at('bare', name));
  writeFileSync(at('context.txt'), CONTEXT);
});

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'ask', ...words, '--threads', '1'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    input: '',
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { status, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}

describe('pleiad ask', () => {
  it('gives the answers of the pipeline, from weights and from the ONNX file', async () => {
    const ask = await pipeline('question-answering', { model: at('model'), threads: 1 });
    const expected = await ask({ question: 'the chef', context: CONTEXT }, { topK: 3 });
    await ask.release();
    const { json, status } = pleiad('--model', at('model'), 'the chef', '--context', CONTEXT, '--top-k', '3', '--json');
    expect(status).toBe(0);
    expect(json).toEqual({ answers: expected, warnings: json.warnings });
    for (const { answer, start, end } of json.answers) expect(CONTEXT.slice(start, end)).toBe(answer);
    const words = ['--model', at('web'), 'the chef', '--context-file', at('context.txt'), '--top-k', '3', '--json'];
    const web = pleiad(...words).json;
    expect(web.answers.map(({ answer, start }: { answer: string; start: number }) => [answer, start])).toEqual(
      expected.map(({ answer, start }) => [answer, start]),
    );
  });

  it('says how probable no answer is when that is asked, and takes the tokenizer of another model', () => {
    const words = ['the chef', '--context', 'a good meal', '--handle-impossible-answer', '--json'];
    const { json } = pleiad('--model', at('model'), ...words);
    expect(json.nullScore).toBeGreaterThan(0);
    expect(Object.keys(json.answers[0])).toEqual(['answer', 'start', 'end', 'score']);
    expect(pleiad('--model', at('bare'), ...words).stderr).toMatch(/has neither tokenizer\.json nor vocab\.txt/);
    expect(pleiad('--model', at('bare'), '--tokenizer', at('model'), ...words).json.answers).toEqual(json.answers);
  });

  it('takes a question a line, and shows a table to people', () => {
    writeFileSync(at('questions.txt'), 'the chef\n\na meal\n');
    const words = ['--model', at('model'), '--lines', '--file', at('questions.txt'), '--context', 'a good meal'];
    const { json } = pleiad(...words, '--json');
    expect(json.results.map(({ question }: { question: string }) => question)).toEqual(['the chef', 'a meal']);
    expect(pleiad(...words).stdout).toMatch(/^the chef\n +score +start +end +answer\n +[01]\.\d{3} +\d+ +\d+ +\S/);
  });

  it('says all that is wrong at once', () => {
    const { status, stderr } = pleiad('the chef', '--top-k', '0');
    expect(status).toBe(2);
    expect(stderr).toMatch(/--model is missing[\s\S]*--context is missing[\s\S]*--top-k is "?0"?; expected/);
    const both = pleiad('--model', at('model'), 'the chef', '--context', 'a', '--context-file', 'b');
    expect(both.stderr).toMatch(/--context and --context-file are both given/);
    const stride = pleiad('--model', at('model'), 'the chef', '--context', 'a', '--doc-stride', '50');
    expect(stride).toMatchObject({ status: 2 });
    expect(stride.stderr).toMatch(/--doc-stride is 50; expected less than 19/);
    expect(pleiad('--model', at('model'), '', '--context', 'a').stderr).toMatch(/empty/);
  });
});

/** `pleiad ask` as a child process, on a tiny model of random weights. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
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
  mkdirSync(at('box'));
  writeFileSync(at('box', 'index.json'), JSON.stringify({ format: 'pleiad-models', version: 1, models: [] }));
  const { graph, weights } = testModel('ElectraForQuestionAnswering');
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  const model = { architecture: 'ElectraForQuestionAnswering', config: TEST_CONFIG, tensors } as const;
  await saveModelFolder(at('model'), { ...model, tokenizer: TEST_TOKENIZER });
  await exportModel(at('model'), at('web'));
  cpSync(at('model'), at('bare'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt']) rmSync(at('bare', name));
  writeFileSync(at('context.txt'), CONTEXT);
});

const pleiad = (...words: string[]) => pleiadWith('', ...words);

function pleiadWith(input: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'ask', ...words, '--threads', '1'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', PLEIAD_MODELS: at('box') },
    input,
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
    const words = ['--model', at('web'), 'the chef', '--top-k', '3', '--json', '--file', at('context.txt')];
    const web = pleiad(...words).json;
    expect(web.answers.map(({ answer, start, file }: Found) => [answer, start, file])).toEqual(
      expected.map(({ answer, start }) => [answer, start, at('context.txt')]),
    );
  });

  it('says how probable no answer is when that is asked, and takes the tokenizer of another model', () => {
    const words = ['the chef', '--context', 'a good meal', '--handle-impossible-answer', '--json'];
    const { json } = pleiad('--model', at('model'), ...words);
    expect(json.nullScore).toBeGreaterThan(0);
    expect(Object.keys(json.answers[0])).toEqual(['answer', 'start', 'end', 'score', 'logit']);
    expect(pleiad('--model', at('bare'), ...words).stderr).toMatch(/has neither tokenizer\.json nor vocab\.txt/);
    expect(pleiad('--model', at('bare'), '--tokenizer', at('model'), ...words).json.answers).toEqual(json.answers);
    const none = pleiad('--model', at('model'), 'the chef', '--context', 'a meal', '--null-threshold', '-1000');
    expect(none.stdout).toMatch(/^the chef\n {2}[01]\.\d{3} {2}\(no answer\)\n$/);
  });

  it('reads thresholds from the folder of the model, whatever form it has', () => {
    const words = ['the chef', '--context', 'a good meal', '--json'];
    for (const name of ['model', 'web']) {
      cpSync(at(name), at(`${name}-null`), { recursive: true });
      writeFileSync(at(`${name}-null`, 'question_answering.json'), '{"nullThreshold":-1000}');
      const { json } = pleiad('--model', at(`${name}-null`), ...words);
      expect(json.answers[0].answer).toBe('');
    }
    writeFileSync(at('web-null', 'question_answering.json'), '{"temperature":-1}');
    const { stderr, status } = pleiad('--model', at('web-null'), ...words);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /question_answering\.json of .* cannot be used: temperature is -1; expected a number above 0/,
    );
  });

  it('shows the answer in its sentence', () => {
    const context = 'A good meal . The chef ate the meal . A meal .';
    const words = ['--model', at('model'), 'the chef', '--context', context, '--max-answer-length', '2'];
    const { stdout } = pleiad(...words);
    const [{ answer, start, end }] = pleiad(...words, '--json').json.answers as Found[];
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('the chef');
    expect(lines[1]).toMatch(new RegExp(`^ {2}[01]\\.\\d{3} {2}.* {2}${start}–${end}$`));
    expect(lines[2].trim()).toMatch(/^(A good meal \.|The chef ate the meal \.|A meal \.)$|\[/);
    expect(lines[2]).toContain(`[${answer}]`);
    expect(context).toContain(lines[2].trim().replace(/[[\]]/g, ''));
  });

  it('ranks several documents together, and says which', () => {
    writeFileSync(at('one.txt'), 'a good meal');
    writeFileSync(at('two.txt'), 'the chef ate');
    const words = ['the chef', '--model', at('model'), '--top-k', '9', '--file', at('one.txt'), at('two.txt')];
    const { json } = pleiad(...words, '--json');
    expect(new Set((json.answers as Found[]).map(({ file }) => file))).toEqual(new Set([at('one.txt'), at('two.txt')]));
    expect(pleiad(...words).stdout).toContain(`${at('two.txt')} `);
    // Behind --file, a question would be a file.
    const late = pleiad('--model', at('model'), '--file', at('one.txt'), 'who is the chef');
    expect(late).toMatchObject({ status: 2 });
    expect(late.stderr).toMatch(/--file has "who is the chef", which is no file here; a question goes before --file/);
  });

  it('takes a question a line, from a file or from standard input', () => {
    writeFileSync(at('questions.txt'), 'the chef\n\na meal\n');
    const words = ['--model', at('model'), '--context', 'a good meal'];
    const { json } = pleiad(...words, '--questions', at('questions.txt'), '--json');
    expect(json.results.map(({ question }: { question: string }) => question)).toEqual(['the chef', 'a meal']);
    const { stdout } = pleiad(...words, '--questions', at('questions.txt'));
    expect(stdout).toMatch(/^the chef\n +[01]\.\d{3} +\S[\s\S]*\na meal\n +[01]\.\d{3} +\S/);
    const points = pleiad(...words, '--questions', at('questions.txt'), '--format', 'csv', '--code-points').stdout;
    expect(points).toMatch(/^question,answer,start,end,score,codePointStart,codePointEnd\nthe chef,/);
    const piped = pleiadWith('the chef\r\na meal', ...words, '--json');
    expect(piped.json.results).toEqual(json.results);
    const lines = pleiad(...words, '--questions', at('questions.txt'), '--format', 'jsonl')
      .stdout.trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ question: 'the chef' }, { question: 'a meal' }]);
    expect(JSON.parse(lines[0])).toMatchObject({ answer: json.results[0].answers[0].answer });
  });

  it('answers a table of questions in the format of the table, each row with its own context where it has one', () => {
    writeFileSync(at('questions.csv'), 'id,question,context\n7,the chef,"a good, meal"\n8,a meal,the chef ate\n');
    const { stdout, status } = pleiad('--model', at('model'), '--questions', at('questions.csv'));
    expect(status).toBe(0);
    const [titles, first, second] = stdout.trimEnd().split('\n');
    expect(titles).toBe('id,question,context,answer,start,end,score');
    expect(first).toMatch(/^7,the chef,"a good, meal",/);
    expect(second).toMatch(/^8,a meal,the chef ate,\S.*,\d+,\d+,[01]\.\d+/);
    const both = pleiad('--model', at('model'), '--questions', at('questions.csv'), '--context', 'a meal');
    expect(both).toMatchObject({ status: 2 });
    expect(both.stderr).toMatch(/the table has a column of contexts, and --context or --file gives others/);
    writeFileSync(at('bare.jsonl'), '{"Frage":"the chef"}\n');
    const named = ['--questions', at('bare.jsonl'), '--columns', 'question=Frage'];
    expect(pleiad('--model', at('model'), ...named).stderr).toMatch(
      /--context is missing, and the table has no column context/,
    );
    const top = pleiad('--model', at('model'), ...named, '--context', 'a good meal', '--top-k', '2').stdout;
    const ranked = top
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ranked.map(({ rank }) => rank)).toEqual([1, 2]);
    expect(pleiad('--model', at('model'), '--questions', at('bare.jsonl'), '--context', 'a').stderr).toMatch(
      /has no column "question".*\(it has Frage\)/s,
    );
  });

  it('scores as transformers did where that is asked', () => {
    const words = ['--model', at('model'), 'the chef', '--context', CONTEXT, '--json'];
    const [{ score, logit }] = pleiad(...words, '--scoring', 'hf').json.answers;
    expect(logit).toBeUndefined();
    expect(score).not.toBeCloseTo(pleiad(...words).json.answers[0].score, 4);
    const { stderr } = pleiad(...words, '--scoring', 'hf', '--temperature', '2');
    expect(stderr).toMatch(/--temperature is given with --scoring hf, which has no such thing/);
  });

  it('says all that is wrong at once', () => {
    const { status, stderr } = pleiad('the chef', '--top-k', '0');
    expect(status).toBe(2);
    expect(stderr).toMatch(/--model is missing[\s\S]*--context is missing[\s\S]*--top-k is "?0"?; expected/);
    const both = pleiad('--model', at('model'), 'the chef', '--context', 'a', '--file', 'b');
    expect(both.stderr).toMatch(/--context and --file are both given/);
    const asName = pleiad('--model', at('model'), at('questions.txt'), '--context', 'a');
    expect(asName.stderr).toMatch(/is the name of a file, and a text is expected; to read the file:\n.* --questions /);
    const stride = pleiad('--model', at('model'), 'the chef', '--context', 'a', '--doc-stride', '50');
    expect(stride).toMatchObject({ status: 2 });
    expect(stride.stderr).toMatch(/--doc-stride is 50; expected less than 19/);
    const long = pleiad('--model', at('model'), Array(12).fill('the').join(' '), '--context', 'a');
    expect(long.stderr).toMatch(
      /has 12 pieces; expected at most 10, half of a row of 24 tokens.*--max-question-length 10/s,
    );
    expect(pleiad('--model', at('model'), ' ', '--context', 'a').stderr).toMatch(/the question " " has no word/);
    expect(pleiad('--model', at('model'), '--context', 'a').stderr).toMatch(/standard input has no question/);
    expect(pleiad('--model', at('model'), 'a', '--context', ' ').stderr).toMatch(
      /no word in the context of "a".*--handle-impossible-answer/s,
    );
  });
});

interface Found {
  readonly answer: string;
  readonly start: number;
  readonly end: number;
  readonly file?: string;
}

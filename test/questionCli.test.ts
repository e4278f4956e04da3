/** `pleiad finetune --task question-answering`, `evaluate` and `ask` as compiled, from SQuAD's files to answers. `npm test` builds first. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squadFile, tinyQuestions, writeQuestions } from './tinyQuestions.js';
import { writeTinyEncoder } from './tinyReviews.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-questions-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
const file = (name: string, content: unknown) => {
  writeFileSync(join(FOLDER, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: each command has keys of its own, and a wrong one fails its test
  readonly json: any;
}

function pleiad(...words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: FOLDER, env: { ...process.env, NO_COLOR: '1' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end();
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined });
    });
  });
}

const FIXED = ['--engine', 'onnxruntime', '--precision', 'fp32', '--threads', '1'];
const LEARN = [
  ...['finetune', '--task', 'question-answering', '--from', 'encoder', '--train', 'train.json', '--dev', 'dev.json'],
  ...[
    '--epochs',
    '4',
    '--batch-size',
    '16',
    '--length',
    '32',
    '--learning-rate',
    '5e-3',
    '--layer-rate-decay',
    '1',
    ...FIXED,
  ],
];

let learned: Ended;
beforeAll(async () => {
  writeQuestions(FOLDER);
  await writeTinyEncoder(join(FOLDER, 'encoder'));
  learned = await pleiad(...LEARN, '--out', 'run', '--json');
  expect(learned.code, learned.stderr).toBe(0);
}, 120_000);

describe('questions on the command line', () => {
  it('are learned, and F1 stands beside that of a sliding window', () => {
    expect(learned.json.metrics.f1).toBeGreaterThan(0.97);
    expect(learned.stderr).toMatch(/F1 +0\.9\d+|F1 +1\.0000/);
    expect(learned.stderr).toMatch(/baselines: a sliding window of words 0\.\d+/);
    expect(learned.stderr).toContain('Use it: pleiad ask --model run "a question" --context "a text"');
  });

  it('are evaluated as in training, and in per cent under the keys of the official script', async () => {
    const own = await pleiad('evaluate', '--model', 'run', '--data', 'dev.json', ...FIXED, '--json');
    expect(own.code, own.stderr).toBe(0);
    const { loss: _, ...metrics } = learned.json.metrics;
    expect(own.json).toMatchObject({ ...metrics, rows: 100 });
    const official = await pleiad(
      'evaluate',
      '--task',
      'squad',
      '--model',
      'run',
      '--data',
      'dev.json',
      ...FIXED,
      '--json',
    );
    expect(official.json.exact_match).toBeCloseTo(100 * metrics.exactMatch, 9);
    expect(official.json.f1).toBeCloseTo(100 * metrics.f1, 9);
  });

  it('are put to a model in the box by its name', async () => {
    file('two.json', squadFile(tinyQuestions(2, 3)));
    const boxed = await pleiad('evaluate', '--model', 'pleiad-en-qa', '--data', 'two.json', '--json');
    expect(boxed.code, boxed.stderr).toBe(0);
    expect(boxed.json.rows).toBe(2);
    expect(boxed.json.model).toMatch(/models.pleiad-en-qa$/);
  });

  it('are answered', async () => {
    const asked = await pleiad(
      'ask',
      '--model',
      'run',
      'a film',
      '--context',
      'the story is a witty dull story of two dog',
      ...FIXED,
      '--json',
    );
    expect(asked.json.answers[0]).toMatchObject({ answer: 'witty dull', start: 15, end: 25 });
  });

  it('have answers in a file of predictions, scored as the official script does', async () => {
    const questions = tinyQuestions(10, 7, { impossible: 0.5 });
    file('dev2.json', squadFile(questions));
    const right = Object.fromEntries(questions.map(({ id, answer }) => [id, answer?.text ?? '']));
    file('answers.json', { ...right, elsewhere: 'x' });
    file('numbers.json', Object.fromEntries(questions.map(({ id, answer }) => [id, answer ? 0.25 : 0.75])));
    const words = ['evaluate', '--task', 'squad', '--predictions', 'answers.json', '--data', 'dev2.json'];
    const { code, json, stderr } = await pleiad(...words, '--na-probabilities', 'numbers.json', '--json');
    expect(code, stderr).toBe(0);
    expect(json).toMatchObject({ exact: 100, f1: 100, total: 10, best_f1: 100, best_f1_thresh: 0.25, pr_f1_ap: 100 });
    expect(json.warnings[0].code).toBe('foreign-ids');
    const shown = await pleiad(...words);
    expect(shown.stdout).toMatch(/^answers\.json, on the 10 rows of dev2\.json:\n {2}exact +100\n/);
    expect(shown.stdout).toContain('warning: 1 of 11 predictions are of no question in the data');
  });

  it('have messages for predictions that cannot be scored', async () => {
    const both = await pleiad('evaluate', '--predictions', 'answers.json', '--model', 'run', '--task', 'squad');
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('--predictions and --model are both given; give one');
    expect(both.stderr).toContain('--data is missing');
    const other = await pleiad(
      'evaluate',
      '--predictions',
      'answers.json',
      '--data',
      'dev.json',
      '--task',
      'pretraining',
    );
    expect(other.stderr).toMatch(/--task is pretraining; expected, with --predictions, .*squad or korquad/);
    file('damaged.json', '{"a": ');
    const damaged = await pleiad('evaluate', '--task', 'squad', '--predictions', 'damaged.json', '--data', 'dev.json');
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain('damaged.json cannot be read');
  });

  it('whose answers do not stand at their offset are listed before anything is loaded', async () => {
    const questions = tinyQuestions(3, 8).map((each) => ({ ...each, answer: { ...each.answer!, answer_start: 1000 } }));
    file('moved.json', squadFile(questions));
    const { code, stderr } = await pleiad(
      'finetune',
      '--task',
      'qa',
      '--from',
      'encoder',
      '--train',
      'moved.json',
      '--out',
      'no',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('3 of 3 questions of moved.json have answers that do not stand at their offset');
    expect(stderr).toContain('--misplaced-answers leaveOut');
  });
});

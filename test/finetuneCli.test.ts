/**
 * `pleiad finetune`, `evaluate` and `classify` as compiled, from files to labels: a tiny encoder learns a task with a known
 * answer, is killed and resumed. `npm test` builds it first. What docs/finetuning.md shows is run here.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeQuestions } from './tinyQuestions.js';
import { writeReviews, writeTinyEncoder } from './tinyReviews.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-finetune-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: each command has keys of its own, and a wrong one fails its test
  readonly json: any;
}

function pleiad(words: readonly string[], onStart: (child: ChildProcess) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: FOLDER, env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end();
  onStart(child);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, signal, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined });
    });
  });
}

/** One thread and one engine: the same bits everywhere. */
const FIXED = ['--engine', 'onnxruntime', '--precision', 'fp32', '--threads', '1'];
const LEARN = [
  ...['finetune', '--task', 'text-classification', '--from', 'encoder', '--train', 'train.csv', '--dev', 'dev.csv'],
  ...['--columns', 'text=Review,label=Verdict', '--epochs', '4', '--batch-size', '16', '--length', '32'],
  ...['--learning-rate', '5e-3', '--checkpoint-every', '5', '--log-every', '1', ...FIXED, '--json'],
];

let learned: Ended;
beforeAll(async () => {
  writeReviews(FOLDER);
  await writeTinyEncoder(join(FOLDER, 'encoder'));
  learned = await pleiad([...LEARN, '--out', 'run']);
  expect(learned.code, learned.stderr).toBe(0);
});

describe('pleiad finetune', () => {
  it('learns a task with a known answer, and says what baselines reach', () => {
    expect(learned.json).toMatchObject({ model: 'run', steps: 100, interrupted: false });
    expect(learned.json.metrics).toMatchObject({ accuracy: 1, matthews: 1, bagOfWordsAccuracy: 1 });
    expect(learned.stderr).toMatch(
      /accuracy +1\.0000 +baselines: the most frequent label 0\.\d+, a bag of words 1\.0000/,
    );
  });

  it('that is killed and resumed ends with the same bits', async () => {
    const killed = await pleiad([...LEARN, '--out', 'killed'], (child) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (/^step 4[0-9]\//m.test(chunk.toString())) child.kill('SIGKILL');
      });
    });
    expect(killed.signal).toBe('SIGKILL');
    const resumed = await pleiad(['finetune', '--out', 'killed', '--resume', '--json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.json.trainedSteps).toBeLessThan(100);
    expect(resumed.json.weightsSha256).toBe(learned.json.weightsSha256);
    expect(resumed.json.metrics).toEqual(learned.json.metrics);
  });

  it('that is at its end says how to give it more steps, and that works, again and again', async () => {
    const ended = await pleiad(['finetune', '--out', 'killed', '--resume', '--json']);
    expect(ended.json).toMatchObject({ trainedSteps: 0, steps: 100 });
    const advice = /`pleiad (finetune --resume --out \S+) --more-steps \d+`/.exec(ended.stderr);
    expect(advice, ended.stderr).not.toBeNull();
    for (const steps of [103, 106]) {
      const more = await pleiad([...advice![1].split(' '), '--more-steps', '3', '--json']);
      expect(more.json, more.stderr).toMatchObject({ trainedSteps: 3, steps });
    }
    const again = await pleiad(['finetune', '--out', 'killed', '--resume', '--json']);
    expect(again.json, again.stderr).toMatchObject({ trainedSteps: 0, steps: 106 });
  });

  it('takes a settings file, with data and columns together', async () => {
    const lines = [
      'task: classification',
      'data: { train: train.csv, dev: dev.csv, columns: { text: Review, label: Verdict } }',
      'from: encoder',
      'out: by-file',
      'steps: 3',
      'length: 32',
    ];
    writeFileSync(join(FOLDER, 'reviews.yaml'), lines.join('\n'));
    const ran = await pleiad(['finetune', 'reviews.yaml', '--steps', '2', ...FIXED, '--json']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.json).toMatchObject({ model: 'by-file', steps: 2 });
  });

  it('says everything that is wrong at once, in flags', async () => {
    const wrong = await pleiad(['finetune', '--task', 'sentiment', '--train', 't.csv', '--batch-size', '0']);
    expect(wrong.code).toBe(2);
    for (const problem of [
      '--from is missing; expected the model to start from',
      '--out is missing; expected the folder to write',
      '--batch-size is 0; expected a whole number from 1',
      '--task is "sentiment", which is no task; expected text-classification',
    ]) {
      expect(wrong.stderr).toContain(problem);
    }
  });

  it('names file, line and columns of data that cannot be learned from', async () => {
    const start = ['finetune', '--task', 'classification', '--from', 'encoder', '--out', 'never'];
    const column = await pleiad([...start, '--train', 'train.csv', '--columns', 'text=Reviews,label=Verdict']);
    expect(column.code).toBe(1);
    expect(column.stderr).toContain(
      'train.csv has no column "Reviews"; did you mean "Review"? (it has id, Review, Verdict)',
    );
    expect(column.stderr).toContain('Name the column of the text by --columns');
    const dev = 'id,Review,Verdict\n1,the film is dull,bad\n2,a dog,ugly\n';
    writeFileSync(join(FOLDER, 'odd.csv'), dev);
    const columns = ['--columns', 'text=Review,label=Verdict'];
    const odd = await pleiad([...start, '--train', 'train.csv', '--dev', 'odd.csv', ...columns]);
    expect(odd.stderr).toContain('odd.csv:3 has the label "ugly", and the labels of the training data are bad, good');
  });
});

describe('pleiad evaluate', () => {
  it('measures a fine-tuned run on a file, beside the baselines of the training rows', async () => {
    writeFileSync(join(FOLDER, 'dev.csv.gz'), gzipSync(readFileSync(join(FOLDER, 'dev.csv'))));
    const words = ['--data', 'dev.csv.gz', '--columns', 'text=Review,label=Verdict'];
    const { code, json, stderr } = await pleiad(['evaluate', '--model', 'run', ...words, ...FIXED, '--json']);
    expect(code, stderr).toBe(0);
    const { loss, ...metrics } = learned.json.metrics;
    expect(json).toMatchObject({ ...metrics, rows: 100 });
    expect(json.loss).toBeCloseTo(loss, 4);
  });

  it('takes the model folder alone, and refuses rows of other labels', async () => {
    const model = join(learned.json.best.checkpoint, 'model');
    writeFileSync(join(FOLDER, 'stars.csv'), 'text,label\na dog,5\n');
    const { code, stderr } = await pleiad(['evaluate', '--model', model, '--data', 'stars.csv', ...FIXED]);
    expect(code).toBe(1);
    expect(stderr).toContain('stars.csv:2 has the label "5", and the labels of the model are bad, good');
  });
});

describe('the task file in a model folder', () => {
  it('makes the very same model again', async () => {
    const file = join(learned.json.best.checkpoint, 'model', 'task.yaml');
    const again = await pleiad(['finetune', file, '--out', 'again', '--json']);
    expect(again.json?.weightsSha256, again.stderr).toBe(learned.json.weightsSha256);
  });
});

describe('pleiad evaluate --report', () => {
  const words = ['--columns', 'text=Review,label=Verdict', ...FIXED];
  const odd =
    'Review,Verdict\n"the film is <b>witty</b>",bad\n"the film is witty",good\na clumsy story,bad\nfriends,good\n';

  it('says where the model is wrong, in lines, as an object and as a page', async () => {
    writeFileSync(join(FOLDER, 'odd-verdicts.csv'), odd);
    const shown = await pleiad([
      'evaluate',
      '--model',
      'run',
      '--data',
      'odd-verdicts.csv',
      '--report',
      'odd.html',
      ...words,
    ]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/label +precision +recall +F1 +rows +predicted\n +bad +\d\.\d{4}.* 2 +\d\n +good /);
    expect(shown.stdout).toContain('largest confusions: bad taken for good 1');
    expect(shown.stdout).toMatch(/expected calibration error 0\.\d{4}\n/);
    expect(shown.stdout).toMatch(/odd-verdicts\.csv:2 +wanted bad, got good \(p 0\.\d{3}\)\n +the film is <b>witty/);
    expect(shown.stdout).toContain('report: odd.html');
    const page = readFileSync(join(FOLDER, 'odd.html'), 'utf8');
    expect(page).toContain('<title>run, on odd-verdicts.csv</title>');
    expect(page).toContain('the film is &lt;b&gt;witty&lt;/b&gt;');
    expect(page).not.toContain(FOLDER);
    const { json } = await pleiad(['evaluate', '--model', 'run', '--data', 'odd-verdicts.csv', ...words, '--json']);
    expect(json.report).toMatchObject({ task: 'text-classification', notices: [] });
    expect(json.report.sections.map(({ kind }: { kind: string }) => kind)).toEqual([
      'classes',
      'confusion',
      'reliability',
      'examples',
    ]);
  });

  it('warns of rows of one class, and refuses a page that cannot be written before anything is loaded', async () => {
    writeFileSync(join(FOLDER, 'one.csv'), 'Review,Verdict\na witty film,good\nthe lovely dog,good\n');
    const one = await pleiad(['evaluate', '--model', 'run', '--data', 'one.csv', ...words]);
    expect(one.stdout).toContain('warning: All 2 rows have the label "good"');
    expect(one.stdout).toContain('name another file by --data');
    for (const [name, problem] of [
      ['report.pdf', '--report is report.pdf; expected the name of a page to write, such as report.html'],
      ['nowhere/report.html', '--report is nowhere/report.html, and there is no folder of that name; make it first'],
    ]) {
      const refused = await pleiad(['evaluate', '--model', 'run', '--data', 'one.csv', '--report', name, ...words]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(problem);
    }
  });
});

describe('pleiad classify', () => {
  const classify = (...words: string[]) => pleiad(['classify', '--model', 'run', ...FIXED, ...words]);

  it('gives the labels of a text with their scores', async () => {
    const shown = await classify('the film is witty');
    expect(shown.stdout).toMatch(/^score +label\n0\.\d+ +good\n0\.\d+ +bad\n/);
    const { json } = await classify('the film is witty', '--json');
    expect(json.result).toMatchObject({ label: 'good' });
    const several = await classify('the film is witty', '--top-k', '2', '--json');
    expect(several.json.result.map(({ label }: { label: string }) => label)).toEqual(['good', 'bad']);
  });

  it('takes a text a line of a file', async () => {
    writeFileSync(join(FOLDER, 'texts.txt'), 'the film is witty\n\na clumsy story\n');
    const { json } = await classify('--file', 'texts.txt', '--lines', '--json');
    expect(json.results.map(({ label }: { label: string }) => label)).toEqual(['good', 'bad']);
  });

  it('writes the rows of a table with label and score, in the format that they came in', async () => {
    writeFileSync(join(FOLDER, 'new.csv'), 'id,text\n1,"a dog, lovely"\n2,a tedious town\n');
    const csv = await classify('new.csv');
    expect(csv.stdout).toMatch(
      /^id,text,label,score\n1,"a dog, lovely",good,\d\.\d{4}\n2,a tedious town,bad,\d\.\d{4}\n$/,
    );
    writeFileSync(join(FOLDER, 'new.jsonl'), '{"text":"a moving film","label":"?"}\n');
    const json = await classify('new.jsonl');
    expect(JSON.parse(json.stdout)).toMatchObject({ text: 'a moving film', label: '?', predicted_label: 'good' });
  });

  it('names what a model without a classifier is', async () => {
    const { code, stderr } = await pleiad(['classify', '--model', 'encoder', 'a film', ...FIXED]);
    expect(code).toBe(1);
    expect(stderr).toContain('Fine-tune it first: pleiad finetune --task text-classification --from encoder');
  });
});

describe('a task file', () => {
  const file = (name: string, change = '') => {
    const lines = [
      'task: text-classification',
      'data: { train: train.csv, dev: repeated.csv, columns: { text: Review, label: Verdict } }',
      'from: encoder',
      'length: 8',
      'epochs: 3',
      'learningRate: 5e-3',
      `out: ${name}`,
      change,
    ];
    writeFileSync(join(FOLDER, `${name}.yaml`), lines.join('\n'));
    return `${name}.yaml`;
  };
  beforeAll(() => {
    const [title, first] = readFileSync(join(FOLDER, 'train.csv'), 'utf8').split('\n');
    const dev = readFileSync(join(FOLDER, 'dev.csv'), 'utf8').split('\n').slice(1);
    writeFileSync(join(FOLDER, 'repeated.csv'), [title, first, ...dev].join('\n'));
  });

  it('is checked before anything is trained: data, three rows, cost, and what is likely to be a mistake', async () => {
    const checked = await pleiad(['check', file('checked', 'trials: 2'), ...FIXED]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toContain('text-classification: 400 rows to learn from, 101 to evaluate on');
    expect(checked.stdout).toMatch(/label +train +dev\n(good|bad) +2\d\d +5\d\.\d % /);
    expect(checked.stdout).toMatch(/train\.csv:2: (good|bad)\n {2}\[CLS\] /);
    expect(checked.stdout).toMatch(/38 steps of \d+ ms and 7 evaluations: about \d+ s for all 2 trials/);
    expect(checked.stdout).toMatch(
      /1 of 101 dev rows have a text that is trained on, too, such as repeated.csv:2 and train.csv:2/,
    );
    expect(checked.stdout).toMatch(/\d+ of 400 training texts are longer than 8 tokens and lose their end/);
    expect(existsSync(join(FOLDER, 'checked'))).toBe(false);
  });

  it('may ask for several trials, whose folder stands for the best of them', async () => {
    const words = ['finetune', file('tried'), '--trials', '2', ...FIXED];
    const tried = await pleiad([...words, '--json']);
    expect(tried.code, tried.stderr).toBe(0);
    const { trials, best, mean, median, std, model } = tried.json;
    expect(trials.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
    expect(model).toBe('tried');
    expect(mean).toBeCloseTo((trials[0].evaluation.score + trials[1].evaluation.score) / 2, 12);
    expect([median, std >= 0]).toEqual([mean, true]);
    const used = await pleiad(['classify', '--model', 'tried', 'a lovely film', '--json']);
    const same = await pleiad(['classify', '--model', join('tried', best), 'a lovely film', '--json']);
    expect(used.json.result, used.stderr).toEqual(same.json.result);
    const again = await pleiad(words);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('tried holds 2 trials already');
    const shown = await pleiad([...words, '--resume']);
    expect(shown.stderr + shown.stdout).toMatch(/seed +score +run\n +0 +0\.\d{4} +trial-1/);
  });
});

describe('docs/finetuning.md', () => {
  it('shows commands that run as they stand, one after another', () => {
    const page = readFileSync(join(ROOT, 'docs/finetuning.md'), 'utf8');
    const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands);
    expect(blocks.length).toBeGreaterThan(2);
    writeQuestions(FOLDER);
    // Its names stand for what is made here.
    const script = blocks
      .join('\n')
      .replaceAll('google/electra-small-discriminator', 'encoder')
      .replace(/pleiad finetune(?! --out \S+ --resume)/g, '$& --length 32 --steps 6 --engine onnxruntime')
      .replace(/^npx pleiad/gm, `"${process.execPath}" "${MAIN}"`);
    const shown = execFileSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: FOLDER, encoding: 'utf8' });
    expect(shown).toContain('baselines: the most frequent label');
    expect(shown).toContain('baselines: a sliding window of words');
    expect(shown).toMatch(/ {2}exact_match {2}\d/);
    expect(readFileSync(join(FOLDER, 'labelled.csv'), 'utf8')).toMatch(/^id,Review,Verdict,label,score\n/);
  }, 120_000);
});

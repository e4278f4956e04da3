/** docs/tasks.md: the commands of its sections run as they stand there, on tiny data and a tiny encoder. `npm test` builds first. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyEncoder } from './tinyReviews.js';
import { UNUSED, writeTinyTasks } from './tinyTasks.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-tasks-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
beforeAll(async () => {
  writeTinyTasks(FOLDER);
  await writeTinyEncoder(join(FOLDER, 'encoder'), 'ElectraModel', UNUSED);
  mkdirSync(join(FOLDER, 'node_modules'));
  symlinkSync(ROOT, join(FOLDER, 'node_modules/pleiad'), 'dir');
});

const page = readFileSync(join(ROOT, 'docs/tasks.md'), 'utf8');
function section(title: string): string {
  const [, body] = page.split(`\n## ${title}\n`);
  return body.split('\n## ')[0];
}
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, body]) => body);

/** What the commands of a section print, progress left out. */
function run(title: string): string {
  const script = blocks(section(title), 'sh')
    .join('\n')
    .replaceAll('google/electra-small-discriminator', 'encoder')
    .replace(/pleiad finetune/g, '$& --length 32 --steps 6 --engine onnxruntime')
    .replace(/^npx pleiad/gm, `"${process.execPath}" "${MAIN}"`);
  return execFileSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: FOLDER, encoding: 'utf8' });
}

const pleiad = (...words: string[]) =>
  execFileSync(process.execPath, [MAIN, ...words], { cwd: FOLDER, encoding: 'utf8' });

/** The pipelines of a section, whose last result is printed. */
function runCode(title: string): unknown {
  const [code] = blocks(section(title), 'js');
  const printed = code.replace(/^await (.*?); \/\/.*$/m, 'console.log(JSON.stringify(await $1));');
  expect(printed).not.toBe(code);
  const file = join(FOLDER, `${title.replaceAll(' ', '-')}.mjs`);
  writeFileSync(file, `import { pipeline } from 'pleiad/node';\n${printed}process.exit(0);\n`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: FOLDER, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('docs/tasks.md', () => {
  it('learns several labels, and numbers', () => {
    const shown = run('Several labels and numbers');
    expect(shown).toMatch(/micro F1 +\d\.\d{4} +baselines: the most frequent label \d\.\d{4}, a bag of words/);
    expect(shown).toMatch(/\d\.\d{3} +(lovely|dull|town)\n/);
    expect(shown).toMatch(
      /on the 100 rows of dev-ratings\.tsv:\n +Spearman correlation +-?\d\.\d{4} +baselines: a bag/,
    );
    expect(shown).toContain('Use it: pleiad classify --model topics/ "a text"');
    // A table comes back with the labels of each row as the training data has them, or with its number.
    const topics = pleiad('classify', '--model', 'topics/', 'dev-topics.csv').trim().split('\n');
    expect(topics[0]).toBe('text,label,predicted_label,score');
    const labels = '((lovely|dull|town)(;(lovely|dull|town))*)?';
    const scores = '(0\\.\\d{4}(;0\\.\\d{4})*)?';
    for (const line of topics.slice(1)) expect(line).toMatch(new RegExp(`^[^,]+,[^,]*,${labels},${scores}$`));
    const ratings = pleiad('classify', '--model', 'ratings/', 'dev-ratings.tsv').trim().split('\n');
    expect(ratings[0]).toBe('sentence\tscore\tlabel\tpredicted_score');
    for (const line of ratings.slice(1)) expect(line).toMatch(/^[^\t]+\t-?\d\.\d\tscore\t-?\d\.\d{4}$/);
  }, 120_000);

  it('learns multiple choice, and answers in code', () => {
    const shown = run('Multiple choice');
    expect(shown).toMatch(/accuracy +\d\.\d{4} +baselines: chance 0\.\d{4}, most shared words 0\.\d{4}/);
    expect(shown).toContain('Use it: await pipeline(\'multiple-choice\', { model: "choices/" })');
    expect(runCode('Multiple choice')).toEqual({
      choice: expect.any(String),
      index: expect.any(Number),
      score: expect.any(Number),
    });
  }, 120_000);

  it('learns relations, and answers in code', () => {
    const shown = run('Relations');
    expect(shown).toMatch(/macro F1 +\d\.\d{4} +baselines: the most frequent label \d\.\d{4}, a bag of words/);
    // The folder says itself that it is of relations, though its class is that of any classifier.
    const [, folder] = /(\S+\/model), on the 100 rows of dev-relations\.txt/.exec(shown)!;
    expect(pleiad('evaluate', '--model', folder, '--data', 'dev-relations.txt')).toMatch(/macro F1 +\d\.\d{4}/);
    expect(runCode('Relations')).toEqual({ label: expect.stringMatching(/^Praise/), score: expect.any(Number) });
  }, 120_000);
});

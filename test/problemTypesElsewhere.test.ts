/**
 * Python's transformers takes a classifier of several labels, and one of numbers, for what it is: problem type, labels, logits,
 * loss, and the answers of its pipeline. Needs a Python with test/golden/requirements.txt, named by PLEIAD_PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointOf } from '../src/checkpoint/runFile.node.js';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { evaluateTask } from '../src/tasks/evaluateTask.node.js';
import { finetune } from '../src/tasks/finetune.node.js';
import { taskNamed } from '../src/tasks/tasks.js';
import { writeTinyEncoder } from './tinyReviews.js';
import { writeTinyTasks } from './tinyTasks.js';

const PYTHON = process.env.PLEIAD_PYTHON;
const SCRIPT = fileURLToPath(new URL('./golden/check_problem_type.py', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'problem-types-'));
const at = (name: string) => join(FOLDER, name);
const engine = { engine: 'onnxruntime', threads: 1 } as const;
const TEXT = 'the lovely film of a town';
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const CASES = [
  {
    problemType: 'multi_label_classification',
    data: 'topics.csv',
    row: `text,label\n${TEXT},lovely;town\n`,
    target: [[0, 1, 1]],
    labels: ['dull', 'lovely', 'town'],
  },
  {
    problemType: 'regression',
    data: 'ratings.tsv',
    row: `sentence\tscore\n${TEXT}\t1.5\n`,
    target: [1.5],
    labels: ['score'],
  },
];

describe.skipIf(PYTHON === undefined)('transformers (PLEIAD_PYTHON)', () => {
  beforeAll(async () => {
    writeTinyTasks(FOLDER);
    await writeTinyEncoder(at('encoder'));
  });

  it.each(CASES)('takes $problemType for what it is', async ({ problemType, data, row, target, labels }) => {
    const out = at(problemType);
    const files = { train: at(data), dev: at(`dev-${data}`) };
    const settings = { task: 'text-classification', problemType, from: at('encoder'), ...files, steps: 10, out };
    for await (const _ of finetune({ ...settings, ...engine, learningRate: 5e-3, length: 32 }));
    const folder = join(checkpointOf(out, 'best'), 'model');
    // Numbers are floats in Python's JSON too.
    const words = [
      SCRIPT,
      folder,
      TEXT,
      JSON.stringify(target)
        .replace(/(\d)(?=[,\]])/g, '$1.0')
        .replace('1.5.0', '1.5'),
    ];
    const found = JSON.parse(execFileSync(PYTHON!, words, { encoding: 'utf8' }).trim().split('\n').at(-1)!);
    expect(found).toMatchObject({ problemType, labels });

    await using classify = await pipeline('text-classification', { model: folder, ...engine });
    const ours = await classify(TEXT, { topK: labels.length });
    expect(ours.map(({ label }) => label)).toEqual(found.answer.map(({ label }: { label: string }) => label));
    for (const [i, { score }] of ours.entries()) expect(score).toBeCloseTo(found.answer[i].score, 5);

    const one = at(`one-${data}`);
    writeFileSync(one, row);
    const { metrics } = await evaluateTask(taskNamed('text-classification'), folder, { data: one, ...engine });
    expect(metrics.loss).toBeCloseTo(found.loss, 5);
  });
});

/**
 * `pleiad finetune`, `evaluate` and `tag` for token classification as compiled, from files to spans. `npm test` builds first.
 * What docs/tasks.md shows of tagging is run here.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyEncoder } from './tinyReviews.js';
import { conllText, tinySentences, writeTinySentences } from './tinyTagging.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-tagging-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: each command has keys of its own, and a wrong one fails its test
  readonly json: any;
}

function pleiad(words: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: FOLDER, env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined });
    });
  });
}

/** One thread and one engine: the same bits everywhere. */
const FIXED = ['--engine', 'onnxruntime', '--precision', 'fp32', '--threads', '1'];
const LEARN = ['finetune', '--task', 'token-classification', '--from', 'encoder'];

let learned: Ended;
beforeAll(async () => {
  writeTinySentences(FOLDER);
  await writeTinyEncoder(join(FOLDER, 'encoder'));
  const recipe = [
    ...['--epochs', '12', '--batch-size', '16', '--length', '48', '--learning-rate', '1e-2'],
    ...['--layer-rate-decay', '1', '--hidden-dropout', '0', '--attention-dropout', '0'],
  ];
  const data = ['--train', 'train.conll', '--dev', 'dev.conll'];
  learned = await pleiad([...LEARN, ...data, ...recipe, ...FIXED, '--json', '--out', 'run']);
  expect(learned.code, learned.stderr).toBe(0);
});

describe('pleiad finetune, for tagging', () => {
  it('learns spans that depend on the words around, which the most frequent tag of each word does not see', () => {
    const { f1, accuracy, wordTagF1 } = learned.json.metrics;
    expect(f1).toBe(1);
    expect(accuracy).toBeGreaterThan(0.995);
    expect(wordTagF1).toBeLessThan(0.3);
    expect(learned.stderr).toMatch(/F1 of spans +1\.0000 +baseline: each word's most frequent tag 0\.\d+/);
    expect(learned.stderr).toContain('Use it: pleiad tag --model run "a text"');
  });

  it('names what of the data cannot be learned, and the settings that are not its own', async () => {
    const start = [...LEARN, '--out', 'never', ...FIXED];
    const outside = 'the\tO\nfilm\tO\n';
    writeFileSync(join(FOLDER, 'outside.conll'), outside);
    const one = await pleiad([...start, '--train', 'outside.conll']);
    expect(one.stderr).toContain('all 2 words of outside.conll have the tag O');
    const dev = await pleiad([...start, '--train', 'train.conll', '--dev', 'outside.conll']);
    expect(dev.stderr).toContain('outside.conll has no span: all 2 words have the tag O, and f1 would always be 0');
    expect(dev.stderr).toContain('--metric accuracy');
    const columns = await pleiad([...start, '--train', 'train.conll', '--columns', 'text=0']);
    expect(columns.code).toBe(2);
    expect(columns.stderr).toContain(
      '--columns text is not a setting of token-classification; token-classification has word, tag',
    );
  });
});

describe('pleiad evaluate, for tagging', () => {
  it('measures a model on a file, type by type, beside the baselines of its training', async () => {
    const { json, stdout, stderr } = await pleiad([
      'evaluate',
      '--model',
      'run',
      '--data',
      'dev.conll',
      ...FIXED,
      '--json',
    ]);
    const { loss, ...metrics } = learned.json.metrics;
    expect(json, stderr).toMatchObject({ ...metrics, rows: 100, 'f1/PLACE': 1 });
    expect(json.loss).toBeCloseTo(loss, 4);
    expect(stdout).not.toContain('unknownTags');
    const shown = await pleiad(['evaluate', '--model', 'run', '--data', 'dev.conll', ...FIXED]);
    expect(shown.stdout).toMatch(
      /type +precision +recall +F1 +rows +predicted\n +PLACE +1\.0000 +1\.0000 +1\.0000 +(\d+) +\1\n/,
    );
  });

  it('warns of sentences without a span', async () => {
    writeFileSync(join(FOLDER, 'outside.conll'), 'the _ O\ndog _ O\n');
    const outside = await pleiad(['evaluate', '--model', 'run', '--data', 'outside.conll', ...FIXED]);
    expect(outside.code, outside.stderr).toBe(0);
    expect(outside.stdout).toContain('warning: All 2 words have the tag O, so F1 is 0 whatever is predicted');
  });

  it('counts tags that the model does not know as missed, and refuses data of another task', async () => {
    const sentences = tinySentences(100, 2);
    sentences[0].tags[0] = 'B-WORK'; // a sentence begins outside
    writeFileSync(join(FOLDER, 'works.conll'), conllText(sentences));
    const works = await pleiad(['evaluate', '--model', 'run', '--data', 'works.conll', ...FIXED, '--json']);
    expect(works.json).toMatchObject({
      unknownTags: 1,
      precision: 1,
      'recall/PLACE': 1,
      'spans/WORK': 1,
      'recall/WORK': 0,
    });
    expect(works.stderr).toContain('words whose tag the model does not know, which count as missed: 1');
    const pos = await pleiad(['evaluate', '--model', 'run', '--data', 'dev.conll', '--columns', 'tag=1', ...FIXED]);
    expect(pos.code).toBe(1);
    expect(pos.stderr).toContain('has the tag "_", and the labels of the model are O, B-PLACE, I-PLACE');
  });

  it('measures predictions in a file as the model that made them, and refuses those of another file', async () => {
    const { code, stdout } = await pleiad(['tag', '--model', 'run', 'dev.conll', ...FIXED]);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^\S+\t_\t\S+\t\S+$/);
    // Every span that begins at a dog is missed by these.
    const worse = stdout.replace(/^(dog\t_\t\S+)\tB-PLACE$/gm, '$1\tO');
    expect(worse).not.toBe(stdout);
    writeFileSync(join(FOLDER, 'predicted.conll'), worse);
    const score = ['evaluate', '--task', 'ner', '--predictions', 'predicted.conll'];
    const { json, stderr } = await pleiad([...score, '--data', 'dev.conll', '--json']);
    const gold = tinySentences(100, 2).flatMap(({ tags }) => tags.filter((own) => own === 'B-PLACE')).length;
    expect(json, stderr).toMatchObject({ rows: 100, 'spans/PLACE': gold });
    expect(json.recall).toBeLessThan(1);
    expect(json.f1).toBeGreaterThan(0.3);
    const others = await pleiad([...score, '--data', 'train.conll']);
    expect(others.code).toBe(1);
    expect(others.stderr).toMatch(/train\.conll:\d+ has .*, and predicted\.conll:\d+ has .* as word \d+/);
    const both = await pleiad([...score, '--model', 'run']);
    expect(both.stderr).toContain('--predictions and --model are both given; give one');
    expect(both.stderr).toContain('--data is missing');
    const none = await pleiad(['evaluate', '--predictions', 'predicted.conll', '--data', 'dev.conll']);
    expect(none.stderr).toContain('--task is missing; expected, with --predictions, ');
  });
});

describe('pleiad tag', () => {
  const tag = (...words: string[]) => pleiad(['tag', '--model', 'run', ...FIXED, ...words]);

  it('gives the spans of a text with their places', async () => {
    const text = 'the story of two and in town film is a dog';
    const { stdout } = await tag(text);
    expect(stdout).toMatch(/^score +start +end +label +text\n0\.\d+ +24 +33 +PLACE +town film\n$/);
    const { json } = await tag(text, '--json');
    expect(json.entities).toMatchObject([{ entity: 'PLACE', text: 'town film', start: 24, end: 33 }]);
    const pieces = await tag(text, '--json', '--aggregation', 'none');
    expect(pieces.json.entities.map(({ entity }: { entity: string }) => entity)).toEqual(['B-PLACE', 'I-PLACE']);
  });

  it('takes a text a line, and the rows of a table, which it writes with what was found', async () => {
    writeFileSync(join(FOLDER, 'texts.txt'), 'the story in town\n\na dog\n');
    const lines = await tag('--file', 'texts.txt', '--lines', '--json');
    expect(lines.json.results).toMatchObject([
      { text: 'the story in town', entities: [{ text: 'town' }] },
      { entities: [] },
    ]);
    writeFileSync(join(FOLDER, 'new.csv'), 'id,Review\n1,"the story, in town"\n2,a dog\n');
    const csv = (await tag('new.csv', '--columns', 'text=Review')).stdout.split('\n');
    expect(csv[0]).toBe('id,Review,entities');
    expect(csv[1]).toMatch(/^1,"the story, in town","\[\{""entity"":""PLACE"",""text"":""town"",/);
    expect(csv[2]).toBe('2,a dog,[]');
    writeFileSync(join(FOLDER, 'new.jsonl'), '{"text":"the story in dog film","entities":[]}\n');
    const jsonl = JSON.parse((await tag('new.jsonl')).stdout);
    expect(jsonl.predicted_entities).toMatchObject([{ text: 'dog film' }]);
  });

  it('names what a model without a tagger is', async () => {
    const { code, stderr } = await pleiad(['tag', '--model', 'encoder', 'a film', ...FIXED]);
    expect(code).toBe(1);
    expect(stderr).toContain('Fine-tune it first: pleiad finetune --task token-classification --from encoder');
  });
});

describe('docs/tasks.md, on tagging', () => {
  it('shows commands that run as they stand, one after another', () => {
    const page = readFileSync(join(ROOT, 'docs/tasks.md'), 'utf8');
    const section = page.split(/^## /m).find((part) => part.startsWith('Tagging\n'))!;
    const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands);
    expect(blocks.length).toBeGreaterThan(0);
    writeFileSync(join(FOLDER, 'test.conll'), conllText(tinySentences(20, 3)));
    // Its names stand for what is made here.
    const script = blocks
      .join('\n')
      .replaceAll('google/electra-small-discriminator', 'encoder')
      .replace(/pleiad finetune/g, '$& --length 48 --steps 6 --engine onnxruntime')
      .replace(/^npx pleiad/gm, `"${process.execPath}" "${MAIN}"`);
    const shown = execFileSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: FOLDER, encoding: 'utf8' });
    expect(shown).toContain("baseline: each word's most frequent tag");
  }, 120_000);
});

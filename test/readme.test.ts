/**
 * Runs the READMEs: every command of their shell blocks and every example of the library, in order, in one folder, on a
 * small corpus. As written, save for SMALLER (budgets) and ELSEWHERE (what is not run here, with the reason). `npm test`
 * builds the program first.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';
import { RandomStream } from '../src/random/philox.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');
const scripts: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;

/** Fenced blocks of a language. */
function blocks(file: string, language: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```/gm)]
    .filter(([, found]) => found === language)
    .map(([, , body]) => body);
}

/** Single commands of all shell blocks: continued lines joined, comments left out. */
function commands(file: string): string[] {
  return blocks(file, 'sh')
    .flatMap((body) => body.replace(/\\\n/g, ' ').split(/\n|&&/))
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

const PAGES = ['README.md', 'README.ko.md'] as const;
type Page = (typeof PAGES)[number];

/** What makes a command short enough for a test. Nothing else of it is changed. */
const SMALLER: readonly (readonly [RegExp, string])[] = [
  [/--size 8192/, '--size 400'],
  [/--size (small|mini)/, '--size tiny'],
  [/--time \d+[hm]/, '--steps 2 --length 32 --batch-size 4'],
];

/** What is not run here, and why. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^npm (ci|test|run quickstart)$/, 'continuous integration (.ci/run) types these; the quickstart is run below'],
  [/npm install \.\/pleiad-.*\.tgz/, 'needs the registry; test/package.test.ts installs, runs and bundles the package'],
  [/^(npx pleiad serve|curl) /, 'a server runs until it is stopped; test/serveCli.test.ts starts and asks it'],
  [/^npx pleiad studio$/, 'a server runs until it is stopped; test/studioCli.test.ts starts and asks it'],
  [
    /^npx pleiad share /,
    'comes before the model is trained; test/studio/share.test.ts makes, opens and asks such pages',
  ],
  [/(google|SpanBERT)\/\S+/, 'fetches a model from the hub; its flags are checked below'],
];

const WORDS: Record<Page, { sentences: readonly string[]; fillers: readonly (readonly string[])[] }> = {
  'README.md': {
    sentences: [
      'The chef cooked the meal.',
      'The chef ate the meal.',
      'You are expected to know the laws of your country.',
    ],
    fillers: [
      ['The chef', 'A sailor', 'My sister', 'The old doctor', 'Your friend'],
      ['cooked', 'ate', 'saw', 'carried', 'remembered'],
      ['the meal.', 'a letter.', 'the laws of the country.', 'two horses.', 'nothing.'],
    ],
  },
  'README.ko.md': {
    sentences: ['요리사가 음식을 먹었다.', '요리사가 따뜻한 음식을 만들었다.'],
    fillers: [
      ['요리사가', '선원이', '누나가', '늙은 의사가', '친구는'],
      ['따뜻한 음식을', '편지를', '말 두 마리를', '오래된 책을', '아무것도'],
      ['만들었다.', '먹었다.', '보았다.', '기억했다.', '찾지 못했다.'],
    ],
  },
};

/** Sixty documents around the sentences that the README uses. */
function corpusOf(page: Page): string {
  const { sentences, fillers } = WORDS[page];
  const random = new RandomStream(11, 'test');
  const pick = <T>(list: readonly T[]) => list[random.integer(list.length)];
  const sentence = () => (random.integer(3) === 0 ? pick(sentences) : fillers.map(pick).join(' '));
  return `${Array.from({ length: 60 }, () => Array.from({ length: 12 }, sentence).join(' ')).join('\n\n')}\n`;
}

/** Texts with labels, by the words that they begin with. */
function reviewsOf(page: Page): string {
  const [beginnings, ...others] = WORDS[page].fillers;
  const rows = beginnings.flatMap((beginning, i) =>
    others[0].map((word) => `"${beginning} ${word}",${i % 2 === 0 ? 'good' : 'bad'}\n`),
  );
  return `text,label\n${rows.join('')}`;
}

/** Tiny models of random weights in place of those in the box: what the commands need is that there are some. */
async function saveBox(box: string): Promise<void> {
  const models = {
    'pleiad-en/discriminator': 'ElectraForPreTraining',
    'pleiad-en/generator': 'ElectraForMaskedLM',
    'pleiad-en-qa': 'ElectraForQuestionAnswering',
  } as const;
  for (const [name, architecture] of Object.entries(models)) {
    const config = { ...TEST_CONFIG, maxPositionEmbeddings: 128 };
    const { graph, weights } = testModel(architecture, { config });
    const tensors = new Map(graph.parameters.map(({ name: key, shape }) => [key, { shape, data: weights.get(key)! }]));
    await saveModelFolder(join(box, name), { architecture, config, tensors, tokenizer: TEST_TOKENIZER });
  }
  const entry = { summary: 'random weights', language: 'en', pipelines: [], bytes: 1 };
  const index = {
    format: 'pleiad-models',
    version: 1,
    models: ['pleiad-en', 'pleiad-en-qa'].map((name) => ({ name, ...entry })),
  };
  writeFileSync(join(box, 'index.json'), JSON.stringify(index));
}

const help = new Map<string, { status: number | null; stdout: string }>();

function helpOf(command: string): { status: number | null; stdout: string } {
  if (!help.has(command)) {
    const { status, stdout } = spawnSync(process.execPath, [MAIN, command, '--help-all'], { encoding: 'utf8' });
    help.set(command, { status, stdout });
  }
  return help.get(command)!;
}

/** Words of a shell command: blanks separate, double quotes hold together. What goes to a file is looked at here. */
const wordsOf = (line: string) =>
  [...line.replace(/ > \S+$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

/** Questions in SQuAD's form: what did somebody do something to? */
function questionsOf(page: Page): string {
  const [who, did, what] = WORDS[page].fillers;
  const paragraphs = who.flatMap((subject, i) =>
    did.map((verb, j) => {
      const object = what[(i + j) % what.length].replace(/\.$/, '');
      const [words, answer] =
        page === 'README.md' ? [[subject, verb, object], object] : [[subject, object, verb], object];
      const context = `${words.join(' ')}.`;
      const answers = [{ text: answer, answer_start: context.indexOf(answer) }];
      return { context, qas: [{ id: `${i}-${j}`, question: `${subject} ${verb}?`, answers }] };
    }),
  );
  return JSON.stringify({ version: '1.1', data: [{ title: page, paragraphs }] });
}

const smaller = (line: string) => SMALLER.reduce((text, [long, short]) => text.replace(long, short), line);

describe.each(PAGES)('%s', (page) => {
  const own = mkdtempSync(join(tmpdir(), 'pleiad-readme-'));
  beforeAll(async () => {
    mkdirSync(join(own, 'corpus'));
    writeFileSync(join(own, 'corpus/text.txt'), corpusOf(page));
    writeFileSync(join(own, 'reviews.csv'), reviewsOf(page));
    writeFileSync(join(own, 'questions.json'), questionsOf(page));
    writeFileSync(join(own, 'report.txt'), WORDS[page].sentences.join(' '));
    for (const folder of ['letters', 'old-letters']) {
      mkdirSync(join(own, folder));
      writeFileSync(join(own, folder, 'text.txt'), corpusOf(page).slice(0, folder === 'letters' ? 300 : 20_000));
    }
    await saveBox(join(own, 'box'));
    mkdirSync(join(own, 'node_modules'));
    symlinkSync(ROOT, join(own, 'node_modules/pleiad'), 'dir');
  });
  afterAll(() => rmSync(own, { recursive: true, force: true }));
  const run = (...words: string[]) =>
    spawnSync(process.execPath, words, {
      cwd: own,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', PLEIAD_MODELS: join(own, 'box') },
    });

  it('every command of its shell blocks works, one after the other', { timeout: 240_000 }, () => {
    const here = commands(page).filter((line) => !ELSEWHERE.some(([usage]) => usage.test(line)));
    expect(here.length).toBeGreaterThan(8);
    for (const line of here) {
      expect(line, 'a command that is neither run nor listed in ELSEWHERE').toMatch(/^npx pleiad /);
      const { status, stdout, stderr } = run(MAIN, ...wordsOf(smaller(line)).slice(2));
      expect(status, `${line}\n${stderr}`).toBe(0);
      expect(`${stdout}${stderr}`.trim(), line).not.toBe('');
    }
  });

  it('its examples of the library run on the model that the commands made', { timeout: 120_000 }, () => {
    const examples = blocks(page, 'ts');
    expect(examples.length).toBeGreaterThan(0);
    for (const [index, example] of examples.entries()) {
      writeFileSync(join(own, `example-${index}.mjs`), example);
      const { status, stdout, stderr } = run(`example-${index}.mjs`);
      expect(status, stderr).toBe(0);
      expect(stdout).toMatch(/^\S+ 0 \d+ [01]\.\d\d$/m);
    }
  });

  it('needs every exception that is made for it, or the other page does', () => {
    const all = PAGES.flatMap((each) => commands(each));
    const usages = [...SMALLER, ...ELSEWHERE].map(([usage]) => usage);
    expect(usages.filter((usage) => !all.some((line) => usage.test(line)))).toEqual([]);
  });

  it('names only npm scripts that exist, the quickstart and the tests first', () => {
    const all = commands(page);
    expect(all.slice(0, 4)).toEqual(['npm ci', 'npm run quickstart', 'npm ci', 'npm test']);
    const named = all.flatMap((line) => /^npm (?:run )?(\S+)/.exec(line)?.[1] ?? []).filter((name) => name !== 'ci');
    for (const name of named) expect(Object.keys(scripts), `npm run ${name}`).toContain(name);
  });

  it('shows only commands and flags of pleiad that exist', () => {
    const shown = commands(page).filter((line) => /^(npx )?pleiad /.test(line));
    expect(shown.length).toBeGreaterThan(0);
    for (const line of shown) {
      const [name, ...words] = line
        .replace(/^npx /, '')
        .replace(/^pleiad /, '')
        .split(/\s+/);
      const { status, stdout } = helpOf(name);
      expect(status, line).toBe(0);
      for (const flag of words.filter((word) => word.startsWith('--'))) {
        expect(stdout, `${flag} in: ${line}`).toMatch(new RegExp(`${flag.split('=')[0]}(?![\\w-])`));
      }
    }
  });

  it('imports only names that the library exports', async () => {
    const snippets = blocks(page, 'ts');
    for (const [, names, entry] of snippets.join('\n').matchAll(/import \{([^}]+)\} from '(pleiad(?:\/node)?)'/g)) {
      const library = await import(entry === 'pleiad' ? '../dist/src/index.js' : '../dist/src/index.node.js');
      for (const name of names
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && !part.startsWith('type '))) {
        expect(library[name], `${name} of ${entry}`).toBeDefined();
      }
    }
  });
});

describe('the two READMEs', () => {
  const bodyOf = (page: Page) => readFileSync(join(ROOT, page), 'utf8');

  it('show the same commands, apart from their texts', () => {
    const shown = (page: Page) =>
      commands(page).map((line) =>
        line
          .replace(/"[^"]*"/g, '"…"')
          .replace(/ --(cased|tokenizer vocab\/)(?= |$)/g, '')
          .replace(/--pieces \S+/, ''),
      );
    expect(shown('README.ko.md')).toEqual(shown('README.md'));
  });

  it('have as many sections, tables and examples, and link to the same pages', () => {
    const shape = (page: Page) => {
      const text = bodyOf(page);
      const links = new Set([...text.matchAll(/\]\(((?:docs|examples)\/[^)#]+)/g)].map(([, path]) => path));
      return {
        sections: text.match(/^## /gm)?.length,
        blocks: [...text.matchAll(/^```(\w+)/gm)].map(([, language]) => language),
        rows: text.match(/^\|/gm)?.length,
        links: [...links].sort(),
      };
    };
    expect(shape('README.ko.md')).toEqual(shape('README.md'));
  });

  it.each(PAGES)('%s links to files that are there, and to headings that they have', (page) => {
    const anchorOf = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
    const links = [...bodyOf(page).matchAll(/\]\(([^)#]*)(?:#([^)]+))?\)/g)];
    expect(links.length).toBeGreaterThan(10);
    for (const [link, path, anchor] of links) {
      const text = readFileSync(join(ROOT, path || page), 'utf8');
      const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));
      if (anchor !== undefined) expect(anchors, link).toContain(anchor);
    }
  });

  it.each(PAGES)('%s says that CUDA and WebGPU were never run', (page) => {
    const device = bodyOf(page)
      .split('\n')
      .find((line) => line.startsWith('| `--device`'));
    expect(device).toContain('cuda');
    expect(device).toMatch(page === 'README.md' ? /never run/ : /실행해 본 적이 없/);
  });
});

describe('npm run quickstart', () => {
  // The whole run takes minutes; continuous integration does it, or PLEIAD_FULL_README=1 here.
  const full = process.env.PLEIAD_FULL_README === '1';

  it(full
    ? 'reaches an AUC above 0.7 and a generator loss below that of word frequencies'
    : 'goes through every step', {
    timeout: 600_000,
  }, () => {
    const out = mkdtempSync(join(tmpdir(), 'pleiad-quickstart-'));
    try {
      const words = [
        join(ROOT, 'dist/examples/quickstart.js'),
        '--json',
        '--out',
        out,
        ...(full ? [] : ['--time', '8s']),
      ];
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
      expect(status, stderr).toBe(0);
      const { seconds, heldOut, detected } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
      expect(
        detected
          .map(({ start, end }: { start: number; end: number }) => 'the chef ate the meal'.slice(start, end))
          .join(''),
      ).toBe('thechefatethemeal');
      expect(heldOut.unigramCrossEntropy).toBeGreaterThan(heldOut.unigramEntropy);
      if (full) {
        expect(seconds).toBeLessThan(360);
        expect(heldOut.rtdAuc).toBeGreaterThan(0.7);
        expect(heldOut.generatorLoss).toBeLessThan(heldOut.unigramCrossEntropy);
      }
      for (const text of ['unigram cross-entropy', 'chance', 'npx pleiad detect', 'fill-mask', 'npx pleiad serve'])
        expect(stderr).toContain(text);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});

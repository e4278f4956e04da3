/** Holds the README's commands and snippets against the program. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

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

const pages = ['README.md', 'README.ko.md'].filter((file) => existsSync(join(ROOT, file)));
const help = new Map<string, { status: number | null; stdout: string }>();

function helpOf(command: string): { status: number | null; stdout: string } {
  if (!help.has(command)) {
    const { status, stdout } = spawnSync(process.execPath, [MAIN, command, '--help-all'], { encoding: 'utf8' });
    help.set(command, { status, stdout });
  }
  return help.get(command)!;
}

describe.each(pages)('%s', (page) => {
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
      const library = await import(entry === 'pleiad' ? '../dist/src/index.js' : '../dist/src/node.js');
      for (const name of names
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && !part.startsWith('type '))) {
        expect(library[name], `${name} of ${entry}`).toBeDefined();
      }
    }
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
      for (const text of ['unigram cross-entropy', 'chance', 'npx pleiad detect', 'fill-mask'])
        expect(stderr).toContain(text);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});

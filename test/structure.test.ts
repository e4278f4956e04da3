/** The house as docs/design.md draws it, held against the code: who may know whom, and what needs Node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_MODULES = /^(node:|koffi$|onnxruntime-node$|worker_threads$|@hono\/node-server$)/;

interface Import {
  readonly from: string;
  /** A file of ours, or the name of a module. */
  readonly to: string;
  readonly typesOnly: boolean;
}

/** Files of src/ from the root, helpers of tests included, tests not. */
const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => join('src', path))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const pattern =
    /(?:^|\n)(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s+'([^']+)'|(?:^|[^\w.])import\(\s*'([^']+)'\s*\)|(?:^|\n)import '([^']+)'/g;
  return [...text.matchAll(pattern)].map(([, type, names = '', named, dynamic, bare]) => {
    const target = (named ?? dynamic ?? bare) as string;
    const members = /^\{([\s\S]*)\}$/
      .exec(names.trim())?.[1]
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const typesOnly = type !== undefined || (members?.every((name) => name.startsWith('type ')) ?? false);
    const to = target.startsWith('.') ? join(dirname(file), target).replace(/\.js$/, '.ts') : target;
    return { from: file, to, typesOnly };
  });
}

const imports = files.flatMap(importsOf);
const isOurs = (target: string) => target.startsWith('src/');

/** The folders of src/ in the order of docs/design.md: lines that begin with `src/NAME/`. */
const order = [...readFileSync(join(ROOT, 'docs/design.md'), 'utf8').matchAll(/^\| `src\/(\w+)\/` \|/gm)].map(
  ([, name]) => name,
);

const folderOf = (file: string) => /^src\/(\w+)\//.exec(file)?.[1];

describe('the house of docs/design.md', () => {
  it('has every folder of src/, once', () => {
    const found = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect([...order].sort()).toEqual(found.map(({ name }) => name).sort());
  });

  it('lets a folder use those above it, and none below', () => {
    const violations = imports.flatMap(({ from, to }) => {
      // Helpers of tests may use what they test; entries stand at the end and see all; version.ts knows nobody.
      if (!isOurs(to) || /\/test[A-Z]/.test(from) || folderOf(from) === undefined || to === 'src/version.ts') return [];
      const [own, other] = [folderOf(from)!, folderOf(to)];
      const fits = other !== undefined && order.indexOf(other) <= order.indexOf(own);
      return fits ? [] : [`${from} uses ${to}`];
    });
    expect(violations).toEqual([]);
  });

  it('has no two files that know each other, types included', () => {
    expect(circles()).toEqual([]);
  });

  it('keeps what needs Node in files called .node.ts, and in the command line', () => {
    const needsNode = ({ to, typesOnly }: Import) => !typesOnly && (NODE_MODULES.test(to) || /\.node\.ts$/.test(to));
    const strays = imports.filter(
      (each) =>
        needsNode(each) &&
        !/\.node\.ts$/.test(each.from) &&
        folderOf(each.from) !== 'cli' &&
        !/\/test[A-Z]/.test(each.from),
    );
    expect(strays.map(({ from, to }) => `${from} uses ${to}`)).toEqual([]);
  });

  it('calls no file .node.ts that needs no Node', () => {
    const needy = new Set(
      imports
        .filter(({ to, typesOnly }) => !typesOnly && (NODE_MODULES.test(to) || /\.node\.ts$/.test(to)))
        .map(({ from }) => from),
    );
    const globals = /\bprocess\.|\bBuffer\b|globalThis\.process/;
    const needless = files.filter(
      (file) => /\.node\.ts$/.test(file) && !needy.has(file) && !globals.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(needless).toEqual([]);
  });

  it.each([
    ['pleiad', 'src/index.ts'],
    ['pleiad/node', 'src/index.node.ts'],
    ['pleiad/graph', 'src/graph.entry.ts'],
    ['pleiad/webgpu', 'src/webgpu.ts'],
  ])('exports from %s what docs/api.md lists, name by name', (entry, file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    // One entry may hold another whole; a folder or a file it lists.
    const whole = [...text.matchAll(/^export \* from '([^']+)'/gm)].map(([, from]) => from);
    expect(whole).toEqual(entry === 'pleiad/node' ? ['./index.js'] : []);
    const exported = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, names]) =>
      names.split(',').flatMap((name) => /(\w+)\s*$/.exec(name)?.[1] ?? []),
    );
    const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
    const section = page.split(/^## /m).find((part) => part.startsWith(`\`${entry}\`\n`)) ?? '';
    const cells = [...section.matchAll(/^\|[^|]*\|([^|]*)\|$/gm)].flatMap(([, cell]) => [...cell.matchAll(/`(\w+)`/g)]);
    expect([...exported].sort()).toEqual(cells.map(([, name]) => name).sort());
    expect(exported.length).toBeGreaterThan(0);
    expect(new Set(exported).size).toBe(exported.length);
  });

  it('names in its pages only files that are there', () => {
    const pages = readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name));
    const missing = ['README.md', 'README.ko.md', ...pages].flatMap((page) =>
      [
        ...readFileSync(join(ROOT, page), 'utf8').matchAll(
          /`((?:src|bench|test|examples)\/[\w./-]+\.\w+)`|(?<= {2}|, )(src\/\w+\/)/g,
        ),
      ]
        .map(([, file, folder]) => file ?? folder)
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Groups of files that reach each other by imports (Tarjan 1972). */
function circles(): string[][] {
  const targets = new Map<string, string[]>(files.map((file) => [file, []]));
  for (const { from, to } of imports) if (targets.has(to)) targets.get(from)!.push(to);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of targets.get(file)!) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) found.push(group);
  };
  for (const file of files) if (!index.has(file)) visit(file);
  return found;
}

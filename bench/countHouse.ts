/**
 * Counts what a reader meets: files and lines of source, exported names, steps from the README to the training loop and to a
 * loss, imports against the order of folders in docs/design.md, casts. For the table there.
 *
 *     node dist/bench/countHouse.js [ROOT]     ROOT: another checkout, by default this one
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface HouseCounts {
  files: number;
  /** Of these, with more than 200 lines. */
  filesOver200: number;
  lines: number;
  /** Names of each entry, types included. */
  exportedNames: Record<string, number>;
  /** Pages and files opened after the README, each linked or imported by the one before. */
  steps: { trainingLoop?: number; loss?: number };
  /** Imports of a folder that stands lower in the table of docs/design.md. */
  violations: number;
  /** Files beside the folders of src/ that are no entry. */
  strays: number;
  casts: { asNode: number; all: number };
}

const ENTRIES = ['src/index.ts', 'src/index.node.ts', 'src/node.ts', 'src/graph.ts', 'src/webgpu.ts'];
const TARGETS = {
  trainingLoop: ['src/training/trainer.ts'],
  loss: ['src/pretraining/electra.ts', 'src/objectives/electra.ts'],
};

export function countHouse(root: string): HouseCounts {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !/\/test[A-Z][^/]*$/.test(path));
  const texts = new Map(files.map((file) => [file, read(file)]));
  const lengths = [...texts.values()].map((text) => text.split('\n').length - 1);
  const code = [...texts.values()].map(withoutComments);
  const count = (pattern: RegExp) => code.reduce((sum, text) => sum + (text.match(pattern)?.length ?? 0), 0);
  return {
    files: files.length,
    filesOver200: lengths.filter((lines) => lines > 200).length,
    lines: lengths.reduce((sum, lines) => sum + lines, 0),
    exportedNames: Object.fromEntries(
      ENTRIES.filter((entry) => texts.has(entry)).map((entry) => [entry, exportedBy(entry, texts).size]),
    ),
    steps: {
      trainingLoop: stepsTo(TARGETS.trainingLoop, root, texts),
      loss: stepsTo(TARGETS.loss, root, texts),
    },
    violations: violationsOf(texts, read('docs/design.md')),
    strays: files.filter((file) => file.split('/').length === 2 && !ENTRIES.includes(file)).length,
    casts: { asNode: count(/\bas Node\b/g), all: count(/[\w)\]}] as (?!const\b)[\w{([]/g) },
  };
}

/** Comments, strings and import lines hold the word "as" too. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .replace(/(?:^|\n)(?:import|export) (?:type )?[^;=(]*? from '[^']+';/g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/g;

/** Files that a file imports, from the root. */
function importsOf(file: string, text: string): string[] {
  return [...text.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(IMPORT)].map(([, named, dynamic]) =>
    join(dirname(file), (named ?? dynamic) as string).replace(/\.js$/, '.ts'),
  );
}

function exportedBy(file: string, texts: ReadonlyMap<string, string>, seen = new Set<string>()): Set<string> {
  const names = new Set<string>();
  const text = texts.get(file)?.replace(/\/\*[\s\S]*?\*\//g, '');
  if (text === undefined || seen.has(file)) return names;
  seen.add(file);
  const declared =
    /(?:^|\n)export (?:declare |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/g;
  for (const [, name] of text.matchAll(declared)) names.add(name);
  for (const [, list] of text.matchAll(/(?:^|\n)export (?:type )?\{([^}]*)\}/g)) {
    for (const item of list.split(',')) {
      const name = item.trim().split(/\s+/).at(-1);
      if (name) names.add(name);
    }
  }
  for (const [, from] of text.matchAll(/(?:^|\n)export (?:type )?\* from '([^']+)'/g)) {
    for (const name of exportedBy(join(dirname(file), from).replace(/\.js$/, '.ts'), texts, seen)) names.add(name);
  }
  return names;
}

/** How many pages and files have to be opened after the README until one of these is open. */
function stepsTo(targets: readonly string[], root: string, texts: ReadonlyMap<string, string>): number | undefined {
  const reached = new Map([['README.md', 0]]);
  for (const [file, steps] of reached) {
    if (targets.includes(file)) return steps;
    const text = texts.get(file) ?? readFileSync(join(root, file), 'utf8');
    const next = file.endsWith('.md') ? linksOf(file, text) : importsOf(file, text);
    for (const target of next)
      if (!reached.has(target) && existsSync(join(root, target))) reached.set(target, steps + 1);
  }
  return undefined;
}

/** Pages that a page links to, and source files that it names. */
function linksOf(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)#\s:]+\.md)[^)]*\)/g)].map(([, to]) => normalize(join(dirname(page), to)));
  const sources = [...text.matchAll(/\b(src\/[\w./-]+\.ts)\b/g)].map(([, path]) => path);
  return [...links, ...sources];
}

function violationsOf(texts: ReadonlyMap<string, string>, design: string): number {
  const order = [...design.matchAll(/^\| `src\/(\w+)\/` \|/gm)].map(([, name]) => name);
  const rank = (file: string) => order.indexOf(/^src\/(\w+)\//.exec(file)?.[1] ?? '');
  const all = [...texts].flatMap(([file, text]) => importsOf(file, text).map((target) => [rank(file), rank(target)]));
  return all.filter(([own, other]) => own >= 0 && other > own).length;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(countHouse(process.argv[2] ?? '.'), undefined, 2));
}

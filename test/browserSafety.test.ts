/** What `import 'pleiad'` loads, followed file by file through the compiled modules. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const IMPORT = /(?:from|import)\s*\(?\s*(['"])([^'"]+)\1/g;

/** Every module reachable from a compiled file, and what it imports by a bare name. */
function moduleGraph(entry: URL): { files: Set<string>; bare: Map<string, string> } {
  const files = new Set<string>();
  const bare = new Map<string, string>();
  const visit = (url: URL): void => {
    const path = fileURLToPath(url);
    if (files.has(path)) return;
    files.add(path);
    for (const [, , name] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      if (name.startsWith('.')) visit(new URL(name, url));
      else bare.set(name, path);
    }
  };
  visit(entry);
  return { files, bare };
}

describe('the entry "pleiad"', () => {
  const entry = new URL('../dist/src/index.js', import.meta.url);

  it.each(['index.js', 'graph.entry.js'])('reaches no module of Node and no native one: %s', (name) => {
    expect(existsSync(entry), 'run `npm run build` first').toBe(true);
    const { files, bare } = moduleGraph(new URL(name, entry));
    expect(files.size).toBeGreaterThan(30);
    expect([...files].filter((path) => /\.node\.js$/.test(path))).toEqual([]);
    const refused = [...bare].filter(
      ([name]) => name.startsWith('node:') || name === 'onnxruntime-node' || name === 'worker_threads',
    );
    expect(refused).toEqual([]);
  });

  it('is a part of "pleiad/node", which does reach Node', () => {
    const { files, bare } = moduleGraph(new URL('../dist/src/index.node.js', import.meta.url));
    expect(files.has(fileURLToPath(entry))).toBe(true);
    expect(bare.has('node:fs')).toBe(true);
  });

  it('exports what its users need by name', async () => {
    const library = await import(entry.href);
    for (const name of [
      'createPipeline',
      'Model',
      'WordPieceTokenizer',
      'pretrain',
      'createElectra',
      'encoderConfig',
    ]) {
      expect(library[name], name).toBeDefined();
    }
    const graph = await import(new URL('../dist/src/graph.entry.js', import.meta.url).href);
    for (const name of ['GraphBuilder', 'gradients', 'modelForUse', 'createInterpreterEngine']) {
      expect(graph[name], name).toBeDefined();
    }
  });
});

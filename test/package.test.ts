/**
 * The package as a user gets it: packed, laid into a project of its own beside its dependencies alone (no network, and
 * without the optional onnxruntime-node), then run, type-checked and bundled. `npm test` builds it first.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INSTALL_RUNTIME } from '../src/engine/onnxruntime/loadRuntime.node.js';
import { prepareTinyShards } from './tinyShards.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROJECT = mkdtempSync(join(tmpdir(), 'pleiad-own-'));
const at = (...names: string[]) => join(PROJECT, ...names);
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The example of a page in the documents. */
const [, PAGE] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/installing.md'), 'utf8'))!;

/** What that example needs of a browser: files from the run, and a page to write on. */
const BROWSER = `import { readFileSync } from 'node:fs';
globalThis.fetch = async (path) => new Response(readFileSync(path.replace('model/', 'run/checkpoints/step-00000002/discriminator/')));
globalThis.document = { body: { append: (text) => process.stdout.write(text) } };
`;

let packed: { size: number; unpackedSize: number; files: { path: string }[] };

beforeAll(() => {
  // Without scripts: `prepack` would take the build away from under the other tests.
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', PROJECT];
  const report = JSON.parse(
    execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // A list of packages; an object of them from npm 12 on.
  packed = Object.values(report)[0] as typeof packed;
  mkdirSync(at('node_modules/pleiad'), { recursive: true });
  const tarball = at(`pleiad-${manifest.version}.tgz`);
  execFileSync('tar', ['-xzf', tarball, '-C', at('node_modules/pleiad'), '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) link(name);
  writeFileSync(at('package.json'), JSON.stringify({ name: 'own', type: 'module' }));
});
afterAll(() => rmSync(PROJECT, { recursive: true, force: true }));

function link(name: string): void {
  mkdirSync(dirname(at('node_modules', name)), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), at('node_modules', name), 'dir');
}

/** Runs Node in the project; without oneDNN either, as on most machines. */
function run(...words: string[]) {
  const env = { ...process.env, NO_COLOR: '1', PLEIAD_ONEDNN: '/nowhere/libdnnl.so' };
  return spawnSync(process.execPath, words, { cwd: PROJECT, encoding: 'utf8', env });
}

describe('the tarball', () => {
  it('holds the compiled library, the pages of the Studio and of docs and nothing else, in less than 2.5 MB', () => {
    const strange = packed.files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^(dist\/src\/.*(?<!\.test)\.(js|d\.ts)|dist\/(page|share)\/.*\.(html|js|css|svg|gz)|docs\/[^/]+\.md|README(\.ko)?\.md|LICENSE|package\.json)$/.test(
            path,
          ),
      );
    expect(strange).toEqual([]);
    expect(packed.files.map(({ path }) => path)).toContain('dist/src/cli/main.js');
    expect(packed.files.length).toBeGreaterThan(300);
    // Of these 0.5 MB are the sample that the Studio trains on, and 0.6 MB its page and that of shared files, with the
    // library in each worker.
    expect(packed.size).toBeLessThan(2.5e6);
  });

  it('needs no package whose install script downloads something', () => {
    expect(Object.keys(manifest.dependencies)).not.toContain('onnxruntime-node');
    expect(manifest.peerDependenciesMeta['onnxruntime-node']).toEqual({ optional: true });
  });
});

describe('a clone', () => {
  it('runs no install script of onnxruntime-node, whatever npm installs it', () => {
    // npm before 11.16 knows no allowScripts; it runs the scripts of packages that the lock file marks, so the mark is
    // taken out by hand. `npm install` of another version sets it again.
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
    expect(lock.packages['node_modules/onnxruntime-node'].hasInstallScript).toBeUndefined();
    const marked = Object.entries<{ hasInstallScript?: true }>(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.replace('node_modules/', ''));
    for (const name of [...marked, 'onnxruntime-node']) expect(manifest.allowScripts, name).toHaveProperty(name, false);
  });

  it('has only settings of npm itself in .npmrc', () => {
    expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).not.toContain('onnxruntime');
  });
});

describe('a project without onnxruntime-node', () => {
  it('trains, detects and runs the page of the documents by WebAssembly, and is told how to install the faster engine', {
    timeout: 240_000,
  }, async () => {
    await prepareTinyShards(PROJECT);
    const sizes = '--size tiny --length 16 --batch-size 4 --steps 2 --threads 1'.split(' ');
    const main = 'node_modules/pleiad/dist/src/cli/main.js';
    const trained = run(main, 'pretrain', '--data', 'shards', '--out', 'run', ...sizes);
    expect(trained.status, trained.stderr).toBe(0);
    expect(trained.stderr + trained.stdout).toContain(INSTALL_RUNTIME);

    const detected = run(main, 'detect', '--model', 'run', 'w1 w2 w3', '--json');
    expect(detected.status, detected.stderr).toBe(0);
    expect(detected.stderr).toContain('onnxruntime-web');
    expect(detected.stderr).toContain('onnxruntime-node is not installed');

    writeFileSync(at('browser.js'), BROWSER);
    writeFileSync(at('page.js'), PAGE);
    const page = run('--import', './browser.js', 'page.js');
    expect(page.status, page.stderr).toBe(0);
    expect(page.stdout).toMatch(/^(\S+ [01]\.\d\d )+$/);

    const asked = run(main, 'pretrain', '--data', 'shards', '--out', 'run2', ...sizes, '--engine', 'onnxruntime');
    expect(asked.status).toBe(1);
    expect(asked.stderr).toContain(`Install it: \`${INSTALL_RUNTIME}\``);
  });

  it('computes by WebAssembly where onnxruntime-node is there and does not load', () => {
    mkdirSync(at('node_modules/onnxruntime-node'));
    const names = ['env', 'InferenceSession', 'listSupportedBackends', 'Tensor'];
    writeFileSync(
      at('node_modules/onnxruntime-node/index.js'),
      `${names.map((name) => `exports.${name} = {};`).join('\n')}\nthrow new Error('libc.so.6: version not found');`,
    );
    try {
      const { status, stdout, stderr } = run('node_modules/pleiad/dist/src/cli/main.js', 'info');
      expect(status, stderr).toBe(0);
      expect(stdout + stderr).toContain('onnxruntime-web');
      expect(stdout + stderr).toContain('because onnxruntime-node does not load: libc.so.6: version not found');
    } finally {
      rmSync(at('node_modules/onnxruntime-node'), { recursive: true });
    }
  });

  it('type-checks the README’s example against the shipped declarations, libraries included', () => {
    const [, example] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))!;
    writeFileSync(at('node.ts'), example);
    writeFileSync(at('page.ts'), `import { VERSION } from 'pleiad';\nexport const version: string = VERSION;\n`);
    writeFileSync(
      at('gpu.ts'),
      `import { createWebGpuEngine } from 'pleiad/webgpu';\nexport const engine = createWebGpuEngine();\n`,
    );
    const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, types: ['node'] };
    writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    link('@types/node');
    link('undici-types');
    const { status, stdout } = run(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.');
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

describe('bundled by vite', () => {
  /** Files that a page's build emits, by kind, in bytes. */
  async function bundle(name: string, code: string): Promise<{ script: number; wasm: number[] }> {
    const root = at(`page-${name}`);
    mkdirSync(root);
    writeFileSync(join(root, 'main.js'), code);
    writeFileSync(join(root, 'index.html'), '<script type="module" src="./main.js"></script>');
    await build({ root, configFile: false, logLevel: 'error' });
    const files = readdirSync(join(root, 'dist/assets'));
    const sizes = (ending: string) =>
      files.filter((file) => file.endsWith(ending)).map((file) => statSync(join(root, 'dist/assets', file)).size);
    return { script: sizes('.js').reduce((sum, size) => sum + size, 0), wasm: sizes('.wasm') };
  }

  it('a page with VERSION alone carries 2 kB of script', async () => {
    const { script } = await bundle('version', `import { VERSION } from 'pleiad';\ndocument.title = VERSION;`);
    expect(script).toBeLessThan(2_000);
  });

  it('the page of the documents carries its engine and one .wasm file', async () => {
    const { script, wasm } = await bundle('detect', PAGE);
    expect(script).toBeGreaterThan(100_000);
    expect(script).toBeLessThan(260_000);
    expect(wasm).toHaveLength(1);
    expect(wasm[0]).toBeLessThan(16e6);
  });
});

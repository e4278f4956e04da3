/**
 * What a static site needs beside the page: ONNX Runtime's files in `runtime/`, and the models with their list. Copied into
 * the build, and served as they lie while the page is being worked on.
 */
import { cpSync, createReadStream, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { listModels } from '../../src/studio/listModels.node.js';
import { MANIFEST_FILE, type ModelManifest } from '../../src/studio/modelManifest.js';

/** Of the runtime: WebAssembly on the CPU, and the build that also knows WebGPU. */
const RUNTIME_FILES = [
  'ort-wasm-simd-threaded.mjs',
  'ort-wasm-simd-threaded.wasm',
  'ort-wasm-simd-threaded.asyncify.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];
const RUNTIME_PATH = 'runtime/';

const runtimeFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));

/** @param models  a folder of model folders; undefined, or one that is not there, for a site without models */
export function siteFiles(models: string | undefined): Plugin {
  const manifest = manifestOf(models);
  const isListed = (path: string) => copies(manifest).includes(path);
  let out = '';
  return {
    name: 'pleiad-site-files',
    configResolved(config) {
      out = config.build.outDir;
    },
    closeBundle() {
      for (const name of RUNTIME_FILES) copy(join(runtimeFolder, name), join(out, RUNTIME_PATH, name));
      for (const path of copies(manifest)) copy(join(models ?? '', path), join(out, path));
      writeFileSync(join(out, MANIFEST_FILE), `${JSON.stringify(manifest)}\n`);
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1));
        if (path === MANIFEST_FILE) {
          response.setHeader('content-type', 'application/json').end(JSON.stringify(manifest));
          return;
        }
        const runtime = RUNTIME_FILES.find((name) => path === RUNTIME_PATH + name);
        const file = runtime ? join(runtimeFolder, runtime) : isListed(path) ? join(models ?? '', path) : undefined;
        if (!file) {
          next();
          return;
        }
        response.setHeader('content-type', typeOf(file)).setHeader('content-length', statSync(file).size);
        createReadStream(file).pipe(response);
      });
    },
  };
}

/** A site without models is one to which the reader brings his own. */
function manifestOf(models: string | undefined): ModelManifest {
  if (!models || !existsSync(models)) return { models: [] };
  try {
    return listModels(models);
  } catch (error) {
    console.warn(`the site has no models: ${(error as Error).message}`);
    return { models: [] };
  }
}

function copies({ models }: ModelManifest): string[] {
  return models.flatMap(({ roles }) =>
    Object.values(roles).flatMap(({ folder, files }) => files.map(({ name }) => `${folder}/${name}`)),
  );
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
}

function typeOf(file: string): string {
  if (file.endsWith('.mjs')) return 'text/javascript';
  if (file.endsWith('.wasm')) return 'application/wasm';
  return file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
}

/**
 * The built page: the files that lie in its folder at the start, by their paths, and the runtime's own from node_modules, so that
 * the package need not carry 14 MB twice. A path that is not among them leads nowhere.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PleiadError } from '../errors/errors.js';
import type { PageFile } from './studioApp.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const OTHER_TYPE = 'application/octet-stream';

/** Where the build copies the page: beside the compiled library. */
export function builtPage(base = import.meta.url): string {
  return fileURLToPath(new URL(base.endsWith('.ts') ? '../../dist/page/' : '../../page/', base));
}

/** Told to the page in its own markup, so that it knows that it came from a server. */
const SERVER_MARK = '<meta name="pleiad-backend" content="server" />';

export type PageFiles = (path: string) => Promise<PageFile | undefined>;

/** @throws PleiadError when the page was not built */
export function pageFiles(folder: string): PageFiles {
  const index = join(folder, 'index.html');
  if (!existsSync(index)) {
    throw new PleiadError(`the page of the Studio is not in ${folder}`, {
      subject: folder,
      advice: 'In a clone of the repository, build it: npm run studio:build',
    });
  }
  const files = new Map([...runtimeFiles(), ...filesBelow(folder)]);
  files.set('/', index);
  return async (path) => {
    const file = files.get(path);
    if (file === undefined) return undefined;
    const bytes = new Uint8Array(readFileSync(file));
    return {
      type: TYPES[extname(file)] ?? OTHER_TYPE,
      bytes: file === index ? marked(bytes) : bytes,
      // Vite writes a digest of the content into these names.
      isImmutable: path.startsWith('/assets/'),
    };
  };
}

function marked(html: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(html);
  return new TextEncoder().encode(text.replace('<head>', `<head>\n    ${SERVER_MARK}`));
}

function filesBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => [`/${name.replaceAll('\\', '/')}`, join(folder, name)] as [string, string])
    .filter(([, path]) => statSync(path).isFile());
}

/** Below `runtime/`, as a static site has them. */
function runtimeFiles(): [string, string][] {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
  return readdirSync(folder)
    .filter((name) => /^ort-wasm-[\w.-]+\.(wasm|mjs)$/.test(name))
    .map((name) => [`/runtime/${name}`, join(folder, name)] as [string, string]);
}

/**
 * Builds the page of `pleiad share` into dist/share/: one script with its worker inside, and one sheet. The command puts them,
 * the engine and a model into one file.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The runtime's own script asks a bundler for its .wasm file; here the page hands that over itself. */
function withoutWasmFile(): Plugin {
  const ASKED = /new URL\("ort-wasm-simd-threaded\.wasm",\s*import\.meta\.url\)(\.href)?/g;
  return {
    name: 'pleiad-without-wasm-file',
    enforce: 'pre',
    transform(code, id) {
      return id.includes('onnxruntime-web') ? code.replaceAll(ASKED, '""') : undefined;
    },
  };
}

export default defineConfig({
  root: path('.'),
  base: './',
  plugins: [withoutWasmFile()],
  build: {
    outDir: path('../../dist/share'),
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    lib: { entry: path('page.tsx'), formats: ['es'], fileName: () => 'page.js', cssFileName: 'page' },
  },
  worker: {
    // A page from disk may start no worker of modules.
    format: 'iife',
    plugins: () => [withoutWasmFile()],
    // A worker made of a text has no place that other files could be beside.
    rolldownOptions: { output: { codeSplitting: false } },
  },
});

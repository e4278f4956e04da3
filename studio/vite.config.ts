/** Builds the page of Pleiad Studio into dist-studio/. It works from any file server and under a sub-path: all its links are relative. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path('.'),
  base: './',
  resolve: { alias: { pleiad: path('../src/index.ts') } },
  build: {
    outDir: path('../dist-studio'),
    emptyOutDir: true,
    target: 'es2022',
    // A file inlined as a data: address would need a looser content security policy.
    assetsInlineLimit: 0,
    // The preload helper is for browsers without modulepreload, which have no WebAssembly SIMD either.
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
});

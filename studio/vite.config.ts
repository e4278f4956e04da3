/**
 * Builds the page of Pleiad Studio into dist-studio/. It works from any file server and under a sub-path: all its links are
 * relative. `STUDIO_MODELS=DIR` takes the models of another folder than models/.
 */
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { packagedPage } from './scripts/packagedPage.js';
import { pagePolicy } from './scripts/pagePolicy.js';
import { siteFiles } from './scripts/siteFiles.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path('.'),
  base: './',
  plugins: [
    siteFiles(process.env.STUDIO_MODELS ?? path('../models')),
    pagePolicy(),
    packagedPage(path('../dist-studio'), path('../dist/page')),
  ],
  resolve: {
    alias: { pleiad: path('../src/index.ts') },
    // The runtime in files of its own: its threads load it again, and not the page's script.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  build: {
    outDir: path('../dist-studio'),
    emptyOutDir: true,
    target: 'es2022',
    // How long plugins took is of no interest to whoever builds.
    rolldownOptions: { checks: { pluginTimings: false } },
    // A file inlined as a data: address would need a looser content security policy.
    assetsInlineLimit: 0,
    // The preload helper is for browsers without modulepreload, which have no WebAssembly SIMD either.
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
});

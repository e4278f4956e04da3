/** Builds the static site of the Studio into a folder, with models of the test's own. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Beside the page there is `probe.js`, which puts a backend of the tab into the window. */
export async function buildSite(outDir: string, models: string): Promise<void> {
  process.env.STUDIO_MODELS = models;
  await build({
    configFile: at('../../studio/vite.config.ts'),
    logLevel: 'error',
    build: {
      outDir,
      rollupOptions: {
        input: { index: at('../../studio/index.html'), probe: at('tabProbe.ts') },
        output: { entryFileNames: ({ name }) => (name === 'probe' ? 'probe.js' : 'assets/[name]-[hash].js') },
      },
    },
  });
}

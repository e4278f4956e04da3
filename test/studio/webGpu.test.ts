/**
 * Training on WebGPU in real chromium, on its WebGPU in software (SwiftShader): the losses are those of WebAssembly, and state stays
 * on the GPU from step to step.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('webgpu');
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const STEPS = 6;

let browser: Browser;
let server: FileServer;

describe.skipIf(chromiumMissing)('training on WebGPU', () => {
  beforeAll(async () => {
    process.env.STUDIO_MODELS = '';
    await build({
      configFile: at('../../studio/vite.config.ts'),
      logLevel: 'error',
      build: {
        outDir: join(folder, 'site'),
        rollupOptions: {
          input: { index: at('../../studio/index.html'), probe: at('gpuProbe.ts') },
          output: { entryFileNames: ({ name }) => (name === 'probe' ? 'probe.js' : 'assets/[name]-[hash].js') },
        },
      },
    });
    server = await serveFolder(join(folder, 'site'));
    browser = await launchChromium(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    remove();
  });

  it('has the losses of WebAssembly, and what crosses in a step is less than a thirtieth of the parameters', {
    timeout: 300_000,
  }, async () => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.log(error.message));
    await page.goto(server.address);
    await page.addScriptTag({ url: 'probe.js', type: 'module' });
    await page.waitForFunction(() => 'trainSteps' in window);
    const train = (device: 'wasm' | 'webgpu') =>
      page.evaluate(([name, steps]) => window.trainSteps(name, steps), [device, STEPS] as const);
    const wasm = await train('wasm');
    const gpu = await train('webgpu');
    expect(gpu.losses).toHaveLength(STEPS);
    for (const [step, losses] of wasm.losses.entries()) {
      for (const [name, loss] of Object.entries(losses)) {
        expect(Math.abs((gpu.losses[step][name] ?? Number.NaN) - (loss ?? Number.NaN)), `${name} ${step}`).toBeLessThan(
          1e-3,
        );
      }
    }
    const bytes = gpu.crossed.map((total, step) => total - (gpu.crossed[step - 1] ?? 0)).slice(1);
    console.log('bytes a step:', bytes.join(' '), 'of', 4 * gpu.parameters, 'bytes of parameters');
    expect(Math.max(...bytes)).toBeLessThan((4 * gpu.parameters) / 30);
    await page.close();
  });
});

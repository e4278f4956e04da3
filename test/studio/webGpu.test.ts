/**
 * WebGPU in real chromium, in software (SwiftShader): the losses of training are those of WebAssembly, state stays on the GPU from
 * step to step, and the screen Train measures by itself which engine is faster.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
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

  describe('the screen Train', { timeout: 900_000 }, () => {
    const GPU_RUNTIME = 'asyncify.wasm';
    const words = ['chef', 'sailor', 'doctor', 'child', 'meal', 'fish', 'soup', 'bread'];
    const sentence = (n: number) => `The ${words[n % 4]} saw the ${words[4 + ((n >> 2) % 4)]} near the river ${n % 7}.`;
    const text = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 9 }, (_, j) => sentence(i * 5 + j)).join(' '),
    ).join('\n\n');

    /** A page that begins to train. */
    async function playing(state: string, init = () => {}) {
      const page = await browser.newPage();
      const fetched: string[] = [];
      page.on('request', (request) => fetched.push(request.url()));
      await page.addInitScript(init);
      await page.goto(`${server.address}#/train?source=own&steps=4000&lang=en${state}`);
      await page.locator('textarea').fill(text);
      await page.locator('.train-play').click();
      await page.locator('.train-figures-line').waitFor({ timeout: 60_000 });
      return { page, ofGpu: () => fetched.filter((url) => url.endsWith(GPU_RUNTIME)).length };
    }
    const line = (page: Page) => page.locator('.train-engine');
    const says = (page: Page, part: RegExp) => line(page).filter({ hasText: part }).waitFor({ timeout: 600_000 });

    it('compares both engines while it trains, says both figures, goes on with the faster, and remembers', async () => {
      const { page, ofGpu } = await playing('&gpu=software');
      await says(
        page,
        /^Runs on the CPU \(1 thread\): [\d.]+ m?s a step\. The graphics .* \(google swiftshader\) takes/,
      );
      expect(ofGpu()).toBe(1);
      const kept = JSON.parse((await page.evaluate(() => localStorage.getItem('pleiad.engines'))) ?? '');
      expect(kept.measurement.agrees).toBe(true);
      expect(kept.measurement.webgpu.step).toBeGreaterThan(kept.measurement.wasm.step);
      const steps = async () =>
        Number.parseInt(
          /step ([\d,]+)/.exec((await page.locator('.train-figures-line').textContent()) ?? '')?.[1] ?? '',
          10,
        );
      const before = await steps();
      await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(before);
      await page.locator('.train-play', { hasText: 'Pause' }).click();
      await page.getByText('Nothing is lost').waitFor({ timeout: 60_000 });

      await page.reload();
      await says(page, /google swiftshader\) takes/);
      await page.locator('.train-play', { hasText: 'Go on' }).click();
      await page.locator('.train-play', { hasText: 'Pause' }).waitFor();
      await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(before);
      expect(ofGpu()).toBe(1);
      await page.close();
    });

    it('loads nothing for a graphics processor of software, or over a connection that saves data', async () => {
      const plain = await playing('');
      await says(plain.page, /gives the page no graphics processor/);
      const saving = await playing('&gpu=software', () => {
        Object.defineProperty(navigator, 'connection', { value: { saveData: true } });
      });
      await says(saving.page, /your connection saves data/);
      expect([plain.ofGpu(), saving.ofGpu()]).toEqual([0, 0]);
      await plain.page.close();
      await saving.page.close();
    });
  });
});

/** Debian's chromium without a window, for tests of pages. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATH = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Why pages cannot be tested here; undefined where they can. */
export const chromiumMissing = PATH === undefined ? 'there is no chromium in /usr/bin' : undefined;
if (chromiumMissing) console.log(`tests of pages are skipped: ${chromiumMissing}`);

/** @param args  further flags, such as `--enable-unsafe-webgpu` */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ['--no-sandbox', ...args] });
}

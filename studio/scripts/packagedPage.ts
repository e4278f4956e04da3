/**
 * Lays the built page beside the compiled library, dist/page, where `pleiad studio` serves it from and the npm package holds
 * it. Without runtime and models: these come with packages of their own.
 */
import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const TAKEN = ['index.html', 'icon.svg', 'assets'];

/**
 * @param from  where the page is built; a build into another folder is left alone
 * @param to    the folder; what was there goes
 */
export function packagedPage(from: string, to: string): Plugin {
  let out = '';
  return {
    name: 'pleiad-packaged-page',
    configResolved(config) {
      out = config.build.outDir;
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        if (resolve(out) !== resolve(from)) return;
        rmSync(to, { recursive: true, force: true });
        for (const name of TAKEN) cpSync(join(from, name), join(to, name), { recursive: true });
      },
    },
  };
}

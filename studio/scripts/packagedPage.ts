/**
 * Lays the built page beside the compiled library, dist/studio, where `pleiad studio` serves it from and the npm package holds
 * it. Without the runtime: that comes with onnxruntime-web, on which the package depends.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const LEFT_OUT = 'runtime';

/** @param to  the folder; what was there goes */
export function packagedPage(to: string): Plugin {
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
        rmSync(to, { recursive: true, force: true });
        cpSync(out, to, { recursive: true, filter: (path) => path !== join(out, LEFT_OUT) });
      },
    },
  };
}

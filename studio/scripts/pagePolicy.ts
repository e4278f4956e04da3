/** Writes the content security policy into the markup of the built page; while it is being worked on, vite's own scripts need more. */
import type { Plugin } from 'vite';
import { PAGE_POLICY } from '../../src/studio/studioHeaders.js';

export function pagePolicy(): Plugin {
  return {
    name: 'pleiad-page-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: PAGE_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

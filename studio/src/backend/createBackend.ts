/** Chooses what computes: the Studio's server where the page came from one, else this tab. */
import type { Backend } from './backend.js';
import { TabBackend } from './tabBackend.js';

export function createBackend(): Backend {
  return new TabBackend();
}

/** Chooses what computes: the Studio's server where the page came from one, else this tab. */
import { type Backend, BackendError } from './backend.js';

export function createBackend(): Backend {
  return noBackend;
}

const absent = () => Promise.reject(new BackendError('nothing computes here yet'));
const noBackend: Backend = {
  place: async () => ({ kind: 'tab', device: 'wasm', threads: 1 }),
  models: async () => [],
  call: absent,
};

/** The worker of a shared page: the engine's file comes as the first message, requests follow. */
import { createWebEngine } from '../../src/engine/onnxruntime/webEngine.js';
import { tabModels } from '../src/backend/tabModels.js';
import type { ToWorker } from '../src/backend/tabProtocol.js';
import { serveTab } from '../src/backend/tabServer.js';
import { yielding } from '../src/backend/yieldingEngine.js';

export interface EngineFile {
  readonly kind: 'engine-file';
  readonly wasm: ArrayBuffer;
}

let give: (wasm: ArrayBuffer) => void;
const engineFile = new Promise<ArrayBuffer>((resolve) => {
  give = resolve;
});

// One thread: a page from disk is never isolated.
const receive = serveTab(
  tabModels({
    wasm: async () => yielding(await createWebEngine({ wasmBinary: new Uint8Array(await engineFile) })),
  }),
  (message) => self.postMessage(message),
);

self.addEventListener('message', ({ data }: MessageEvent<ToWorker | EngineFile>) => {
  if (data.kind === 'engine-file') give(data.wasm);
  else receive(data);
});

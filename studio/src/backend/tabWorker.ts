/** The Web Worker of the tab. */
import { openCpuEngine, openWebGpuEngine } from './tabEngine.js';
import { tabModels } from './tabModels.js';
import type { FromWorker, ToWorker } from './tabProtocol.js';
import { serveTab } from './tabServer.js';

const receive = serveTab(tabModels({ wasm: openCpuEngine, webgpu: openWebGpuEngine }), (message: FromWorker) =>
  self.postMessage(message),
);
self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => receive(data));

/** The Web Worker of the tab. */
import { tabModels } from './tabModels.js';
import type { FromWorker, ToWorker } from './tabProtocol.js';
import { serveTab } from './tabServer.js';

const receive = serveTab(tabModels(), (message: FromWorker) => self.postMessage(message));
self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => receive(data));

/** The Web Worker that trains: a step blocks its thread, and the page's must stay free. */
import { openCpuEngine } from '../../backend/tabEngine.js';
import { plainError } from '../../backend/tabServer.js';
import { browserKeeper } from './keptRun.js';
import { Trainer } from './trainer.js';
import type { FromTrainer, ToTrainer } from './trainProtocol.js';

const say = (message: FromTrainer) => self.postMessage(message);
let site = '';
let engine: ReturnType<typeof openCpuEngine> | undefined;
const trainer = new Trainer({
  engine: () => {
    engine ??= openCpuEngine(site);
    return engine;
  },
  keeper: browserKeeper(),
  say,
});

async function answer(message: ToTrainer): Promise<void> {
  if (message.kind === 'open') {
    site = message.site;
    await trainer.open();
  } else if (message.kind === 'start') await trainer.start(message.setup);
  else if (message.kind === 'models') await trainer.models(message.id);
  else await trainer[message.kind]();
}

self.addEventListener('message', ({ data }: MessageEvent<ToTrainer>) => {
  answer(data).catch((error: unknown) => say({ kind: 'failed', error: plainError(error) }));
});

/** The Web Worker that trains: a step blocks its thread, and the page's must stay free. */
import type { Engine } from '../../../../src/engine/engine.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import { openCpuEngine, openWebGpuEngine } from '../../backend/tabEngine.js';
import { plainError } from '../../backend/tabServer.js';
import { browserKeeper } from './keptRun.js';
import { Trainer } from './trainer.js';
import type { FromTrainer, ToTrainer } from './trainProtocol.js';

const say = (message: FromTrainer) => self.postMessage(message);
const OPEN = { wasm: openCpuEngine, webgpu: openWebGpuEngine };
let site = '';
let opened: { readonly device: TabDevice; readonly engine: Promise<Engine> } | undefined;

/** One at a time: what the other held in its memory is given back. */
async function engineOf(device: TabDevice): Promise<Engine> {
  if (opened?.device !== device) {
    const before = opened;
    opened = { device, engine: OPEN[device](site) };
    await (await before?.engine.catch(() => undefined))?.close();
  }
  const { engine } = opened;
  engine.catch(() => {
    opened = undefined;
  });
  return engine;
}

const trainer = new Trainer({ engine: engineOf, keeper: browserKeeper(), say });

async function answer(message: ToTrainer): Promise<void> {
  if (message.kind === 'open') {
    site = message.site;
    await trainer.open();
  } else if (message.kind === 'start') await trainer.start(message.setup, message.device);
  else if (message.kind === 'resume') await trainer.resume(message.device);
  else if (message.kind === 'models') await trainer.models(message.id);
  else await trainer[message.kind]();
}

self.addEventListener('message', ({ data }: MessageEvent<ToTrainer>) => {
  answer(data).catch((error: unknown) => say({ kind: 'failed', error: plainError(error) }));
});

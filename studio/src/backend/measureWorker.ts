/** The Web Worker that compares the engines: of its own, so that both runtimes and their memory go with it. */
import type { Engine } from '../../../src/engine/engine.js';
import { compareEngines } from './compareEngines.js';
import type { EngineMeasurement } from './engineMeasurement.js';
import { openCpuEngine, openWebGpuEngine } from './tabEngine.js';
import type { PlainError } from './tabProtocol.js';
import { plainError } from './tabServer.js';

export type ToMeasuring =
  /** @param site  address that the runtimes' files lie below */
  { readonly kind: 'load'; readonly site: string } | { readonly kind: 'measure' };

export type FromMeasuring =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'measured'; readonly measurement: EngineMeasurement }
  | { readonly kind: 'failed'; readonly error: PlainError };

const say = (message: FromMeasuring) => self.postMessage(message);
let engines: readonly [wasm: Engine, webgpu: Engine] | undefined;

async function answer(message: ToMeasuring): Promise<void> {
  if (message.kind === 'load') {
    engines = await Promise.all([openCpuEngine(message.site), openWebGpuEngine(message.site)]);
    say({ kind: 'loaded' });
  } else if (engines) say({ kind: 'measured', measurement: await compareEngines(...engines) });
}

self.addEventListener('message', ({ data }: MessageEvent<ToMeasuring>) => {
  answer(data).catch((error: unknown) => say({ kind: 'failed', error: plainError(error) }));
});

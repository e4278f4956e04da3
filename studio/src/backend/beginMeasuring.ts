/** The page's end of the worker that compares the engines. */
import type { Measuring } from './engineChoice.js';
import type { EngineMeasurement } from './engineMeasurement.js';
import type { FromMeasuring, ToMeasuring } from './measureWorker.js';

/** @param site  address that the runtimes' files lie below */
export function beginMeasuring(site: string): Measuring {
  const worker = new Worker(new URL('./measureWorker.ts', import.meta.url), { type: 'module', name: 'pleiad-measure' });
  const post = (message: ToMeasuring) => worker.postMessage(message);
  const answers = { loaded: promised<void>(), measured: promised<EngineMeasurement>() };
  const fail = (message: string) => {
    for (const { reject } of Object.values(answers)) reject(new Error(message));
  };
  worker.addEventListener('message', ({ data }: MessageEvent<FromMeasuring>) => {
    if (data.kind === 'loaded') answers.loaded.resolve();
    else if (data.kind === 'measured') answers.measured.resolve(data.measurement);
    else fail(data.error.message);
  });
  worker.addEventListener('error', ({ message }) => fail(message));
  post({ kind: 'load', site });
  return {
    loaded: answers.loaded.promise,
    measure() {
      post({ kind: 'measure' });
      return answers.measured.promise;
    },
    close: () => worker.terminate(),
  };
}

function promised<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((resolved, rejected) => {
    [resolve, reject] = [resolved, rejected];
  });
  promise.catch(() => {}); // whoever waits hears of it
  return { promise, resolve, reject };
}

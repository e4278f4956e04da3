/** The server's side of a training's thread. */
import { Worker } from 'node:worker_threads';
import { PleiadError } from '../errors/errors.js';
import { workerUrl } from '../files/workerUrl.js';
import { receivedError } from '../serving/threadClient.node.js';
import type { FromTraining, ToTraining, TrainingThreadData } from './trainingOrder.js';

export interface RunningTraining {
  /** Resolves when the run's log has its first line. @throws what the run throws before */
  readonly begun: Promise<void>;
  /** Resolves when it has ended, with the error that it ended by. */
  readonly ended: Promise<Error | undefined>;
  /** Asks it to end after the step under way, with a checkpoint. */
  stop(): void;
}

export function startTraining(data: TrainingThreadData): RunningTraining {
  const worker = new Worker(workerUrl('./trainingThread.node.js', import.meta.url), { workerData: data, execArgv: [] });
  let failure: Error | undefined;
  let isDone = false;
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.on('message', (message: FromTraining) => {
      if ('failed' in message) failure = receivedError(message.failed);
      if ('done' in message) isDone = true;
    });
    worker.on('error', (error) => {
      failure ??= error;
    });
    worker.on('exit', (code) => {
      const lost = isDone ? undefined : new PleiadError(`the training's thread ended (code ${code})`);
      resolve(failure ?? lost);
    });
  });
  const begun = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromTraining) => 'begun' in message && resolve());
    void ended.then((error) => (error ? reject(error) : resolve()));
  });
  // Whoever waits for it is told; nobody has to.
  begun.catch(() => {});
  return { begun, ended, stop: () => worker.postMessage({ stop: true } satisfies ToTraining) };
}

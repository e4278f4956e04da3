/** The thread in which the Studio's server trains: an order in, the run's folder out. What happens is told by its log. */
import { parentPort, workerData } from 'node:worker_threads';
import { sentError } from '../serving/threadProtocol.js';
import type { FromTraining, ToTraining, TrainingThreadData } from './trainingOrder.js';
import { trainAsOrdered } from './trainText.node.js';

const port = parentPort!;
const { order, threads } = workerData as TrainingThreadData;
const say = (message: FromTraining) => port.postMessage(message);

const ending = new AbortController();
port.on('message', (_: ToTraining) => ending.abort());

async function run(): Promise<void> {
  let isBegun = false;
  for await (const _ of trainAsOrdered(order, { signal: ending.signal, threads })) {
    if (isBegun) continue;
    isBegun = true;
    say({ begun: true });
  }
  say({ done: true });
}

run()
  .catch((error: unknown) => say({ failed: sentError(error) }))
  .finally(() => port.close());

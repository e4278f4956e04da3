/**
 * The thread of a model: batches in, outcomes out. Tokenising and reading off answers are done here, so that the server's own
 * thread answers probes and refusals however long a text is; the engine has a further thread inside.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { LoadedPipelines } from './loadedPipelines.node.js';
import { runBatch } from './runBatch.js';
import { type FromThread, sentError, type ThreadSettings, type ToThread } from './threadProtocol.js';

const port = parentPort!;
const { folder, ready, loading } = workerData as ThreadSettings;
const say = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function serve(): Promise<void> {
  const pipelines = await LoadedPipelines.open(folder, loading);
  const running = new Map<number, AbortController>();
  let hasFailed = false;
  const answer = async (message: ToThread): Promise<void> => {
    if ('die' in message) {
      if (message.die === 'engine') return pipelines.engine.close();
      throw new Error('the thread was told to die');
    }
    if ('cancel' in message) return running.get(message.cancel)?.abort(new Error('cancelled'));
    if ('close' in message) {
      await pipelines.close();
      say({ closed: true });
      port.close();
      return;
    }
    const controller = new AbortController();
    running.set(message.id, controller);
    const { outcomes, engineError } = await runBatch(message, (name) => pipelines.get(name), controller.signal);
    running.delete(message.id);
    // The engine has failed in the batch before: this one is run by the next thread.
    if (hasFailed) return;
    hasFailed = engineError !== undefined;
    say({ id: message.id, outcomes, isLast: hasFailed });
    // What an engine still holds after an error of its own is unknown: the server starts another thread.
    if (engineError) throw engineError;
  };
  for (const name of ready) await pipelines.get(name);
  port.on('message', (message: ToThread) => void answer(message).catch(die));
  say({ greeting: { engine: pipelines.engine.description, skipsPadding: await pipelines.skipsPadding() } });
}

/** An error that nobody catches ends this thread, and `exit` lets the engine's out first. */
function die(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

serve().catch((error: unknown) => {
  say({ failed: sentError(error) });
  process.exit(1);
});

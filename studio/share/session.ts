/** Starts the worker of a shared page with the engine and the model that the page carries. */
import type { SharedPageData } from '../../src/studio/sharedPageData.js';
import { ENGINE_BLOB } from '../../src/studio/sharedPageData.js';
import type { StudioCallName } from '../../src/studio/studioCalls.js';
import type { CallInput, CallOutput } from '../src/backend/backend.js';
import { TabSession } from '../src/backend/tabSession.js';
import { readBlob, readModel } from './payload.js';
import type { EngineFile } from './worker.js';
import SharedWorkerScript from './worker.js?worker&inline';

export type Ask = <Name extends StudioCallName>(
  name: Name,
  input: CallInput<Name>,
  signal?: AbortSignal,
) => Promise<CallOutput<Name>>;

/** @throws Error when the page is incomplete, BackendError when the worker does not start */
export async function startSession(data: SharedPageData): Promise<Ask> {
  const worker = new SharedWorkerScript();
  const session = new TabSession(worker);
  worker.addEventListener('error', ({ message }: ErrorEvent) => {
    session.fail({ message: `the worker of this page stopped: ${message}`, advice: 'Open the page again.' });
  });
  const wasm = await (await readBlob(ENGINE_BLOB)).arrayBuffer();
  const engine: EngineFile = { kind: 'engine-file', wasm };
  worker.postMessage(engine, [wasm]);
  await session.request('add', await readModel(data));
  return async (name, input, signal) =>
    (await session.request('call', { name, input }, { signal })) as CallOutput<typeof name>;
}

/** The backend that computes wholly in the tab: a Web Worker with the library and onnxruntime-web. */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { StudioCallName } from '../../../src/studio/studioCalls.js';
import type { Backend, CallInput, CallOptions, CallOutput, ComputePlace, EngineComparison } from './backend.js';
import type { AddedFolder, AddedModel, FilesWanted } from './tabProtocol.js';
import { TabSession } from './tabSession.js';

export class TabBackend implements Backend {
  readonly #session: TabSession;
  readonly #started: Promise<ComputePlace>;
  readonly #worker: Worker;

  /** @param site  where `models.json` and the runtime's files lie; the page's own folder by default */
  constructor(site: string = new URL('.', document.baseURI).href) {
    this.#worker = new Worker(new URL('./tabWorker.ts', import.meta.url), { type: 'module', name: 'pleiad' });
    this.#session = new TabSession(this.#worker);
    this.#worker.addEventListener('error', ({ message }) => {
      this.#session.fail({
        message: `the worker of this tab stopped: ${message || 'its script did not load'}`,
        advice: 'Reload the page.',
      });
    });
    this.#started = this.#session.request('start', { site });
    this.#started.catch(() => {}); // each call says it
  }

  async place(): Promise<ComputePlace> {
    await this.#started;
    return this.#session.request('place', undefined);
  }

  async models(): Promise<readonly StudioModelSummary[]> {
    await this.#started;
    return this.#session.request('list', undefined);
  }

  async call<Name extends StudioCallName>(
    name: Name,
    input: CallInput<Name>,
    options: CallOptions = {},
  ): Promise<CallOutput<Name>> {
    await this.#started;
    return (await this.#session.request('call', { name, input }, options)) as CallOutput<Name>;
  }

  /** Adds a model of the reader's own, by its files, in place of one of the same id. */
  async addModel(model: AddedModel): Promise<void> {
    await this.#started;
    await this.#session.request('add', model);
  }

  async removeModel(id: string): Promise<void> {
    await this.#started;
    await this.#session.request('remove', { id });
  }

  /** A model's files, as a folder of that form has them. */
  async modelFiles(wanted: FilesWanted): Promise<AddedFolder['files']> {
    await this.#started;
    return this.#session.request('files', wanted);
  }

  /** Measures for three seconds whether WebGPU is faster here, and takes it if so; undefined where there is none. */
  async compare(signal?: AbortSignal): Promise<EngineComparison | undefined> {
    await this.#started;
    return this.#session.request('compare', undefined, { signal });
  }

  close(): void {
    this.#worker.terminate();
    this.#session.fail({ message: 'the backend was closed' });
  }
}

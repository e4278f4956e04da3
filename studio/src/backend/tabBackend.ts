/** The backend that computes wholly in the tab: a Web Worker with the library and onnxruntime-web. */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { StudioCallName } from '../../../src/studio/studioCalls.js';
import type { Backend, CallInput, CallOptions, CallOutput, ComputePlace } from './backend.js';
import type { EngineChoice } from './engineChoice.js';
import type { AddedFolder, AddedModel, FilesWanted } from './tabProtocol.js';
import { TabSession } from './tabSession.js';

export class TabBackend implements Backend {
  readonly engines?: EngineChoice;
  readonly #session: TabSession;
  readonly #started: Promise<ComputePlace>;
  readonly #worker: Worker;

  /**
   * @param engines  which engine computes; WebAssembly where there is no choice
   * @param site     where `models.json` and the runtime's files lie; the page's own folder by default
   */
  constructor(engines?: EngineChoice, site: string = new URL('.', document.baseURI).href) {
    this.engines = engines;
    this.#worker = new Worker(new URL('./tabWorker.ts', import.meta.url), { type: 'module', name: 'pleiad' });
    this.#session = new TabSession(this.#worker);
    this.#worker.addEventListener('error', ({ message }) => {
      this.#session.fail({
        message: `the worker of this tab stopped: ${message || 'its script did not load'}`,
        advice: 'Reload the page.',
      });
    });
    this.#started = this.#start(site);
    this.#started.catch(() => {}); // each call says it
  }

  async #start(site: string): Promise<ComputePlace> {
    const { engines } = this;
    await engines?.recall();
    let device = engines?.deviceFor('sentence') ?? 'wasm';
    const place = await this.#session.request('start', { site, device });
    engines?.listen(() => {
      if (engines.deviceFor('sentence') === device) return;
      device = engines.deviceFor('sentence');
      // A worker that has ended says so at each call.
      this.#session.request('use', { device }).catch(() => {});
    });
    return place;
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

  close(): void {
    this.#worker.terminate();
    this.#session.fail({ message: 'the backend was closed' });
  }
}

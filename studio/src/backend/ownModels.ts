/**
 * Models of the reader's own, dropped into the page or trained in it: kept in the browser, run in the tab whatever computes for
 * all others, and listed first.
 */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { StudioCallName } from '../../../src/studio/studioCalls.js';
import type { Backend, CallInput, CallOptions, CallOutput, ComputePlace } from './backend.js';
import type { EngineChoice } from './engineChoice.js';
import { keeping } from './keeping.js';
import type { StudioServer } from './studioServer.js';
import type { TabBackend } from './tabBackend.js';
import type { AddedFolder, AddedModel, FilesWanted } from './tabProtocol.js';

const KEPT = keeping<AddedModel>('pleiad-models');

export class OwnModels implements Backend {
  readonly server?: StudioServer;
  readonly engines?: EngineChoice;
  readonly #base: Backend;
  /** Started when it is first needed: of a page that came from a server only for models of the reader's own. */
  readonly #tab: () => TabBackend;
  readonly #kept: Promise<Map<string, AddedModel>>;
  /** Those that the tab has. */
  readonly #added = new Map<string, Promise<void>>();

  constructor(base: Backend, tab: () => TabBackend, server?: StudioServer) {
    this.#base = base;
    this.engines = base.engines;
    this.#tab = tab;
    this.server = server;
    this.#kept = keptModels();
  }

  place(): Promise<ComputePlace> {
    return this.#base.place();
  }

  async models(): Promise<readonly StudioModelSummary[]> {
    const kept = await this.#kept;
    const own = [...kept.values()].map(({ summary }) => summary);
    const others = await this.#base.models();
    return [...own, ...others.filter(({ id }) => !kept.has(id))];
  }

  async call<Name extends StudioCallName>(
    name: Name,
    input: CallInput<Name>,
    options: CallOptions = {},
  ): Promise<CallOutput<Name>> {
    const id = modelIn(input);
    if (id === undefined || !(await this.#kept).has(id)) return this.#base.call(name, input, options);
    await this.#ready(id);
    return this.#tab().call(name, input, options);
  }

  async ownModel(id: string): Promise<AddedModel | undefined> {
    return (await this.#kept).get(id);
  }

  async addModel(model: AddedModel): Promise<void> {
    const { id } = model.summary;
    (await this.#kept).set(id, model);
    this.#added.delete(id);
    await this.#ready(id);
    await KEPT.put(id, model).catch(() => {});
  }

  async removeModel(id: string): Promise<void> {
    (await this.#kept).delete(id);
    if (this.#added.delete(id)) await this.#tab().removeModel(id);
    await KEPT.remove(id).catch(() => {});
  }

  /** Undefined for a model of the server, which writes its files there. */
  async modelFiles(wanted: FilesWanted): Promise<AddedFolder['files'] | undefined> {
    const isOwn = (await this.#kept).has(wanted.id);
    if (!isOwn && this.server) return undefined;
    if (isOwn) await this.#ready(wanted.id);
    return this.#tab().modelFiles(wanted);
  }

  async #ready(id: string): Promise<void> {
    const model = (await this.#kept).get(id);
    if (!model) return;
    const known = this.#added.get(id);
    const added = known ?? this.#tab().addModel(model);
    this.#added.set(id, added);
    added.catch(() => this.#added.delete(id));
    await added;
  }
}

/** The model that a call's input names, as all calls do. */
function modelIn(input: unknown): string | undefined {
  const { model } = (input ?? {}) as { model?: unknown };
  return typeof model === 'string' ? model : undefined;
}

async function keptModels(): Promise<Map<string, AddedModel>> {
  const all = await KEPT.all().catch(() => []);
  return new Map(all.map((model) => [model.summary.id, model]));
}

/** A training in this tab: the page's end of the worker that trains. It goes on while the reader looks at other screens. */
import type { AddedModel } from '../../backend/tabProtocol.js';
import type { FromTrainer, ToTrainer, TrainingSetup } from './trainProtocol.js';
import { begun, NOTHING, received, type TrainState } from './trainState.js';

/** What is used of a Worker; tests give another. */
export interface TrainerPort {
  postMessage(message: ToTrainer): void;
  addEventListener(type: 'message', listener: (event: { readonly data: FromTrainer }) => void): void;
}

/** What is used of a document: whether somebody looks. */
export interface Visibility {
  readonly hidden: boolean;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
}

export class TabTraining {
  #state: TrainState = NOTHING;
  readonly #port: TrainerPort;
  readonly #listeners = new Set<() => void>();
  #models: ((model: AddedModel) => void)[] = [];
  /** Whether it paused by itself, and goes on by itself. */
  #isHidden = false;

  constructor(port: TrainerPort, site: string, visibility: Visibility) {
    this.#port = port;
    port.addEventListener('message', ({ data }) => this.#receive(data));
    visibility.addEventListener('visibilitychange', () => this.#look(visibility.hidden));
    port.postMessage({ kind: 'open', site });
  }

  get state(): TrainState {
    return this.#state;
  }

  /** @returns what ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(setup: TrainingSetup): void {
    this.#change(begun(setup));
    this.#port.postMessage({ kind: 'start', setup });
  }

  pause(): void {
    if (this.#state.status !== 'training') return;
    this.#change({ ...this.#state, status: 'pausing' });
    this.#port.postMessage({ kind: 'pause' });
  }

  resume(): void {
    this.#isHidden = false;
    this.#change({ ...this.#state, status: 'training', error: undefined });
    this.#port.postMessage({ kind: 'resume' });
  }

  clear(): void {
    this.#change({ ...NOTHING, status: 'empty' });
    this.#port.postMessage({ kind: 'clear' });
  }

  /** The models of the newest checkpoint. */
  models(id: string): Promise<AddedModel> {
    return new Promise((resolve) => {
      this.#models.push(resolve);
      this.#port.postMessage({ kind: 'models', id });
    });
  }

  /** A tab that nobody sees leaves the processor to others. */
  #look(hidden: boolean): void {
    if (hidden && this.#state.status === 'training') {
      this.pause();
      this.#isHidden = true;
    } else if (!hidden && this.#isHidden && this.#state.status === 'paused') {
      this.resume();
    }
  }

  #receive(message: FromTrainer): void {
    if (message.kind === 'models') {
      for (const resolve of this.#models.splice(0)) resolve(message.model);
      return;
    }
    const wasPausing = this.#state.status === 'pausing';
    // After `clear` the worker still says how its run ended.
    if (this.#state.status === 'empty' && message.kind !== 'opened') return;
    this.#change(received(this.#state, message));
    // The reader came back before the pause was through.
    if (wasPausing && message.kind === 'paused' && this.#isHidden && !globalThis.document?.hidden) this.resume();
  }

  #change(state: TrainState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

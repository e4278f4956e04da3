/** A training in this tab: the page's end of the worker that trains. It goes on while the reader looks at other screens. */
import type { EngineChoice, Hush } from '../../backend/engineChoice.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import type { AddedModel } from '../../backend/tabProtocol.js';
import type { FromTrainer, ToTrainer, TrainingSetup } from './trainProtocol.js';
import { begun, NOTHING, received, type TrainState, type TrainStatus } from './trainState.js';

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

/** What is used of the choice between engines. */
export type EnginesOfTraining = Pick<EngineChoice, 'deviceFor' | 'measureOnce' | 'hushBefore' | 'distrust'>;

export interface TabTrainingParts {
  readonly port: TrainerPort;
  /** Address that the runtimes' files lie below. */
  readonly site: string;
  readonly visibility: Visibility;
  readonly engines: EnginesOfTraining;
}

/** What is soon over: a measurement waits for it. */
const BEFORE_REST: readonly TrainStatus[] = ['opening', 'preparing', 'pausing'];

export class TabTraining {
  #state: TrainState = NOTHING;
  readonly #port: TrainerPort;
  readonly #visibility: Visibility;
  readonly #engines: EnginesOfTraining;
  readonly #listeners = new Set<() => void>();
  #models: ((model: AddedModel) => void)[] = [];
  /** Whether it paused by itself, and goes on by itself. */
  #isHidden = false;
  #hasPlayed = false;
  /** Called when the worker rests for a measurement. */
  #rests: () => void = () => {};

  constructor({ port, site, visibility, engines }: TabTrainingParts) {
    this.#port = port;
    this.#visibility = visibility;
    this.#engines = engines;
    engines.hushBefore(this.#hush);
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
    const device = this.#engines.deviceFor('step');
    this.#change(begun(setup, device));
    this.#port.postMessage({ kind: 'start', setup, device });
  }

  pause(): void {
    if (this.#state.status !== 'training') return;
    this.#change({ ...this.#state, status: 'pausing' });
    this.#port.postMessage({ kind: 'pause' });
  }

  /** @param device  the one that it had, where a measurement does not say otherwise: with it the bits are the same */
  resume(device: TabDevice = this.#state.device ?? 'wasm'): void {
    this.#isHidden = false;
    this.#change({ ...this.#state, status: 'training', device, error: undefined });
    this.#port.postMessage({ kind: 'resume', device });
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

  readonly #hush: Hush = async () => {
    while (BEFORE_REST.includes(this.#state.status)) await this.#nextChange();
    if (this.#state.status !== 'training') return () => {};
    this.#change({ ...this.#state, status: 'measuring' });
    const resting = new Promise<void>((resolve) => {
      this.#rests = resolve;
    });
    this.#port.postMessage({ kind: 'pause' });
    await resting;
    return () => {
      if (this.#state.status !== 'measuring') return;
      const device = this.#engines.deviceFor('step');
      if (this.#visibility.hidden) {
        this.#change({ ...this.#state, status: 'paused', device });
        this.#isHidden = true;
      } else this.resume(device);
    };
  };

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const end = this.listen(() => {
        end();
        resolve();
      });
    });
  }

  #receive(message: FromTrainer): void {
    if (message.kind === 'models') {
      for (const resolve of this.#models.splice(0)) resolve(message.model);
      return;
    }
    const { status, device } = this.#state;
    const wasPausing = status === 'pausing';
    // After `clear` the worker still says how its run ended.
    if (status === 'empty' && message.kind !== 'opened') return;
    if (['paused', 'finished', 'failed'].includes(message.kind)) this.#rests();
    if (status === 'measuring' && message.kind === 'paused') return;
    this.#change(received(this.#state, message));
    if (message.kind === 'failed' && status !== 'preparing' && device === 'webgpu') {
      this.#engines.distrust();
      this.#change({ ...this.#state, device: 'wasm' });
    }
    if (message.kind === 'events' && status === 'training' && !this.#hasPlayed) {
      this.#hasPlayed = true;
      void this.#engines.measureOnce();
    }
    // The reader came back before the pause was through.
    if (wasPausing && message.kind === 'paused' && this.#isHidden && !globalThis.document?.hidden) this.resume();
  }

  #change(state: TrainState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Which engine the tab computes with. WebAssembly until three seconds of measuring have found WebGPU faster, for one kind of
 * work or for both; what was found is remembered. There is one for the page.
 */
import {
  type EngineMeasurement,
  type EngineWork,
  fasterEngine,
  parseMeasurement,
  type TabDevice,
} from './engineMeasurement.js';

export interface EngineState {
  /** Name of the graphics processor; null where there is none to use, undefined before anybody looked. */
  readonly adapter?: string | null;
  /** `loading`: the runtime of 27 MB is on its way. */
  readonly busy?: 'loading' | 'measuring';
  readonly measurement?: EngineMeasurement;
  /** Why nothing is measured unasked. */
  readonly isSaving?: boolean;
}

/** A worker that measures; both engines in it end with it. */
export interface Measuring {
  /** Resolves when all is there that it takes. */
  readonly loaded: Promise<void>;
  measure(): Promise<EngineMeasurement>;
  close(): void;
}

export interface EngineChoiceParts {
  findAdapter(): Promise<string | undefined>;
  /** What a measurement depends on besides the graphics processor: browser, threads, version of this page. */
  readonly build: string;
  /** Whether the connection is one over which nobody wants 27 MB unasked. */
  isSaving(): boolean;
  begin(): Measuring;
  /** What the browser keeps. */
  recall(): string | undefined;
  remember(value: string): void;
}

/** Stops what would disturb a measurement. @returns what lets it go on, on the engine that is then the faster one */
export type Hush = () => Promise<() => void>;

export class EngineChoice {
  readonly #parts: EngineChoiceParts;
  readonly #listeners = new Set<() => void>();
  #state: EngineState = {};
  #looked: Promise<void> | undefined;
  #measured: Promise<void> | undefined;
  #hasFailed = false;
  #hush: Hush = async () => () => {};

  constructor(parts: EngineChoiceParts) {
    this.#parts = parts;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** @returns what ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is to be quiet while it measures: a training. */
  hushBefore(hush: Hush): void {
    this.#hush = hush;
  }

  deviceFor(work: EngineWork): TabDevice {
    return fasterEngine(this.#state.measurement, work);
  }

  /** Looks for a graphics processor, and for what is remembered of it. */
  look(): Promise<void> {
    this.#looked ??= this.#look();
    return this.#looked;
  }

  /** Looks only where something is remembered: asking for an adapter wakes the browser's GPU process. */
  async recall(): Promise<void> {
    if (this.#parts.recall() !== undefined) await this.look();
  }

  /** Measures unasked: where there is something to measure, nothing is known of it, and the connection bears it. */
  async measureOnce(): Promise<void> {
    await this.look();
    const { adapter, measurement } = this.#state;
    if (!adapter || measurement || this.#hasFailed) return;
    if (this.#parts.isSaving()) this.#change({ isSaving: true });
    else await this.measure();
  }

  /** Measures, again where it is known already, and remembers. A measurement that cannot be made leaves all as it was. */
  measure(): Promise<void> {
    this.#measured ??= this.#measure().finally(() => {
      this.#measured = undefined;
    });
    return this.#measured;
  }

  /** WebGPU failed in use: it is not taken again until somebody measures anew. */
  distrust(): void {
    const { measurement } = this.#state;
    if (measurement) this.#keep({ wasm: measurement.wasm, agrees: false });
  }

  async #look(): Promise<void> {
    const adapter = await this.#parts.findAdapter();
    const measurement = adapter === undefined ? undefined : this.#recalled(adapter);
    this.#change({ adapter: adapter ?? null, measurement });
  }

  async #measure(): Promise<void> {
    await this.look();
    if (!this.#state.adapter) return;
    const measuring = this.#parts.begin();
    try {
      this.#change({ busy: 'loading', isSaving: undefined });
      await measuring.loaded;
      const goOn = await this.#hush();
      try {
        this.#change({ busy: 'measuring' });
        this.#keep(await measuring.measure());
      } finally {
        goOn();
      }
    } catch {
      // The runtime did not come, or the worker ended: the page goes on as it was.
      this.#hasFailed = true;
    } finally {
      measuring.close();
      this.#change({ busy: undefined });
    }
  }

  #keep(measurement: EngineMeasurement): void {
    this.#change({ measurement });
    this.#parts.remember(JSON.stringify({ key: this.#key(), measurement }));
  }

  #recalled(adapter: string): EngineMeasurement | undefined {
    try {
      const { key, measurement } = JSON.parse(this.#parts.recall() ?? 'null') ?? {};
      return key === this.#key(adapter) ? parseMeasurement(measurement) : undefined;
    } catch {
      return undefined;
    }
  }

  #key(adapter = this.#state.adapter): string {
    return `${adapter} · ${this.#parts.build}`;
  }

  #change(changes: EngineState): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

/** A run of the server: watched by asking for what its log has new, and predicted whenever it has another checkpoint. */
import type { ProbePrediction } from '../../../../src/studio/probes.js';
import type { ProbeSentence, RunSummary, StartRun } from '../../../../src/studio/studioApi.js';
import type { StudioServer } from '../../backend/studioServer.js';
import { NO_CURVES, withEvents } from './curves.js';
import { NOTHING, type TrainState, type TrainStatus, withPrediction } from './trainState.js';

export interface ServerTrainingParts {
  readonly server: StudioServer;
  /** Asks the newest model of a run. */
  predict(id: string, probes: readonly ProbeSentence[]): Promise<readonly ProbePrediction[]>;
  /** Calls later. @returns what calls it off */
  after(ms: number, call: () => void): () => void;
}

/** Between two looks at a run: while it trains, and otherwise. */
const LOOK_MS = { training: 1000, resting: 5000 };

const STATUS: Readonly<Record<RunSummary['state'], TrainStatus>> = {
  training: 'training',
  elsewhere: 'elsewhere',
  stopped: 'paused',
  finished: 'finished',
};

export class ServerTraining {
  readonly id: string;
  #state: TrainState = NOTHING;
  readonly #parts: ServerTrainingParts;
  readonly #changed: (state: TrainState) => void;
  #cursor: string | undefined;
  #cancel: () => void = () => {};
  #isOver = false;

  /** @param changed  called with each new state */
  constructor(id: string, parts: ServerTrainingParts, changed: (state: TrainState) => void) {
    this.id = id;
    this.#parts = parts;
    this.#changed = changed;
    void this.#look();
  }

  static async start(server: StudioServer, order: StartRun): Promise<RunSummary> {
    return server.start(order);
  }

  async pause(): Promise<void> {
    this.#change({ ...this.#state, status: 'pausing' });
    await this.#tried(() => this.#parts.server.stop(this.id));
    await this.#look();
  }

  async resume(more?: string): Promise<void> {
    this.#change({ ...this.#state, status: 'preparing', error: undefined });
    await this.#tried(() => this.#parts.server.resume(this.id, more));
    await this.#look();
  }

  close(): void {
    this.#isOver = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    this.#cancel();
    let isTraining = false;
    await this.#tried(async () => {
      const { events, cursor, isFromStart, run, probes } = await this.#parts.server.events(this.id, this.#cursor);
      this.#cursor = cursor;
      isTraining = run.state === 'training' || run.state === 'elsewhere';
      const before = isFromStart ? NO_CURVES : this.#state.curves;
      const curves = withEvents(before, events);
      this.#change({
        ...this.#state,
        status: STATUS[run.state],
        probes,
        curves: { ...curves, totalSteps: run.totalSteps ?? curves.totalSteps },
        error: run.error === undefined ? undefined : { message: run.error },
      });
      const checkpoint = events.findLast(({ type }) => type === 'checkpoint');
      if (checkpoint && probes.length > 0) await this.#predict(checkpoint.step, probes);
    });
    if (this.#isOver) return;
    this.#cancel = this.#parts.after(isTraining ? LOOK_MS.training : LOOK_MS.resting, () => void this.#look());
  }

  async #predict(step: number, probes: readonly ProbeSentence[]): Promise<void> {
    const predictions = await this.#parts.predict(this.id, probes);
    this.#change({ ...this.#state, predicted: withPrediction(this.#state.predicted, { step, predictions }) });
  }

  async #tried(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { message, advice } = error as { message: string; advice?: string };
      this.#change({ ...this.#state, error: { message, advice } });
    }
  }

  #change(state: TrainState): void {
    if (this.#isOver) return;
    this.#state = state;
    this.#changed(state);
  }
}

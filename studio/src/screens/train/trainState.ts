/** What the Train screen shows, as a pure function of what it is told. The same for a run of the tab and one of the server. */
import type { ProbeSentence } from '../../../../src/studio/studioApi.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import type { PlainError } from '../../backend/tabProtocol.js';
import { type Curves, NO_CURVES, withEvents } from './curves.js';
import type { FromTrainer, PredictedAt, Prepared, TrainingSetup } from './trainProtocol.js';

export type TrainStatus =
  | 'opening'
  | 'empty'
  | 'preparing'
  | 'training'
  | 'pausing'
  /** Rests for some seconds, in which the engines are compared. */
  | 'measuring'
  | 'paused'
  | 'finished'
  | 'elsewhere';

export interface TrainState {
  readonly status: TrainStatus;
  readonly setup?: TrainingSetup;
  /** Of a run in the tab: the engine that trains it. */
  readonly device?: TabDevice;
  readonly prepared?: Prepared;
  readonly probes: readonly ProbeSentence[];
  readonly curves: Curves;
  /** The oldest first. */
  readonly predicted: readonly PredictedAt[];
  readonly error?: PlainError;
}

export const NOTHING: TrainState = { status: 'opening', probes: [], curves: NO_CURVES, predicted: [] };

/** The state after a message of the worker. */
export function received(state: TrainState, message: FromTrainer): TrainState {
  switch (message.kind) {
    case 'opened': {
      const { kept } = message;
      if (!kept) return { ...NOTHING, status: 'empty' };
      const { setup, prepared, probes, predicted, isFinished, device } = kept;
      const curves = withEvents(NO_CURVES, kept.events);
      const status = isFinished ? 'finished' : 'paused';
      return { status, setup, prepared, probes, predicted, curves, device };
    }
    case 'prepared':
      return { ...state, status: 'training', prepared: message.prepared, probes: message.probes };
    case 'events':
      return { ...state, curves: withEvents(state.curves, message.events) };
    case 'predicted':
      return { ...state, predicted: withPrediction(state.predicted, message.at) };
    case 'paused':
      return { ...state, status: 'paused' };
    case 'finished':
      return { ...state, status: 'finished' };
    case 'failed':
      return { ...state, status: state.curves.step > 0 ? 'paused' : 'empty', error: message.error };
    case 'models':
      return state;
  }
}

/** A run that goes on from a checkpoint predicts again what came after it. */
export function withPrediction(predicted: readonly PredictedAt[], at: PredictedAt): PredictedAt[] {
  return [...predicted.filter(({ step }) => step < at.step), at];
}

export function begun(setup: TrainingSetup, device: TabDevice): TrainState {
  return { ...NOTHING, status: 'preparing', setup, device };
}

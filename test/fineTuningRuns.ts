/** Fine-tuning in tests: small runs by settings that differ from a base, and what their events say. */
import { finetune } from '../src/tasks/finetune.node.js';
import type { FineTuningInput } from '../src/tasks/settings.js';
import type { DoneEvent, TrainingEvent } from '../src/training/events.js';
import type { RunOptions } from '../src/training/trainToFolder.node.js';

/** Settings of a small run that learns in seconds. */
export const SMALL_RUN = {
  learningRate: 5e-3,
  batchSize: 16,
  length: 32,
  engine: 'onnxruntime',
  threads: 1,
} as const satisfies Partial<FineTuningInput>;

/** Runs with the settings of `base` and others, to the end. */
export function fineTuningRuns(base: Partial<FineTuningInput>) {
  return async (change: Partial<FineTuningInput>, options: RunOptions = {}): Promise<TrainingEvent[]> => {
    const events: TrainingEvent[] = [];
    for await (const event of finetune({ ...base, ...change }, options)) events.push(event);
    return events;
  };
}

export function eventsOf<T extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: T) {
  return events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);
}

export const doneOf = (events: readonly TrainingEvent[]): DoneEvent => eventsOf(events, 'done')[0];

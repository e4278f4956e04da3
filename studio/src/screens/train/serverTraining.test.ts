import { describe, expect, it } from 'vitest';
import type { RunEvents, RunSummary } from '../../../../src/studio/studioApi.js';
import type { StudioServer } from '../../backend/studioServer.js';
import { ServerTraining } from './serverTraining.js';
import type { TrainState } from './trainState.js';

const RUN: RunSummary = {
  id: 'tiny-1',
  state: 'training',
  objective: 'electra',
  step: 0,
  totalSteps: 10,
  startedAt: '2026-01-01T00:00:00.000Z',
  isModel: false,
};
const PROBE = { masked: 'a [MASK]', answer: 'b', wrong: 'a c', intruder: 'c', original: 'b' };
const CHECKPOINT = { type: 'checkpoint', step: 5, path: 'x', weightsSha256: '', isBest: true } as const;

/** A server that answers what it is told to, and a clock that a test moves. */
function watched(answers: Partial<RunEvents>[]) {
  const cursors: (string | undefined)[] = [];
  const later: { ms: number; call: () => void }[] = [];
  const predicted: string[] = [];
  let state: TrainState | undefined;
  const server = {
    events: async (_: string, cursor: string | undefined) => {
      cursors.push(cursor);
      return { events: [], cursor: `${cursors.length}`, isFromStart: false, run: RUN, probes: [], ...answers.shift() };
    },
    stop: async () => RUN,
  } as unknown as StudioServer;
  const training = new ServerTraining(
    'tiny-1',
    {
      server,
      predict: async (id) => {
        predicted.push(id);
        return [];
      },
      after: (ms, call) => {
        later.push({ ms, call });
        return () => {};
      },
    },
    (next) => {
      state = next;
    },
  );
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  const next = async () => {
    later.pop()?.call();
    await settle();
  };
  return { training, cursors, later, predicted, settle, next, state: () => state };
}

describe('a run of the server', () => {
  it('is asked from where the last answer ended, more often while it trains', async () => {
    const { cursors, later, settle, next } = watched([{}, { run: { ...RUN, state: 'finished' } }]);
    await settle();
    expect(later[0].ms).toBe(1000);
    await next();
    expect(cursors).toEqual([undefined, '1']);
    expect(later[0].ms).toBe(5000);
  });

  it('is predicted whenever it has another checkpoint', async () => {
    const { predicted, state, settle, next } = watched([
      { events: [CHECKPOINT], probes: [PROBE] },
      { probes: [PROBE] },
    ]);
    await settle();
    await next();
    expect(predicted).toEqual(['tiny-1']);
    expect(state()?.predicted).toEqual([{ step: 5, predictions: [] }]);
    expect(state()?.status).toBe('training');
  });

  it('begins its curves anew when its log did', async () => {
    const started = { type: 'started', step: 0, objective: 'electra', engine: 'one', numParameters: 1 } as const;
    const { state, settle, next } = watched([
      { events: [started, { type: 'planned', step: 1, totalSteps: 7, millisecondsPerStep: 1 }] },
      { events: [{ ...started, engine: 'another' }], isFromStart: true },
    ]);
    await settle();
    expect(state()?.curves.engine).toBe('one');
    await next();
    expect(state()?.curves).toMatchObject({ engine: 'another', totalSteps: 10 });
  });

  it('says why it ended, and is asked no more once nobody watches', async () => {
    const { training, state, settle, later } = watched([
      { run: { ...RUN, state: 'stopped', error: 'no room on the disk' } },
    ]);
    await settle();
    expect(state()).toMatchObject({ status: 'paused', error: { message: 'no room on the disk' } });
    training.close();
    later.pop()?.call();
    await settle();
    expect(later).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Hush } from '../../backend/engineChoice.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import { type EnginesOfTraining, TabTraining } from './tabTraining.js';
import type { FromTrainer, ToTrainer, TrainingSetup } from './trainProtocol.js';

const SETUP: TrainingSetup = { text: 'a', source: 'own', vocabularySize: 400, settings: { size: 'tiny', steps: 4 } };
const KEPT = { setup: SETUP, probes: [], events: [], predicted: [], device: 'webgpu' } as const;
const PREPARED = { documents: 1, tokens: 1, heldOutTokens: 1, pieces: 1 };

/** A choice between engines that only notes what it is asked. */
function engines() {
  const own = {
    faster: 'wasm' as TabDevice,
    asked: 0,
    distrusted: 0,
    hush: (async () => () => {}) as Hush,
    deviceFor: () => own.faster,
    measureOnce: async () => void own.asked++,
    hushBefore: (hush: Hush) => {
      own.hush = hush;
    },
    distrust: () => void own.distrusted++,
  };
  return own satisfies EnginesOfTraining;
}

/** A worker that only listens, and a page that may be hidden. */
function opened() {
  const sent: ToTrainer[] = [];
  let receive: (event: { data: FromTrainer }) => void = () => {};
  let look = () => {};
  const page = {
    hidden: false,
    addEventListener(_: string, listener: () => void) {
      look = listener;
    },
  };
  const choice = engines();
  const training = new TabTraining({
    port: {
      postMessage: (message) => sent.push(message),
      addEventListener(_, listener) {
        receive = listener;
      },
    },
    site: 'http://site/',
    visibility: page,
    engines: choice,
  });
  const say = (data: FromTrainer) => receive({ data });
  const hide = (hidden: boolean) => {
    page.hidden = hidden;
    look();
  };
  return { training, sent, say, hide, choice, kinds: () => sent.map(({ kind }) => kind) };
}

function running() {
  const all = opened();
  all.say({ kind: 'opened', kept: undefined });
  all.training.start(SETUP);
  all.say({ kind: 'prepared', prepared: PREPARED, probes: [] });
  return all;
}

describe('a training in the tab', () => {
  it('is empty where nothing was kept, and prepares before it trains', () => {
    const { training, say, kinds } = opened();
    expect(training.state.status).toBe('opening');
    say({ kind: 'opened', kept: undefined });
    expect(training.state.status).toBe('empty');
    training.start(SETUP);
    expect(training.state.status).toBe('preparing');
    say({ kind: 'prepared', prepared: PREPARED, probes: [] });
    expect(training.state).toMatchObject({ status: 'training', prepared: PREPARED });
    expect(kinds()).toEqual(['open', 'start']);
  });

  it('rests where it was kept, with what was seen of it', () => {
    const { training, say } = opened();
    const kept = { ...KEPT, prepared: PREPARED, isFinished: false };
    say({ kind: 'opened', kept });
    expect(training.state).toMatchObject({ status: 'paused', setup: SETUP });
    say({ kind: 'opened', kept: { ...kept, isFinished: true } });
    expect(training.state.status).toBe('finished');
  });

  it('pauses while nobody sees it, and goes on by itself', () => {
    const { training, say, hide, kinds } = running();
    hide(true);
    expect(training.state.status).toBe('pausing');
    say({ kind: 'paused' });
    hide(false);
    expect(training.state.status).toBe('training');
    expect(kinds().slice(2)).toEqual(['pause', 'resume']);
  });

  it('that its reader paused stays paused when he comes back', () => {
    const { training, say, hide, kinds } = running();
    training.pause();
    say({ kind: 'paused' });
    hide(true);
    hide(false);
    expect(training.state.status).toBe('paused');
    expect(kinds().slice(2)).toEqual(['pause']);
  });

  it('that was cleared is told nothing of how its run ended', () => {
    const { training, say } = running();
    training.clear();
    say({ kind: 'paused' });
    say({ kind: 'events', events: [] });
    expect(training.state.status).toBe('empty');
  });

  it('that fails before its first step can be begun again, and says why', () => {
    const { training, say } = running();
    say({ kind: 'failed', error: { message: 'too little text' } });
    expect(training.state).toMatchObject({ status: 'empty', error: { message: 'too little text' } });
  });

  it('replaces predictions of steps that are trained once more', () => {
    const { training, say } = running();
    for (const step of [100, 200, 100]) say({ kind: 'predicted', at: { step, predictions: [] } });
    expect(training.state.predicted.map(({ step }) => step)).toEqual([100]);
  });

  it('asks once for a measurement, when it plays', () => {
    const { say, choice } = running();
    expect(choice.asked).toBe(0);
    for (let i = 0; i < 3; i++) say({ kind: 'events', events: [] });
    expect(choice.asked).toBe(1);
  });

  it('rests while the engines are compared, and goes on with the faster one', async () => {
    const { training, sent, say, choice } = running();
    const resting = choice.hush();
    expect(training.state).toMatchObject({ status: 'measuring', device: 'wasm' });
    expect(sent.at(-1)).toEqual({ kind: 'pause' });
    say({ kind: 'paused' });
    const goOn = await resting;
    expect(training.state.status).toBe('measuring');
    choice.faster = 'webgpu';
    goOn();
    expect(training.state).toMatchObject({ status: 'training', device: 'webgpu' });
    expect(sent.at(-1)).toEqual({ kind: 'resume', device: 'webgpu' });
  });

  it('goes on after a measurement only when somebody looks', async () => {
    const { training, sent, say, hide, choice } = running();
    const resting = choice.hush();
    say({ kind: 'paused' });
    const goOn = await resting;
    hide(true);
    goOn();
    expect(training.state.status).toBe('paused');
    hide(false);
    expect(training.state.status).toBe('training');
    expect(sent.map(({ kind }) => kind).slice(2)).toEqual(['pause', 'resume']);
  });

  it('that ends while it is to rest is not gone on with', async () => {
    const { training, say, choice, kinds } = running();
    const resting = choice.hush();
    say({ kind: 'finished' });
    (await resting)();
    expect(training.state.status).toBe('finished');
    // Nothing trains: there is nothing to wait for.
    (await choice.hush())();
    expect(kinds().slice(2)).toEqual(['pause']);
  });

  it('goes on with the engine that it had, whatever is faster now', () => {
    const { training, sent, say, choice } = opened();
    choice.faster = 'wasm';
    say({ kind: 'opened', kept: { ...KEPT, prepared: PREPARED, isFinished: false } });
    training.resume();
    expect(sent.at(-1)).toEqual({ kind: 'resume', device: 'webgpu' });
  });

  it('that fails on the graphics processor goes on without it; a text that does not fit is no fault of it', () => {
    const { training, sent, say, choice } = opened();
    choice.faster = 'webgpu';
    say({ kind: 'opened', kept: undefined });
    training.start(SETUP);
    say({ kind: 'failed', error: { message: 'too little text' } });
    expect(choice.distrusted).toBe(0);
    training.start(SETUP);
    say({ kind: 'prepared', prepared: PREPARED, probes: [] });
    say({ kind: 'failed', error: { message: 'device lost' } });
    expect(choice.distrusted).toBe(1);
    training.resume();
    expect(sent.at(-1)).toEqual({ kind: 'resume', device: 'wasm' });
  });
});

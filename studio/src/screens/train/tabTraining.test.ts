import { describe, expect, it } from 'vitest';
import { TabTraining } from './tabTraining.js';
import type { FromTrainer, ToTrainer, TrainingSetup } from './trainProtocol.js';

const SETUP: TrainingSetup = { text: 'a', source: 'own', vocabularySize: 400, settings: { size: 'tiny', steps: 4 } };
const PREPARED = { documents: 1, tokens: 1, heldOutTokens: 1, pieces: 1 };

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
  const training = new TabTraining(
    {
      postMessage: (message) => sent.push(message),
      addEventListener(_, listener) {
        receive = listener;
      },
    },
    'http://site/',
    page,
  );
  const say = (data: FromTrainer) => receive({ data });
  const hide = (hidden: boolean) => {
    page.hidden = hidden;
    look();
  };
  return { training, sent, say, hide, kinds: () => sent.map(({ kind }) => kind) };
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
    const kept = { setup: SETUP, prepared: PREPARED, probes: [], events: [], predicted: [], isFinished: false };
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
});

/** What the worker of the tab does, run in Node on the tab's own engine. */
import { describe, expect, it } from 'vitest';
import { createWebEngine } from '../../../../src/engine/onnxruntime/webEngine.js';
import { fileSetOf } from '../../../../src/files/byteSource.js';
import { RandomStream } from '../../../../src/random/philox.js';
import { readFolderModel } from '../../../../src/studio/folderModel.js';
import type { KeptRun, RunKeeper } from './keptRun.js';
import { Trainer } from './trainer.js';
import type { FromTrainer, TrainingSetup } from './trainProtocol.js';

const random = new RandomStream(1, 'evaluation', 0);
const pick = <T>(of: readonly T[]) => of[Math.floor(random.uniform() * of.length)];
const sentence = () =>
  `The ${pick(['chef', 'sailor', 'doctor', 'child'])} ${pick(['cooked', 'ate', 'saw', 'liked'])} the ${pick(['meal', 'fish', 'soup', 'bread'])} near the ${pick(['house', 'river', 'garden'])}.`;
const text = Array.from({ length: 40 }, () => Array.from({ length: 9 }, sentence).join(' ')).join('\n\n');

const SETUP: TrainingSetup = {
  text,
  source: 'own',
  vocabularySize: 200,
  settings: { size: 'tiny', length: 16, batchSize: 2, steps: 4, logEvery: 1, evaluateEvery: 2, checkpointEvery: 2 },
};

/** As a browser keeps it: cloned, so that nothing is shared. */
function memoryKeeper(): RunKeeper & { kept: KeptRun | undefined } {
  const keeper = {
    kept: undefined as KeptRun | undefined,
    load: async () => structuredClone(keeper.kept),
    save: async (run: KeptRun) => {
      keeper.kept = structuredClone(run);
    },
    clear: async () => {
      keeper.kept = undefined;
    },
  };
  return keeper;
}

async function trainer(keeper: RunKeeper, onMessage: (message: FromTrainer, own: Trainer) => void = () => {}) {
  const said: FromTrainer[] = [];
  const engine = await createWebEngine();
  const own: Trainer = new Trainer({
    engine: async () => engine,
    keeper,
    say: (message) => {
      said.push(structuredClone(message));
      onMessage(message, own);
    },
  });
  return { own, said };
}

const weightsOf = (said: readonly FromTrainer[]) =>
  said
    .flatMap((message) => (message.kind === 'events' ? message.events : []))
    .flatMap((event) => (event.type === 'done' ? [event.weightsSha256] : []))
    .at(-1);

describe('training in a worker', () => {
  it('that is paused, kept, opened again and gone on with ends with the same bits', { timeout: 60_000 }, async () => {
    const whole = await trainer(memoryKeeper());
    await whole.own.start(SETUP, 'wasm');
    expect(whole.said.at(-1)).toEqual({ kind: 'finished' });

    const keeper = memoryKeeper();
    let isAsked = false;
    const first = await trainer(keeper, (message, own) => {
      if (isAsked || message.kind !== 'predicted') return;
      isAsked = true;
      own.pause();
    });
    await first.own.start(SETUP, 'wasm');
    expect(first.said.at(-1)).toEqual({ kind: 'paused' });

    const second = await trainer(keeper);
    await second.own.open();
    expect(second.said[0]).toMatchObject({ kind: 'opened', kept: { isFinished: false, setup: SETUP } });
    await second.own.resume('wasm');
    expect(second.said.at(-1)).toEqual({ kind: 'finished' });
    expect(weightsOf(second.said)).toBe(weightsOf(whole.said));
    expect(keeper.kept?.view.isFinished).toBe(true);
  });

  it('predicts six held-out sentences after each checkpoint, and gives a pair of model folders', async () => {
    const { own, said } = await trainer(memoryKeeper());
    await own.start({ ...SETUP, settings: { ...SETUP.settings, steps: 2 } }, 'wasm');
    const prepared = said.find((message) => message.kind === 'prepared');
    expect(prepared?.probes).toHaveLength(6);
    const [at] = said.flatMap((message) => (message.kind === 'predicted' ? [message.at] : []));
    expect(at.predictions).toHaveLength(6);
    for (const { candidates, doubts } of at.predictions) {
      expect(candidates).toHaveLength(4);
      expect(doubts.length).toBeGreaterThan(5);
    }
    await own.models('mine');
    const answer = said.at(-1);
    if (answer?.kind !== 'models') throw new Error('no models');
    expect(answer.model.summary.roles).toEqual({
      generator: 'ElectraForMaskedLM',
      discriminator: 'ElectraForPreTraining',
    });
    const { files, architecture } = answer.model.folders.discriminator!;
    const read = await readFolderModel(fileSetOf(new Map(files), 'mine'), { architecture });
    expect(read.report.missing).toEqual([]);
    expect(read.maxLength).toBe(16);
    expect(read.tokenizer?.vocabSize).toBe(prepared?.prepared.pieces);
  });

  it('says what is wrong with a text that is too short', async () => {
    const { own } = await trainer(memoryKeeper());
    await expect(own.start({ ...SETUP, text: ' ' }, 'wasm')).rejects.toThrow();
  });
});

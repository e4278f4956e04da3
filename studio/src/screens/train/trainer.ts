/**
 * What the worker that trains does: vocabulary, shards, pre-training in memory, the six sentences after each checkpoint, and the
 * models of it. Knows no Worker and no database, so tests run it in Node.
 */

import { isHeldOut } from '../../../../src/data/prepare/tokenizeUnit.js';
import type { Shards } from '../../../../src/data/shards.js';
import { textShards } from '../../../../src/data/textShards.js';
import type { Engine } from '../../../../src/engine/engine.js';
import { DataError } from '../../../../src/errors/errors.js';
import { Model } from '../../../../src/pretrained/model.js';
import { objectiveOf } from '../../../../src/pretraining/objectiveOf.js';
import { pretrainInMemory } from '../../../../src/pretraining/pretrainInMemory.js';
import { resolvePretrainingSettings } from '../../../../src/pretraining/settings.js';
import { documentsOf } from '../../../../src/studio/documents.js';
import { modelFiles } from '../../../../src/studio/modelFiles.js';
import { chooseProbes, predictProbes } from '../../../../src/studio/probes.js';
import type { ProbeSentence } from '../../../../src/studio/studioApi.js';
import { WordPieceTokenizer } from '../../../../src/text/tokenizer.js';
import { VocabularyTrainer } from '../../../../src/text/vocabularyTraining.js';
import type { Snapshot } from '../../../../src/training/checkpoint.js';
import type { TrainingEvent } from '../../../../src/training/events.js';
import { exportedTensors, usableWeights } from '../../../../src/training/exportedTensors.js';
import { MemoryStore } from '../../../../src/training/memoryStore.js';
import type { ModelExport } from '../../../../src/training/objective.js';
import type { TabDevice } from '../../backend/engineMeasurement.js';
import type { AddedFolder, AddedModel } from '../../backend/tabProtocol.js';
import type { KeptRun, RunKeeper } from './keptRun.js';
import type { FromTrainer, KeptView, PredictedAt, Prepared, TrainingSetup } from './trainProtocol.js';

export interface TrainerParts {
  engine(device: TabDevice): Promise<Engine>;
  readonly keeper: RunKeeper;
  say(message: FromTrainer): void;
}

/** Part of the documents that is held out; more where a hash chooses none of the few that a short text has. */
const HELD_OUT_FRACTIONS = [0.1, 0.2, 0.4];
/** Events are sent together: a message a step would keep the page busy. */
const SEND_EVERY_MS = 250;

/** All of a run that is open. */
interface OpenRun {
  readonly setup: TrainingSetup;
  readonly tokenizer: WordPieceTokenizer;
  readonly shards: Shards;
  readonly prepared: Prepared;
  readonly probes: readonly ProbeSentence[];
  readonly models: readonly ModelExport[];
  readonly store: MemoryStore;
  readonly events: TrainingEvent[];
  readonly predicted: PredictedAt[];
  isFinished: boolean;
  device: TabDevice;
}

export class Trainer {
  readonly #parts: TrainerParts;
  #run: OpenRun | undefined;
  #ending: AbortController | undefined;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
  }

  /** Looks for a run that was kept. */
  async open(): Promise<void> {
    const kept = await this.#parts.keeper.load();
    this.#run = kept && (await reopened(kept));
    this.#parts.say({ kind: 'opened', kept: kept?.view });
  }

  async start(setup: TrainingSetup, device: TabDevice): Promise<void> {
    const run = prepare(setup, device);
    this.#run = run;
    this.#parts.say({ kind: 'prepared', prepared: run.prepared, probes: run.probes });
    await this.#train(run, false);
  }

  /** @param device  a run that goes on with another engine than it had is from there on another in its last bits */
  async resume(device: TabDevice): Promise<void> {
    const run = this.#run;
    if (!run) return;
    run.device = device;
    await this.#train(run, true);
  }

  /** Ends after the step under way, with a checkpoint. */
  pause(): void {
    this.#ending?.abort();
  }

  async clear(): Promise<void> {
    this.pause();
    this.#run = undefined;
    await this.#parts.keeper.clear();
  }

  /** The models of the newest checkpoint, as files. */
  async models(id: string): Promise<void> {
    const { store, tokenizer, models = [] } = this.#run ?? {};
    const snapshot = store?.latest;
    if (!snapshot) throw new DataError('there is no checkpoint yet');
    const folders = models.map((model) => {
      const { folder, tensors, sums, ...description } = model;
      const own = exportedTensors({ tensors, sums }, usableWeights(snapshot));
      const pleiad = { ...description.pleiad, length: snapshot.length, step: snapshot.progress.step };
      const files = [
        ...modelFiles({ description: { ...description, pleiad }, tensors: own, tokenizer }, 'safetensors'),
      ];
      return [folder, { architecture: model.architecture, files } satisfies AddedFolder] as const;
    });
    const model: AddedModel = {
      summary: {
        id,
        roles: Object.fromEntries(folders.map(([folder, { architecture }]) => [folder, architecture])),
        tokensSeen: snapshot.progress.tokensSeen,
      },
      folders: Object.fromEntries(folders),
    };
    this.#parts.say({ kind: 'models', model });
  }

  async #train(run: OpenRun, resume: boolean): Promise<void> {
    const { keeper, say } = this.#parts;
    const ending = new AbortController();
    this.#ending = ending;
    const { shards, store } = run;
    const sender = new EventSender((events) => say({ kind: 'events', events }));
    let isInterrupted = true;
    try {
      const engine = await this.#parts.engine(run.device);
      const settings = { ...run.setup.settings, ...(resume && { resume }) };
      for await (const event of pretrainInMemory(settings, { shards, engine, store, signal: ending.signal })) {
        run.events.push(event);
        sender.add(event);
        if (event.type === 'done') isInterrupted = event.interrupted;
        if (event.type !== 'checkpoint') continue;
        sender.send();
        await this.#predict(run, engine);
        await keeper.save(keptRun(run));
      }
    } finally {
      sender.send();
      this.#ending = undefined;
    }
    run.isFinished = !isInterrupted;
    // A run that was cleared meanwhile is not kept.
    if (this.#run === run) await keeper.save(keptRun(run));
    say({ kind: isInterrupted ? 'paused' : 'finished' });
  }

  async #predict(run: OpenRun, engine: Engine): Promise<void> {
    const snapshot = run.store.latest;
    if (!snapshot || run.probes.length === 0) return;
    const named = new Map(run.models.map((model) => [model.folder, modelOf(model, snapshot, run.tokenizer, engine)]));
    try {
      const generator = named.get('generator') ?? named.get('model');
      const predictions = await predictProbes(run.probes, generator, named.get('discriminator'));
      const at = { step: snapshot.progress.step, predictions };
      run.predicted.push(at);
      this.#parts.say({ kind: 'predicted', at });
    } finally {
      for (const model of named.values()) await model.release();
    }
  }
}

function prepare(setup: TrainingSetup, device: TabDevice): OpenRun {
  const documents = documentsOf(setup.text);
  const trainer = new VocabularyTrainer();
  for (const document of documents) trainer.add(document);
  const vocabulary = trainer.train({ size: setup.vocabularySize });
  return opened({ setup, device }, documents, WordPieceTokenizer.fromVocabulary(vocabulary));
}

function opened(
  { setup, device }: Pick<OpenRun, 'setup' | 'device'>,
  documents: readonly string[],
  tokenizer: WordPieceTokenizer,
): OpenRun {
  const isEnough = (fraction: number) => documents.some((document) => isHeldOut(document, fraction));
  const heldOutFraction = HELD_OUT_FRACTIONS.find(isEnough) ?? HELD_OUT_FRACTIONS[0];
  const shards = textShards(documents, tokenizer, { heldOutFraction });
  const heldOut = documents.filter((document) => isHeldOut(document, heldOutFraction));
  const settings = resolvePretrainingSettings(setup.settings);
  return {
    setup,
    tokenizer,
    shards,
    prepared: {
      documents: documents.length,
      tokens: shards.train.numTokens,
      heldOutTokens: shards.heldOut.numTokens,
      pieces: tokenizer.vocabSize,
    },
    probes: chooseProbes(heldOut, (word) => tokenizer.encodeIds(word).length === 1),
    models: objectiveOf(settings, shards).models,
    store: new MemoryStore(),
    events: [],
    predicted: [],
    isFinished: false,
    device,
  };
}

async function reopened({ view, vocabulary, snapshot }: KeptRun): Promise<OpenRun> {
  const documents = documentsOf(view.setup.text);
  const run = opened(view, documents, WordPieceTokenizer.fromVocabulary(vocabulary));
  run.events.push(...view.events);
  run.predicted.push(...view.predicted);
  run.isFinished = view.isFinished;
  if (snapshot) await run.store.save({ ...snapshot, models: run.models });
  return run;
}

function keptRun({
  setup,
  prepared,
  probes,
  events,
  predicted,
  isFinished,
  device,
  tokenizer,
  store,
}: OpenRun): KeptRun {
  const view: KeptView = { setup, prepared, probes, events, predicted, isFinished, device };
  const { models: _, ...snapshot } = store.latest ?? {};
  return {
    view,
    vocabulary: tokenizer.tokens,
    ...(store.latest && { snapshot: snapshot as Omit<Snapshot, 'models'> }),
  };
}

function modelOf(
  { tensors, sums, folder, ...description }: ModelExport,
  snapshot: Snapshot,
  tokenizer: WordPieceTokenizer,
  engine: Engine,
): Model {
  return new Model({
    description,
    tensors: exportedTensors({ tensors, sums }, usableWeights(snapshot)),
    tokenizer,
    engine,
    maxLength: snapshot.length,
    source: folder,
  });
}

class EventSender {
  readonly #send: (events: TrainingEvent[]) => void;
  #waiting: TrainingEvent[] = [];
  #sentAt = 0;

  constructor(send: (events: TrainingEvent[]) => void) {
    this.#send = send;
  }

  add(event: TrainingEvent): void {
    this.#waiting.push(event);
    if (performance.now() - this.#sentAt > SEND_EVERY_MS) this.send();
  }

  send(): void {
    if (this.#waiting.length > 0) this.#send(this.#waiting);
    this.#waiting = [];
    this.#sentAt = performance.now();
  }
}

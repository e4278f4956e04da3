/** Real training steps on random tokens in full rows: the trainer's own step runner, without its files. */

import { ALONE, type Collective } from '../src/collective/collective.js';
import type { MaskedBatch } from '../src/data/maskedBatch.js';
import { memoryShards, type Shards, type SpecialIds } from '../src/data/shards.js';
import type { Engine } from '../src/engine/engine.js';
import type { Graph } from '../src/graph/graph.js';
import type { SizeName } from '../src/models/config.js';
import { MASKED } from '../src/models/vocabularyHead.js';
import { BATCH, LENGTH } from '../src/nn/layers.js';
import { objectiveOf } from '../src/pretraining/objectiveOf.js';
import type { PretrainingObjectiveName } from '../src/pretraining/objectives.js';
import { slotsPerRow, trainingData } from '../src/pretraining/pretrainingData.js';
import type { PretrainingObjective } from '../src/pretraining/pretrainingObjective.js';
import {
  type PretrainingInput,
  type PretrainingSettings,
  resolvePretrainingSettings,
} from '../src/pretraining/settings.js';
import { RandomStream } from '../src/random/philox.js';
import { meterLayout } from '../src/training/lossMeter.js';
import { equalDivision, makeStepInputs, microBatchFeeds, type TrainingData } from '../src/training/stepFeeds.js';
import { type StepResult, StepRunner } from '../src/training/stepRunner.js';
import { stepShare } from '../src/training/stepShare.js';
import { TrainerState } from '../src/training/trainerState.js';

export interface StepShape {
  readonly size: SizeName;
  readonly objective: PretrainingObjectiveName;
  readonly batch: number;
  readonly length: number;
  /** Tokens of the vocabulary; by default as many as bert-base-uncased has. */
  readonly vocabulary?: number;
  /** Further settings of the objective. */
  readonly settings?: Partial<PretrainingInput>;
}

/** As bert-base-uncased has them. */
export const VOCAB_SIZE = 30522;
const SPECIAL_IDS: SpecialIds = { padId: 0, unkId: 100, clsId: 101, sepId: 102, maskId: 103 };
const FIRST_WORD = 1000;
/** Distinct batches that the steps go round. */
const NUM_BATCHES = 8;

/** Random words; a document is a whole number of rows, so that no row has padding. */
export function randomShards({
  batch,
  length,
  vocabulary: vocabSize = VOCAB_SIZE,
}: Pick<StepShape, 'batch' | 'length' | 'vocabulary'>): Shards {
  const numTokens = NUM_BATCHES * batch * (length - 2); // [CLS] and [SEP] are added
  const random = new RandomStream(0, 'test');
  const document = {
    ids: Int32Array.from({ length: numTokens }, () => FIRST_WORD + random.integer(vocabSize - FIRST_WORD)),
    wordStarts: new Uint8Array(numTokens).fill(1),
  };
  return memoryShards({ train: [document], vocabSize, specialIds: SPECIAL_IDS });
}

/** A step as a graph, with the value of each named size in it. */
export interface StepGraph {
  readonly graph: Graph;
  readonly sizes: ReadonlyMap<string, number>;
}

/** The graph of a full micro-batch of the objective's first phase. */
export function stepGraph(objective: PretrainingObjective, settings: PretrainingSettings): StepGraph {
  const { batchSize, length } = settings;
  const sizes = new Map([
    [BATCH, batchSize],
    [LENGTH, length],
    [MASKED, batchSize * slotsPerRow(settings)],
  ]);
  return { graph: objective.phases[0].trainingGraph({ accumulate: false }), sizes };
}

export class TrainingSteps {
  readonly #runner: StepRunner<MaskedBatch>;
  #step = 0;

  private constructor(
    private readonly engine: Engine,
    readonly state: TrainerState,
    private readonly settings: PretrainingSettings,
    readonly objective: PretrainingObjective,
    private readonly data: TrainingData<MaskedBatch>,
    collective: Collective,
  ) {
    this.#runner = new StepRunner(
      engine,
      state,
      data,
      meterLayout(objective),
      settings,
      () => performance.now(),
      collective,
    );
  }

  /**
   * @param shards      text to train on; random words by default
   * @param collective  ranks that share the rows of a step; all call this alike
   */
  static async create(
    engine: Engine,
    shape: StepShape,
    { shards = randomShards(shape), collective = ALONE }: { shards?: Shards; collective?: Collective } = {},
  ): Promise<TrainingSteps> {
    const { size, objective: name, batch, length } = shape;
    const settings = resolvePretrainingSettings({
      recipe: 'none',
      data: '-',
      out: '-',
      steps: 1,
      objective: name,
      size,
      length,
      batchSize: batch,
      accumulation: 1,
      segments: 'single',
      ...shape.settings,
    });
    const objective = objectiveOf(settings, shards);
    const state = await TrainerState.create(engine, objective.parameters);
    await state.initialize({ seed: 0, initializerRange: 0.02 });
    const data = trainingData(shards, settings, collective);
    return new TrainingSteps(engine, state, settings, objective, data, collective);
  }

  get #phase() {
    return this.objective.phases[0];
  }

  get numParameters(): number {
    return this.state.layout.parameters.reduce((sum, { size }) => sum + size, 0);
  }

  /** What a step computes. */
  graph(): StepGraph {
    return stepGraph(this.objective, this.settings);
  }

  /** One step; its wall-clock time beside the trainer's own split, and what all our threads worked meanwhile. */
  async run(): Promise<StepResult & { totalMs: number; processorMs: number }> {
    const startedAt = performance.now();
    const usedBefore = process.cpuUsage();
    const step = this.#step++;
    const result = await this.#runner.run(step, this.#phase, {
      learningRate: Math.min(1, (step + 1) / 10_000) * this.settings.learningRate,
      updates: step + 1,
      nextPhase: this.#phase,
    });
    if (!result.applied) throw new Error(`step ${step}: a loss or the gradient norm is not finite`);
    const { user, system } = process.cpuUsage(usedBefore);
    return { ...result, totalMs: performance.now() - startedAt, processorMs: (user + system) / 1000 };
  }

  /** Milliseconds a step by op kind, from `steps` runs of a program of its own that takes a profile. */
  async profile(steps: number): Promise<Record<string, number>> {
    const { graph } = this.graph();
    const program = await this.engine.compile(graph, {
      label: 'profiled training step',
      state: this.state.engineState,
      profile: true,
    });
    for (let step = 0; step < steps; step++) {
      const inputs = await makeStepInputs(this.data, this.#phase, {
        step,
        division: equalDivision(stepShare(this.settings)),
      });
      await program.run(microBatchFeeds(inputs, 0, 0));
    }
    const elapsedMs = (await program.profile?.()) ?? {};
    await program.release();
    return Object.fromEntries(Object.entries(elapsedMs).map(([op, ms]) => [op, ms / steps]));
  }

  async release(): Promise<void> {
    await this.#runner.release();
    await this.state.release();
  }
}

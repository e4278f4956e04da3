/** One training step: forward and backward of every micro-batch, the global norm, the update. */
import type { Engine, Program, Tensors } from '../engine/engine.js';
import type { ObjectivePhase } from '../objectives/objective.js';
import { LossMeter } from './metrics.js';
import { type AdamSettings, clipScale, normGraph, UPDATE_CHUNK, updateGraph, updateRanges } from './optimizer.js';
import { type ParameterRange, trainedRanges } from './parameterLayout.js';
import type { PretrainingSettings } from './settings.js';
import { makeStepInputs, microBatchFeeds, type StepInputs, type TrainingData } from './stepFeeds.js';
import type { TrainerState } from './trainerState.js';

export interface StepResult {
  readonly meter: LossMeter;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** False when a loss or the norm was not a finite number; nothing was updated then. */
  readonly applied: boolean;
  readonly tokens: number;
  readonly engineMs: number;
  readonly optimizerMs: number;
  readonly dataMs: number;
}

/** The compiled programs of a phase. */
interface PhasePrograms {
  readonly phase: ObjectivePhase;
  readonly first: Program;
  /** Adds to the gradients; only with more than one micro-batch. */
  readonly further?: Program;
  readonly ranges: readonly ParameterRange[];
}

export class StepRunner {
  #programs: PhasePrograms | undefined;
  #norm: Program | undefined;
  #update: Program | undefined;
  #prepared: { inputs: StepInputs; feeds: Tensors } | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly state: TrainerState,
    private readonly data: TrainingData,
    private readonly settings: PretrainingSettings,
    private readonly now: () => number,
  ) {}

  /**
   * Runs one step and, while the engine works, prepares the next.
   * @param updates    number of this update, from 1, for Adam's bias correction
   * @param nextPhase  of the step after this one
   */
  async run(
    step: number,
    phase: ObjectivePhase,
    { learningRate, updates, nextPhase }: { learningRate: number; updates: number; nextPhase: ObjectivePhase },
  ): Promise<StepResult> {
    const programs = await this.#programsOf(phase);
    const startedAt = this.now();
    let dataMs = 0;
    const prepare = async (at: number, of: ObjectivePhase) => {
      const begun = this.now();
      const inputs = await makeStepInputs(this.data, of, { step: at, accumulation: this.settings.accumulation });
      const prepared = { inputs, feeds: microBatchFeeds(inputs, 0, this.settings.seed) };
      dataMs += this.now() - begun;
      return prepared;
    };
    const ready = this.#prepared?.inputs.step === step && this.#prepared.inputs.phase === phase;
    let { inputs, feeds } = ready ? this.#prepared! : await prepare(step, phase);
    this.#prepared = undefined;

    const meter = new LossMeter();
    let finite = true;
    for (let index = 0; index < inputs.batches.length; index++) {
      const running = (index === 0 ? programs.first : programs.further!).run(feeds);
      running.catch(() => {}); // awaited below; a failure meanwhile must not count as unhandled
      if (index + 1 < inputs.batches.length) {
        const begun = this.now();
        feeds = microBatchFeeds(inputs, index + 1, this.settings.seed);
        dataMs += this.now() - begun;
      } else if (nextPhase === phase) {
        // Another phase has inputs of its own, known once its graph is built.
        this.#prepared = await prepare(step + 1, phase);
      }
      finite = meter.add(await running, inputs.counts[index], inputs.tokens[index]) && finite;
    }
    const computedAt = this.now();
    const { gradientNorm, applied } = await this.#optimize(programs.ranges, finite, { learningRate, updates });
    return {
      meter,
      gradientNorm,
      applied,
      tokens: inputs.tokens.reduce((sum, tokens) => sum + tokens, 0),
      engineMs: computedAt - startedAt - (ready ? 0 : dataMs),
      optimizerMs: this.now() - computedAt,
      dataMs,
    };
  }

  async #optimize(
    ranges: readonly ParameterRange[],
    finite: boolean,
    { learningRate, updates }: { learningRate: number; updates: number },
  ): Promise<{ gradientNorm: number; applied: boolean }> {
    const { settings } = this;
    const state = this.state.engineState;
    this.#norm ??= await this.engine.compile(normGraph(), { label: 'gradient norm', state });
    const pieces = ranges.map(({ start, end }) => ({ start, end, feeds: {} }));
    const { sumOfSquares } = await this.#norm.runOverArenas(pieces, UPDATE_CHUNK);
    const gradientNorm = Math.sqrt(sumOfSquares);
    if (!finite || !Number.isFinite(gradientNorm)) return { gradientNorm, applied: false };
    const adam: AdamSettings = {
      beta1: settings.adamBeta1,
      beta2: settings.adamBeta2,
      epsilon: settings.adamEpsilon,
      weightDecay: settings.weightDecay,
      biasCorrection: settings.biasCorrection,
    };
    this.#update ??= await this.engine.compile(updateGraph(adam), { label: 'update', state });
    const gradientScale = clipScale(gradientNorm, settings.clipNorm);
    await this.#update.runOverArenas(
      updateRanges(ranges, adam, { updates, learningRate, gradientScale }),
      UPDATE_CHUNK,
    );
    return { gradientNorm, applied: true };
  }

  async #programsOf(phase: ObjectivePhase): Promise<PhasePrograms> {
    if (this.#programs?.phase === phase) return this.#programs;
    await this.#releasePhase();
    const compile = (accumulate: boolean) =>
      this.engine.compile(phase.trainingGraph({ accumulate }), {
        label: `${phase.name} training step${accumulate ? ', accumulating' : ''}`,
        state: this.state.engineState,
      });
    this.#programs = {
      phase,
      first: await compile(false),
      further: this.settings.accumulation > 1 ? await compile(true) : undefined,
      ranges: trainedRanges(this.state.layout, (name) => phase.trains(name)),
    };
    return this.#programs;
  }

  async #releasePhase(): Promise<void> {
    await this.#programs?.first.release();
    await this.#programs?.further?.release();
    this.#programs = undefined;
  }

  async release(): Promise<void> {
    await this.#releasePhase();
    await this.#norm?.release();
    await this.#update?.release();
  }
}

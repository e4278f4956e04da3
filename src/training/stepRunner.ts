/**
 * One training step: forward and backward of every micro-batch, the sum of the gradients over the ranks, the global norm,
 * the update. Every rank has all weights and moments and makes the same update, from the same gradients.
 */
import { sumOverRanks } from '../collective/agreement.js';
import { ALONE, type Collective } from '../collective/collective.js';
import type { Engine, Program, Tensors } from '../engine/engine.js';
import { ArenaExchange, partOf, pieces } from './arenaExchange.js';
import { LossMeter, type MeterLayout } from './lossMeter.js';
import type { Phase, TokenBatch } from './objective.js';
import { type AdamSettings, clipScale, normGraph, UPDATE_CHUNK, updateGraph, updateRanges } from './optimizer.js';
import { type ParameterRange, trainedRanges } from './parameterLayout.js';
import {
  equalDivision,
  makeStepInputs,
  microBatchFeeds,
  type StepDivision,
  type StepInputs,
  type TrainingData,
} from './stepFeeds.js';
import { stepShare } from './stepShare.js';
import type { TrainerState } from './trainerState.js';
import type { TrainingSettings } from './trainingSettings.js';

/** What a step needs of the settings. */
export type StepSettings = Pick<
  TrainingSettings,
  | 'seed'
  | 'batchSize'
  | 'accumulation'
  | 'adamBeta1'
  | 'adamBeta2'
  | 'adamEpsilon'
  | 'weightDecay'
  | 'biasCorrection'
  | 'clipNorm'
  | 'averageDecay'
>;

/** Of the whole step, on all ranks; the times are this rank's. */
export interface StepResult {
  readonly meter: LossMeter;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** False when a loss or the norm was not a finite number; nothing was updated then. */
  readonly applied: boolean;
  readonly tokens: number;
  readonly engineMs: number;
  /** Waiting for the other ranks, and adding up the gradients. */
  readonly exchangeMs: number;
  readonly optimizerMs: number;
  readonly dataMs: number;
}

/** The compiled programs of a phase. */
interface PhasePrograms<B extends TokenBatch> {
  readonly phase: Phase<B>;
  readonly first: Program;
  /** Adds to the gradients; from the first step on that has more than one micro-batch. */
  further?: Program;
  readonly ranges: readonly ParameterRange[];
}

const always =
  <T>(value: T) =>
  () =>
    value;

export class StepRunner<B extends TokenBatch> {
  #programs: PhasePrograms<B> | undefined;
  #norm: Program | undefined;
  #update: Program | undefined;
  #prepared: { inputs: StepInputs<B>; feeds: Tensors } | undefined;
  readonly #divisionAt: (step: number, totalSteps: number) => StepDivision;
  readonly #exchange: ArenaExchange;

  /** @throws SettingsError when the rows of a step cannot be divided among the ranks */
  constructor(
    private readonly engine: Engine,
    private readonly state: TrainerState,
    private readonly data: TrainingData<B>,
    private readonly layout: MeterLayout,
    private readonly settings: StepSettings,
    private readonly now: () => number,
    private readonly collective: Collective = ALONE,
  ) {
    this.#divisionAt = data.division?.bind(data) ?? always(equalDivision(stepShare(settings, collective)));
    this.#exchange = new ArenaExchange(collective, state.engineState);
  }

  /**
   * Runs one step and, while the engine works, prepares the next.
   * @param updates     number of this update, from 1, for Adam's bias correction
   * @param nextPhase   of the step after this one
   * @param totalSteps  of the whole run; infinite while nobody knows
   */
  async run(
    step: number,
    phase: Phase<B>,
    {
      learningRate,
      updates,
      nextPhase,
      totalSteps = Number.POSITIVE_INFINITY,
    }: { learningRate: number; updates: number; nextPhase: Phase<B>; totalSteps?: number },
  ): Promise<StepResult> {
    const programs = await this.#programsOf(phase);
    const startedAt = this.now();
    let dataMs = 0;
    const prepare = async (at: number, of: Phase<B>) => {
      const begun = this.now();
      const inputs = await makeStepInputs(this.data, of, {
        step: at,
        division: this.#divisionAt(at, totalSteps),
        totalSteps,
        collective: this.collective,
      });
      const prepared = { inputs, feeds: microBatchFeeds(inputs, 0, this.settings.seed) };
      dataMs += this.now() - begun;
      return prepared;
    };
    const ready = this.#ready(step, phase, totalSteps);
    let { inputs, feeds } = ready ?? (await prepare(step, phase));
    this.#prepared = undefined;
    if (inputs.batches.length > 1) programs.further ??= await this.#compile(phase, true);

    const own = new LossMeter(this.layout);
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
      own.add(await running, inputs.counts[index], inputs.tokens[index]);
    }
    const computedAt = this.now();
    const meter = LossMeter.of(this.layout, await sumOverRanks(this.collective, own.totals));
    if (meter.isFinite) await this.#exchange.sum('gradients', programs.ranges);
    const exchangedAt = this.now();
    const { gradientNorm, applied } = await this.#optimize(programs.ranges, meter.isFinite, { learningRate, updates });
    return {
      meter,
      gradientNorm,
      applied,
      tokens: meter.tokens,
      engineMs: computedAt - startedAt - (ready ? 0 : dataMs),
      exchangeMs: exchangedAt - computedAt,
      optimizerMs: this.now() - exchangedAt,
      dataMs,
    };
  }

  /** What was made ahead, unless the number of all steps has been found meanwhile, which it may depend on. */
  #ready(step: number, phase: Phase<B>, totalSteps: number) {
    const inputs = this.#prepared?.inputs;
    const isIt = inputs?.step === step && inputs.phase === phase && inputs.totalSteps === totalSteps;
    return isIt ? this.#prepared : undefined;
  }

  async #optimize(
    ranges: readonly ParameterRange[],
    finite: boolean,
    { learningRate, updates }: { learningRate: number; updates: number },
  ): Promise<{ gradientNorm: number; applied: boolean }> {
    const { settings } = this;
    const gradientNorm = await this.#gradientNorm(ranges);
    if (!finite || !Number.isFinite(gradientNorm)) return { gradientNorm, applied: false };
    const adam: AdamSettings = {
      beta1: settings.adamBeta1,
      beta2: settings.adamBeta2,
      epsilon: settings.adamEpsilon,
      weightDecay: settings.weightDecay,
      biasCorrection: settings.biasCorrection,
      averageDecay: settings.averageDecay,
    };
    this.#update ??= await this.engine.compile(updateGraph(adam), { label: 'update', state: this.state.engineState });
    const gradientScale = clipScale(gradientNorm, settings.clipNorm);
    await this.#update.runOverArenas(
      updateRanges(ranges, adam, { updates, learningRate, gradientScale }),
      UPDATE_CHUNK,
    );
    return { gradientNorm, applied: true };
  }

  /** Each rank takes a part of the squares: less work, and a norm that is the same everywhere whatever a rank's CPU. */
  async #gradientNorm(ranges: readonly ParameterRange[]): Promise<number> {
    this.#norm ??= await this.engine.compile(normGraph(), { label: 'gradient norm', state: this.state.engineState });
    const part = partOf(pieces(ranges, UPDATE_CHUNK), this.collective);
    const { sumOfSquares } = await this.#norm.runOverArenas(
      part.map(({ start, end }) => ({ start, end, feeds: {} })),
      UPDATE_CHUNK,
    );
    const [sum] = await sumOverRanks(this.collective, [sumOfSquares ?? 0]);
    return Math.sqrt(sum);
  }

  async #programsOf(phase: Phase<B>): Promise<PhasePrograms<B>> {
    if (this.#programs?.phase === phase) return this.#programs;
    await this.#releasePhase();
    this.#programs = {
      phase,
      first: await this.#compile(phase, false),
      ranges: trainedRanges(this.state.layout, (name) => phase.trains(name)),
    };
    return this.#programs;
  }

  #compile(phase: Phase<B>, accumulate: boolean): Promise<Program> {
    return this.engine.compile(phase.trainingGraph({ accumulate }), {
      label: `${phase.name} training step${accumulate ? ', accumulating' : ''}`,
      state: this.state.engineState,
    });
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

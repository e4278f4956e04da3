/**
 * The training loop, of pre-training objectives and fine-tuning tasks alike. It yields typed events and knows no file, no
 * terminal and no runtime: those listen to the events or are handed in.
 *
 * What a step computes is a pure function of the settings, the step number and the state that a checkpoint holds; so a
 * run that was interrupted anywhere and resumed ends with the same bits as one that was not.
 *
 * Several ranks may run it together, each in a process of its own: all yield the events, and what must be decided once
 * (whether to stop, how many steps the time allows, which checkpoint to go on from) rank 0 decides or all agree on.
 */
import { anyRank, failOnAll, fromFirst, gatherTexts, sumOverRanks, together } from '../collective/agreement.js';
import { ALONE, type Collective, describeMember, PeerError } from '../collective/collective.js';
import type { Engine, Program } from '../engine/engine.js';
import { PleiadError } from '../errors/errors.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { ArenaExchange } from './arenaExchange.js';
import type { CheckpointStore, FoundCheckpoint, Snapshot } from './checkpoint.js';
import { defined } from './defined.js';
import { type Evaluation, type EvaluationResult, isBetter } from './evaluation.js';
import type {
  CheckpointEvent,
  DoneEvent,
  EvaluationEvent,
  ExtendedEvent,
  StepEvent,
  TrainingEvent,
  WarningEvent,
} from './events.js';
import {
  type Extension,
  extensionOf,
  type Limits,
  nothingTrained,
  resumeAdvice,
  type TrainingCommandName,
} from './extension.js';
import { type HealthCheck, HealthMonitor } from './health.js';
import { LossMeter, type MeterLayout, meterLayout } from './lossMeter.js';
import type { Objective, Phase, TokenBatch } from './objective.js';
import { intervalOf, type PhaseSpan, phaseOf, phaseSpans, plannedLearningRate, TimeBudget } from './plan.js';
import type { TrainerProgress } from './progress.js';
import type { TrainingData } from './stepFeeds.js';
import { type StepResult, StepRunner } from './stepRunner.js';
import { type Initialization, TrainerState } from './trainerState.js';
import type { TrainingSettings } from './trainingSettings.js';
import { weightsSha256 } from './weightsHash.js';

export interface TrainerDependencies<B extends TokenBatch = TokenBatch> {
  readonly engine: Engine;
  readonly objective: Objective<B>;
  readonly data: TrainingData<B>;
  /** Without it there are no evaluations, and the newest checkpoint is the best. */
  readonly evaluation?: Evaluation<B>;
  /** What an evaluation is looked at for, beside losses and gradients. */
  readonly checks?: readonly HealthCheck[];
  /** Without it nothing is kept and nothing can be resumed, as in a browser. Of several ranks, rank 0 alone has one. */
  readonly store?: CheckpointStore;
  /** The ranks that train together; by default there is one. */
  readonly collective?: Collective;
  /** Weights to begin with, by parameter name; all others are drawn with `initializerRange` (default 0.02). */
  readonly initialization?: Partial<Pick<Initialization, 'weights' | 'initializerRange'>>;
  /** Evaluates and keeps the weights before the first step: they were trained before, and are worth something. */
  readonly keepsStart?: boolean;
  /** What such runs are resumed with, for advice. Default pretrain. */
  readonly command?: TrainingCommandName;
  /** Ends the run after the step under way, with a checkpoint; on any rank it ends all. */
  readonly signal?: AbortSignal;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** Steps that are skipped in a row before the run goes back to a checkpoint. */
const SKIPS_BEFORE_ROLLBACK = 3;
/** The same steps would fail again at the same rate, so each rollback halves it. */
const ROLLBACK_RATE = 0.5;
const MOST_ROLLBACKS = 2;
/** How far a run with a time budget alone may overrun when the machine has become slower than measured. */
const OVERRUN = 1.1;

/**
 * Trains a model.
 * @throws PleiadError when losses stay NaN or infinite after two rollbacks, or weights become so; CheckpointError when a
 *         checkpoint cannot be written or is of another model; PeerError when another rank ends the run; and whatever the
 *         engine throws
 */
export async function* train<B extends TokenBatch>(
  settings: TrainingSettings,
  dependencies: TrainerDependencies<B>,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { engine, objective } = dependencies;
  const averages = Boolean(settings.averageDecay);
  const state = await TrainerState.create(engine, objective.parameters, objective.groupOf, { averages });
  const run = new TrainingRun(settings, dependencies, state);
  const { collective = ALONE } = dependencies;
  let left = 'its run was left before the end';
  try {
    yield* run.start();
    yield* run.steps();
    yield* run.finish();
    left = '';
  } catch (error) {
    left = '';
    await failOnAll(collective, error);
    throw error instanceof PeerError ? run.withoutPeers(error) : error;
  } finally {
    if (left) await collective.fail(left);
    await run.release();
  }
}

const BEGINNING: TrainerProgress = {
  step: 0,
  updates: 0,
  phase: 0,
  tokensSeen: 0,
  elapsedMs: 0,
  rateScale: 1,
  rollbacks: 0,
  skippedInRow: 0,
};

/** What was measured since the last step event. */
interface Interval {
  meter: LossMeter;
  steps: number;
  tokens: number;
  engineMs: number;
  exchangeMs: number;
  optimizerMs: number;
  dataMs: number;
  startedAt: number;
}

class TrainingRun<B extends TokenBatch> {
  #progress: TrainerProgress = BEGINNING;
  #interval: Interval;
  #last: { result: StepResult; learningRate: number } | undefined;
  #evaluated: { step: number; result: EvaluationResult } | undefined;
  #saved: { step: number; path: string } | undefined;
  #evaluation: { phase: Phase<B>; program: Program } | undefined;
  /** The step at which all ranks were last seen to have the same weights. */
  #comparedAt: number | undefined;
  /** Whether a rank was asked to stop. */
  #interrupted = false;
  #sessionStartedAt: number;
  #earlierMs = 0;
  readonly #now: () => number;
  readonly #collective: Collective;
  readonly #runner: StepRunner<B>;
  readonly #layout: MeterLayout;
  readonly #exchange: ArenaExchange;
  readonly #health: HealthMonitor;
  #limits: Limits;
  #extension: Extension | undefined;
  #budget: TimeBudget;
  /** Steps of this call, those that a rollback undid included. */
  #trainedSteps = 0;

  constructor(
    private readonly settings: TrainingSettings,
    private readonly dependencies: TrainerDependencies<B>,
    private readonly state: TrainerState,
  ) {
    this.#now = dependencies.now ?? (() => performance.now());
    this.#sessionStartedAt = this.#now();
    const { engine, objective, data, checks, collective = ALONE } = dependencies;
    this.#layout = meterLayout(objective);
    this.#interval = this.#newInterval();
    this.#limits = settings;
    this.#budget = new TimeBudget(settings, settings.timeMs, { costOf: data.cost });
    this.#health = new HealthMonitor(checks);
    this.#collective = collective;
    this.#runner = new StepRunner(engine, state, data, this.#layout, settings, this.#now, collective);
    this.#exchange = new ArenaExchange(collective, state.engineState);
  }

  get #phases(): readonly Phase<B>[] {
    return this.dependencies.objective.phases;
  }
  #elapsedMs(): number {
    return this.#earlierMs + this.#now() - this.#sessionStartedAt;
  }
  #newInterval(): Interval {
    return {
      meter: new LossMeter(this.#layout),
      steps: 0,
      tokens: 0,
      engineMs: 0,
      exchangeMs: 0,
      optimizerMs: 0,
      dataMs: 0,
      startedAt: this.#now(),
    };
  }

  /** Starts anew, or goes on from the newest whole checkpoint. */
  async *start(): AsyncGenerator<TrainingEvent> {
    const { settings, dependencies } = this;
    const warnings: WarningEvent[] = [];
    const found = settings.resume
      ? await this.#restoreNewest((path, reason) => warnings.push(damaged(path, reason)))
      : undefined;
    if (found) {
      this.#progress = found.progress;
      this.#earlierMs = this.#progress.elapsedMs;
      this.#saved = { step: this.#progress.step, path: found.path };
      if (found.evaluation) {
        const result = dependencies.evaluation?.complete?.(found.evaluation) ?? found.evaluation;
        this.#evaluated = { step: this.#progress.step, result };
      }
    } else {
      await this.#initialize();
      if (settings.resume) warnings.push(nothingToResume(dependencies.store?.path));
    }
    if (!dependencies.evaluation) warnings.push(this.#noHeldOut());
    const extended = await this.#settleExtension();
    if (!extended) warnings.push(...(await this.#settleTotalSteps()));
    yield {
      type: 'started',
      step: this.#progress.step,
      ...(found && { resumedFrom: found.path }),
      objective: dependencies.objective.name,
      engine: dependencies.engine.description,
      numParameters: this.state.layout.parameters.reduce((sum, { size }) => sum + size, 0),
      totalSteps: this.#progress.totalSteps,
      ...(this.#collective.size > 1 && { ranks: this.#collective.members.map(({ host }) => host) }),
    };
    if (extended) yield extended;
    yield* warnings;
    if (!found && dependencies.keepsStart) yield* this.#keepStart();
    this.#interval = this.#newInterval();
  }

  /** What trained weights are worth before the first step, and a checkpoint of them: to resume, nobody needs their source. */
  async *#keepStart(): AsyncGenerator<TrainingEvent> {
    yield* this.#evaluate();
    yield* this.#checkpoint();
  }

  /**
   * Goes back to the newest whole checkpoint, if there is one. Rank 0 reads it and all others get it from there: they need
   * not see the run's folder.
   */
  async #restoreNewest(
    onDamaged: (path: string, reason: string) => void,
  ): Promise<(Pick<Snapshot, 'progress' | 'evaluation'> & { path: string }) | undefined> {
    const found: FoundCheckpoint | undefined = await together(this.#collective, async () => {
      const newest = await this.dependencies.store?.newest(onDamaged);
      if (newest) await this.state.restore(newest.snapshot);
      return newest;
    });
    const { progress, evaluation } = found?.snapshot ?? {};
    const restored = await fromFirst(this.#collective, found && { path: found.path, progress: progress!, evaluation });
    if (restored) await this.#takeFirstState();
    return restored;
  }

  async #takeFirstState(): Promise<void> {
    await this.#exchange.takeFirst(this.state.keptArenas);
  }

  async #initialize(): Promise<void> {
    const { initializerRange = 0.02, weights } = this.dependencies.initialization ?? {};
    await this.state.initialize({ seed: this.settings.seed, initializerRange, weights });
    await this.#takeFirstState();
  }

  /** What the run is given more now, or was before; the first is reported. */
  async #settleExtension(): Promise<ExtendedEvent | undefined> {
    const { settings, dependencies } = this;
    if (!settings.resume) return undefined;
    const { store } = dependencies;
    const before = await fromFirst(this.#collective, {
      extension: await store?.extension(),
      planned: await store?.plannedSteps(),
    });
    const stepsBefore = settings.steps ?? before.planned ?? this.#progress.totalSteps;
    const extension = extensionOf(settings, this.#progress, stepsBefore);
    this.#extension = extension ?? before.extension;
    const { best, step } = this.#progress;
    // Whoever gives a run more steps has new patience with it.
    if (best && this.#extension && step <= this.#extension.step) {
      this.#progress = { ...this.#progress, best: { ...best, since: 0 } };
    }
    if (extension) this.#limits = extension;
    this.#budget = new TimeBudget(settings, this.#limits.timeMs, {
      sinceMs: this.#extension?.elapsedMs,
      costOf: dependencies.data.cost,
    });
    if (!extension) return undefined;
    await store?.recordExtension(extension);
    const last = this.#progress.step > 0 ? this.#rateOf(this.#progress.step - 1) : undefined;
    this.#changeTotalSteps(extension.steps);
    return defined({
      type: 'extended',
      step: extension.step,
      ...extension.given,
      totalSteps: extension.steps,
      stepsBefore,
      learningRate: defined({ last, next: this.#rateOf(extension.step) }),
    });
  }

  /** A phase that the run is in stays, and begins where it began. */
  #changeTotalSteps(totalSteps: number | undefined): void {
    const { totalSteps: before, phase, phaseStart } = this.#progress;
    const isOther = before !== undefined && before !== totalSteps && phase > 0;
    const start = isOther ? (phaseStart ?? phaseSpans(this.#phases, before)[phase].start) : phaseStart;
    this.#progress = { ...this.#progress, totalSteps, ...(start !== undefined && { phaseStart: start }) };
  }

  /** Steps as set; otherwise as recorded by an earlier session; otherwise to be measured. */
  async #settleTotalSteps(): Promise<WarningEvent[]> {
    // A checkpoint from before the run was given more does not know of that.
    const isOutdated = this.#extension !== undefined && this.#progress.step <= this.#extension.step;
    const recorded = this.#progress.totalSteps;
    const planned = this.settings.resume ? await this.dependencies.store?.plannedSteps() : undefined;
    const totalSteps = await fromFirst(
      this.#collective,
      this.settings.steps ?? planned ?? (isOutdated ? undefined : recorded),
    );
    this.#changeTotalSteps(totalSteps);
    if (recorded === undefined || recorded === totalSteps || isOutdated) return [];
    // Where nothing is left to train there are no rates, and the last event says so.
    if (totalSteps !== undefined && this.#progress.step >= totalSteps) return [];
    return [
      this.#warning(
        'steps-changed',
        `The run was planned for ${recorded} steps and now has ${totalSteps}`,
        'Its learning rates from here on differ from those of a run of that length; that is fine when meant.',
      ),
    ];
  }

  #warning(code: WarningEvent['code'], message: string, advice: string): WarningEvent {
    return { type: 'warning', step: this.#progress.step, code, message, advice };
  }

  #noHeldOut(): WarningEvent {
    return this.#warning(
      'no-held-out',
      'There is no held-out text, so nothing is evaluated and the newest checkpoint counts as the best',
      'Prepare the text with a held-out part, or from more documents.',
    );
  }

  async *steps(): AsyncGenerator<TrainingEvent> {
    while (!(await this.#isOver())) {
      yield* this.#enterPhase();
      const startedAt = this.#now();
      const result = await this.#step();
      this.#budget.add(this.#now() - startedAt, this.#progressOf(this.#progress.step - 1));
      if (!result.applied) {
        yield* this.#skipped(result);
        continue;
      }
      yield* this.#health.step(
        this.#progress.step,
        this.dependencies.objective.metrics(result.meter),
        result.gradientNorm,
        this.#last!.learningRate,
      );
      if (this.#isDue(this.settings.logEvery)) yield* this.#log();
      yield* this.#plan();
      const { totalSteps, step } = this.#progress;
      if (step === totalSteps) break; // the last evaluation and checkpoint are finish()'s
      if (this.#isDue(intervalOf(this.settings.evaluateEvery, totalSteps))) yield* this.#evaluate();
      if (this.#isDue(intervalOf(this.settings.checkpointEvery, totalSteps))) yield* this.#checkpoint();
    }
  }

  #isDue(every: number): boolean {
    return this.#progress.step % every === 0;
  }

  /** All ranks stop at the same step: when one of them was asked to, or when rank 0 says that the time is over. */
  async #isOver(): Promise<boolean> {
    const { step, totalSteps } = this.#progress;
    if (totalSteps !== undefined && step >= totalSteps) return true;
    if (this.#isOutOfPatience()) return true;
    const { rank } = this.#collective;
    const aborted = this.dependencies.signal?.aborted === true;
    const [stopping, late] = await sumOverRanks(this.#collective, [
      aborted ? 1 : 0,
      rank === 0 && this.#isOutOfTime() ? 1 : 0,
    ]);
    this.#interrupted = stopping > 0;
    return stopping + late > 0;
  }

  /** The same on all ranks, as evaluations are. */
  #isOutOfPatience(): boolean {
    const { best, step, totalSteps } = this.#progress;
    const { patience = Number.POSITIVE_INFINITY } = this.settings;
    return best !== undefined && best.since >= patience && step !== totalSteps;
  }

  #isOutOfTime(): boolean {
    const { timeMs, steps } = this.#limits;
    if (timeMs === undefined) return false;
    // Starting may take long; whoever gives a run some time wants it trained.
    if (this.#trainedSteps === 0 && this.#earlierMs < timeMs) return false;
    const since = this.#extension?.elapsedMs ?? 0;
    return this.#elapsedMs() - since >= (timeMs - since) * (steps === undefined ? OVERRUN : 1);
  }

  #span(step = this.#progress.step): PhaseSpan {
    const { totalSteps, phase, phaseStart = 0 } = this.#progress;
    // Before a time budget has become steps, all is the phase that the run is in, in a new run the first.
    return totalSteps === undefined
      ? { index: phase, start: phaseStart, end: Number.POSITIVE_INFINITY }
      : phaseOf(step, phaseSpans(this.#phases, totalSteps), this.#progress);
  }

  /** Of the whole run, or how many there may be; undefined while nobody knows. */
  get #expectedSteps(): number | undefined {
    return this.#progress.totalSteps ?? this.#extension?.expectedSteps;
  }

  #rateOf(step: number): number {
    const { rateScale } = this.#progress;
    const totalSteps = this.#expectedSteps;
    return rateScale * plannedLearningRate(step, totalSteps, this.settings, this.#phases, this.#progress);
  }

  /** How much of the run is done, 0 to 1; 0 while nobody knows. */
  #progressOf(step: number): number {
    return Math.min(1, step / (this.#expectedSteps ?? Number.POSITIVE_INFINITY));
  }

  /** Makes a phase's copies and starts its moments from zero, as what they were averages of is trained no more. */
  async *#enterPhase(): AsyncGenerator<TrainingEvent> {
    const { index, start } = this.#span();
    while (this.#progress.phase < index) {
      const phase = this.#progress.phase + 1;
      await this.state.copy(this.#phases[phase].copies);
      await this.state.clearMoments();
      const { phaseStart: _, best: __, ...progress } = this.#progress;
      // Later than its share says, where the number of all steps has become smaller.
      const isLate = phase === index && progress.step > start;
      this.#progress = { ...progress, phase, updates: 0, ...(isLate && { phaseStart: progress.step }) };
      this.#health.reset();
      yield { type: 'phase', step: this.#progress.step, name: this.#phases[phase].name };
    }
  }

  async #step(): Promise<StepResult> {
    const { step, updates } = this.#progress;
    const learningRate = this.#rateOf(step);
    const result = await this.#runner.run(step, this.#phases[this.#progress.phase], {
      learningRate,
      updates: updates + 1,
      nextPhase: this.#phases[this.#span(step + 1).index],
      totalSteps: this.#expectedSteps,
    });
    this.#last = { result, learningRate };
    this.#trainedSteps++;
    this.#progress = {
      ...this.#progress,
      step: step + 1,
      updates: updates + (result.applied ? 1 : 0),
      tokensSeen: this.#progress.tokensSeen + result.tokens,
      skippedInRow: result.applied ? 0 : this.#progress.skippedInRow + 1,
    };
    this.#measure(result);
    return result;
  }

  #measure(result: StepResult): void {
    const interval = this.#interval;
    if (result.applied) interval.meter.merge(result.meter);
    interval.steps++;
    interval.tokens += result.tokens;
    interval.engineMs += result.engineMs;
    interval.exchangeMs += result.exchangeMs;
    interval.optimizerMs += result.optimizerMs;
    interval.dataMs += result.dataMs;
  }

  async *#skipped(result: StepResult): AsyncGenerator<TrainingEvent> {
    const what = Number.isFinite(result.gradientNorm) ? 'A loss' : 'The gradient norm';
    yield this.#warning(
      'not-finite',
      `${what} of step ${this.#progress.step} is not a finite number; the step was skipped`,
      'Once is harmless. If it goes on, the run returns to its last checkpoint with half the learning rate.',
    );
    if (this.#progress.skippedInRow >= SKIPS_BEFORE_ROLLBACK) yield* this.#rollBack();
  }

  async *#rollBack(): AsyncGenerator<TrainingEvent> {
    const { rollbacks, rateScale, totalSteps, step, phase, phaseStart } = this.#progress;
    if (rollbacks >= MOST_ROLLBACKS) throw this.#divergence();
    const found = await this.#restoreNewest(() => {});
    if (!found) await this.#initialize();
    const base = found?.progress ?? BEGINNING;
    this.#progress = {
      ...base,
      totalSteps,
      ...(base.phase === phase && phaseStart !== undefined && { phaseStart }),
      skippedInRow: 0,
      rollbacks: rollbacks + 1,
      rateScale: rateScale * ROLLBACK_RATE,
    };
    this.#saved = found && { step: base.step, path: found.path };
    this.#evaluated = undefined;
    this.#health.reset();
    this.#interval = this.#newInterval();
    const scale = this.#progress.rateScale;
    yield {
      ...this.#warning(
        'rolled-back',
        `${SKIPS_BEFORE_ROLLBACK} steps in a row were not finite; going back from step ${step} to ${found ? found.path : 'the beginning'} with ${scale} times the learning rate`,
        `If this was the second time, stop and use a lower ${settingName('learningRate')}, a longer warm-up, or ${settingWith('clipNorm', 1)}.`,
      ),
    };
  }

  #divergence(): PleiadError {
    const { step, rollbacks } = this.#progress;
    return new PleiadError(
      `Losses, gradients or weights are NaN or infinite at step ${step} after ${rollbacks} rollbacks`,
      {
        subject: `step ${step}`,
        expected: 'finite losses',
        advice: `Start again with a lower ${settingName('learningRate')} (it is ${this.settings.learningRate}; try ${this.settings.learningRate / 5}), a longer warm-up, ${settingWith('clipNorm', 1)}, or less extreme settings`,
      },
    );
  }

  *#log(): Generator<StepEvent> {
    const { meter, steps, tokens, startedAt, ...spent } = this.#interval;
    const last = this.#last;
    if (meter.isEmpty || !last) return;
    const { step, totalSteps, tokensSeen } = this.#progress;
    yield {
      type: 'step',
      step,
      totalSteps,
      losses: this.dependencies.objective.metrics(meter),
      learningRate: last.learningRate,
      gradientNorm: last.result.gradientNorm,
      tokensSeen,
      tokensPerSecond: (1000 * tokens) / Math.max(1e-9, this.#now() - startedAt),
      elapsedMs: this.#elapsedMs(),
      split: {
        engineMs: spent.engineMs / steps,
        optimizerMs: spent.optimizerMs / steps,
        dataMs: spent.dataMs / steps,
        ...(this.#collective.size > 1 && { exchangeMs: spent.exchangeMs / steps }),
      },
    };
    this.#interval = this.#newInterval();
  }

  /** Fixes the number of steps of a run that has a time budget alone. */
  async *#plan(): AsyncGenerator<TrainingEvent> {
    if (this.#progress.totalSteps !== undefined) return;
    const { evaluation, store } = this.dependencies;
    const batches = evaluation?.numBatches ?? 0;
    const { step } = this.#progress;
    const plan = await fromFirst(this.#collective, this.#budget.plan(step, this.#elapsedMs(), batches));
    if (!plan) return;
    await store?.recordPlan(plan.totalSteps);
    this.#progress = { ...this.#progress, totalSteps: plan.totalSteps };
    yield { type: 'planned', step: this.#progress.step, ...plan };
  }

  async *#evaluate(): AsyncGenerator<EvaluationEvent | StepEvent | WarningEvent> {
    const { evaluation, engine } = this.dependencies;
    const { step } = this.#progress;
    if (!evaluation || evaluation.numBatches === 0 || this.#evaluated?.step === step) return;
    yield* this.#log();
    const phase = this.#phases[this.#progress.phase];
    if (this.#evaluation?.phase !== phase) {
      await this.#evaluation?.program.release();
      const label = `${phase.name} evaluation`;
      const program = await engine.compile(phase.evaluationGraph(), { label, state: this.state.engineState });
      this.#evaluation = { phase, program };
    }
    // What is kept of the run is evaluated.
    if (this.state.averages) await this.state.exchangeAverage();
    const result = await evaluation.evaluate(this.#evaluation.program, phase, this.#collective);
    if (this.state.averages) await this.state.exchangeAverage();
    this.#evaluated = { step, result };
    this.#countPatience(result);
    const { files: _, ...event } = result;
    yield { type: 'evaluation', step, elapsedMs: this.#elapsedMs(), ...event };
    const { start, end } = this.#span(step - 1);
    yield* this.#health.evaluation(step, (step - start) / (end - start), result.metrics);
    this.#interval = this.#newInterval();
  }

  #countPatience(result: EvaluationResult): void {
    if (this.settings.patience === undefined) return;
    const { best } = this.#progress;
    const isBest = best === undefined || isBetter(result, best);
    this.#progress = {
      ...this.#progress,
      best: isBest ? { score: result.score, since: 0 } : { ...best, since: best.since + 1 },
    };
  }

  async *#checkpoint(): AsyncGenerator<CheckpointEvent | StepEvent> {
    const { store } = this.dependencies;
    const { step } = this.#progress;
    await this.#compareWeights();
    if (!store || this.#saved?.step === step) return;
    yield* this.#log();
    const snapshot = await this.#snapshot();
    // An update can overflow although its loss and norm were finite; what is saved must be worth resuming from.
    for (const { data } of snapshot.parameters.values()) if (!data.every(Number.isFinite)) throw this.#divergence();
    const saved = await store.save(snapshot);
    this.#saved = { step, path: saved.path };
    yield { type: 'checkpoint', step, ...saved };
    this.#interval = this.#newInterval();
  }

  /** Ranks that update alike from the same gradients have the same weights; where one has not, nothing is worth keeping. */
  async #compareWeights(): Promise<void> {
    const { step } = this.#progress;
    const { size, members } = this.#collective;
    if (size === 1 || this.#comparedAt === step) return;
    const digests = await gatherTexts(this.#collective, await weightsSha256(await this.state.read('parameters')));
    const other = members.filter(({ rank }) => digests[rank] !== digests[0]);
    if (other.length > 0) {
      throw new PeerError(
        `the weights of ${other.map(describeMember).join(', ')} are no longer those of rank 0 at step ${step}`,
        {
          failure: 'broken',
          members: other,
          advice: 'All ranks must run the same version on CPUs of one kind; nothing was saved at this step',
        },
      );
    }
    this.#comparedAt = step;
  }

  async #snapshot(): Promise<Snapshot> {
    const { step } = this.#progress;
    const evaluation = this.#evaluated?.step === step ? this.#evaluated.result : undefined;
    return {
      progress: { ...this.#progress, elapsedMs: this.#elapsedMs() },
      models: this.dependencies.objective.models,
      length:
        this.dependencies.data.length?.(Math.max(0, step - 1), this.#expectedSteps ?? Number.POSITIVE_INFINITY) ??
        this.settings.length,
      ...(await this.state.tensors()),
      ...(evaluation && { evaluation }),
    };
  }

  /** The last evaluation and checkpoint. An interrupted run is not evaluated: whoever interrupts wants it to end. */
  async *finish(): AsyncGenerator<TrainingEvent> {
    const { step, totalSteps, tokensSeen } = this.#progress;
    // Asked again: a rank may have been asked to stop while the last step was evaluated or saved.
    const aborted = await anyRank(this.#collective, this.dependencies.signal?.aborted === true);
    const interrupted = (this.#interrupted || aborted) && step !== totalSteps;
    yield* this.#log();
    const nothing = this.#trainedSteps === 0 && !interrupted ? this.#nothingTrained() : undefined;
    if (nothing) yield this.#warning('nothing-trained', nothing.message, nothing.advice);
    if (!interrupted) {
      const isShort =
        this.#limits.steps === undefined && !this.#isOutOfPatience() && totalSteps !== undefined && step < totalSteps;
      if (isShort && !nothing) yield this.#timeExceeded();
      if (this.#isOutOfPatience() && !nothing) yield this.#stoppedEarly();
      yield* this.#evaluate();
    }
    yield* this.#checkpoint();
    const elapsedMs = this.#elapsedMs();
    const done: DoneEvent = {
      type: 'done',
      interrupted,
      step,
      steps: step,
      trainedSteps: this.#trainedSteps,
      nothingTrained: nothing,
      tokensSeen,
      tokensPerSecond: (1000 * tokensSeen) / Math.max(1e-9, elapsedMs),
      elapsedMs,
      checkpoint: this.#saved?.path,
      weightsSha256: await weightsSha256(await this.state.read('parameters')),
      metrics: this.#evaluated?.result.metrics,
    };
    yield defined(done);
  }

  #nothingTrained() {
    const { settings, dependencies } = this;
    const [limits, extension, progress] = [this.#limits, this.#extension, this.#progress];
    const { command, store } = dependencies;
    const isOutOfPatience = this.#isOutOfPatience();
    return nothingTrained({ settings, limits, extension, progress, isOutOfPatience, folder: store?.path, command });
  }

  #stoppedEarly(): WarningEvent {
    const { step, totalSteps, best } = this.#progress;
    return this.#warning(
      'stopped-early',
      `The run ended after ${step} of ${totalSteps} steps: ${best?.since} evaluations in a row were not better than ${best?.score.toFixed(4)}`,
      `The best checkpoint is kept; a larger ${settingName('patience')} waits longer, and ${settingWith('resume', true)} with it goes on.`,
    );
  }

  #timeExceeded(): WarningEvent {
    const { step, totalSteps = step } = this.#progress;
    const minutesLeft = Math.ceil(((this.#elapsedMs() / Math.max(1, step)) * (totalSteps - step)) / 60_000);
    const advice = resumeAdvice(this.dependencies.store?.path, { more: `${minutesLeft}m` });
    return this.#warning(
      'time-exceeded',
      `The time was over after ${step} of ${totalSteps} steps, as they became slower than the first ones`,
      `The learning rate had not come down to 0; ${advice} brings it down. Leave the machine to the run.`,
    );
  }

  /** What another rank's end means for the run. */
  withoutPeers({ message, failure, members, advice, cause }: PeerError): PeerError {
    const { step } = this.#progress;
    const { store } = this.dependencies;
    const saved = !store
      ? `Go on from its newest checkpoint with ${settingWith('resume', true)}`
      : this.#saved &&
        `The newest checkpoint is ${this.#saved.path}; go on from it with ${settingWith('resume', true)}`;
    return new PeerError(`the run ends at step ${step}: ${message}`, {
      failure,
      members,
      advice: advice ? undefined : (saved ?? 'No checkpoint was written yet; start again'),
      cause,
    });
  }

  async release(): Promise<void> {
    await this.#runner.release();
    await this.#evaluation?.program.release();
    await this.state.release();
  }
}

function damaged(path: string, reason: string): WarningEvent {
  return {
    type: 'warning',
    step: 0,
    code: 'damaged-checkpoint',
    message: `${path} is not whole and was left alone: ${reason}`,
    advice: 'The newest whole checkpoint before it is used; remove the folder when you no longer need to look at it.',
  };
}

function nothingToResume(store = 'memory'): WarningEvent {
  return {
    type: 'warning',
    step: 0,
    code: 'nothing-to-resume',
    message: `There is no whole checkpoint in ${store}; the run starts at its beginning`,
    advice: 'Check the folder if you expected one.',
  };
}

/** Watches a run for the ways in which pre-training goes wrong, and says what to do. It never changes the run. */

import { settingName } from '../settings/settingNames.js';
import type { WarningEvent } from './events.js';
import type { HeldOutMetrics, LossMetrics } from './metrics.js';

/** Loss counts as rising when its average is this much above its lowest value. */
const RISE = 1.3;
/** The gradient norm counts as exploding when its average is this many times its lowest. */
const NORM_EXPLOSION = 20;
/** Weight of a new value in the running averages. */
const SMOOTHING = 0.05;
/** Steps that the averages need to mean something. */
const SETTLING_STEPS = 50;

/** Discriminator loss within this of H(r), in nats, with nothing found, is collapse. */
const COLLAPSE_MARGIN = 0.02;
/** Before this share of the run a discriminator may still be finding its feet. */
const LATE = 0.3;

class RunningLow {
  #average: number | undefined;
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;

  /** @returns the average over its lowest value so far */
  add(value: number): number {
    this.#average = this.#average === undefined ? value : this.#average + SMOOTHING * (value - this.#average);
    this.#count++;
    if (this.#count < SETTLING_STEPS) return 1;
    this.#lowest = Math.min(this.#lowest, this.#average);
    return this.#lowest > 0 ? this.#average / this.#lowest : 1;
  }
}

/** A head that predicts pieces, by what it reached on held-out text. */
interface WordPredictor {
  readonly code: WarningEvent['code'];
  readonly name: string;
  readonly loss: number | undefined;
  readonly accuracy: number | undefined;
}

/** Gives each kind of warning once, until `reset`. */
export class HealthMonitor {
  readonly #given = new Set<string>();
  #loss = new RunningLow();
  #norm = new RunningLow();

  /** After a rollback or a new phase, when losses start elsewhere. */
  reset(): void {
    this.#given.clear();
    this.#loss = new RunningLow();
    this.#norm = new RunningLow();
  }

  step(step: number, { totalLoss }: LossMetrics, gradientNorm: number, learningRate: number): WarningEvent[] {
    const lossRatio = this.#loss.add(totalLoss);
    const normRatio = this.#norm.add(gradientNorm);
    const advice = `Use a lower ${settingName('learningRate')} (the rate is ${learningRate.toExponential(1)}; try a third) or a longer warm-up.`;
    if (lossRatio > RISE) {
      const percent = Math.round((lossRatio - 1) * 100);
      return this.#once(
        step,
        'learning-rate-too-high',
        `The loss has risen ${percent} % above its lowest average`,
        advice,
      );
    }
    if (normRatio > NORM_EXPLOSION) {
      const times = Math.round(normRatio);
      return this.#once(
        step,
        'learning-rate-too-high',
        `The gradient norm is ${times} times its lowest average`,
        advice,
      );
    }
    return [];
  }

  /** @param progress  share of the run that is done, 0..1 */
  evaluation(step: number, progress: number, heldOut: HeldOutMetrics, unigramAccuracy: number): WarningEvent[] {
    if (progress < LATE) return [];
    return [
      ...this.#discriminator(step, heldOut),
      ...this.#wordPredictor(step, heldOut, unigramAccuracy, {
        code: 'generator-stuck',
        name: 'masked language model',
        loss: heldOut.generatorLoss ?? heldOut.mlmLoss,
        accuracy: heldOut.generatorAccuracy ?? heldOut.mlmAccuracy,
      }),
      ...this.#wordPredictor(step, heldOut, unigramAccuracy, {
        code: 'span-boundary-stuck',
        name: 'span boundary head',
        loss: heldOut.sboLoss,
        accuracy: heldOut.sboAccuracy,
      }),
    ];
  }

  #discriminator(
    step: number,
    { discriminatorLoss, replacedEntropy, rtdPrecision, rtdRecall }: HeldOutMetrics,
  ): WarningEvent[] {
    if (discriminatorLoss === undefined || replacedEntropy === undefined) return [];
    const tellsNothing = discriminatorLoss > replacedEntropy - COLLAPSE_MARGIN;
    if (!tellsNothing || rtdPrecision !== 0 || rtdRecall !== 0) return [];
    return this.#once(
      step,
      'discriminator-collapse',
      `The discriminator finds no replaced token: its loss ${discriminatorLoss.toFixed(3)} is that of always guessing "original" (${replacedEntropy.toFixed(3)})`,
      `Use a smaller generator (${settingName('generatorSizeFraction')}) so that replacements are easier to tell, a higher ${settingName('discWeight')}, more steps, or check that the corpus is not repeated boilerplate.`,
    );
  }

  #wordPredictor(
    step: number,
    { unigramCrossEntropy }: HeldOutMetrics,
    unigramAccuracy: number,
    { code, name, loss, accuracy }: WordPredictor,
  ): WarningEvent[] {
    if (accuracy === undefined || loss === undefined || unigramCrossEntropy === undefined) return [];
    if (accuracy > unigramAccuracy * 1.1 || loss < unigramCrossEntropy * 0.97) return [];
    return this.#once(
      step,
      code,
      `The ${name} is no better than the word frequencies of the training text: accuracy ${accuracy.toFixed(3)} against ${unigramAccuracy.toFixed(3)}, loss ${loss.toFixed(2)} against ${unigramCrossEntropy.toFixed(2)}`,
      `Use a higher ${settingName('learningRate')} or more steps; with a small corpus, a smaller vocabulary.`,
    );
  }

  #once(step: number, code: WarningEvent['code'], message: string, advice: string): WarningEvent[] {
    if (this.#given.has(code)) return [];
    this.#given.add(code);
    return [{ type: 'warning', step, code, message, advice }];
  }
}

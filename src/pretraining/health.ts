/** The ways in which pre-training goes wrong, as an evaluation on held-out text shows them. */
import { settingName } from '../settings/settingNames.js';
import type { HealthCheck, HealthNotice } from '../training/health.js';
import type { HeldOutMetrics } from './metrics.js';

/** Discriminator loss within this of H(r), in nats, with nothing found, is collapse. */
const COLLAPSE_MARGIN = 0.02;

/**
 * @param unigramAccuracy  of a predictor that always says the most frequent token; 0 where nothing learns words
 */
export function pretrainingChecks(unigramAccuracy: number): HealthCheck[] {
  return [
    discriminatorCollapse,
    (heldOut) =>
      wordPredictor(heldOut, unigramAccuracy, {
        code: 'generator-stuck',
        name: 'masked language model',
        loss: heldOut.generatorLoss ?? heldOut.mlmLoss,
        accuracy: heldOut.generatorAccuracy ?? heldOut.mlmAccuracy,
      }),
    (heldOut) =>
      wordPredictor(heldOut, unigramAccuracy, {
        code: 'span-boundary-stuck',
        name: 'span boundary head',
        loss: heldOut.sboLoss,
        accuracy: heldOut.sboAccuracy,
      }),
  ];
}

function discriminatorCollapse({
  discriminatorLoss,
  replacedEntropy,
  rtdPrecision,
  rtdRecall,
}: Partial<HeldOutMetrics>): HealthNotice | undefined {
  if (discriminatorLoss === undefined || replacedEntropy === undefined) return undefined;
  const isBlind = discriminatorLoss > replacedEntropy - COLLAPSE_MARGIN && rtdPrecision === 0 && rtdRecall === 0;
  if (!isBlind) return undefined;
  return {
    code: 'discriminator-collapse',
    message: `The discriminator finds no replaced token: its loss ${discriminatorLoss.toFixed(3)} is that of always guessing "original" (${replacedEntropy.toFixed(3)})`,
    advice: `Use a smaller generator (${settingName('generatorSizeFraction')}) so that replacements are easier to tell, a higher ${settingName('discWeight')}, more steps, or check that the corpus is not repeated boilerplate.`,
  };
}

/** A head that predicts pieces, by what it reached on held-out text. */
interface WordPredictor {
  readonly code: string;
  readonly name: string;
  readonly loss: number | undefined;
  readonly accuracy: number | undefined;
}

function wordPredictor(
  { unigramCrossEntropy }: Partial<HeldOutMetrics>,
  unigramAccuracy: number,
  { code, name, loss, accuracy }: WordPredictor,
): HealthNotice | undefined {
  if (accuracy === undefined || loss === undefined || unigramCrossEntropy === undefined) return undefined;
  if (accuracy > unigramAccuracy * 1.1 || loss < unigramCrossEntropy * 0.97) return undefined;
  return {
    code,
    message: `The ${name} is no better than the word frequencies of the training text: accuracy ${accuracy.toFixed(3)} against ${unigramAccuracy.toFixed(3)}, loss ${loss.toFixed(2)} against ${unigramCrossEntropy.toFixed(2)}`,
    advice: `Use a higher ${settingName('learningRate')} or more steps; with a small corpus, a smaller vocabulary.`,
  };
}

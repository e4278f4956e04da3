/** The arms that are compared at equal time: what each trains, all by the short recipe. */
import type { PretrainingInput } from '../../src/pretraining/settings.js';

export const ARM_NAMES = ['mlm', 'random', 'electra', 'frozen', 'gdes', 'spanbert'] as const;
export type ArmName = (typeof ARM_NAMES)[number];

export interface Arm {
  readonly title: string;
  readonly settings: Partial<PretrainingInput>;
  /** Part of the arm's time in which the masked LM is trained that it begins with, by the settings of `mlm`; 0 to below 1. */
  readonly generatorShare?: number;
}

export const ARMS: Readonly<Record<ArmName, Arm>> = {
  mlm: { title: 'masked LM', settings: { objective: 'mlm' } },
  // Random token substitution (arXiv 2104.09694), by word frequency.
  random: { title: 'random replacements', settings: { generatorKind: 'unigram' } },
  electra: { title: 'ELECTRA, joint', settings: {} },
  /*
   * Fast-ELECTRA (arXiv 2310.07347). A ready masked LM is not free: it is trained in a part of the arm's own time, to the end of its
   * schedule, and is both the generator and what the discriminator begins as.
   */
  frozen: {
    title: 'frozen generator',
    settings: { newHead: true, freezeGenerator: true, temperature: 2, temperatureEnd: 1 },
    generatorShare: 0.25,
  },
  gdes: { title: 'ELECTRA, GDES', settings: { sharing: 'gdes' } },
  spanbert: { title: 'SpanBERT', settings: { objective: 'spanbert' } },
};

/** On which encoders of this size can differ, and what costs nothing can be beaten. */
export const ARM_TASKS = ['CoNLL-2000', 'CoLA', 'SST-2', 'SQuAD'] as const;
export type ArmTask = (typeof ARM_TASKS)[number];
/** Labels of each task that are learned from. */
export const ARM_ROWS = 2000;
/**
 * As docs/recipe.md has it for encoders of hours: they have little to lose by a high rate, and their lower layers have as much to
 * learn as the upper ones.
 */
export const ARM_LEARNING_RATE = 4e-4;
export const ARM_LAYER_RATE_DECAY = 1;
/** Encoders have seen no longer rows in pre-training. */
export const ARM_LENGTH = 128;

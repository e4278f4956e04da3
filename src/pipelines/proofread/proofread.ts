/**
 * Which words of a text do not belong there, and what would: what an ELECTRA pair is good for without a label. The discriminator
 * doubts, the generator proposes, a rule sees words that stand twice, and a threshold is as high as a wanted rate of false alarms
 * allows.
 */
import { SettingsError } from '../../errors/errors.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { settingName } from '../../settings/settingNames.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { RowWatch } from '../definition.js';
import { MASKED_LM_OUTPUTS } from '../maskedLanguageModel.js';
import {
  type Calibration,
  calibrate,
  calibrationSchema,
  doubtOf,
  plantErrors,
  sentencesOf,
  thresholdFor,
} from './calibration.js';
import { gatherEvidence, type Proposal, type WordEvidence } from './evidence.js';
import { SpellingNeighbours } from './spelling.js';
import { isDoubled } from './words.js';

/** A word that does not belong, by what is known. */
export interface DoubtfulWord {
  /** UTF-16 offsets in the text: `text.slice(start, end)` is the word. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** 0 to 1; 1 of a word that stands twice. */
  readonly doubt: number;
  /** What could stand there, the best first; "" where the word is to go. None without a generator. */
  readonly proposals: readonly Proposal[];
}

export interface ProofreadOptions {
  /** Part of the words of right text that may be marked, above 0, below 1. Default 0.01. Needs a calibration. */
  readonly falseAlarms?: number;
  /** Instead: the doubt from which on a word is marked, 0 to 1. */
  readonly threshold?: number;
  /** Proposals for a word, at most. Default 3. */
  readonly topK?: number;
  /** How evidence becomes doubt, of `calibrate`. Default: the model's own, in its config.json. */
  readonly calibration?: Calibration;
}

export interface Proofreader {
  readonly tokenizer: WordPieceTokenizer;
  /** The model's own, where it has one. */
  readonly calibration?: Calibration;
  /** The doubtful words of each text, in its order. */
  read(texts: readonly string[], options?: ProofreadOptions & RowWatch): Promise<DoubtfulWord[][]>;
  /** Every word of each text with its doubt, marked or not. */
  doubts(texts: readonly string[], options?: Pick<ProofreadOptions, 'calibration'> & RowWatch): Promise<JudgedWord[][]>;
  /**
   * Measures false alarms on text that is right: a person's own.
   * @throws DataError when there is too little of it
   */
  calibrate(texts: readonly string[], watch?: RowWatch): Promise<Calibration>;
  /** Releases both models. */
  release(): Promise<void>;
}

export type JudgedWord = WordEvidence & { readonly doubt: number };

/** Without a calibration: more likely replaced than not. */
const UNCALIBRATED = 0.5;
export const USUAL_FALSE_ALARMS = 0.01;
/** Sentences that a calibration reads, spread evenly over the text: some minutes at most. */
const MOST_SENTENCES = 1000;

/**
 * @param discriminator  doubts
 * @param generator      proposes; without one there are no proposals, and doubt rests on the discriminator alone
 * @throws SettingsError when the two do not share a vocabulary
 */
export async function proofread(discriminator: Model, generator?: Model): Promise<Proofreader> {
  const tokenizer = requireTokenizer(discriminator);
  if (generator && requireTokenizer(generator).hash() !== tokenizer.hash()) {
    throw new SettingsError([
      `${generator.source} and ${discriminator.source} read text differently; expected both halves of a pair`,
    ]);
  }
  await discriminator.prepare({ outputs: ['logits'] });
  await generator?.prepare(MASKED_LM_OUTPUTS);
  const spelling = new SpellingNeighbours(tokenizer);
  const own = calibrationIn(discriminator);
  const evidence = (texts: readonly string[], topK: number, watch: RowWatch = {}) =>
    gatherEvidence(texts, discriminator, { generator, spelling }, { topK, ...watch });

  const read: Proofreader['read'] = async (texts, options = {}) => {
    const { topK = 3, calibration = own, onRows, signal } = options;
    const threshold = thresholdOf(options, calibration);
    const judged = await evidence(texts, topK, { onRows, signal });
    return judged.map((words, i) => marked(texts[i], words, calibration, threshold));
  };
  return {
    tokenizer,
    ...(own && { calibration: own }),
    read,
    async doubts(texts, { calibration = own, onRows, signal } = {}) {
      const judged = await evidence(texts, 1, { onRows, signal });
      return judged.map((words) => words.map((word) => ({ ...word, doubt: doubtOf(word, calibration) })));
    },
    async calibrate(texts, watch) {
      const all = texts.flatMap(sentencesOf);
      const step = Math.max(1, all.length / MOST_SENTENCES);
      const right = Array.from({ length: Math.floor(all.length / step) }, (_, i) => all[Math.floor(i * step)]);
      // Errors go into the sentences that weights are fitted to, not into those that thresholds are measured on.
      const planted = plantErrors(right.filter((_, i) => i % 2 === 0));
      const found = await evidence([...right, ...planted.map(({ text }) => text)], 1, watch);
      const wrong = planted.flatMap(({ start, end, kind }, i) =>
        found[right.length + i].filter((word) => word.start < end && word.end > start).map((word) => ({ word, kind })),
      );
      return calibrate(found.slice(0, right.length), wrong);
    },
    async release() {
      await discriminator.release();
      await generator?.release();
    },
  };
}

function calibrationIn({ description: { pleiad } }: Model): Calibration | undefined {
  return pleiad?.proofread === undefined ? undefined : calibrationSchema.safeParse(pleiad.proofread).data;
}

/** @throws SettingsError for a rate or threshold out of range, or a rate that nothing was measured for */
function thresholdOf({ falseAlarms, threshold }: ProofreadOptions, calibration: Calibration | undefined): number {
  const problems: string[] = [];
  if (threshold !== undefined && falseAlarms !== undefined) {
    problems.push(`${settingName('threshold')} and ${settingName('falseAlarms')} are both given; give one`);
  }
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    problems.push(`${settingName('threshold')} is ${threshold}; expected 0 to 1`);
  }
  if (falseAlarms !== undefined && !(falseAlarms > 0 && falseAlarms < 1)) {
    problems.push(`${settingName('falseAlarms')} is ${falseAlarms}; expected above 0, below 1`);
  }
  if (falseAlarms !== undefined && !calibration) {
    problems.push(
      `${settingName('falseAlarms')} is given, and nothing says how often this model is wrong; calibrate it on text that is right`,
    );
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return threshold ?? (calibration ? thresholdFor(calibration, falseAlarms ?? USUAL_FALSE_ALARMS) : UNCALIBRATED);
}

function marked(
  text: string,
  words: readonly WordEvidence[],
  calibration: Calibration | undefined,
  threshold: number,
): DoubtfulWord[] {
  return words.flatMap((word, i) => {
    const { start, end, text: written, alternatives } = word;
    const place = { start, end, text: written };
    if (isDoubled(text, word, words[i - 1])) return [{ ...place, doubt: 1, proposals: [{ text: '', score: 1 }] }];
    const doubt = doubtOf(word, calibration);
    return doubt >= threshold ? [{ ...place, doubt, proposals: alternatives?.proposals ?? [] }] : [];
  });
}
